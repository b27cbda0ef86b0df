"""``tipstat sample``: made-up returns of any size, and the figures that they must give."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tipstat.errors import UsageError

if TYPE_CHECKING:
    from tipstat.sample import Sample

#: Rows of a sheet of a workbook, without the two that hold the headings.
SHEET_LIMIT = 1_048_576 - 2
_SHARE = click.FloatRange(0, 1)


@click.command(
    epilog="Example:  tipstat sample --country XXA --events 1000 --seed 7 -o sample    and then    "
    "tipstat load sample/police"
)
@click.option("--country", default="XXA", show_default=True, help="Country whose law is used.")
@click.option("--events", default=1000, show_default=True, help="Number of police events.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same sample.")
@click.option("--years", default="2022:2024", show_default=True, help="First and last year.")
@click.option(
    "--format",
    "fmt",
    type=click.Choice(["csv", "xlsx"]),
    default="csv",
    show_default=True,
    help="Standard CSV files, or standard workbooks.",
)
@click.option("--mistakes", type=_SHARE, help="Share of records with a mistake, at most 0.1.")
@click.option("--late", type=_SHARE, help="Share of decisions more than a year later.")
@click.option("--unlinked", type=_SHARE, help="Share of persons without an identifier.")
@click.option("--doubled", type=_SHARE, help="Share of victims registered twice.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="A new or empty folder.",
)
def sample(
    *,
    country: str,
    events: int,
    seed: int,
    years: str,
    fmt: str,
    output: Path,
    **shares: float | None,
) -> None:
    """Write police, court and service returns of a made-up country, and their truth.

    The returns overlap as real ones do. OUTPUT also gets truth.csv (the figures that load and build
    must give), truth_findings.csv (what the door must find) and truth_links.csv. Nothing in them
    concerns a person who lives.
    """
    from tipstat.cli.common import progress
    from tipstat.rules import refuse
    from tipstat.sample import make_plan, make_sample

    given = {name: share for name, share in shares.items() if share is not None}
    plan = make_plan(country, events, seed, years=years, **given)
    if output.is_dir() and any(output.iterdir()):
        raise refuse("TIP-975", UsageError, where=str(output), found="files in it")
    with progress("making the records"):
        made = make_sample(plan)
    if fmt == "xlsx" and made.largest > SHEET_LIMIT:
        raise refuse("TIP-974", UsageError, found=f"{made.largest:,} records of one type")
    output.mkdir(parents=True, exist_ok=True)
    for path in _write_returns(made, fmt, output):
        click.echo(f"return     {path}")
    with progress("counting the truth"):
        paths = write_truth(made, output)
    for path in paths:
        click.echo(f"truth      {path}")


def _write_returns(made: Sample, fmt: str, output: Path) -> list[Path]:
    from tipstat.cli.common import progress
    from tipstat.sample.returns import KINDS, write_csv_return

    paths = []
    for kind in KINDS:
        with progress(f"writing the {kind} return"):
            path = output / (kind if fmt == "csv" else f"{kind}.xlsx")
            if fmt == "csv":
                write_csv_return(made, kind, path)
            else:
                write_workbook(made, kind, path)
        paths.append(path)
    return paths


def write_workbook(made: Sample, kind: str, path: Path) -> None:
    """Write a return as the standard workbook."""
    from loaders.templates import write_template

    rows: dict[str, Sequence[Mapping[str, str]]] = {}
    for records in made.records(kind):
        sent = [
            {name: text or "" for name, text in row.items()}
            for table in records.batches()
            for row in table.to_pylist()
        ]
        rows[records.name] = sent
    area = made.plan.country
    write_template(kind, "en", path, reference_area=area, rows=rows, metadata=made.metadata(kind))


def write_truth(made: Sample, output: Path) -> list[Path]:
    """Write the figures, findings and links that a correct load and build must give."""
    from tipstat.sample import figures, findings, links

    counted = [figure._asdict() for figure in figures(made)]
    tables: dict[str, Sequence[Mapping[str, object]]] = {
        "truth.csv": counted,
        "truth_findings.csv": findings(made),
        "truth_links.csv": links(made),
    }
    return [_write(output / name, rows) for name, rows in tables.items()]


def _write(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path
