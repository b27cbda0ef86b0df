"""``tipstat purge``: destroying records on a legal ground."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tipstat.cli.common import emit, format_option, progress
from tipstat.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tipstat.landing import PurgeRequest
    from tipstat.purge import Purged
    from tipstat.workspace import Workspace

_DUE = ("id", "status", "sender", "kind", "destroy_by", "days_overdue", "records")
_SHOWN = ("record_type", "destroyed", "remaining")


@click.group(
    epilog="Example:  tipstat purge submission police-npf-20231231-1a2b3c4d-5e6f "
    '--ground AGREEMENT_ENDED --note "clause 7 of agreement 12/2020" --yes'
)
def purge() -> None:
    """Destroy records for good on a recorded legal ground."""


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that both forms of a purge have."""
    options: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...] = (
        click.option("--ground", required=True, help="Code of the list legal_ground."),
        click.option("--note", required=True, help="What it rests on; never name a person here."),
        click.option("--yes", is_flag=True, help="Destroy; without it only say what would be."),
        click.option("--rebuild", is_flag=True, help="Build the warehouse anew afterwards."),
        click.option("--actor", envvar="TIPSTAT_ACTOR", help="Who; by default the login name."),
        format_option,
        click.pass_obj,
    )
    for option in reversed(options):
        command = option(command)
    return command


@purge.command(
    epilog="Example:  tipstat purge submission police-npf-20231231-1a2b3c4d-5e6f "
    '--ground COURT_ORDER --note "order 8/2026" --yes --rebuild'
)
@click.argument("submission_id", metavar="ID")
@_options
def submission(
    workspace: str | None,
    submission_id: str,
    *,
    ground: str,
    note: str,
    yes: bool,
    rebuild: bool,
    actor: str | None,
    fmt: str,
) -> None:
    """Destroy a whole submission: its records, findings and mappings."""
    from tipstat.landing import PurgeRequest
    from tipstat.purge import legal_ground

    request = PurgeRequest(submission_id, legal_ground(ground), _given(note))
    _run(workspace, request, yes=yes, rebuild=rebuild, actor=actor, fmt=fmt)


@purge.command(
    epilog="Example:  tipstat purge records police-npf-20231231-1a2b3c4d-5e6f --record-type victim "
    '--file ids.txt --ground DATA_SUBJECT_REQUEST --note "request 31/2026" --yes'
)
@click.argument("submission_id", metavar="ID")
@click.option("--record-type", required=True, help="Record type of the records.")
@click.option("--record-id", multiple=True, help="Landed id of a record; may be repeated.")
@click.option(
    "--file",
    "listed",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with a record id on each line.",
)
@_options
def records(
    workspace: str | None,
    submission_id: str,
    *,
    record_type: str,
    record_id: tuple[str, ...],
    listed: Path | None,
    ground: str,
    note: str,
    yes: bool,
    rebuild: bool,
    actor: str | None,
    fmt: str,
) -> None:
    """Destroy records of a submission, and the records that hang on them."""
    from tipstat.landing import PurgeRequest
    from tipstat.purge import legal_ground

    ids = tuple(dict.fromkeys((*(name.strip().lower() for name in record_id), *_read(listed))))
    request = PurgeRequest(submission_id, legal_ground(ground), _given(note), record_type, ids)
    _run(workspace, request, yes=yes, rebuild=rebuild, actor=actor, fmt=fmt)


def _read(listed: Path | None) -> tuple[str, ...]:
    from tipstat.purge import read_record_ids

    try:
        return read_record_ids(listed) if listed else ()
    except (OSError, UnicodeDecodeError):
        raise click.UsageError("--file cannot be read as text") from None


def _given(note: str) -> str:
    if not note.strip() or len(note.strip()) > 500:
        raise click.UsageError("--note must say what the ground rests on, in 500 characters")
    return note.strip()


def _run(
    workspace: str | None,
    request: PurgeRequest,
    *,
    yes: bool,
    rebuild: bool,
    actor: str | None,
    fmt: str,
) -> None:
    from tipstat import purge as purging
    from tipstat.rules import refuse
    from tipstat.workspace import Workspace

    ws = Workspace.find(workspace)
    planned = purging.planned(ws, request)
    rows = [
        {"record_type": name, "destroyed": planned.destroyed.get(name, 0), "remaining": left}
        for name, left in planned.remaining.items()
    ]
    emit(rows, _SHOWN, fmt)
    if not yes:
        raise refuse("TIP-931", UsageError, where=request.submission_id, found="no --yes")
    with progress("destroying"):
        done = purging.purge(ws, request, actor=actor)
    _tell(done)
    if rebuild:
        _rebuild(ws, actor)


def _tell(done: Purged) -> None:
    """Say on standard error what was done and what remains to be done."""
    click.echo(f"{done.purge.submission_id}: destroyed, {done.purge.ground}", err=True)
    for name in done.forgotten.removed:
        click.echo(f"deleted   warehouse/{name}", err=True)
    for name in done.forgotten.held:
        click.echo(
            f"in use    warehouse/{name}: close it, then `tipstat doctor --repair`", err=True
        )
    if done.forgotten.marked:
        number = len(done.forgotten.marked)
        click.echo(f"marked    {number} builds cannot be made again; their figures stay", err=True)
    click.echo("next      run `tipstat build`; backups of the landing are yours to clean", err=True)


def _rebuild(ws: Workspace, actor: str | None) -> None:
    from tipstat import warehouse

    with progress("building"):
        built = warehouse.build(ws, actor=actor)
    click.echo(f"built     warehouse/{built.path.name}", err=True)


@purge.command(epilog="Example:  tipstat purge due --within 90")
@click.option(
    "--within", type=click.IntRange(min=0), default=0, help="Also what is due in so many days."
)
@format_option
@click.pass_context
def due(ctx: click.Context, within: int, fmt: str) -> None:
    """List submissions to be destroyed by today; exit code 1 where there are any."""
    from datetime import datetime, timedelta

    from tipstat.purge import due as submissions_due
    from tipstat.workspace import Workspace

    today = datetime.now().astimezone().date()
    entries = submissions_due(Workspace.find(ctx.obj), today + timedelta(days=within))
    rows = [
        {name: getattr(entry.submission, name) for name in ("id", "status", "sender", "kind")}
        | {
            "destroy_by": entry.destroy_by,
            "days_overdue": entry.days - within,
            "records": sum(entry.submission.records.values()),
        }
        for entry in entries
    ]
    emit(rows, _DUE, fmt)
    if any(entry.days >= within for entry in entries):
        ctx.exit(int(ExitCode.FINDINGS))
