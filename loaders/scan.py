"""What a workbook's own parts say that its values do not: errors, hidden rows, merged cells.

calamine, which reads the values, turns ``#REF!`` and its like into blank cells and says nothing
of hidden rows; so each format's parts are scanned beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loaders.findings import Finding
from loaders.source import ErrorCell, column_letter
from tipstat.rules import rule

if TYPE_CHECKING:
    from collections.abc import Iterable

NO_VALUE = "formula without a saved value"

#: Codes of errors in the binary formats ([MS-XLS] 2.5.10, [MS-XLSB] 2.5.97.2).
ERROR_CODES = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}

#: Runs of rows, columns or merged cells that are named one by one.
NAMED = 5


@dataclass
class SheetScan:
    """What the parts of one sheet say.

    Attributes:
        errors: address -> text of the cells that hold an error, or a formula without a value.
        hidden_rows: numbers of hidden rows.
        hidden_columns: first and last number of hidden columns.
        merged: ranges of merged cells, such as ``A1:C1``.
        shown: address -> text of numbers that the sheet shows with leading zeros.
        rows: last row that has a cell.
        columns: last column that has a cell.
        declared: the range that the sheet says is used, such as ``A1:F20``.
    """

    errors: dict[str, str] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[tuple[int, int]] = field(default_factory=set)
    merged: dict[str, None] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    columns: int = 0
    declared: str = ""


@dataclass
class WorkbookScan:
    """What the parts of a workbook say.

    Attributes:
        sheets: by name of the sheet.
        date_1904: whether days are counted from 1904.
        active: what the workbook holds that is never run or followed, in words.
    """

    sheets: dict[str, SheetScan] = field(default_factory=dict)
    date_1904: bool = False
    active: tuple[str, ...] = ()


def address(row: int, column: int) -> str:
    """The address of a cell whose row and column are counted from 0."""
    return f"{column_letter(column + 1)}{row + 1}"


def span(first_row: int, first_column: int, last_row: int, last_column: int) -> str:
    """The address of a range whose rows and columns are counted from 0."""
    return f"{address(first_row, first_column)}:{address(last_row, last_column)}"


def scan_findings(name: str, found: SheetScan, last_row: int) -> list[Finding]:
    """Findings on hidden rows and columns, merged cells and the declared range of one sheet.

    Args:
        name: of the sheet.
        found: what its parts say.
        last_row: number of the last row that holds a value.

    Returns:
        At most one finding a rule; what is hidden is read like everything else.
    """
    findings = []
    hidden = _told("row", _runs(row for row in sorted(found.hidden_rows) if row <= found.rows))
    seen = ((first, last) for first, last in sorted(found.hidden_columns) if first <= found.columns)
    hidden += _told("column", [(column_letter(a), column_letter(b)) for a, b in seen])
    if hidden:
        findings.append(_finding("TIP-154", name, f"{', '.join(hidden)}: hidden, and read"))
    if found.merged:
        ranges = list(found.merged)
        message = f"merged: {_some(ranges)}; the value counts for the first cell alone"
        first = ranges[0].partition(":")[0]
        findings.append(_finding("TIP-155", name, message, cell=first, count=len(ranges)))
    if found.shown:
        cells = list(found.shown)
        message = f"read as shown, with leading zeros: {_some(cells)}"
        findings.append(_finding("TIP-169", name, message, cell=cells[0], count=len(cells)))
    if found.declared and (row_of(found.declared.rpartition(":")[2]) or last_row) < last_row:
        message = f"the sheet says that it is {found.declared}; read to row {last_row:,}"
        findings.append(_finding("TIP-166", name, message))
    return findings


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Numbers in order as runs from first to last."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _told(what: str, runs: list[tuple[int, int]] | list[tuple[str, str]]) -> list[str]:
    if not runs:
        return []
    shown = [str(first) if first == last else f"{first} to {last}" for first, last in runs]
    plural = "s" if len(shown) > 1 or " to " in shown[0] else ""
    return [f"{what}{plural} {_some(shown)}"]


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - NAMED:,} more" if len(texts) > NAMED else ""
    return ", ".join(texts[:NAMED]) + more


def _finding(rule_id: str, sheet: str, message: str, *, cell: str = "", count: int = 1) -> Finding:
    entry = rule(rule_id)
    return Finding(
        rule_id,
        entry.severity,
        message,
        sheet=sheet,
        cell=cell,
        expected=entry.expected,
        count=count,
    )


def error_findings(errors: Iterable[ErrorCell]) -> list[Finding]:
    """One finding an error cell; the error is what the cell holds, never a value."""
    severity = rule("TIP-107").severity
    return [
        Finding(
            "TIP-107",
            severity,
            f"{error.cell} holds {error.text}",
            sheet=error.sheet,
            cell=error.cell,
            row=row_of(error.cell),
            column_letter=error.cell.rstrip("0123456789?"),
            value=error.text,
        )
        for error in errors
    ]


def row_of(cell: str) -> int | None:
    """The row of an address, or ``None`` where it is not known."""
    digits = cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ?")
    return int(digits) if digits else None
