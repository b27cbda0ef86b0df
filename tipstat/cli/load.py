"""``tipstat check`` and ``tipstat load``: a return through the door."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tipstat.cli.common import delimiter_option, encoding_option, printable
from tipstat.errors import ExitCode, ReturnRefused, UsageError

if TYPE_CHECKING:
    from loaders.check import CheckResult
    from loaders.post import Line, Piece
    from tipstat.workspace import Workspace

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)),
    click.option("--layout", help="Id or file of the layout; none for a standard return."),
    click.option("--sender", help="Registered entity that sends the return."),
    click.option(
        "--set",
        "items",
        multiple=True,
        metavar="VARIABLE=VALUE",
        help="An item of the metadata sheet, over what the file or layout says. May be repeated.",
    ),
    encoding_option,
    delimiter_option,
    click.option(
        "--format",
        "fmt",
        type=click.Choice(["table", "json", "csv"]),
        default="table",
        show_default=True,
        help="How to print the findings; json and csv give every one of them.",
    ),
    click.option(
        "--limit",
        type=click.IntRange(min=1),
        default=40,
        show_default=True,
        help="How many groups of findings to print as a table.",
    ),
)


def _return_options(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(
    epilog="Example:  tipstat check police_2024.xlsx    or    "
    "tipstat check trata.xlsx --layout per_pnp --sender PE-PNP --format csv > findings.csv"
)
@_return_options
@click.pass_context
def check(
    ctx: click.Context,
    *,
    files: tuple[Path, ...],
    layout: str | None,
    sender: str | None,
    items: tuple[str, ...],
    encoding: str | None,
    delimiter: str | None,
    fmt: str,
    limit: int,
) -> None:
    """Check a return against every rule and write nothing.

    FILES is one file, a folder of CSV files, or several files that form one return. A folder
    without metadata.csv, given without --layout, is the post: every return in it is checked
    as `tipstat load` would load it, and one table says what would become of each.

    Ends with 0 where nothing is worse than a warning, with 1 where values are invalid, records
    would be held out or the file would be refused.
    """
    from loaders.reader import readers

    readers.prepare()
    from loaders.read import read_ahead
    from tipstat.workspace import Workspace

    ws = Workspace.find(ctx.obj)
    read_ahead(files, ws.settings.limits)
    metadata = as_metadata(sender, items)
    if _is_post(files, layout, encoding, delimiter):
        from loaders.post import check_piece

        treat = partial(check_piece, ws=ws, metadata=metadata)
        ctx.exit(_treat_post(ws, files[0], treat, fmt))
    how = {"layout": layout, "encoding": encoding, "delimiter": delimiter}
    with closing(_checked(files, ws, metadata, how)) as result:
        _show(result, fmt, limit)
        if fmt == "table" and result.known_as:
            click.echo(f"already loaded as {result.known_as}")
        ctx.exit(ExitCode.CLEAN if result.clean else ExitCode.FINDINGS)


@click.command(
    epilog="Example:  tipstat load police_2024.xlsx    or    "
    "tipstat load trata.xlsx --layout per_pnp --sender PE-PNP --set maturity=FINAL    or    "
    "tipstat load post/2024"
)
@_return_options
@click.option("--actor", help="Who loads, for the audit trail; otherwise the user of the system.")
@click.option(
    "--received",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help="Day on which the office received it, YYYY-MM-DD; by default today.",
)
@click.pass_context
def load(
    ctx: click.Context,
    *,
    files: tuple[Path, ...],
    layout: str | None,
    sender: str | None,
    items: tuple[str, ...],
    encoding: str | None,
    delimiter: str | None,
    fmt: str,
    limit: int,
    actor: str | None,
    received: datetime | None,
) -> None:
    """Check a return and land what may land.

    FILES is one file, a folder of CSV files, or several files that form one return. A folder
    without metadata.csv, given without --layout, is the post: every return in it is told apart,
    given the layout that fits it, and loaded; one table at the end says what became of each.

    The same file is landed once. Of a refused file only its hash and the findings are kept.
    """
    from loaders.reader import readers

    readers.prepare()
    from loaders.read import name_of, read_ahead
    from tipstat.workspace import Workspace

    ws = Workspace.find(ctx.obj)
    read_ahead(files, ws.settings.limits)
    from loaders.land import load_checked, moment_of_receipt
    from tipstat.cli.common import progress

    metadata = as_metadata(sender, items)
    day = received.date() if received else None
    moment_of_receipt(day, datetime.now().astimezone())  # a day to come is told before all else
    told: dict[str, Any] = {"actor": actor, "received": day}
    if _is_post(files, layout, encoding, delimiter):
        from loaders.post import load_piece

        treat = partial(load_piece, ws=ws, metadata=metadata, **told)
        ctx.exit(_treat_post(ws, files[0], treat, fmt))
    how = {"layout": layout, "encoding": encoding, "delimiter": delimiter}
    with closing(_checked(files, ws, metadata, how)) as result:
        if result.known_as:
            _tell(fmt, f"already loaded as {result.known_as}")
            return
        _show(result, fmt, limit)
        with progress(f"landing {name_of(files)}"):
            loaded = load_checked(result, ws, **told)
        _tell(fmt, _outcome(result, loaded.outcome, loaded.submission_id))
        ctx.exit(ExitCode.CLEAN if result.clean else ExitCode.FINDINGS)


def _checked(
    files: tuple[Path, ...],
    ws: Workspace,
    metadata: Mapping[str, str],
    how: Mapping[str, str | None],
) -> CheckResult:
    """Check one return; ``how`` is its layout, encoding and delimiter, where they were given."""
    from loaders.check import check_file
    from loaders.read import name_of
    from tipstat.cli.common import progress

    with progress(f"checking {name_of(files)}"):
        return check_file(files, ws, metadata=metadata, **how)


_POST = (
    "file",
    "outcome",
    "submission",
    "records",
    "held_out",
    "findings",
    "layout",
    "rule",
    "message",
)


def _is_post(
    files: tuple[Path, ...], layout: str | None, encoding: str | None, delimiter: str | None
) -> bool:
    if len(files) != 1 or layout is not None or not files[0].is_dir():
        return False
    from loaders.post import is_post

    if not is_post(files[0]):
        return False
    if encoding or delimiter:
        raise click.UsageError(
            "--encoding and --delimiter are of one return; a layout says them for a folder of many"
        )
    return True


def _treat_post(ws: Workspace, folder: Path, treat: Callable[[Piece], Line], fmt: str) -> ExitCode:
    """Check or load every return of a folder and print one table; the exit code of the worst."""
    from dataclasses import asdict

    from loaders.post import layouts_of, sort_post
    from tipstat.cli.common import emit, steps
    from tipstat.rules import refuse

    layouts, broken = layouts_of(ws)
    with steps("looking through the post") as show:
        limits = ws.settings.limits
        sorted_out = sort_post(folder, layouts, lambda name: show(name, 0, 0), limits=limits)
        pieces = [*broken, *sorted_out]
        lines = []
        for number, piece in enumerate(pieces):
            show(piece.name, number, len(pieces))
            lines.append(treat(piece))
    rows = [asdict(line) for line in lines]
    emit(rows, _POST, fmt)
    outcomes = Counter(line.outcome for line in lines)
    summary = ", ".join(f"{n} {outcome}" for outcome, n in sorted(outcomes.items()))
    _tell(fmt, f"\n{len(lines)} returns: {summary}" if lines else "no return in the folder")
    for rule_id in sorted({line.rule for line in lines if line.rule}):
        _tell(fmt, refuse(rule_id, ReturnRefused).render())
    if outcomes["failed"]:
        return ExitCode.ENVIRONMENT
    return ExitCode.CLEAN if all(line.clean for line in lines) else ExitCode.FINDINGS


def as_metadata(sender: str | None, items: Sequence[str]) -> dict[str, str]:
    """The metadata given on the command line; ``--sender`` is short for ``--set sender=``."""
    given: dict[str, str] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals:
            raise UsageError(
                "TIP-149", "unknown metadata", found=f'"{item}"', expected="--set variable=value"
            )
        given[name.strip()] = value.strip()
    return {**given, "sender": sender} if sender else given


def _tell(fmt: str, text: str) -> None:
    """Say what became of the file; beside a machine-readable list on standard error."""
    click.echo(text, err=fmt != "table")


def _outcome(result: CheckResult, outcome: str, submission_id: str) -> str:
    if outcome == "known":
        return f"already loaded as {submission_id}"
    if outcome == "refused":
        kept = f"; the refusal is recorded as {submission_id}" if submission_id else ""
        return f"refused: nothing of {result.file_name} was landed{kept}"
    total, held = sum(result.records.values()), sum(result.held_out.values())
    accepted = f"accepted as {submission_id}: {total - held:,} records, {held:,} held out"
    return "\n".join([accepted, *_comparisons(result, submission_id)])


def _comparisons(result: CheckResult, submission_id: str) -> list[str]:
    """How to see what a replacement or an update changes."""
    from tipstat.landing.header import earlier_ids

    if result.metadata.get("intent") not in ("REPLACES", "UPDATES"):
        return []
    named = earlier_ids(str(result.metadata.get("earlier_submission") or ""))
    return [
        f"what it changes: tipstat submissions diff {earlier} {submission_id}" for earlier in named
    ]


# ── printing ──────────────────────────────────────────────────────────────────────────────────


def _show(result: CheckResult, fmt: str, limit: int) -> None:
    if fmt == "json":
        click.echo(json.dumps(_as_json(result), ensure_ascii=False, indent=2))
    elif fmt == "csv":
        from dataclasses import asdict

        from tipstat.cli.common import emit

        rows = [asdict(finding) for finding in result.findings()]
        emit(rows, _CSV_COLUMNS, "csv")
    else:
        _table(result, limit)


_CSV_COLUMNS = (
    "rule_id",
    "severity",
    "record_type",
    "sheet",
    "cell",
    "row",
    "column_letter",
    "variable",
    "value",
    "expected",
    "nearest",
    "message",
    "count",
)


def _as_json(result: CheckResult) -> dict[str, Any]:
    from dataclasses import asdict

    from loaders.mended import since

    return {
        "file": result.file_name,
        "read_as": result.read_as,
        "kind": result.kind,
        "refused": result.refused,
        "already_loaded_as": result.known_as or None,
        "records": result.records,
        "held_out": result.held_out,
        "counts": result.severities,
        "since": since(result.changes) if result.changes else None,
        "findings": [asdict(finding) for finding in result.findings()],
    }


def _table(result: CheckResult, limit: int) -> None:
    from tipstat.rules import rule

    click.echo(printable(_headline(result), lines=True))
    groups = result.groups(limit)
    for group in groups:
        click.echo()
        block = _block(result.file_name, group, rule(group["rule_id"]).fix)
        click.echo(printable(block, lines=True))
    total = groups[0]["n_groups"] if groups else 0
    if total > len(groups):
        more = total - len(groups)
        click.echo(f"\n{more:,} more groups of findings: --limit {total}, or --format csv")
    sys.stdout.flush()


def _headline(result: CheckResult) -> str:
    records = ", ".join(f"{n:,} {name}" for name, n in result.records.items()) or "no records"
    held = sum(result.held_out.values())
    found = ", ".join(f"{n:,} {severity}" for severity, n in result.severities.items())
    lines = [
        f"{result.file_name}: {result.kind} return, {records}",
        *([f"read as {result.read_as}"] if result.read_as else []),
        f"findings: {found or 'none'}; records held out: {held:,}",
    ]
    lines += ["the file is refused"] if result.refused else []
    return "\n".join([*lines, result.changes.told()] if result.changes else lines)


def _block(file_name: str, group: Mapping[str, Any], fix: str) -> str:
    """One group of findings in the four parts of DESIGN section 8."""
    cells = ", ".join(group["cells"] or [])
    where = " › ".join(part for part in (file_name, group["sheet"], cells) if part)
    more = group["n"] - len(group["cells"] or [])
    if group["cells"] and more > 0:
        where += f" and {more:,} more"
    return _four_parts(group, where, _found(group), fix)


def _found(group: Mapping[str, Any]) -> str:
    from tipstat.rules import rule

    title = rule(group["rule_id"]).title
    shown = f'"{printable(group["value"])}"' if group["value"] is not None else ""
    message = group["message"] if group["message"] != title else ""
    about = ".".join(part for part in (group["record_type"], group["variable"]) if part)
    places = f"{group['n']:,} times" if group["n"] > 1 else ""
    detail = ", ".join(part for part in (about, places) if part)
    text = " ".join(part for part in (shown, message) if part)
    return f"{text} ({detail})" if text and detail else text or detail


def _four_parts(group: Mapping[str, Any], where: str, found: str, fix: str) -> str:
    from tipstat.rules import rule

    severity, title = group["severity"], rule(group["rule_id"]).title
    parts = (
        ("found", found),
        ("expected", group["expected"]),
        ("nearest", group["nearest"]),
        ("do", fix),
    )
    lines = [f"{group['rule_id']} {title} [{severity}]     {where}"]
    return "\n".join([*lines, *(f"  {name:<9}{text}" for name, text in parts if text)])
