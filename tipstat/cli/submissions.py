"""``tipstat submissions``, ``supersede`` and ``withdraw``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from tipstat.cli.common import emit, format_option
from tipstat.errors import ExitCode

if TYPE_CHECKING:
    from tipstat.registry import ExpectedReturn, Registry, Submission
    from tipstat.workspace import Workspace

_DAY = click.DateTime(formats=["%Y-%m-%d"])

_STATUSES = ["received", "checked", "accepted", "refused", "superseded", "withdrawn", "purged"]
_LISTED = (
    "id",
    "status",
    "sender",
    "kind",
    "period_start",
    "period_end",
    "intent",
    "received_at",
    "days_late",
    "records",
    "held_out",
)
_DIFFERENCE = ("section", "name", "before", "after", "added", "gone", "changed", "unchanged")
_COVERED = (
    "reporting_entity",
    "kind",
    "period_start",
    "period_end",
    "due",
    "state",
    "days_late",
    "received",
    "share",
    "nil",
    "records",
    "held_out",
    "units_in_scope",
    "units_silent",
    "submissions",
)
_SHOWN = (
    "id",
    "status",
    "sequence",
    "received_at",
    "sender",
    "kind",
    "reference_area",
    "period_start",
    "period_end",
    "maturity",
    "intent",
    "earlier_submission",
    "nil_return",
    "file_format",
    "file_sha256",
    "layout_id",
    "layout_sha256",
    "contract_version",
    "key_fingerprint",
    "legal_basis",
    "agreement",
    "confidentiality_class",
    "destroy_by",
    "tipstat_version",
)


_actor = click.option("--actor", envvar="TIPSTAT_ACTOR", help="Who; by default the login name.")


def _workspace(ctx: click.Context) -> Workspace:
    from tipstat.workspace import Workspace

    return Workspace.find(ctx.obj)


@click.group(
    invoke_without_command=True,
    epilog="Example:  tipstat submissions --kind police --status accepted",
)
@click.option("--kind", help="Only this kind of return.")
@click.option("--status", type=click.Choice(_STATUSES), help="Only this status.")
@format_option
@click.pass_context
def submissions(ctx: click.Context, kind: str | None, status: str | None, fmt: str) -> None:
    """List the submissions, show or compare them, or show what was expected."""
    if ctx.invoked_subcommand is not None:
        return
    registry = _workspace(ctx).registry()
    expected = registry.expected_returns()
    rows = [
        _line(row, expected)
        for row in registry.submissions()
        if kind in (None, row.kind) and status in (None, row.status)
    ]
    emit(rows, _LISTED, fmt)
    if fmt == "table" and expected:
        _sum_up(registry)


def _sum_up(registry: Registry) -> None:
    """One line on what was expected until today and what came of it."""
    from collections import Counter

    from tipstat.registry.expected import coverage

    entries = coverage(registry, datetime.now().astimezone().date())
    states = Counter(entry.state for entry in entries)
    told = ", ".join(f"{number} {state}" for state, number in sorted(states.items())) or "none"
    click.echo(f"\nexpected periods until today: {told} (tipstat submissions coverage)")


def _line(row: Submission, expected: Sequence[ExpectedReturn]) -> dict[str, object]:
    from tipstat.registry.expected import days_late

    worked_out = {
        "records": sum(row.records.values()),
        "held_out": sum(row.held_out.values()),
        "received_at": f"{row.received_at:%Y-%m-%d %H:%M} UTC",
        "days_late": days_late(row, expected),
    }
    return {name: getattr(row, name) for name in _LISTED if name not in worked_out} | worked_out


@submissions.command(epilog="Example:  tipstat submissions coverage --open --format csv")
@click.option("--kind", help="Only this kind of return.")
@click.option("--on", "day", type=_DAY, help="As on this day; by default today.")
@click.option("--open", "only_open", is_flag=True, help="Only what is missing after its due day.")
@format_option
@click.pass_context
def coverage(
    ctx: click.Context, kind: str | None, day: datetime | None, only_open: bool, fmt: str
) -> None:
    """Show what was received of the expected returns: who sent, how late, how complete.

    Ends with 1 where something is missing after its due day.
    """
    from dataclasses import asdict

    from tipstat.purge import due
    from tipstat.registry.expected import coverage as covered_of

    ws = _workspace(ctx)
    today = datetime.now().astimezone().date()
    on = day.date() if day else today
    entries = [e for e in covered_of(ws.registry(), on) if kind in (None, e.kind)]
    shown = [entry for entry in entries if entry.is_open or not only_open]
    joined = [asdict(e) | {"submissions": " ".join(e.submissions)} for e in shown]
    emit(joined, _COVERED, fmt)
    counted = len(due(ws, today))
    if counted:
        click.echo(f"{counted} submissions are due for destruction: tipstat purge due", err=True)
    if any(entry.is_open for entry in entries):
        ctx.exit(int(ExitCode.FINDINGS))


@submissions.command(epilog="Example:  tipstat submissions show police-npf-20231231-1a2b3c4d-5e6f")
@click.argument("submission_id", metavar="ID")
@format_option
@click.pass_context
def show(ctx: click.Context, submission_id: str, fmt: str) -> None:
    """Show one submission: what it declared, its counts, findings by rule, and its history."""
    from tipstat.landing.inspect import account_of

    rows = account_of(_workspace(ctx), submission_id, _SHOWN)
    emit(rows, ("section", "name", "value"), fmt)


@submissions.command(epilog="Example:  tipstat submissions diff OLD NEW --figures --format csv")
@click.argument("old")
@click.argument("new")
@click.option("--figures", is_flag=True, help="Build the figures of which there is no vintage.")
@format_option
@click.pass_context
def diff(ctx: click.Context, old: str, new: str, *, figures: bool, fmt: str) -> None:
    """Show what the submission NEW changes against OLD: numbers of records, and figures.

    No key and no value of a record is shown.
    """
    emit(_difference(_workspace(ctx), old, new, trial=figures), _DIFFERENCE, fmt)


def _difference(
    ws: Workspace, old: str, new: str, *, replacing: bool = False, trial: bool = False
) -> list[dict[str, object]]:
    """The rows of a difference: record types, their changed columns, and figures."""
    from tipstat.cli.common import progress
    from tipstat.difference import figure_difference, record_differences

    rows: list[dict[str, object]] = []
    for one in record_differences(ws, old, new, replacing=replacing):
        counts = {name: getattr(one, name) for name in _DIFFERENCE[2:]}
        rows.append({"section": "records", "name": one.record_type, **counts})
        rows += [
            {"section": "column", "name": f"{one.record_type}.{name}", "changed": number}
            for name, number in sorted(one.columns.items())
        ]
    with progress("building the figures before and after"):
        told = figure_difference(ws, old, new, replacing=replacing, trial=trial)
    if not told.known:
        return [*rows, {"section": "figures", "name": "not built: --figures builds them"}]
    rows += [
        {"section": "figures", "name": series, "before": before, "after": after}
        for series, before, after in told.totals
    ]
    cells = f"all figures, of {told.before} and {told.after}"
    return [*rows, {"section": "figures", "name": cells, "changed": told.cells}]


@click.command(
    epilog='Example:  tipstat supersede OLD NEW --reason "NEW holds the whole year of OLD"',
)
@click.argument("old")
@click.argument("new")
@click.option("--reason", required=True, help="Why; it is kept in the audit trail.")
@click.option("--dry-run", is_flag=True, help="Show the difference and stop.")
@_actor
@click.pass_context
def supersede(
    ctx: click.Context, old: str, new: str, *, reason: str, dry_run: bool, actor: str | None
) -> None:
    """Take the accepted submission OLD out of the figures because NEW replaces it.

    First the difference is shown: records added, gone and changed, and the figures before and
    after where a build of both was made (`tipstat submissions diff --figures` makes them).
    """
    from tipstat import landing

    ws = _workspace(ctx)
    emit(_difference(ws, old, new, replacing=True), _DIFFERENCE, "table")
    if dry_run:
        click.echo("nothing was changed")
        return
    landing.supersede(ws, old, new, reason=_given(reason), actor=actor)
    click.echo(f"{old} superseded by {new}; run `tipstat build` to bring the figures up to date")


@click.command(
    epilog='Example:  tipstat withdraw police-npf-20231231-1a2b3c4d-5e6f --reason "sent in error"',
)
@click.argument("submission_id", metavar="ID")
@click.option("--reason", required=True, help="Why; it is kept in the audit trail.")
@_actor
@click.pass_context
def withdraw(ctx: click.Context, submission_id: str, reason: str, actor: str | None) -> None:
    """Take an accepted submission out of the figures."""
    from tipstat import landing

    landing.withdraw(_workspace(ctx), submission_id, reason=_given(reason), actor=actor)
    click.echo(f"{submission_id} withdrawn; run `tipstat build` to bring the figures up to date")


def _given(reason: str) -> str:
    if not reason.strip():
        raise click.UsageError("--reason must say why")
    return reason.strip()
