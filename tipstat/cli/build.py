"""``tipstat build`` and ``tipstat quality``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import click

from tipstat.cli.common import emit, format_option
from tipstat.errors import UsageError

if TYPE_CHECKING:
    from tipstat.warehouse import BuildResult, OnEvent
    from tipstat.workspace import Workspace

STEPS = {
    "snapshot": "reading the registry",
    "seed": "classification",
    "model": "models",
    "test": "tests",
    "unit_test": "unit tests",
    "swap": "putting it in place",
}


@click.command(
    epilog="Example:  tipstat load police_2024.xlsx && tipstat build && tipstat quality    or    "
    "tipstat build --as-of 2026-03-31"
)
@click.option(
    "--tests",
    type=click.Choice(["invariant", "all"]),
    default="invariant",
    show_default=True,
    help="Which tests to run: what must hold on any data, or also the tests of our own code.",
)
@click.option("--actor", envvar="TIPSTAT_ACTOR", help="Who builds; by default the login name.")
@click.option(
    "--as-of",
    metavar="DATE",
    help="Repeat the build whose figures stood on that day (or at that time, or of that id).",
)
@format_option
@click.pass_obj
def build(
    workspace: str | None,
    *,
    tests: Literal["invariant", "all"],
    actor: str | None,
    as_of: str | None,
    fmt: str,
) -> None:
    """Build the warehouse from the accepted submissions and put it in place of the last one.

    The last warehouse stays in use until every model and invariant of the new one holds.

    With --as-of a past build is made again from its submissions, compared with its vintage and
    left beside the warehouse in use, which stays in use; the next build deletes it.
    """
    from tipstat import warehouse
    from tipstat.workspace import Workspace

    ws = Workspace.find(workspace)
    if as_of is not None:
        _repeat(ws, as_of, tests=tests, actor=actor, fmt=fmt)
        return
    with _progress() as on_event:
        result = warehouse.build(ws, actor=actor, tests=tests, on_event=on_event)
    for failure in result.failures:
        click.echo(f"warning  {warehouse.describe(failure)}", err=True)
    emit([_summary(result)], list(_summary(result)), fmt)


def _repeat(ws: Workspace, as_of: str, *, tests: str, actor: str | None, fmt: str) -> None:
    from tipstat.repeat import repeat

    with _progress() as on_event:
        done = repeat(ws, as_of, actor=actor, tests=tests, on_event=on_event)
    row = {
        "build": done.build_id,
        "repeats": done.repeats,
        "submissions": done.submissions,
        "figures": done.figures,
        "compared": "equal to the vintage" if done.compared else "no vintage to compare with",
        "path": str(done.path),
    }
    emit([row], list(row), fmt)


@click.command(epilog="Example:  tipstat quality dq_unmapped_code --format csv > unmapped.csv")
@click.argument("table", required=False)
@format_option
@click.pass_obj
def quality(workspace: str | None, table: str | None, fmt: str) -> None:
    """Show a quality table of the last build, or list them with their numbers of rows."""
    from tipstat.warehouse import reading, tables
    from tipstat.workspace import Workspace

    with reading(Workspace.find(workspace)) as connection:
        names = [name for name in tables(connection) if name.startswith("dq_")]
        if table is None:
            counts = [{"table": name, "rows": len(connection.table(name))} for name in names]
            emit(counts, ["table", "rows"], fmt)
            return
        relation = connection.table(_known(table, names)).order("all")
        columns = relation.columns
        rows = [dict(zip(columns, row, strict=True)) for row in relation.fetchall()]
    emit(rows, columns, fmt)


def _known(table: str, names: list[str]) -> str:
    """The full name of a quality table, which may be given without ``dq_``."""
    import difflib

    from tipstat.rules import refuse

    for name in (table, f"dq_{table}"):
        if name in names:
            return name
    near = difflib.get_close_matches(f"dq_{table.removeprefix('dq_')}", names, n=1, cutoff=0.4)
    raise refuse(
        "TIP-809",
        UsageError,
        where=table,
        found=f'"{table}"',
        expected=", ".join(names),
        nearest="".join(near),
    )


def _summary(result: BuildResult) -> Mapping[str, object]:
    return {
        "build": result.build_id,
        "submissions": result.submissions,
        "models": result.models,
        "tests": result.tests,
        "seconds": round(result.seconds, 1),
        "path": str(result.path),
    }


@contextmanager
def _progress() -> Iterator[OnEvent | None]:
    """A bar on a terminal's standard error; nothing where there is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<22}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("building", total=None)

        def show(step: str, name: str, done: int, total: int) -> None:
            description = STEPS.get(step, step)
            bar.update(task, description=description, completed=done, total=total or None)

        yield show
