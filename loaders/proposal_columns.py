"""Where the table of an unknown file stands, and what its columns hold.

Rows are only ever seen by the engine, in memory; what leaves this module are counts and, of
columns with few distinct values, those values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from loaders.layout import heading
from loaders.layout_sql import in_memory, name_sql, one_row, text_sql
from loaders.source import Sheet, Source, column_letter
from tipstat.errors import ReturnRefused
from tipstat.rules import refuse

if TYPE_CHECKING:
    import duckdb

#: Rows among which the heading is looked for.
HEAD = 60
#: Distinct values of a column above which they are not looked at.
FEW = 400

_NUMBER = re.compile(r"[<>]?\s*-?\d[\d\s.,]*%?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATE = r"^(\d{4}-\d{2}-\d{2}.*|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4})$"
_NUMERIC = r"^[<>]?\s*-?\d[\d\s.,]*$"
_FOOT = r"(?i)^\W*(source|fuente|nota?s?|notes?|remarque|elabora)\b"


@dataclass(frozen=True)
class Column:
    """What one column of the table holds.

    Attributes:
        filled: cells that are not blank.
        distinct: different values among them.
        numbers: share of the filled cells that are numbers; likewise whole numbers and dates.
        values: value as sent -> cells, commonest first, where they are few; else empty.
    """

    header: str
    letter: str
    filled: int
    distinct: int
    numbers: float
    whole: float
    dates: float
    values: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """The table of a file.

    Attributes:
        header_rows: rows of the heading, ``header_row`` being the last.
        repeated: headings that stand several times, and columns of values without one.
        footer: column and pattern of the first row behind the table; empty where there is none.
    """

    sheet: Sheet
    header_row: int
    header_rows: int
    rows: int
    columns: tuple[Column, ...]
    repeated: tuple[str, ...]
    footer: tuple[str, str] | None


def find_table(source: Source, sheet_name: str | None = None) -> Found:
    """Find the heading of a file's table and look its columns over.

    Args:
        source: the file as read.
        sheet_name: the sheet to look at; otherwise the visible one with most cells.

    Raises:
        ReturnRefused: TIP-691, no row of the sheet looks like a heading, or there is no such
            sheet.
    """
    sheet = _sheet(source, sheet_name)
    head = _head(sheet)
    place = find_heading(head)
    if place is None:
        where = f"{source.path.name} › {sheet.name}"
        raise refuse("TIP-691", ReturnRefused, where=where, found=f"{len(head)} rows looked at")
    header_row, header_rows = place
    told = heading(sheet.table, header_row, header_rows)
    headers = {name: text for name, text in told.items() if text}
    texts = list(headers.values())
    repeated = tuple(sorted({text for text in texts if texts.count(text) > 1}))
    with in_memory() as con:
        con.register("sheet", sheet.table)
        con.execute(f"create temp table body as select * from sheet where _row > {header_row}")
        footer = _footer(con, headers)
        columns = tuple(_profile(con, name, text) for name, text in headers.items())
        repeated += tuple(
            f"column {column_letter(int(name[1:]))} without a heading"
            for name, text in told.items()
            if not text and one_row(con, f"select count({name_sql(name)}) from body")[0]
        )
        (rows,) = one_row(con, "select count(*) from body")
    return Found(sheet, header_row, header_rows, rows, columns, repeated, footer)


def _sheet(source: Source, name: str | None) -> Sheet:
    if name is not None:
        for sheet in source.sheets:
            if sheet.name == name:
                return sheet
        names = ", ".join(sheet.name for sheet in source.sheets)
        raise refuse(
            "TIP-691", ReturnRefused, where=source.path.name, found=f"no sheet {name}: {names}"
        )
    visible = [sheet for sheet in source.sheets if not sheet.hidden] or list(source.sheets)
    return max(visible, key=lambda sheet: sheet.table.num_rows * sheet.table.num_columns)


def _head(sheet: Sheet) -> list[tuple[int, list[str]]]:
    """Row number and cells of the first rows."""
    rows = sheet.table.slice(0, HEAD).to_pylist()
    return [
        (row["_row"], [str(text or "").strip() for name, text in row.items() if name != "_row"])
        for row in rows
    ]


def find_heading(head: Sequence[tuple[int, Sequence[str]]]) -> tuple[int, int] | None:
    """The last row of the heading and the number of its rows.

    A heading is the first row that is about as wide as the rows below it and made of words; years
    and numbers of months may stand in it. It has two rows where a second row of words follows
    that fills what the first leaves open or repeats, as merged cells do.

    Args:
        head: row number and cells of the first rows of a sheet.
    """
    widths = sorted(sum(map(bool, cells)) for _, cells in head)
    usual = widths[len(widths) * 3 // 4] if widths else 0
    for index, (row, cells) in enumerate(head[:-1]):
        filled = [text for text in cells if text]
        if len(filled) < max(2, 0.5 * usual) or not _is_heading(filled):
            continue
        below_row, below = head[index + 1]
        under = [text for text in below if text]
        narrow = len(filled) < usual or len(set(filled)) < len(filled)
        if narrow and len(under) >= 2 and _is_heading(under) and _completes(cells, below):
            return below_row, below_row - row + 1
        if len(filled) >= max(2, 0.6 * usual):
            return row, 2 if _is_second(head, index) else 1
    return None


def _is_heading(filled: Sequence[str]) -> bool:
    texts = [text for text in filled if not _NUMBER.fullmatch(text) or _YEAR.fullmatch(text)]
    return len(texts) >= 0.8 * len(filled) and any(not _YEAR.fullmatch(text) for text in filled)


def _is_second(head: Sequence[tuple[int, Sequence[str]]], index: int) -> bool:
    """Whether a row that says the same several times stands below a row that tells them apart."""
    row, cells = head[index]
    filled = [text for text in cells if text]
    if index == 0 or head[index - 1][0] != row - 1 or len(set(filled)) == len(filled):
        return False
    above = [text for text in head[index - 1][1] if text]
    return len(above) >= 2


def _completes(cells: Sequence[str], below: Sequence[str]) -> bool:
    """Whether a second row fills the columns that the first leaves blank or says twice."""
    open_columns = [
        index
        for index, text in enumerate(cells)
        if not text or (text and list(cells).count(text) > 1)
    ]
    closed = [index for index, text in enumerate(below) if text]
    words_repeat = len({below[index] for index in closed}) < len(closed)
    filled = sum(1 for index in open_columns if index in closed)
    spare = sum(1 for index in range(len(below)) if not below[index] and cells[index])
    return filled >= 0.5 * max(len(open_columns), 1) and (words_repeat or spare > 0)


def _footer(con: duckdb.DuckDBPyConnection, headers: Mapping[str, str]) -> tuple[str, str] | None:
    """Leave out notes below the table; they stand in its first column."""
    first, header = next(iter(headers.items()))
    others = " and ".join(f"{name} is null" for name in list(headers)[1:]) or "true"
    (row,) = one_row(
        con,
        f"select min(_row) from body where regexp_matches({first}, {text_sql(_FOOT)}) "
        f"and ({others})",
    )
    if row is None:
        return None
    con.execute(f"delete from body where _row >= {row}")
    return header, _FOOT


def _profile(con: duckdb.DuckDBPyConnection, name: str, header: str) -> Column:
    """Counts of one column, and its values where they are few."""
    text = f"trim({name_sql(name)})"
    filled, distinct, numbers, whole, dates = one_row(
        con,
        f"select count(*), count(distinct v), "
        f"count(*) filter (regexp_matches(v, {text_sql(_NUMERIC)})), "
        f"count(*) filter (regexp_matches(v, '^-?[0-9]+$')), "
        f"count(*) filter (regexp_matches(v, {text_sql(_DATE)})) "
        f"from (select nullif({text}, '') as v from body) where v is not null",
    )
    values: dict[str, int] = {}
    if 0 < distinct <= FEW:
        rows: list[tuple[Any, ...]] = con.execute(
            f"select {text} as v, count(*) from body where {text} <> '' "
            "group by v order by count(*) desc, v"
        ).fetchall()
        values = {str(value): int(number) for value, number in rows}
    share = max(filled, 1)
    return Column(
        header=header,
        letter=column_letter(int(name[1:])),
        filled=filled,
        distinct=distinct,
        numbers=numbers / share,
        whole=whole / share,
        dates=dates / share,
        values=values,
    )
