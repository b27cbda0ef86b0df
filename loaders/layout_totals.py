"""Total rows against the rows that they sum up, and numbers of one row against one another.

Each comparison is one query over the whole table. A difference is a warning that names the cell;
what was sent is loaded as it was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import duckdb

from loaders.findings import Finding
from loaders.layout_findings import layout_finding
from loaders.layout_model import Identity, RecordLayout, TotalRows
from loaders.layout_sql import Body, condition_sql, name_sql, one_row

#: Differences of one control that are named cell by cell; the rest are one finding.
NAMED = 100


def total_findings(
    con: duckdb.DuckDBPyConnection, body: Body, record: RecordLayout
) -> list[Finding]:
    """Compare total rows with their parts, then take the total rows out of the table.

    Args:
        con: holds the table ``body``, from which the total rows are deleted.
        body: its columns.
        record: the layout of the table.

    Returns:
        A warning for each cell of a total row that is not the sum of its parts (TIP-656) and
        for each group that lacks the one or the other (TIP-657), and a note on what was left out.
    """
    findings: list[Finding] = []
    for total in record.totals:
        rows = _compared(con, total)
        findings += _alone(body, total, rows)
        findings += _differing(body, total, rows)
    left_out = [total for total in record.totals if not total.keep]
    if left_out:
        where = " or ".join(condition_sql(total.where) for total in left_out)
        count, first = one_row(con, f"select count(*), min(_row) from body where {where}")
        con.execute(f"delete from body where {where}")
        message = f"{count:,} total rows left out after they were compared with their parts"
        findings.append(layout_finding("TIP-131", body, message, row=first, count=count))
    return findings


def _compared(con: duckdb.DuckDBPyConnection, total: TotalRows) -> list[tuple[Any, ...]]:
    """By group and column: total, sum of parts, rows of either, row of the total, first part.

    A number that is blank or none makes its comparison null.
    """
    groups = ", ".join(f"k{index}" for index in range(len(total.by)))
    keys = ", ".join(
        f"trim(coalesce({name_sql(column)}, '')) as k{index}"
        for index, column in enumerate(total.by)
    )
    values = ", ".join(name_sql(column) for column in total.values)
    parts, where = condition_sql(total.parts), condition_sql(total.where)
    return con.execute(
        f"""
        with sided as (
            select {keys}, {values}, _row, {where} as is_total
            from body
            where {where} or {parts}
        ),
        numbers as (
            select *, try_cast(sent as decimal(18,2)) as amount
            from sided unpivot include nulls (sent for column_name in ({values}))
        )
        select {groups}, column_name,
            case when bool_and(amount is not null) filter (is_total)
                then sum(amount) filter (is_total) end as total,
            case when bool_and(amount is not null) filter (not is_total)
                then sum(amount) filter (not is_total) end as parts,
            count(*) filter (is_total) as n_totals,
            count(*) filter (not is_total) as n_parts,
            min(_row) filter (is_total) as total_row,
            min(_row) as first_row
        from numbers
        group by {groups}, column_name
        order by total_row nulls first, first_row, column_name
        """
    ).fetchall()


def _alone(body: Body, total: TotalRows, rows: Iterable[tuple[Any, ...]]) -> list[Finding]:
    """One warning for each group that has no total row, no parts, or several total rows."""
    findings: dict[tuple[Any, ...], Finding] = {}
    width = len(total.by)
    for row in rows:
        n_totals, n_parts, _, first = row[width + 3 :]
        group = row[:width]
        if (n_totals == 1 and n_parts) or group in findings:
            continue
        told = f"{n_totals:,} total rows over {n_parts:,} parts"
        message = f"{total.title}, {_group(total.by, row)}: {told}"
        findings[group] = layout_finding("TIP-657", body, message, row=first, column=total.by[-1])
    return list(findings.values())


def _differing(body: Body, total: TotalRows, rows: Iterable[tuple[Any, ...]]) -> list[Finding]:
    """One warning for each cell of a total row that is not the sum of its parts."""
    width = len(total.by)
    differing = [
        row
        for row in rows
        if row[width + 3] == 1
        and row[width + 4]
        and row[width + 1] is not None
        and row[width + 2] is not None
        and row[width + 1] != row[width + 2]
    ]
    findings = []
    for row in differing[:NAMED]:
        column, sent, parts, _, n_parts, at, _ = row[width:]
        message = (
            f"{total.title}, {_group(total.by, row)}, {column}: {plain(sent)} in the total row, "
            f"{plain(parts)} in its {n_parts:,} parts"
        )
        findings.append(
            layout_finding(
                "TIP-656",
                body,
                message,
                row=at,
                column=column,
                value=plain(sent),
                expected=plain(parts),
            )
        )
    return [*findings, *_rest("TIP-656", body, total.title, len(differing))]


def identity_findings(
    con: duckdb.DuckDBPyConnection, body: Body, record: RecordLayout
) -> list[Finding]:
    """Compare the numbers of every row, total rows and rows that are left out included.

    Args:
        con: holds the table ``body``.
        body: its columns.
        record: the layout of the table.

    Returns:
        A warning for each row in which an identity fails (TIP-658), at the cell of its result,
        and a note that says in how many rows each identity holds (TIP-659).
    """
    findings: list[Finding] = []
    for identity in record.identities:
        rows, compared = _failing(con, identity)
        findings += _contradictions(body, identity, rows)
        holding = compared - len(rows)
        message = f"{identity.title}: the numbers agree in {holding:,} of {compared:,} rows"
        findings.append(layout_finding("TIP-659", body, message, column=identity.equals[0]))
    return findings


def equation(identity: Identity) -> str:
    """The identity as it is read aloud."""
    left = " + ".join(identity.plus) + "".join(f" - {column}" for column in identity.minus)
    return f"{left} = {' + '.join(identity.equals)}"


def _failing(
    con: duckdb.DuckDBPyConnection, identity: Identity
) -> tuple[list[tuple[Any, ...]], int]:
    """Rows whose two sides differ, with both sides; and the number of rows compared.

    A row in which a number is blank or none cannot be compared.
    """
    left = " + ".join(_amount(column) for column in identity.plus)
    left += "".join(f" - {_amount(column)}" for column in identity.minus)
    right = " + ".join(_amount(column) for column in identity.equals)
    sides = f"select _row, {left} as computed, {right} as sent from body"
    (compared,) = one_row(con, f"select count(*) from ({sides}) where computed - sent is not null")
    failing = con.execute(
        f"select _row, computed, sent from ({sides}) where computed <> sent order by _row"
    ).fetchall()
    return failing, compared


def _amount(column: str) -> str:
    return f"try_cast({name_sql(column)} as decimal(18,2))"


def _contradictions(
    body: Body, identity: Identity, rows: Sequence[tuple[Any, ...]]
) -> list[Finding]:
    findings = [
        layout_finding(
            "TIP-658",
            body,
            f"{identity.title}: {equation(identity)} gives {plain(computed)} and {plain(sent)}",
            row=row,
            column=identity.equals[0],
            value=plain(sent),
            expected=plain(computed),
        )
        for row, computed, sent in rows[:NAMED]
    ]
    return [*findings, *_rest("TIP-658", body, identity.title, len(rows))]


def _rest(rule_id: str, body: Body, title: str, number: int) -> list[Finding]:
    if number <= NAMED:
        return []
    rest = number - NAMED
    return [layout_finding(rule_id, body, f"{title}: {rest:,} more", count=rest)]


def _group(by: Iterable[str], row: Sequence[Any]) -> str:
    pairs = zip(by, row, strict=False)
    return ", ".join(f"{column} {value or '(blank)'}" for column, value in pairs)


def plain(number: Decimal) -> str:
    """A number without needless decimals."""
    return f"{number.normalize():f}" if number != number.to_integral() else f"{int(number)}"
