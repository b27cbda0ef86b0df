"""What commands share: the output format, printing, and progress."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from tipstat.errors import UsageError, WorkplaceError

if TYPE_CHECKING:
    from tipstat.workspace import Workspace

format_option = click.option(
    "--format",
    "fmt",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="How to print.",
)


def _encoding(ctx: click.Context, option: click.Parameter, text: str | None) -> str | None:
    from loaders.text_options import encoding_of

    return _said(text, encoding_of, "TIP-114", "there is no such encoding")


def _delimiter(ctx: click.Context, option: click.Parameter, text: str | None) -> str | None:
    from loaders.text_options import delimiter_of

    return _said(text, delimiter_of, "TIP-109", "the delimiter cannot be used")


def _said(
    text: str | None, meant: Callable[[str | None], str | None], rule_id: str, title: str
) -> str | None:
    """What an option says of how a text is written, or the refusal of what it says."""
    try:
        return meant(text)
    except ValueError as error:
        raise UsageError(rule_id, title, found=f'"{text}"', expected=str(error)) from None


encoding_option = click.option(
    "--encoding",
    callback=_encoding,
    help="Encoding of a text, such as cp1252; otherwise detected.",
)
delimiter_option = click.option(
    "--delimiter",
    callback=_delimiter,
    help="Delimiter of a text: one character, or tab; otherwise detected.",
)


def workspace_if_any(named: str | None) -> Workspace | None:
    """The workspace of a command that can do without.

    Args:
        named: the folder given with ``--workspace``.

    Raises:
        WorkplaceError: TIP-901 one was named, there or in the environment, and is not there;
            TIP-903 to TIP-906 its settings are unusable.
    """
    from tipstat.workspace import Workspace

    try:
        return Workspace.find(named)
    except WorkplaceError as error:
        if named or os.environ.get("TIPSTAT_WORKSPACE") or error.rule != "TIP-901":
            raise
        return None


def emit(rows: Sequence[Mapping[str, object]], columns: Sequence[str], fmt: str) -> None:
    """Print rows as an aligned table, as a JSON array, or as CSV without formulas.

    Args:
        rows: one mapping a row; a column that a row lacks is printed empty.
        columns: names and order of the columns.
        fmt: ``table``, ``json`` or ``csv``.
    """
    if fmt == "json":
        picked = [{name: row.get(name) for name in columns} for row in rows]
        click.echo(json.dumps(picked, ensure_ascii=False, default=str, indent=2))
    elif fmt == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([[_field(row.get(name)) for name in columns] for row in rows])
    else:
        _table(rows, columns)


def _field(value: object) -> object:
    """A field of a CSV: a text that no spreadsheet takes for a formula; numbers stay numbers."""
    from tipstat.formulas import neutral

    return neutral(value) if isinstance(value, str) else _text(value)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def printable(text: str, *, lines: bool = False) -> str:
    """A text fit for a terminal: what moves its cursor or turns its writing is shown as a dot.

    Args:
        text: may hold what a file or its name holds.
        lines: whether line ends stay.
    """
    kept = "\n" if lines else ""
    return "".join(sign if sign.isprintable() or sign in kept else "·" for sign in text)


def _table(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> None:
    cells = [[printable(_text(row.get(name))) for name in columns] for row in rows]
    widths = [max([len(name), *(len(line[i]) for line in cells)]) for i, name in enumerate(columns)]
    numeric = [
        bool(rows) and all(isinstance(row.get(name), int | float | None) for row in rows)
        for name in columns
    ]
    for line in [list(columns), ["-" * width for width in widths], *cells]:
        padded = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ]
        click.echo("  ".join(padded).rstrip())


#: What is under way: its name, how many are done, and how many there are (0: unknown).
Show = Callable[[str, int, int], None]


@contextmanager
def steps(description: str) -> Iterator[Show]:
    """A bar over many steps, on a terminal's standard error; nothing without a terminal."""
    if not sys.stderr.isatty():
        yield lambda name, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    named = TextColumn("{task.description:<40}", markup=False)
    columns = (named, BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=None)
        yield lambda name, done, total: bar.update(
            task, description=printable(name[-40:]), completed=done, total=total or None
        )


@contextmanager
def progress(description: str) -> Iterator[None]:
    """Show that something long is under way, on a terminal's standard error only."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.text import Text

    # Brackets in the name of a file are no markup.
    with Console(stderr=True).status(Text(printable(description))):
        yield
