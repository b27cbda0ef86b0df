"""``tipstat explain``: why records are together, and what a figure rests on."""

from __future__ import annotations

import click

from tipstat.cli.common import emit, format_option

_OFFICE_ONLY = "for the office only: nothing of this may go back to a sender"


@click.group(
    epilog="Example:  tipstat explain figure victims_registered --area XXA --year 2023 --sex F"
)
def explain() -> None:
    """Say why records are together, and what a figure rests on; for the office only."""


def _record_command(kind: str, article: str) -> None:
    @explain.command(
        kind,
        help=f"Say why the records of {article} {kind} are together.",
        epilog=f"Example:  tipstat explain {kind} 0b1c2d3e4f5a69788796a5b4c3d2e1f0 --format json",
    )
    @click.argument("key")
    @format_option
    @click.pass_obj
    def command(workspace: str | None, key: str, fmt: str) -> None:
        from tipstat.explain import COLUMNS, explain_record
        from tipstat.workspace import Workspace

        emit(explain_record(Workspace.find(workspace), kind, key), COLUMNS, fmt)
        click.echo(_OFFICE_ONLY, err=True)


for _kind in ("event", "victim", "perpetrator", "case", "person"):
    _record_command(_kind, "an" if _kind == "event" else "a")


@explain.command(
    epilog="Example:  tipstat explain figure persons_suspected --area XXA --year 2023 --sex M"
)
@click.argument("indicator")
@click.option("--area", required=True, help="Reference area, ISO 3166-1 alpha-3.")
@click.option("--year", required=True, help="Year of the figure.")
@click.option("--sex", help="Code of the list sex; else all.")
@click.option("--age", help="Y0T17, Y_GE18, _U or a fine age group; else all.")
@click.option("--form", help="Code of a form of exploitation; else all.")
@click.option("--citizenship", help="Country code, _OWN or _FOREIGN; else all.")
@click.option("--breakdown", nargs=2, metavar="LIST CODE", help="A breakdown and its code.")
@click.option("--all", "every", is_flag=True, help="Also the figures beside the headline.")
@format_option
@click.pass_obj
def figure(
    workspace: str | None,
    indicator: str,
    *,
    area: str,
    year: str,
    sex: str | None,
    age: str | None,
    form: str | None,
    citizenship: str | None,
    breakdown: tuple[str, str] | None,
    every: bool,
    fmt: str,
) -> None:
    """Say what a figure rests on: records, submissions, entities, held out, maps, headline."""
    from tipstat.explain import explain_figure
    from tipstat.workspace import Workspace

    given = {"sex": sex, "age": age, "form": form, "citizenship": citizenship}
    chosen = {name: value.strip() for name, value in given.items() if value}
    if breakdown:
        chosen |= {"breakdown": breakdown[0], "breakdown_code": breakdown[1]}
    rows = explain_figure(Workspace.find(workspace), indicator, area, year, chosen, every=every)
    emit(rows, ("figure", "name", "value"), fmt)
    click.echo(_OFFICE_ONLY, err=True)
