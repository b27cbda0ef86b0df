"""``tipstat init``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    epilog="Example:  tipstat init office --reference-area PER && cd office",
)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--reference-area", default="", help="Country of the office, ISO 3166-1 alpha-3.")
@click.option(
    "--key",
    type=click.Choice(["file", "demo"]),
    default="file",
    show_default=True,
    help="A new random key in a file, or the public key of the demonstration.",
)
@click.option(
    "--key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the pseudonym key goes, outside DIRECTORY; a key already there is used.",
)
@click.option(
    "--registry",
    default="sqlite:///registry.sqlite",
    show_default=True,
    help="URL of the registry, without a password; TIPSTAT_REGISTRY_URL goes before it.",
)
def init(
    directory: Path, reference_area: str, key: str, key_file: Path | None, registry: str
) -> None:
    """Make a workspace in DIRECTORY, a new or empty folder.

    The workspace holds settings, layouts, registry, landing, warehouse and outputs. The pseudonym
    key is made outside it: keep a copy in the office's safe.
    """
    from tipstat import keys
    from tipstat.registry.entities import area_of
    from tipstat.workspace import Workspace

    area = area_of(reference_area) if reference_area else ""
    ws = Workspace.create(
        directory, reference_area=area, key=key, key_file=key_file, registry=registry
    )
    click.echo(f"workspace  {ws.root}")
    if key == "demo":
        click.echo("key        the PUBLIC demonstration key: never load a real return here")
    else:
        click.echo(f"key        {keys.key_file(ws)}")
        click.echo(f"           fingerprint {keys.load_key(ws).fingerprint}; keep a copy in a safe")
    click.echo("next       register the entities that will send: tipstat entity add --help")
