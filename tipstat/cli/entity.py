"""``tipstat entity``: reporting entities, and the authorisations to link their persons."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from tipstat.cli.common import emit, format_option

if TYPE_CHECKING:
    from tipstat.registry import Registry

_DAY = click.DateTime(formats=["%Y-%m-%d"])


def _registry(ctx: click.Context) -> Registry:
    from tipstat.workspace import Workspace

    return Workspace.find(ctx.obj).registry()


@click.group(epilog='Example:  tipstat entity add NPF --name "National Police" --type POLICE')
def entity() -> None:
    """Register and list reporting entities and the agreements to link their persons."""


@entity.command(
    epilog='Example:  tipstat entity add NPF --name "National Police" --type POLICE --area PER',
)
@click.argument("entity_id", metavar="ID")
@click.option("--name", required=True, help="Full name.")
@click.option("--type", "entity_type", required=True, help="Code of the list entity_type.")
@click.option(
    "--area",
    help="Country, ISO 3166-1 alpha-3 (of an international body _Z); by default the workspace's.",
)
@click.option("--parent", help="Registered entity that this one is a part of.")
@click.option("--mandate", help="What the law charges it with.")
@click.option("--agreement", help="Number of the data-sharing agreement.")
@click.option("--confidential", is_flag=True, help="Shown by type and nation only (a shelter).")
@click.option("--new", is_flag=True, help="It is another entity than the similar one registered.")
@click.pass_context
def add(
    ctx: click.Context,
    *,
    entity_id: str,
    name: str,
    entity_type: str,
    area: str | None,
    parent: str | None,
    mandate: str | None,
    agreement: str | None,
    confidential: bool,
    new: bool,
) -> None:
    """Register an entity under ID: 2 to 32 letters, digits and hyphens."""
    from tipstat.registry.entities import register_entity
    from tipstat.workspace import Workspace

    ws = Workspace.find(ctx.obj)
    row = register_entity(
        ws.registry(),
        entity_id,
        name=name,
        entity_type=entity_type,
        reference_area=area or ws.settings.reference_area,
        parent=parent,
        mandate=mandate,
        agreement=agreement,
        confidential=confidential,
        new=new,
    )
    click.echo(f"{row.id} registered: {row.name}, {row.entity_type}, {row.reference_area}")


@entity.command("list", epilog="Example:  tipstat entity list --format csv")
@format_option
@click.pass_context
def list_entities(ctx: click.Context, fmt: str) -> None:
    """List the registered entities."""
    columns = (
        "id",
        "name",
        "entity_type",
        "reference_area",
        "parent",
        "mandate",
        "agreement",
        "confidential",
    )
    rows = [{c: getattr(row, c) for c in columns} for row in _registry(ctx).entities()]
    emit(rows, columns, fmt)


@entity.command(
    epilog='Example:  tipstat entity authorise NPF COURT --purpose "attrition study" '
    '--legal-basis "Act 12/2020, art. 4" --expires 2027-12-31',
)
@click.argument("entity_a", metavar="A")
@click.argument("entity_b", metavar="B")
@click.option("--purpose", required=True, help="What the linked data may be used for.")
@click.option("--legal-basis", required=True, help="The law or agreement that permits it.")
@click.option("--expires", required=True, type=_DAY, help="Last day, YYYY-MM-DD.")
@click.option("--valid-from", type=_DAY, help="First day; by default today.")
@click.pass_context
def authorise(
    ctx: click.Context,
    *,
    entity_a: str,
    entity_b: str,
    purpose: str,
    legal_basis: str,
    expires: datetime,
    valid_from: datetime | None,
) -> None:
    """Permit linking the persons of A with those of B. Without this they are never linked."""
    from tipstat.registry.entities import registered_id

    registry = _registry(ctx)
    row = registry.add_authorisation(
        registered_id(registry, entity_a),
        registered_id(registry, entity_b),
        purpose=purpose,
        legal_basis=legal_basis,
        expires_on=expires.date(),
        valid_from=valid_from.date() if valid_from else None,
    )
    click.echo(f"authorisation {row.id}: {row.entity_a} and {row.entity_b} until {row.expires_on}")


@entity.command(epilog="Example:  tipstat entity authorisations --format json")
@format_option
@click.pass_context
def authorisations(ctx: click.Context, fmt: str) -> None:
    """List the authorisations to link persons, also those that expired."""
    columns = ("id", "entity_a", "entity_b", "purpose", "legal_basis", "valid_from", "expires_on")
    rows = [{c: getattr(row, c) for c in columns} for row in _registry(ctx).all_authorisations()]
    emit(rows, columns, fmt)
