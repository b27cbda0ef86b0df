"""Rows of a table before they become records: expected, repeated, and with hidden missing values.

Nothing here repeats what a row of a record-level return holds; only counts, cells and reasons
are told (STATISTICS section 6).
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from loaders.findings import Finding
from loaders.layout_findings import layout_finding
from loaders.layout_keys import tidy
from loaders.layout_model import Condition, RecordLayout, Repeats, Wide
from loaders.layout_sql import Body, condition_sql, name_sql, one_row, text_sql
from loaders.source import Sheet, column_letter, column_number
from tipstat.errors import ReturnRefused
from tipstat.rules import refuse

#: Values of a column that are shown where the expected one is missing.
SHOWN = 5

#: Columns that the cells of a wide table have besides those of the file.
NAME, NUMBER = "_name", "_number"


def refuse_other_content(
    con: duckdb.DuckDBPyConnection, file_name: str, body: Body, record: RecordLayout
) -> None:
    """Refuse a file whose columns are right and whose rows are those of another table.

    Args:
        con: holds the table ``body``.
        file_name: for the refusal.
        body: its columns.
        record: the layout of the table.

    Raises:
        ReturnRefused: TIP-117, no row meets a condition that the layout expects.
    """
    for rows in record.expect:
        where = condition_sql(rows.where)
        (met,) = one_row(con, f"select count(*) from body where {where}")
        if not met:
            held = "; ".join(_held(con, record, condition) for condition in rows.where)
            raise refuse(
                "TIP-117",
                ReturnRefused,
                where=f"{file_name} › {body.sheet}",
                found=f"no row with {held}",
                expected=rows.reason,
            )


def _held(con: duckdb.DuckDBPyConnection, record: RecordLayout, condition: Condition) -> str:
    """What the column holds instead; of records of persons nothing is shown."""
    wanted = condition.matches or ", ".join(condition.values) or "another value"
    told = f"{condition.column} {wanted}"
    if record.record_type.kind != "aggregate":
        return told
    column = name_sql(condition.column)
    values = con.execute(
        f"select {column}, count(*) over () from body where {column} is not null "
        f"group by {column} order by min(_row) limit {SHOWN}"
    ).fetchall()
    shown = ", ".join(str(value) for value, _ in values)
    more = f" and {values[0][1] - SHOWN:,} more" if values and values[0][1] > SHOWN else ""
    return f"{told}; the column holds {shown}{more}"


def repeat_findings(
    con: duckdb.DuckDBPyConnection, body: Body, repeats: Repeats | None
) -> list[Finding]:
    """Count rows that repeat another one exactly; all of them are kept.

    Args:
        con: holds the table ``body``.
        body: its columns.
        repeats: which columns are compared, all if none, and by what the counts are told.

    Returns:
        One warning with the number of rows and of different rows, where the two differ.
    """
    if repeats is None:
        return []
    columns = [name_sql(column) for column in repeats.columns or body.letters]
    rows, different, first = one_row(
        con,
        "select sum(n)::bigint, count(*), min(again) from (select count(*) as n, "
        f"min(_row) filter (place > 1) as again from (select *, row_number() over (partition by "
        f"{', '.join(columns)} order by _row) as place from body) group by {', '.join(columns)})",
    )
    if not rows or rows == different:
        return []
    message = (
        f"{rows:,} rows, {different:,} of them different: {rows - different:,} repeat another "
        f"row exactly and are kept; {repeats.reason}{_told_by(con, repeats, columns)}"
    )
    return [layout_finding("TIP-661", body, message, row=first, count=rows - different)]


def _told_by(con: duckdb.DuckDBPyConnection, repeats: Repeats, columns: list[str]) -> str:
    """Both counts by the values of a column, where the layout asks for it."""
    if not repeats.by:
        return ""
    by = " || ' / ' || ".join(f"coalesce({name_sql(column)}, '(blank)')" for column in repeats.by)
    rows = con.execute(
        f"select value, sum(n)::bigint, count(*) from (select {by} as value, count(*) as n "
        f"from body group by {', '.join(columns)}, value) group by value order by 2 desc, 1"
    ).fetchall()
    told = ", ".join(f"{value} {n:,} ({different:,} different)" for value, n, different in rows)
    return f" ({told})"


def hide_missing(con: duckdb.DuckDBPyConnection, body: Body, record: RecordLayout) -> list[Finding]:
    """Put the missing code in the place of values that hide one, and say how many there were.

    Args:
        con: holds the table ``body``, which is changed.
        body: its columns.
        record: the layout of the table.
    """
    findings = []
    for hidden in record.hidden:
        value = Condition(hidden.column, values=hidden.values, matches=hidden.matches)
        where = condition_sql((*hidden.where, value))
        count, first = one_row(con, f"select count(*), min(_row) from body where {where}")
        if not count:
            continue
        if hidden.code:
            column, code = name_sql(hidden.column), text_sql(hidden.code)
            con.execute(f"update body set {column} = {code} where {where}")
        taken = f"are taken as {hidden.code}" if hidden.code else "are kept"
        message = f"{count:,} values of {hidden.column} {taken}: {hidden.reason}"
        findings.append(
            layout_finding("TIP-660", body, message, row=first, column=hidden.column, count=count)
        )
    return findings


def field_name_findings(sheet: Sheet, body: Body, record: RecordLayout) -> list[Finding]:
    """Compare a second header, such as a hidden row of field names, with the one that is read.

    Args:
        sheet: as read.
        body: its columns.
        record: the layout of the table.

    Returns:
        One warning that names the columns over which the second header says something else.
    """
    fields = record.field_names
    rows = sheet.table.column("_row").to_pylist()
    if fields is None or fields.row not in rows:
        return []
    place = rows.index(fields.row)
    told = []
    for column, name in fields.names.items():
        letter = body.letters.get(column, "")
        over = f"c{column_number(letter)}"
        if letter and over in sheet.table.column_names:
            above = tidy(sheet.table.column(over)[place].as_py() or "")
            if above != name:
                told.append((letter, f"{letter} {column}: {above or '(blank)'} instead of {name}"))
    if not told:
        return []
    message = (
        f"row {fields.row} disagrees with the header in {len(told)} columns, and the header is "
        f"read; {fields.reason} ({'; '.join(text for _, text in told)})"
    )
    column = next(name for name, letter in body.letters.items() if letter == told[0][0])
    return [
        layout_finding("TIP-669", body, message, row=fields.row, column=column, count=len(told))
    ]


def numbered_rows(
    con: duckdb.DuckDBPyConnection, body: Body, headers: Mapping[str, str]
) -> list[Finding]:
    """Rows that hold nothing but what stands in a column without a header, such as a number.

    Args:
        con: holds the ``sheet`` as read and the table ``body``.
        body: its columns.
        headers: column of the sheet -> its header.

    Returns:
        A note with their number; they are no records.
    """
    letters = {name: column_letter(int(name[1:])) for name in headers}
    unnamed = [name for name, header in headers.items() if header == f"column {letters[name]}"]
    named = [name for name in headers if name not in unnamed]
    if not unnamed or not named:
        return []
    filled = " or ".join(f"{name} is not null" for name in unnamed)
    blank = " and ".join(f"{name} is null" for name in named)
    count, first = one_row(
        con,
        f"select count(*), min(_row) from sheet where ({filled}) and {blank} "
        f"and _row >= {body.first_row}",
    )
    if not count:
        return []
    told = ", ".join(letters[name] for name in unnamed)
    message = f"{count:,} rows left out: they hold nothing but what stands in column {told}"
    return [layout_finding("TIP-131", body, message, row=first, count=count)]


def spread(con: duckdb.DuckDBPyConnection, body: Body, wide: Wide) -> None:
    """Turn the numbers of each row into rows of their own, named by their column.

    Args:
        con: holds the table ``body``, which is replaced.
        body: its columns.
        wide: the columns that are cells.
    """
    listed = ", ".join(name_sql(column) for column in wide.columns)
    con.execute(
        "create temp table cells as from body unpivot include nulls "
        f"({NUMBER} for {NAME} in ({listed}))"
    )
    con.execute("drop table body")
    places = " ".join(
        f"when {text_sql(column)} then {place}" for place, column in enumerate(wide.columns, 1)
    )
    letters = " ".join(
        f"when {text_sql(column)} then {text_sql(body.letters[column])}" for column in wide.columns
    )
    con.execute(
        f"create temp table body as select *, case {NAME} {places} end as _place, "
        f"case {NAME} {letters} end as _letter from cells"
    )
