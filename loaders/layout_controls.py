"""Controls of a layout: totals against their parts, years against their months, blank columns.

Every comparison is one query over the whole table; a mismatch is a warning, and the numbers are
loaded as they were sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import duckdb

from loaders.findings import Finding
from loaders.layout_model import Control, Coverage, RecordLayout
from loaders.layout_sql import Body, name_sql, text_sql
from tipstat.rules import rule


def control_findings(
    con: duckdb.DuckDBPyConnection, body: Body, record: RecordLayout
) -> list[Finding]:
    """Compare every total of the layout with its parts and with another total.

    Args:
        con: holds the table ``body``.
        body: its columns.
        record: the layout of the table.

    Returns:
        One warning for each group in which the sums differ, and one for each control whose sums
        agree while single units differ.
    """
    findings: list[Finding] = []
    for control in record.controls:
        amounts = _amounts_sql(body, control)
        if control.parts:
            rows = _compare(con, amounts, control, control.parts)
            findings += _differences(body, control, "TIP-650", "the parts give", rows)
            findings += _hidden_in_sums(body, control, rows)
        if control.equals:
            rows = _compare(con, amounts, control, (control.equals,))
            findings += _differences(body, control, "TIP-651", f"{control.equals} is", rows)
    return findings


def _amounts_sql(body: Body, control: Control) -> str:
    """Groups, units, name, number and row of every value that the control needs."""
    keys = ", ".join(
        f"{name_sql(column)} as k{index}"
        for index, column in enumerate((*control.by, *control.units))
    )
    if body.variable:
        listed = ", ".join(text_sql(name) for name in control.names)
        return (
            f"select {keys}, {name_sql(body.variable)} as name, "
            f"try_cast({name_sql(body.value)} as decimal(18,2)) as amount, _row from body "
            f"where {name_sql(body.variable)} in ({listed})"
        )
    return " union all ".join(
        f"select {keys}, {text_sql(name)} as name, "
        f"try_cast({name_sql(name)} as decimal(18,2)) as amount, _row from body"
        for name in control.names
    )


def _compare(
    con: duckdb.DuckDBPyConnection, amounts: str, control: Control, others: Sequence[str]
) -> list[tuple[Any, ...]]:
    """By group: total, other side, units that differ, units, and row of the first that differs.

    A unit in which a number is blank or stands for none cannot be compared and is left out.
    """
    listed = ", ".join(text_sql(name) for name in others)
    keys = ", ".join(f"k{index}" for index in range(len(control.by) + len(control.units)))
    groups = ", ".join(f"k{index}" for index in range(len(control.by)))
    total = text_sql(control.total)
    return con.execute(
        f"""
        with amounts as ({amounts}),
        units as (
            select
                {keys},
                sum(amount) filter (name = {total}) as total,
                sum(amount) filter (name in ({listed})) as other,
                coalesce(min(_row) filter (name = {total}), min(_row)) as _row
            from amounts
            where name in ({total}, {listed})
            group by {keys}
            having bool_and(amount is not null)
        )
        select
            {groups},
            sum(coalesce(total, 0)),
            sum(coalesce(other, 0)),
            count(*) filter (coalesce(total, 0) <> coalesce(other, 0)),
            count(*),
            coalesce(
                min(_row) filter (coalesce(total, 0) <> coalesce(other, 0)), min(_row)
            )
        from units
        group by {groups}
        order by {groups}
        """
    ).fetchall()


def _differences(
    body: Body, control: Control, rule_id: str, against: str, rows: Iterable[tuple[Any, ...]]
) -> list[Finding]:
    """A warning for each group whose two sums differ by more than the tolerance."""
    width, tolerance = len(control.by), Decimal(control.tolerance)
    findings = []
    for row in rows:
        total, other, units, of_units, first = row[width:]
        if abs(total - other) <= tolerance:
            continue
        message = (
            f"{control.title}, {_group(control.by, row)}: {control.total} is {_plain(total)}, "
            f"{against} {_plain(other)}, difference {_plain(other - total)} "
            f"(in {units:,} of {of_units:,} units)"
        )
        expected = _plain(other)
        findings.append(
            _finding(rule_id, body, message, first, value=_plain(total), expected=expected)
        )
    return findings


def _hidden_in_sums(body: Body, control: Control, rows: Iterable[tuple[Any, ...]]) -> list[Finding]:
    """One warning where sums agree although units differ, the differences cancelling out."""
    width, tolerance = len(control.by), Decimal(control.tolerance)
    hidden = [
        row for row in rows if row[width + 2] and abs(row[width] - row[width + 1]) <= tolerance
    ]
    if not hidden or not control.units:
        return []
    units = sum(row[width + 2] for row in hidden)
    groups = "; ".join(_group(control.by, row) for row in hidden)
    message = f"{control.title}: {units:,} units differ although the sums agree in {groups}"
    return [_finding("TIP-655", body, message, hidden[0][width + 4], count=units)]


def coverage_findings(
    con: duckdb.DuckDBPyConnection, body: Body, coverage: Coverage
) -> list[Finding]:
    """Years that lack months, and columns that are blank, by year.

    Args:
        con: holds the table ``body``.
        body: its columns.
        coverage: which columns tell year and month, and which ought to be filled.
    """
    year = name_sql(coverage.year)
    findings = []
    if coverage.month:
        months = f"try_cast({name_sql(coverage.month)} as integer)"
        for name, held, first in con.execute(
            f"select {year}, list(distinct {months} order by {months}) as held, min(_row) "
            f"from body group by 1 having count(distinct {months}) < 12 order by 1"
        ).fetchall():
            listed = ", ".join(str(month) for month in held if month is not None)
            message = f"{name} holds {len(held)} of 12 months: {listed}"
            findings.append(_finding("TIP-653", body, message, first, expected="12 months"))
    for column in coverage.filled:
        for name, blank, of_rows, first in con.execute(
            f"select {year}, count(*) filter (blank), count(*), min(_row) filter (blank) "
            f"from (select *, trim(coalesce({name_sql(column)}, '')) = '' as blank from body) "
            "group by 1 having bool_or(blank) order by 1"
        ).fetchall():
            message = f"{column} is blank in {blank:,} of {of_rows:,} rows of {name}"
            findings.append(_finding("TIP-654", body, message, first, count=blank, column=column))
    return findings


def _group(by: Iterable[str], row: Sequence[Any]) -> str:
    return ", ".join(f"{column} {value}" for column, value in zip(by, row, strict=False))


def _plain(number: Decimal) -> str:
    """A number without needless decimals."""
    return f"{number.normalize():f}" if number != number.to_integral() else f"{int(number)}"


def _finding(
    rule_id: str,
    body: Body,
    message: str,
    row: int,
    *,
    value: str | None = None,
    expected: str = "",
    count: int = 1,
    column: str = "",
) -> Finding:
    letter = body.letters.get(column or body.value, "")
    return Finding(
        rule_id,
        rule(rule_id).severity,
        message,
        record_type=body.record_type,
        sheet=body.sheet,
        cell=f"{letter}{row}" if letter else "",
        row=row,
        column_letter=letter,
        value=value,
        expected=expected or rule(rule_id).expected,
        count=count,
    )
