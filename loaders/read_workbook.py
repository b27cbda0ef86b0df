"""Read a workbook of any format: values by calamine, and beside them what its parts say.

calamine turns ``#REF!`` and its like into blank cells and every number into a double; both would
lose what was sent without a word, so the parts of each sheet are scanned beside it.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from loaders.findings import Finding
from loaders.read_ods import scan_ods
from loaders.read_xls import scan_xls
from loaders.read_xlsb import scan_xlsb
from loaders.read_xlsx import long_numbers, scan_xlsx
from loaders.scan import NO_VALUE, SheetScan, WorkbookScan, error_findings, scan_findings
from loaders.source import ErrorCell, Sheet, column_letter, column_number
from loaders.tables import (
    decimal_texts,
    row_numbers,
    text_array,
    trimmed,
    whole_number_texts,
)
from tipstat.errors import ReturnRefused
from tipstat.limits import Limits
from tipstat.rules import refuse, rule

if TYPE_CHECKING:
    from loaders.tables import Texts

#: Doubles are exact up to here; a longer whole number is taken from the XML.
EXACT = 2**53

#: Whole numbers from here on have more than the fifteen digits that spreadsheets keep.
LONG = 10**15


@dataclass(frozen=True)
class Workbook:
    """A workbook as read: sheets, error cells, findings, and the date system."""

    sheets: tuple[Sheet, ...]
    error_cells: tuple[ErrorCell, ...]
    notes: tuple[Finding, ...]
    date_1904: bool = False


def read_workbook(name: str, data: bytes, file_format: str, limits: Limits) -> Workbook:
    """Read every sheet of a workbook.

    Args:
        name: of the file, for messages.
        data: the bytes received.
        file_format: ``xlsx``, ``xls``, ``xlsb`` or ``ods``.
        limits: of the workspace.

    Returns:
        Sheets, error cells (their text also stands in the sheet's table), and findings.

    Raises:
        ReturnRefused: the workbook is damaged, encrypted, or larger than the limits.
    """
    scan = _scan(name, data, file_format, limits)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        read = [
            _sheet(data, file_format, workbook, meta, scan.sheets.get(meta.name, SheetScan()))
            for meta in workbook.sheets_metadata
            if meta.typ == SheetTypeEnum.WorkSheet
        ]
    except BaseException as error:
        if not _is_damage(error):
            raise
        found = "a workbook that does not open"
        raise refuse("TIP-103", ReturnRefused, where=name, found=found) from error
    sheets = tuple(sheet for sheet, _ in read)
    if not any(sheet.table.num_rows for sheet in sheets):
        raise refuse("TIP-102", ReturnRefused, where=name, found="no sheet with a value")
    cells = tuple(
        ErrorCell(sheet.name, cell, text)
        for sheet in sheets
        if sheet.name in scan.sheets
        for cell, text in scan.sheets[sheet.name].errors.items()
    )
    notes = (
        *error_findings(cells),
        *_hidden_findings(sheets),
        *_sheet_findings(sheets, scan),
        *(finding for _, findings in read for finding in findings),
        *_active_findings(scan),
    )
    return Workbook(sheets, cells, notes, scan.date_1904)


def _is_damage(error: BaseException) -> bool:
    """Whether calamine broke off on the file; its panics are no exceptions of Python."""
    broken = isinstance(error, CalamineError | OSError | ValueError | OverflowError | KeyError)
    return broken or type(error).__name__ == "PanicException"


def _scan(name: str, data: bytes, file_format: str, limits: Limits) -> WorkbookScan:
    if file_format == "xls":
        return scan_xls(name, data)
    scans = {"xlsx": scan_xlsx, "xlsb": scan_xlsb, "ods": scan_ods}
    return scans[file_format](name, data, limits)


def _sheet(
    data: bytes,
    file_format: str,
    workbook: CalamineWorkbook,
    meta: SheetMetadata,
    scan: SheetScan,
) -> tuple[Sheet, list[Finding]]:
    """One sheet, with column A as ``c1`` wherever the used cells begin, and its long numbers."""
    values = workbook.get_sheet_by_name(meta.name)
    rows = values.to_python(skip_empty_area=True)
    first_row, first_column = values.start or (0, 0)
    before = [pa.nulls(len(rows), pa.string())] * (first_column if rows else 0)
    numbers = row_numbers(np.arange(first_row + 1, first_row + len(rows) + 1, dtype=np.int64))
    converter = _Converter()
    arrays = [*before, *map(converter.texts, zip(*rows, strict=True))]
    names = [f"c{index + 1}" for index in range(len(arrays))]
    table = pa.Table.from_arrays([*arrays, numbers], names=[*names, "_row"])
    lost = {cell: text for cell, text in scan.errors.items() if text != NO_VALUE and cell != "?"}
    if converter.inexact and file_format == "xlsx":
        lost |= long_numbers(data, meta.name)
    hidden = meta.visible != SheetVisibleEnum.Visible
    sheet = Sheet(meta.name, hidden, trimmed(_overridden(table, {**lost, **scan.shown})))
    return sheet, _long_findings(meta.name, first_column, converter.long)


def _overridden(table: pa.Table, cells: dict[str, str]) -> pa.Table:
    """Put texts that calamine lost in their places; each touched column is rewritten once."""
    if not cells or not table.num_rows:
        return table
    first = table["_row"][0].as_py()
    by_column: dict[str, dict[int, str]] = {}
    for cell, text in cells.items():
        letters = cell.rstrip("0123456789")
        index = int(cell[len(letters) :]) - first
        if 0 <= index < table.num_rows:
            by_column.setdefault(f"c{column_number(letters)}", {})[index] = text
    for name, texts in by_column.items():
        known = name in table.column_names
        values = table[name].to_pylist() if known else [None] * table.num_rows
        for index, text in texts.items():
            values[index] = text
        column = text_array(values)
        if known:
            table = table.set_column(table.column_names.index(name), name, column)
        else:
            table = _with_column(table, name, column)
    return table


def _with_column(table: pa.Table, name: str, column: Texts) -> pa.Table:
    """Append a column beyond the last one, and blank ones between."""
    have = sum(1 for known in table.column_names if known != "_row")
    for index in range(have + 1, int(name[1:])):
        table = table.add_column(index - 1, f"c{index}", pa.nulls(table.num_rows, pa.string()))
    return table.add_column(int(name[1:]) - 1, name, column)


class _Converter:
    """Turns the values of columns into text.

    Attributes:
        inexact: whether any number was too long for a double to hold to its last digit.
        long: column, counted from 0 -> how many of its numbers have more than fifteen digits.
    """

    def __init__(self) -> None:
        self.inexact = False
        self.long: dict[int, int] = {}
        self._column = -1

    def texts(self, column: tuple[Any, ...]) -> Texts:
        """One column; blank cells become null or empty.

        Columns of one kind, blanks aside, take a shorter way.
        """
        self._column += 1
        kinds = set(map(type, column))
        if kinds <= {str}:
            return text_array(column)
        blanks = str in kinds
        if blanks and any(type(value) is str and value for value in column):
            self._judge([v for v in column if type(v) in (float, int)])
            return _mixed(column)
        kinds.discard(str)
        if kinds <= {float, int}:
            return self._numbers(column, blanks=blanks)
        self._judge([v for v in column if type(v) in (float, int)])
        return _mixed(column)

    def _judge(self, numbers: list[float]) -> None:
        """Keep count of numbers whose last digits a spreadsheet does not keep."""
        long = sum(1 for number in numbers if abs(number) >= LONG)
        if long:
            self.long[self._column] = long
            self.inexact |= bool(max(map(abs, numbers)) > EXACT)

    def _numbers(self, column: tuple[Any, ...], *, blanks: bool) -> Texts:
        """Numbers and blanks: whole ones without decimals, others at full precision."""
        values = [np.nan if v == "" else v for v in column] if blanks else column
        doubles = np.array(values, dtype=np.float64)
        filled = ~np.isnan(doubles)
        numbers = np.where(filled, doubles, 0.0)
        if (np.abs(numbers) >= LONG).any():
            self._judge(list(numbers))
        if self.inexact:
            return _mixed(column)
        whole = numbers == np.floor(numbers)
        if whole.all():
            return whole_number_texts(numbers.astype(np.int64), filled)
        return decimal_texts(numbers, whole, filled)


def _mixed(column: tuple[Any, ...]) -> Texts:
    return text_array([_CONVERTERS[type(value)](value) for value in column])


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _date_time(value: dt.datetime) -> str:
    """A day without a time of day is a date."""
    return value.isoformat() if value.time() != dt.time() else value.date().isoformat()


_CONVERTERS: dict[type, Callable[[Any], str]] = {
    str: str,
    float: _number,
    int: str,
    bool: lambda value: "TRUE" if value else "FALSE",
    dt.date: dt.date.isoformat,
    dt.datetime: _date_time,
    dt.time: dt.time.isoformat,
    dt.timedelta: str,
}


def _long_findings(sheet: str, first_column: int, long: dict[int, int]) -> list[Finding]:
    """One finding a column; the numbers themselves may identify a person and are not shown."""
    entry = rule("TIP-156")
    findings = []
    for column, count in long.items():
        letter = column_letter(first_column + column + 1)
        message = f"column {letter}: {count:,} numbers of more than fifteen digits"
        findings.append(
            Finding(
                "TIP-156",
                entry.severity,
                message,
                sheet=sheet,
                column_letter=letter,
                expected=entry.expected,
                count=count,
            )
        )
    return findings


def _hidden_findings(sheets: tuple[Sheet, ...]) -> list[Finding]:
    severity = rule("TIP-113").severity
    return [
        Finding("TIP-113", severity, f"sheet {sheet.name} is hidden", sheet=sheet.name)
        for sheet in sheets
        if sheet.hidden and sheet.table.num_rows
    ]


def _sheet_findings(sheets: tuple[Sheet, ...], scan: WorkbookScan) -> list[Finding]:
    return [
        finding
        for sheet in sheets
        if sheet.table.num_rows and sheet.name in scan.sheets
        for finding in scan_findings(
            sheet.name, scan.sheets[sheet.name], sheet.table["_row"][-1].as_py()
        )
    ]


def _active_findings(scan: WorkbookScan) -> list[Finding]:
    if not scan.active:
        return []
    entry = rule("TIP-157")
    message = f"{', '.join(scan.active)}: neither run nor followed; values are read as saved"
    return [Finding("TIP-157", entry.severity, message, expected=entry.expected)]
