"""Findings of a layout, with the cell that they point at."""

from __future__ import annotations

from loaders.findings import Finding
from loaders.layout_sql import Body
from tipstat.rules import rule


def layout_finding(
    rule_id: str,
    body: Body,
    message: str,
    *,
    row: int | None = None,
    column: str = "",
    value: str | None = None,
    expected: str = "",
    close: str = "",
    count: int = 1,
) -> Finding:
    """A finding in a table that a layout reads.

    Args:
        rule_id: of the rule, whose severity and expectation it takes.
        body: the table.
        message: what was found.
        row: of the sheet.
        column: header of the column.
        value: as sent, of an aggregate return only.
        expected: instead of what the rule says.
        close: the nearest accepted names.
        count: places that it stands for.
    """
    letter = body.letters.get(column, "")
    return Finding(
        rule_id,
        rule(rule_id).severity,
        message,
        record_type=body.record_type,
        sheet=body.sheet,
        cell=f"{letter}{row}" if letter and row else "",
        row=row,
        column_letter=letter,
        value=value,
        expected=expected or rule(rule_id).expected,
        nearest=close,
        count=count,
    )
