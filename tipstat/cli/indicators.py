"""``tipstat indicators``: print or export a selection of figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from tipstat.cli.common import emit, format_option

if TYPE_CHECKING:
    import duckdb

Command = TypeVar("Command", bound=Callable[..., object])

#: Option -> (filter of the selection, help).
_FILTERS = {
    "--area": ("reference_area", "Country, alpha-3."),
    "--year": ("years", "Year or range: 2019, 2019:2022."),
    "--sex": ("sex", "F, M, O, _U, _T or all."),
    "--age": ("age", "Age group, such as Y0T17, or all."),
    "--form": ("form", "Form of exploitation, or all."),
    "--form-classification": ("form_classification", "fine, iccs or unodc."),
    "--citizenship": ("citizenship", "Country, _OWN, _FOREIGN, _U or all."),
    "--breakdown": ("breakdown", "A further breakdown, such as outcome, ratio or all."),
    "--source": (
        "source_type",
        "police, border, prosecution, court, service, international or other.",
    ),
    "--status-scope": ("status_scope", "REGISTERED, IDENTIFIED, FORMAL, PRESUMED or ALL."),
    "--counting-basis": ("counting_basis", "registration, person, event, offence and others."),
    "--instance": ("instance", "FIRST or LAST, for judgments."),
}


def _filter_options(command: Command) -> Command:
    for option, (name, text) in reversed(_FILTERS.items()):
        command = click.option(option, name, multiple=True, metavar="CODE", help=text)(command)
    return command


@click.command(
    epilog="Example:  tipstat indicators victims_registered --area PER --year 2019:2022"
    " --sex all -o victims.csv"
)
@click.argument("indicator", nargs=-1)
@_filter_options
@click.option("--headline", is_flag=True, help="Only the authoritative source of each figure.")
@format_option
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path),
    help="Write to a .csv, .parquet, .xlsx or .json file instead.",
)  # fmt: skip
@click.option(
    "--lang", type=click.Choice(["en", "es", "fr"]), default="en", show_default=True,
    help="Language of labels.",
)  # fmt: skip
@click.pass_context
def indicators(
    ctx: click.Context,
    /,
    *,
    indicator: tuple[str, ...],
    headline: bool,
    fmt: str,
    output: Path | None,
    lang: str,
    **filters: tuple[str, ...],
) -> None:
    """Print or export figures of the last build.

    Options may be repeated or take values separated by commas. Breakdowns that you name (sex, age,
    form, citizenship, breakdown) show the codes named, or every code with 'all'; the others stay at
    their total. With none named, totals and one-way breakdowns are shown. Sources are shown beside
    one another and never added.
    """
    from reports.export import export, plain
    from reports.indicators import COLUMNS, Selection, select
    from reports.screen import screen
    from tipstat.warehouse import reading
    from tipstat.workspace import Workspace

    chosen = {name: _split(values) for name, values in filters.items()}
    selection = Selection(indicator=_split(indicator), headline=headline, **chosen)
    with reading(Workspace.find(ctx.obj)) as connection:
        if output is not None:
            count = export(connection, selection, output, lang)
            click.echo(f"{output}: {count:,} figures")
            _closing(connection, lang)
            return
        rows = [plain(row) for row in select(connection, selection, lang)]
        columns, shown = screen(rows, lang) if fmt == "table" else (COLUMNS, rows)
        emit(shown, columns, fmt)
        _closing(connection, lang, err=fmt != "table")


def _split(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def _closing(connection: duckdb.DuckDBPyConnection, lang: str, *, err: bool = False) -> None:
    """The last line: which build, and what the figures may be used for."""
    from reports.screen import closing_line

    click.echo(closing_line(connection, lang), err=err)
