"""``tipstat reconcile``: one source against another for the same figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from tipstat.cli.common import emit, format_option, progress, workspace_if_any
from tipstat.errors import ExitCode, UsageError

if TYPE_CHECKING:
    import duckdb

    from tipstat.reconcile import Reconciliation

Command = TypeVar("Command", bound=Callable[..., object])

#: What ``--show`` lists, by verdict.
SHOWN = {
    "differences": ("differ",),
    "both": ("differ", "compatible", "agree"),
    "all": ("differ", "only_a", "only_b", "compatible", "agree"),
}

_OPTIONS = (
    click.option(
        "--layout", "layouts", multiple=True, metavar="LAYOUT",
        help="Layout of a file: of the first, then of the second.",
    ),
    click.option("--area", "areas", multiple=True, metavar="CODE", help="Only this country."),
    click.option("--indicator", "indicators", multiple=True, help="Only this indicator."),
    click.option("--years", help="Year or range: 2019, 2019:2022."),
    click.option(
        "--forms", type=click.Choice(["unodc", "sdg", "eurostat", "iccs", "fine"]),
        default="unodc", show_default=True, help="Map by which forms are brought together.",
    ),
    click.option(
        "--article", "articles", multiple=True, metavar="CODE",
        help="Take the cells of this article of national law instead of those of trafficking.",
    ),
    click.option(
        "--show", type=click.Choice(list(SHOWN)), default="differences", show_default=True,
        help="Which cells to list; all are counted.",
    ),
    format_option,
    click.option(
        "-o", "--output", type=click.Path(dir_okay=False, path_type=Path),
        help="Write every cell to a .csv, .json or .xlsx file.",
    ),
)  # fmt: skip


def _options(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(
    epilog="Example:  tipstat reconcile police.xlsx data_glotip.xlsx --layout per_pnp_2017 "
    "--layout unodc_glotip --area PER --years 2017:2022"
)
@click.argument("a")
@click.argument("b")
@_options
@click.pass_context
def reconcile(
    ctx: click.Context,
    /,
    *,
    a: str,
    b: str,
    layouts: tuple[str, ...],
    areas: tuple[str, ...],
    indicators: tuple[str, ...],
    years: str | None,
    forms: str,
    articles: tuple[str, ...],
    show: str,
    fmt: str,
    output: Path | None,
) -> None:
    """Compare A with B, cell by cell: agree, compatible with an interval, differ, only in one.

    A and B are each the id of a submission, a file with --layout, or the figures of the last
    build: warehouse, or warehouse:police for one type of source. For the office alone: nothing of
    it may go back to a sender. Ends with 1 where a cell differs.
    """
    from tipstat.reconcile import OFFICE_ONLY, Scope, reconcile
    from tipstat.reconcile_sources import connect, figures

    upper = tuple(area.upper() for area in areas)
    scope = Scope(upper, indicators, _span(years), forms, articles)
    waiting = iter(layouts)
    with connect() as connection, progress("comparing"):
        named = [
            _source(connection, side, name, waiting, ctx.obj) for side, name in (("a", a), ("b", b))
        ]
        for side in ("a", "b"):
            figures(connection, side, scope)
        result = reconcile(connection, scope)
    if output is not None:
        _write(result, named, output)
    _print(result, named, show, fmt)
    click.echo(f"{OFFICE_ONLY}: nothing of this may go back to a sender", err=fmt != "table")
    if result.differs:
        ctx.exit(int(ExitCode.FINDINGS))


def _span(years: str | None) -> tuple[int, int]:
    """First and last year; 0 for open."""
    first, _, last = (years or "0").partition(":")
    if not (first.isdecimal() and (last or first).isdecimal()):
        raise click.UsageError("--years is a year, or two with a colon: 2019:2022")
    return int(first), int(last or first)


def _source(
    connection: duckdb.DuckDBPyConnection,
    side: str,
    name: str,
    layouts: Iterator[str],
    workspace: str | None,
) -> str:
    """Bring one source into the connection, and say what it is."""
    from tipstat import reconcile_sources
    from tipstat.rules import refuse
    from tipstat.workspace import Workspace

    if Path(name).is_file():
        layout = next(layouts, None)
        if layout is None:
            raise refuse("TIP-741", UsageError, where=name, found="a file without --layout")
        return _file(connection, side, Path(name), layout, workspace)
    ws = Workspace.find(workspace)
    word, _, source_type = name.partition(":")
    if word == reconcile_sources.WAREHOUSE:
        return reconcile_sources.figures_of_warehouse(connection, side, ws, source_type)
    if name not in {row.id for row in ws.registry().submissions()}:
        raise refuse("TIP-741", UsageError, found=name)
    return reconcile_sources.cells_of_submission(connection, side, ws, name)


def _file(
    connection: duckdb.DuckDBPyConnection, side: str, path: Path, layout: str, named: str | None
) -> str:
    from loaders.comparable import cells_of_file

    ws = workspace_if_any(named)
    return cells_of_file(
        connection,
        side,
        path,
        layout,
        layouts=ws.layouts_dir if ws else None,
        office=ws.correspondences_dir if ws else None,
        limits=ws.settings.limits if ws else None,
    )


def _print(result: Reconciliation, named: list[str], show: str, fmt: str) -> None:
    from tipstat.reconcile import COLUMNS

    listed = [row for row in result.rows if row["verdict"] in SHOWN[show]]
    if fmt != "table":
        emit(listed, COLUMNS, fmt)
        return
    click.echo(f"A: {named[0]}\nB: {named[1]}\n")
    emit(_counted(result), ("verdict", "cells"), "table")
    if any(result.outside):
        only_a, only_b = result.outside
        click.echo(
            f"\nnot compared, of areas or indicators of one side: {only_a:,} of A, {only_b:,} of B"
        )
    if listed:
        click.echo()
        emit(listed, [name for name in COLUMNS if name != "use"], "table")


def _counted(result: Reconciliation) -> list[Mapping[str, object]]:
    return [{"verdict": name, "cells": number} for name, number in result.counts.items()]


def _write(result: Reconciliation, named: list[str], path: Path) -> None:
    from reports.reconciliation import write_reconciliation

    write_reconciliation(result, named, path)
    click.echo(f"{path}: {len(result.rows):,} cells", err=True)
