"""``tipstat demo``: the sample country and Peru, from their returns to both reports."""

from __future__ import annotations

import csv
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tipstat.errors import UsageError

if TYPE_CHECKING:
    from loaders.check import CheckResult
    from tipstat.workspace import Workspace

Say = Callable[[str], None]

#: Kind of return and language of the standard workbook that the sender filled in.
RETURNS = (("police", "en"), ("court", "es"), ("service", "fr"))
#: Id, name, type and country of those who send.
ENTITIES = (
    ("XXA-POLICE", "National police of the sample country", "POLICE", "XXA"),
    ("XXA-COURT", "Courts of the sample country", "COURT", "XXA"),
    ("XXA-SHELTER", "Shelter of the sample country", "NGO", "XXA"),
    ("PER-PNP", "Policía Nacional del Perú", "POLICE", "PER"),
)
PERU_LAYOUT = "per_pnp_2017"
AREAS = ("XXA", "PER")


@click.command(epilog="Example:  tipstat demo demo && tipstat -w demo indicators --area XXA")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default=Path("demo"))
@click.option("--force", is_flag=True, help="Make an earlier demo in DIRECTORY anew.")
def demo(directory: Path, force: bool) -> None:
    """Load the sample country and Peru into a new workspace, build, and write both reports.

    DIRECTORY is ./demo by default and must be new or empty. The workspace uses the public
    demonstration key: never load a real return into it.
    """
    with own_registry_and_key():
        ws = make_workspace(directory, force=force)
        click.echo(f"workspace  {ws.root}")
        load_returns(ws, click.echo)
        build(ws, click.echo)
        for path in write_reports(ws):
            click.echo(f"report     {path}")
        _show_figures(ws)


@contextmanager
def own_registry_and_key() -> Iterator[None]:
    """Keep the demonstration out of a registry and key that the environment names."""
    names = ("TIPSTAT_REGISTRY_URL", "TIPSTAT_KEY_FILE", "TIPSTAT_WORKSPACE")
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def make_workspace(root: Path, *, force: bool = False) -> Workspace:
    """Make the workspace of the demonstration with its entities and link authorisation.

    Args:
        root: a new or empty folder.
        force: remove an earlier demonstration first; any other folder is left alone.

    Raises:
        UsageError: TIP-961 the folder is not empty.
    """
    from tipstat.workspace import Workspace

    if root.is_dir() and any(root.iterdir()):
        _remove_earlier(root, force)
    ws = Workspace.create(root, key="demo")
    registry = ws.registry()
    for entity_id, name, kind, area in ENTITIES:
        registry.add_entity(entity_id, name=name, entity_type=kind, reference_area=area)
    registry.add_authorisation(
        "XXA-POLICE",
        "XXA-SHELTER",
        purpose="Statistics on victims known to both",
        legal_basis="Sample Statistics Act, article 12",
        valid_from=date(2022, 1, 1),
        expires_on=date(2099, 12, 31),
    )
    return ws


def _remove_earlier(root: Path, force: bool) -> None:
    from tipstat.rules import refuse
    from tipstat.settings import SETTINGS_FILE, read_settings

    settings = root / SETTINGS_FILE
    if not force or not settings.is_file() or read_settings(settings).key_source != "demo":
        found = "an earlier demo" if settings.is_file() else "a folder that is no demo"
        raise refuse("TIP-961", UsageError, where=str(root), found=found)
    shutil.rmtree(root)


def load_returns(ws: Workspace, say: Say) -> None:
    """Fill the three returns of the sample country in, then check and land them and Peru's file.

    Args:
        ws: the workspace of the demonstration.
        say: told what was found and landed.
    """
    from tipstat.project import examples_dir

    population = ws.populations_dir / "XXA.csv"
    shutil.copyfile(examples_dir() / "sample_country" / "population.csv", population)
    population.chmod(0o600)
    folder = ws.root / "returns"
    folder.mkdir(mode=0o700)
    for kind, language in RETURNS:
        path = folder / f"{kind}_{language}.xlsx"
        fill_return(kind, language, path)
        _load(ws, path, None, say)
    peru = next((examples_dir() / "per_pnp").glob("*.xlsx"))
    _load(ws, peru, PERU_LAYOUT, say)


