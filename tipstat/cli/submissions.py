"""``tipstat submissions``, ``supersede`` and ``withdraw``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tipstat.cli.common import emit, format_option

if TYPE_CHECKING:
    from tipstat.registry import Submission
    from tipstat.workspace import Workspace

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
    "records",
    "held_out",
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
    """List the submissions, or show one."""
    if ctx.invoked_subcommand is not None:
        return
    rows = [
        _line(row)
        for row in _workspace(ctx).registry().submissions()
        if kind in (None, row.kind) and status in (None, row.status)
    ]
    emit(rows, _LISTED, fmt)


def _line(row: Submission) -> dict[str, object]:
    totals = {"records": sum(row.records.values()), "held_out": sum(row.held_out.values())}
    plain = {name: getattr(row, name) for name in _LISTED if name not in totals}
    return plain | totals | {"received_at": f"{row.received_at:%Y-%m-%d %H:%M} UTC"}


@submissions.command(epilog="Example:  tipstat submissions show police-npf-20231231-1a2b3c4d-5e6f")
@click.argument("submission_id", metavar="ID")
@format_option
@click.pass_context
def show(ctx: click.Context, submission_id: str, fmt: str) -> None:
    """Show one submission: what it declared, its counts, findings by rule, and its history."""
    from tipstat.landing.inspect import account_of

    rows = account_of(_workspace(ctx), submission_id, _SHOWN)
    emit(rows, ("section", "name", "value"), fmt)


@click.command(
    epilog='Example:  tipstat supersede OLD NEW --reason "NEW holds the whole year of OLD"',
)
@click.argument("old")
@click.argument("new")
@click.option("--reason", required=True, help="Why; it is kept in the audit trail.")
@click.pass_context
def supersede(ctx: click.Context, old: str, new: str, reason: str) -> None:
    """Take the accepted submission OLD out of the figures because NEW replaces it."""
    from tipstat import landing

    landing.supersede(_workspace(ctx), old, new, reason=_given(reason))
    click.echo(f"{old} superseded by {new}; run `tipstat build` to bring the figures up to date")


@click.command(
    epilog='Example:  tipstat withdraw police-npf-20231231-1a2b3c4d-5e6f --reason "sent in error"',
)
@click.argument("submission_id", metavar="ID")
@click.option("--reason", required=True, help="Why; it is kept in the audit trail.")
@click.pass_context
def withdraw(ctx: click.Context, submission_id: str, reason: str) -> None:
    """Take an accepted submission out of the figures."""
    from tipstat import landing

    landing.withdraw(_workspace(ctx), submission_id, reason=_given(reason))
    click.echo(f"{submission_id} withdrawn; run `tipstat build` to bring the figures up to date")


def _given(reason: str) -> str:
    if not reason.strip():
        raise click.UsageError("--reason must say why")
    return reason.strip()
