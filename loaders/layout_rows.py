"""Rows of a table before they become records: expected, repeated, and with hidden missing values.

Nothing here repeats what a row of a record-level return holds; only counts, cells and reasons
are told (STATISTICS section 6).
"""

from __future__ import annotations

import duckdb

from loaders.findings import Finding
from loaders.layout_findings import layout_finding
from loaders.layout_model import Condition, RecordLayout, Repeats, Wide
from loaders.layout_sql import Body, condition_sql, name_sql, one_row, text_sql
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
        where = condition_sql((*hidden.where, Condition(hidden.column, values=hidden.values)))
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
