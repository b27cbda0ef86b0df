"""``tipstat expected``: the register of expected returns."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from tipstat.cli.common import emit, format_option

if TYPE_CHECKING:
    from tipstat.registry import Registry

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_LISTED = (
    "id",
    "reporting_entity",
    "kind",
    "frequency",
    "due",
    "valid_from",
    "valid_to",
    "agreement",
    "destroy_by",
)
_actor = click.option("--actor", envvar="TIPSTAT_ACTOR", help="Who; by default the login name.")


def _registry(ctx: click.Context) -> Registry:
    from tipstat.workspace import Workspace

    return Workspace.find(ctx.obj).registry()


@click.group(epilog="Example:  tipstat expected add NPF police --due 3m --from 2023-01-01")
def expected() -> None:
    """Register which returns are expected of whom, how often, and by when.

    `tipstat submissions coverage` shows what came of them.
    """


@expected.command(
    epilog="Example:  tipstat expected add NPF police --frequency QUARTER --due 45d "
    '--from 2024-01-01 --agreement "MoU 7/2023" --destroy-by 2034-12-31',
)
@click.argument("entity")
@click.argument("kind")
@click.option(
    "--frequency",
    type=click.Choice(["YEAR", "HALF_YEAR", "QUARTER", "MONTH"], case_sensitive=False),
    default="YEAR",
    show_default=True,
    help="Length of a period.",
)
@click.option("--due", required=True, help="Time after the period's end: 3m, 45d or 1m15d.")
@click.option("--from", "valid_from", required=True, type=_DAY, help="First day of all periods.")
@click.option("--agreement", help="Number of the data-sharing agreement.")
@click.option("--destroy-by", type=_DAY, help="Day by which what was received must be destroyed.")
@_actor
@click.pass_context
def add(
    ctx: click.Context,
    entity: str,
    kind: str,
    *,
    frequency: str,
    due: str,
    valid_from: datetime,
    agreement: str | None,
    destroy_by: datetime | None,
    actor: str | None,
) -> None:
    """Expect a KIND of return of a registered ENTITY for each period from a day on."""
    from tipstat.registry.expected import expect

    row = expect(
        _registry(ctx),
        entity,
        kind,
        frequency=frequency.upper(),
        due=due,
        valid_from=valid_from.date(),
        agreement=agreement,
        destroy_by=destroy_by.date() if destroy_by else None,
        actor=actor,
    )
    about = f"{row.kind} return of {row.reporting_entity}"
    click.echo(f"expected return {row.id}: {about}, {row.frequency} from {row.valid_from}")


@expected.command("list", epilog="Example:  tipstat expected list --format csv")
@format_option
@click.pass_context
def list_expected(ctx: click.Context, fmt: str) -> None:
    """List the expected returns, also those that ended."""
    rows = [
        {name: getattr(row, name) for name in _LISTED if name != "due"}
        | {"due": f"{row.due_months}m{row.due_days}d"}
        for row in _registry(ctx).expected_returns()
    ]
    emit(rows, _LISTED, fmt)


@expected.command(epilog='Example:  tipstat expected end 3 --on 2025-12-31 --reason "merged"')
@click.argument("number", type=int)
@click.option("--on", "day", required=True, type=_DAY, help="Last day that is expected.")
@click.option("--reason", required=True, help="Why; it is kept in the audit trail.")
@_actor
@click.pass_context
def end(ctx: click.Context, number: int, day: datetime, reason: str, actor: str | None) -> None:
    """No longer expect the return of this NUMBER for periods that end after a day."""
    from tipstat.registry import expected as register

    row = register.end(_registry(ctx), number, day.date(), reason=reason, actor=actor)
    about = f"{row.kind} return of {row.reporting_entity}"
    click.echo(f"expected return {row.id}: {about}, until {row.valid_to}")
