"""``tipstat doctor`` and ``tipstat upgrade``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from tipstat.cli.common import emit, format_option
from tipstat.errors import ExitCode

if TYPE_CHECKING:
    from tipstat.workspace import Workspace


@click.command(epilog="Example:  tipstat doctor --repair")
@click.option("--repair", is_flag=True, help="Remove what dead loads left and mend small things.")
@click.option(
    "--rebuild-registry",
    is_flag=True,
    help="Make a lost registry again from the landing; never overwrites one.",
)
@format_option
@click.pass_context
def doctor(ctx: click.Context, repair: bool, rebuild_registry: bool, fmt: str) -> None:
    """Look the workspace over; exit code 3 when something is wrong."""
    from tipstat import doctor as examination
    from tipstat.workspace import Workspace

    ws = Workspace.find(ctx.obj)
    if rebuild_registry:
        _rebuild(ws)
    if repair:
        for line in examination.repair(ws):
            click.echo(line, err=True)
    results = examination.examine(ws)
    emit([asdict(result) for result in results], ("check", "state", "rule", "detail", "do"), fmt)
    if any(result.state == "wrong" for result in results):
        ctx.exit(int(ExitCode.ENVIRONMENT))


def _rebuild(ws: Workspace) -> None:
    from tipstat.landing import rebuild_registry

    rebuilt = rebuild_registry(ws)
    click.echo(f"{rebuilt.submissions} submissions, {rebuilt.entities} entities", err=True)
    for name in rebuilt.undecided:
        click.echo(f"acceptance unknown, kept out of the figures: {name}", err=True)
    click.echo("enter link authorisations and entities that never sent anything again", err=True)


@click.command(epilog="Example:  tipstat upgrade")
@click.option("--backed-up", is_flag=True, help="A backup of the PostgreSQL registry was made.")
@click.pass_context
def upgrade(ctx: click.Context, backed_up: bool) -> None:
    """Bring the registry to this version of tipstat.

    An SQLite registry is copied first; of a PostgreSQL registry you make the backup.
    """
    from tipstat.registry.migrate import upgrade_registry
    from tipstat.workspace import Workspace

    ws = Workspace.find(ctx.obj)
    result = upgrade_registry(ws.registry_url, ws.root, backed_up=backed_up)
    if result.backup is not None:
        click.echo(f"backup   {result.backup}")
    click.echo(f"registry {result.before} -> {result.after}")
