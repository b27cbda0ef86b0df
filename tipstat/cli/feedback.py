"""``tipstat feedback``: what was found, given back to the sender in the sender's own workbook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tipstat.cli.common import delimiter_option, encoding_option
from tipstat.errors import ReturnRefused, UsageError

if TYPE_CHECKING:
    from loaders.feedback import Written
    from loaders.reply import Reply
    from tipstat.workspace import Workspace


@click.command(
    epilog="Example:  tipstat feedback police-npf-20231231-1a2b3c4d-5e6f --file police_2023.xlsx"
    "    or    tipstat feedback --file police_2023.xlsx"
)
@click.argument("submission_id", metavar="[ID]", required=False)
@click.option(
    "--file",
    "originals",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="The return as it was received; without ID it is checked now. Several files of one "
    "return: repeat it.",
)
@click.option("--layout", help="Id or file of the layout; without ID only.")
@click.option("--sender", help="Registered entity that sends the return; without ID only.")
@click.option(
    "--set", "items", multiple=True, metavar="VARIABLE=VALUE",
    help="An item of the metadata sheet; without ID only. May be repeated.",
)  # fmt: skip
@encoding_option
@delimiter_option
@click.option(
    "--lang", type=click.Choice(["en", "es", "fr"]),
    help="Language of the reply; otherwise that of the return.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path),
    help="The workbook to write; by default beside the file, or in outputs/ without one.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace an earlier reply.")
@click.pass_context
def feedback(
    ctx: click.Context,
    *,
    submission_id: str | None,
    originals: tuple[Path, ...],
    layout: str | None,
    sender: str | None,
    items: tuple[str, ...],
    encoding: str | None,
    delimiter: str | None,
    lang: str | None,
    output: Path | None,
    force: bool,
) -> None:
    """Write the reply to a sender: what was found, where, and what to do.

    With the workbook that was received (xlsx, xlsm) the reply is a copy of it with coloured cells,
    notes, and a first sheet that sums up. Of any other file, or without it, the reply is a workbook
    of the findings. All findings are written as CSV and JSON beside it.
    """
    from loaders.feedback import write_reply
    from tipstat.cli.common import progress
    from tipstat.cli.load import as_metadata
    from tipstat.workspace import Workspace

    ws = Workspace.find(ctx.obj)
    given = as_metadata(sender, items)
    if submission_id is None:
        how = {"layout": layout, "encoding": encoding, "delimiter": delimiter}
        replying = _of_check(ws, originals, given, how, lang)
    elif layout or given or encoding or delimiter:
        raise click.UsageError(
            "--layout, --sender, --set, --encoding and --delimiter belong to a check without ID"
        )
    else:
        replying = _of_submission(ws, submission_id, originals, lang)
    with replying as (reply, marked_copy), progress("writing the reply"):
        path = output or _place(ws, reply, marked_copy)
        _refuse_inside(ws, path, marked_copy)
        _refuse_existing(path, marked_copy, force=force)
        written = write_reply(reply, path, marked_copy, limits=ws.settings.limits)
        _tell(reply, written)


@contextmanager
def _of_check(
    ws: Workspace,
    originals: tuple[Path, ...],
    given: dict[str, str],
    how: Mapping[str, str | None],
    lang: str | None,
) -> Iterator[tuple[Reply, Path | None]]:
    """The reply to a return that is checked now.

    Args:
        ws: the workspace.
        originals: the files of the return.
        given: items of the metadata sheet.
        how: layout, encoding and delimiter, where they were given.
        lang: language of the reply.
    """
    from loaders.check import check_file
    from loaders.feedback import reply_to_check, reply_to_refusal
    from loaders.read import name_of
    from tipstat.cli.common import progress
    from tipstat.rules import refuse

    if not originals:
        raise refuse("TIP-721", UsageError)
    name = name_of(originals)
    try:
        with progress(f"checking {name}"):
            result = check_file(originals, ws, metadata=given, **how)
    except ReturnRefused as refusal:
        with reply_to_refusal(refusal, ws, name, language=lang or "") as reply:
            yield reply, None
        return
    with closing(result):
        workbook = originals[0] if result.file_format == "xlsx" else None
        yield reply_to_check(result, ws, language=lang or ""), workbook


@contextmanager
def _of_submission(
    ws: Workspace, submission_id: str, originals: tuple[Path, ...], lang: str | None
) -> Iterator[tuple[Reply, Path | None]]:
    """The reply on a submission; the original is known by its hash."""
    from loaders.feedback import matching, reply_to_submission
    from loaders.read import name_of

    workbook = matching(ws, submission_id, originals) if originals else None
    name = name_of(originals) if originals else ""
    with reply_to_submission(ws, submission_id, file_name=name, language=lang or "") as reply:
        yield reply, workbook


def _place(ws: Workspace, reply: Reply, original: Path | None) -> Path:
    """Where a reply goes: a copy of the records beside the records, findings into the workspace."""
    if original is not None:
        return original.with_name(f"{original.stem}_feedback{original.suffix}")
    name = reply.account.submission_id or Path(reply.account.file_name).stem
    ws.outputs_dir.mkdir(exist_ok=True)
    return ws.outputs_dir / f"{name}_feedback.xlsx"


def _refuse_inside(ws: Workspace, path: Path, original: Path | None) -> None:
    """Records as sent are not kept in the workspace (STATISTICS section 6)."""
    from tipstat.rules import refuse

    within = path.resolve().is_relative_to(ws.root)
    if original is not None and within and not original.resolve().is_relative_to(ws.root):
        raise refuse("TIP-725", UsageError, where=str(path))


def _refuse_existing(path: Path, original: Path | None, *, force: bool) -> None:
    from loaders.feedback import files_of
    from tipstat.rules import refuse

    if not path.resolve().parent.is_dir():
        raise refuse("TIP-962", UsageError, where=str(path.parent))
    # A workbook that cannot be marked is answered with one of the findings.
    written = (*files_of(path, original), *files_of(path))
    there = [file for file in written if file.exists()]
    if there and not force:
        raise refuse("TIP-960", UsageError, where=str(there[0]))


def _tell(reply: Reply, written: Written) -> None:
    for path in (written.workbook, written.csv, written.json):
        click.echo(path)
    found = ", ".join(f"{n:,} {severity}" for severity, n in reply.counts().items())
    click.echo(f"findings: {found or 'none'}")
    if written.marked:
        more = written.cells - written.marked
        click.echo(f"cells marked: {written.marked:,}" + (f", and {more:,} more" if more else ""))
    if written.reason:
        click.echo(f"the workbook itself could not be marked ({written.reason})")
    if reply.changes:
        click.echo(reply.changes.told())