def fill_return(kind: str, language: str, path: Path) -> None:
    """Fill the standard workbook of a kind with the records of the sample country."""
    from loaders.templates import write_template
    from tipstat.project import examples_dir

    folder = examples_dir() / "sample_country" / kind
    tables = {file.stem: _read(file) for file in sorted(folder.glob("*.csv"))}
    metadata = {row["variable"]: row["value"] for row in tables.pop("metadata")}
    write_template(kind, language, path, reference_area="XXA", rows=tables, metadata=metadata)
    path.chmod(0o600)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def _load(ws: Workspace, path: Path, layout: str | None, say: Say) -> None:
    from loaders.check import check_file
    from loaders.land import load_checked
    from tipstat.cli.common import progress

    with progress(f"loading {path.name}"):
        result = check_file(path, ws, layout=layout)
        loaded = load_checked(result, ws)
    say(f"{loaded.outcome:<10} {path.name} as {loaded.submission_id}")
    for line in _summary(result):
        say(f"           {line}")
    result.close()


def _summary(result: CheckResult) -> list[str]:
    """Records, and what the door found: a line for each rule, with the first cells."""
    from tipstat.rules import rule

    records, held = sum(result.records.values()), sum(result.held_out.values())
    lines = [f"{records:,} records, {held:,} held out"]
    times: Counter[str] = Counter()
    places: dict[str, list[str]] = {}
    for group in result.groups():
        times[group["rule_id"]] += group["n"]
        places.setdefault(group["rule_id"], []).extend(group["cells"] or [])
    for rule_id, n in times.items():
        if rule(rule_id).severity != "note":
            cells = ", ".join(places[rule_id][:3]) or "the file"
            lines.append(f"{rule_id} {rule(rule_id).title} ({n:,}): {cells}")
    return lines


def build(ws: Workspace, say: Say) -> None:
    """Build the warehouse of the demonstration."""
    from tipstat import warehouse
    from tipstat.cli.common import progress

    with progress("building the warehouse"):
        result = warehouse.build(ws, actor="demo")
    say(f"built      {result.path} in {result.seconds:.1f} s")


def write_reports(ws: Workspace) -> list[Path]:
    """Write the indicator workbook of both countries and an ICCS report of each."""
    from reports.iccs import write_iccs_report
    from reports.workbook import write_workbook
    from tipstat.cli.common import progress

    with progress("writing the reports"):
        workbook = write_workbook(ws, ws.outputs_dir / "indicators.xlsx", areas=AREAS)
        return [
            workbook,
            *(write_iccs_report(ws, ws.outputs_dir / f"iccs_{a}.xlsx", area=a) for a in AREAS),
        ]


def _show_figures(ws: Workspace) -> None:
    """The headline totals of both countries, one line each, the years side by side."""
    from reports.indicators import Selection, select
    from reports.screen import closing_line, printed
    from tipstat.cli.common import emit
    from tipstat.warehouse import reading

    wanted = Selection(reference_area=AREAS, headline=True, sex=("_T",))
    lines: dict[tuple[object, ...], dict[str, object]] = {}
    with reading(ws) as connection:
        for row in select(connection, wanted):
            names = ("indicator_label", "reference_area_label", "source_type_label")
            series = tuple(row[name] for name in names)
            line = lines.setdefault(
                series, dict(zip(("indicator", "area", "source"), series, strict=True))
            )
            line[str(row["period"])] = printed(row, "value")
        closing = closing_line(connection, "en")
    years = sorted({name for line in lines.values() for name in line if name.isdigit()})
    click.echo("")
    emit(list(lines.values()), ["indicator", "area", "source", *years], "table")
    click.echo(closing)
