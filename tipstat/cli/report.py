"""``tipstat report``: the indicator workbook and the ICCS report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., object])


def _common(command: Command) -> Command:
    for option in (
        click.option(
            "-o", "--output", type=click.Path(dir_okay=False, path_type=Path),
            help="The .xlsx file; by default in the workspace's outputs.",
        ),
        click.option(
            "--lang", type=click.Choice(["en", "es", "fr"]), default="en", show_default=True,
            help="Language of the report.",
        ),
        click.option(
            "--years", multiple=True, metavar="YEARS", help="Year or range: 2019, 2019:2022."
        ),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group(epilog="Example:  tipstat report iccs --area XXA -o iccs.xlsx")
def report() -> None:
    """Write the indicator workbook or the ICCS report of the last build."""


@report.command(epilog="Example:  tipstat report workbook --area PER --years 2019:2022 --lang es")
@click.option("--area", multiple=True, metavar="CODE", help="Country, alpha-3; otherwise all.")
@_common
@click.pass_context
def workbook(
    ctx: click.Context,
    area: tuple[str, ...],
    years: tuple[str, ...],
    lang: str,
    output: Path | None,
) -> None:
    """Write the indicator workbook: a sheet a table, with notes and charts."""
    from reports.workbook import write_workbook
    from tipstat.cli.common import progress
    from tipstat.workspace import Workspace

    ws = Workspace.find(ctx.obj)
    areas = tuple(code.strip() for text in area for code in text.split(","))
    name = "_".join(["indicators", *(code.upper() for code in areas), lang])
    with progress("writing the indicator workbook"):
        path = write_workbook(
            ws, output or ws.outputs_dir / f"{name}.xlsx", areas=areas, years=_split(years),
            language=lang,
        )  # fmt: skip
    click.echo(path)


@report.command(epilog="Example:  tipstat report iccs --area PER --years 2019:2022")
@click.option("--area", required=True, metavar="CODE", help="Country, alpha-3.")
@_common
@click.pass_context
def iccs(
    ctx: click.Context, area: str, years: tuple[str, ...], lang: str, output: Path | None
) -> None:
    """Write the ICCS report: 0204 and its groups by unit of count, with the national law map."""
    from reports.iccs import write_iccs_report
    from tipstat.cli.common import progress
    from tipstat.workspace import Workspace

    ws = Workspace.find(ctx.obj)
    default = ws.outputs_dir / f"iccs_{area.upper()}_{lang}.xlsx"
    with progress("writing the ICCS report"):
        path = write_iccs_report(
            ws, output or default, area=area, years=_split(years), language=lang
        )
    click.echo(path)


def _split(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())
