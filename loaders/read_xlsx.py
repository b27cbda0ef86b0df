"""Read an Excel workbook: values by calamine, error cells and long numbers from the sheet XML.

calamine turns ``#REF!`` and its like into blank cells and every number into a double; both would
lose what was sent without a word, so the XML of each sheet is scanned beside it.
"""

from __future__ import annotations

import datetime as dt
import html
import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
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
from loaders.source import ErrorCell, Sheet, column_number
from loaders.tables import decimal_texts, row_numbers, text_array, trimmed, whole_number_texts
from tipstat.errors import ReturnRefused
from tipstat.rules import refuse, rule

if TYPE_CHECKING:
    import numpy.typing as npt

    from loaders.tables import Texts

#: Declared sizes beyond which a workbook is not unpacked.
MAX_UNPACKED = 1024 * 1024 * 1024
MAX_RATIO = 200
RATIO_FROM = 64 * 1024 * 1024
MAX_MEMBERS = 5_000

#: Cells of the rectangle around a sheet's used cells, which calamine holds in memory.
MAX_CELLS = 80_000_000

#: Bytes of XML held at a time, and the overlap that keeps a cell from being cut in two.
CHUNK = 8 * 1024 * 1024
OVERLAP = 64 * 1024

#: Doubles are exact up to here; a longer whole number is taken from the XML.
EXACT = 2**53

ERROR_CELL = re.compile(
    rb"<(?:\w+:)?c\b([^<>]*\bt=[\"']e[\"'][^<>]*)>(?:<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]*</[^<>]*>))?"
    rb"\s*<(?:\w+:)?v>([^<]*)<"
)
VALUELESS = re.compile(
    rb"<(?:\w+:)?c\b([^<>]*)>\s*<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
LONG_NUMBER = re.compile(rb"<(?:\w+:)?c\b([^<>]*)>\s*<(?:\w+:)?v>(-?\d{16,})(?:\.0*)?</")
ROW_NUMBER = re.compile(rb"\s[^<>]*?\br=[\"'](\d+)")
CELL_COLUMN = re.compile(rb"r=[\"']([A-Z]{1,3})\d")
SINGLE_QUOTED = re.compile(rb"r='([A-Z]{2,3})\d")
ADDRESS = re.compile(rb"\br=[\"']([A-Z]{1,3}\d+)[\"']")
ATTRIBUTE = re.compile(r"([\w:]+)\s*=\s*\"([^\"]*)\"|([\w:]+)\s*=\s*'([^']*)'")

NO_VALUE = "formula without a saved value"


def kind_of_zip(name: str, data: bytes) -> str:
    """``xlsx``, or in words what else the archive is.

    Raises:
        ReturnRefused: a damaged, encrypted or over-large archive.
    """
    with _archive(name, data) as archive:
        members = set(archive.namelist())
        if "xl/workbook.xml" in members:
            return "xlsx"
        if "xl/workbook.bin" in members:
            return "a binary workbook (xlsb)"
        if "mimetype" in members:
            return "an OpenDocument file (ods, odt)"
        if "word/document.xml" in members:
            return "a Word document"
        if "ppt/presentation.xml" in members:
            return "a presentation"
        return "a zip archive that holds no workbook"


def read_xlsx(
    name: str, data: bytes
) -> tuple[tuple[Sheet, ...], tuple[ErrorCell, ...], tuple[Finding, ...]]:
    """Read every sheet of a workbook.

    Args:
        name: of the file, for messages.
        data: the bytes received.

    Returns:
        Sheets, error cells (their text also stands in the sheet's table), and findings.

    Raises:
        ReturnRefused: the workbook is damaged, encrypted, or larger than the limits.
    """
    errors = _scan(name, data)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = tuple(
            _sheet(data, workbook, meta, errors.get(meta.name, {}))
            for meta in workbook.sheets_metadata
            if meta.typ == SheetTypeEnum.WorkSheet
        )
    except CalamineError as error:
        raise refuse("TIP-103", ReturnRefused, where=name, found="a workbook that does not"
                     " open") from error  # fmt: skip
    if not any(sheet.table.num_rows for sheet in sheets):
        raise refuse("TIP-102", ReturnRefused, where=name, found="no sheet with a value")
    cells = tuple(
        ErrorCell(sheet.name, cell, text)
        for sheet in sheets
        for cell, text in errors.get(sheet.name, {}).items()
    )
    return sheets, cells, (*_error_findings(cells), *_hidden_findings(sheets))


def _archive(name: str, data: bytes) -> zipfile.ZipFile:
    """Open the archive if its declared sizes stay within the limits."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile as error:
        raise refuse("TIP-103", ReturnRefused, where=name, found="a broken archive") from error
    members = archive.infolist()
    if any(member.flag_bits & 1 for member in members):
        raise refuse("TIP-104", ReturnRefused, where=name, found="an encrypted archive")
    unpacked = sum(member.file_size for member in members)
    ratio = unpacked / max(len(data), 1)
    if unpacked > MAX_UNPACKED or (unpacked > RATIO_FROM and ratio > MAX_RATIO):
        found = f"{unpacked / 2**20:,.0f} MB unpacked, {ratio:,.0f} times the file"
        raise _too_large(name, found)
    if len(members) > MAX_MEMBERS:
        raise _too_large(name, f"{len(members):,} parts")
    return archive


def _too_large(name: str, found: str) -> ReturnRefused:
    expected = (
        f"at most {MAX_UNPACKED / 2**20:,.0f} MB unpacked, {MAX_RATIO} times the file, and "
        f"{MAX_CELLS:,} cells in the rectangle that a sheet uses"
    )
    return refuse("TIP-105", ReturnRefused, where=name, found=found, expected=expected)


def _scan(name: str, data: bytes) -> dict[str, dict[str, str]]:
    """Unpack every XML part within limits; the error cells by sheet and address."""
    try:
        with _archive(name, data) as archive:
            paths = _sheet_paths(archive)
            scans = {
                title: _scan_sheet(name, partial(_chunks, archive, path))
                for title, path in paths.items()
            }
            for part in ("xl/sharedStrings.xml", "xl/styles.xml"):
                if part in archive.namelist():
                    for chunk in _chunks(archive, part):
                        _refuse_doctype(name, chunk)
            return scans
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError,
            NotImplementedError) as error:  # fmt: skip
        raise refuse("TIP-103", ReturnRefused, where=name, found="a broken archive") from error


def _chunks(archive: zipfile.ZipFile, path: str) -> Iterator[bytes]:
    """The part in overlapping pieces: each begins with the end of the one before.

    The archive's reader stops at the declared size and checks the sum, so a part that unpacks to
    more than it declares never comes through.
    """
    tail = b""
    with archive.open(path) as part:
        while piece := part.read(CHUNK):
            yield tail + piece
            tail = piece[-OVERLAP:]


def _refuse_doctype(name: str, chunk: bytes) -> None:
    """A workbook has no document type; one is there only to make entities expand."""
    if b"<!DOCTYPE" in chunk or b"<!ENTITY" in chunk:
        raise refuse("TIP-103", ReturnRefused, where=name, found="a document type declaration")


def _sheet_paths(archive: zipfile.ZipFile) -> dict[str, str]:
    """Sheet name -> path of its XML in the archive."""
    workbook = archive.read("xl/workbook.xml")
    relations = archive.read("xl/_rels/workbook.xml.rels")
    for part in (workbook, relations):
        _refuse_doctype("xl/workbook.xml", part)
    targets = {
        tag["Id"]: posixpath.normpath(posixpath.join("xl", tag["Target"])).lstrip("/")
        if not tag["Target"].startswith("/")
        else tag["Target"].lstrip("/")
        for tag in _tags(relations, "Relationship")
        if "Id" in tag and "Target" in tag and tag.get("TargetMode") != "External"
    }
    members = set(archive.namelist())
    paths = {}
    for tag in _tags(workbook, "sheet"):
        relation = next((value for key, value in tag.items() if key.endswith(":id")), "")
        path = targets.get(relation, "")
        if "name" in tag and path in members and "worksheets" in path:
            paths[tag["name"]] = path
    return paths


def _tags(part: bytes, element: str) -> list[dict[str, str]]:
    """Attributes of every element of that name, in order."""
    text = part.decode("utf-8-sig", errors="replace")
    found = re.findall(rf"<(?:\w+:)?{element}\s([^<>]*?)/?>", text)
    return [
        {(m[1] or m[3]): html.unescape(m[2] or m[4] or "") for m in ATTRIBUTE.finditer(attributes)}
        for attributes in found
    ]


def _scan_sheet(name: str, chunks: Callable[[], Iterator[bytes]]) -> dict[str, str]:
    """Error cells and formulas without a value of one sheet, by address.

    Args:
        name: of the file, for messages.
        chunks: starts reading the sheet's XML anew.
    """
    errors: dict[str, str] = {}
    rows, letters = 0, 1
    for chunk in chunks():
        _refuse_doctype(name, chunk)
        rows = max(rows, _last_row(chunk))
        letters = max(letters, _letters(chunk))
        if b't="e"' in chunk or b"t='e'" in chunk:
            errors.update(_located(ERROR_CELL, chunk))
        if b"<f" in chunk or b":f" in chunk:
            errors.update(dict.fromkeys(_located(VALUELESS, chunk), NO_VALUE))
    if rows * 26**letters > MAX_CELLS:
        _refuse_vast(name, rows, chunks())
    return errors


def _last_row(chunk: bytes) -> int:
    """The highest row number of the piece; splitting finds the rows faster than a pattern."""
    found = (ROW_NUMBER.match(piece) for piece in chunk.split(b"row")[1:])
    return max((int(match[1]) for match in found if match), default=0)


def _letters(chunk: bytes) -> int:
    """How many letters the column of any cell has at most, without reading each address."""
    if single := SINGLE_QUOTED.search(chunk) if b"r='" in chunk else None:
        return len(single[1])
    data = np.frombuffer(chunk, dtype=np.uint8)
    quotes = np.flatnonzero(data[: len(data) - 4] == ord('"'))
    quotes = quotes[_capital(data[quotes + 1]) & _capital(data[quotes + 2])]
    quotes = quotes[(data[quotes - 1] == ord("=")) & (data[quotes - 2] == ord("r"))]
    if not len(quotes):
        return 1
    return 3 if _capital(data[quotes + 3]).any() else 2


def _capital(characters: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    return (characters - np.uint8(ord("A"))) < 26


def _refuse_vast(name: str, rows: int, chunks: Iterator[bytes]) -> None:
    """Refuse a sheet whose few cells lie so far apart that their rectangle fills the memory."""
    columns: set[bytes] = set()
    for chunk in chunks:
        columns.update(CELL_COLUMN.findall(chunk))
    width = max((column_number(column.decode()) for column in columns), default=1)
    if rows * width > MAX_CELLS:
        raise _too_large(name, f"a sheet of {rows:,} rows and {width:,} columns")


def _located(pattern: re.Pattern[bytes], chunk: bytes) -> dict[str, str]:
    """Address -> text of every match; a cell without an address is told as ``?``."""
    found = {}
    for match in pattern.finditer(chunk):
        address = ADDRESS.search(match[1])
        text = match[2].decode("utf-8", "replace") if pattern.groups > 1 else ""
        found[address[1].decode() if address else "?"] = html.unescape(text)
    return found


def _sheet(
    data: bytes, workbook: CalamineWorkbook, meta: SheetMetadata, errors: dict[str, str]
) -> Sheet:
    """One sheet, with column A as ``c1`` wherever the used cells begin."""
    values = workbook.get_sheet_by_name(meta.name)
    rows = values.to_python(skip_empty_area=True)
    first_row, first_column = values.start or (0, 0)
    before = [pa.nulls(len(rows), pa.string())] * (first_column if rows else 0)
    numbers = row_numbers(np.arange(first_row + 1, first_row + len(rows) + 1, dtype=np.int64))
    converter = _Converter()
    arrays = [*before, *map(converter.texts, zip(*rows, strict=True))]
    names = [f"c{index + 1}" for index in range(len(arrays))]
    table = pa.Table.from_arrays([*arrays, numbers], names=[*names, "_row"])
    lost = {cell: text for cell, text in errors.items() if text != NO_VALUE and cell != "?"}
    if converter.inexact:
        lost |= _long_numbers(data, meta.name)
    hidden = meta.visible != SheetVisibleEnum.Visible
    return Sheet(meta.name, hidden, trimmed(_overridden(table, lost)))


def _long_numbers(data: bytes, name: str) -> dict[str, str]:
    """Whole numbers of sixteen digits and more as they are written, by address."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        numbers: dict[str, str] = {}
        for chunk in _chunks(archive, _sheet_paths(archive)[name]):
            numbers.update(_located(LONG_NUMBER, chunk))
        return numbers


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
    """

    def __init__(self) -> None:
        self.inexact = False

    def texts(self, column: tuple[Any, ...]) -> Texts:
        """One column; blank cells become null or empty.

        Columns of one kind, blanks aside, take a shorter way.
        """
        kinds = set(map(type, column))
        if kinds <= {str}:
            return text_array(column)
        blanks = str in kinds
        if blanks and any(type(value) is str and value for value in column):
            self.inexact |= any(type(v) is float and abs(v) > EXACT for v in column)
            return _mixed(column)
        kinds.discard(str)
        if kinds == {float}:
            return self._numbers(column, blanks=blanks)
        return _mixed(column)

    def _numbers(self, column: tuple[Any, ...], *, blanks: bool) -> Texts:
        """Numbers and blanks: whole ones without decimals, others at full precision."""
        values = [np.nan if v == "" else v for v in column] if blanks else column
        doubles = np.array(values, dtype=np.float64)
        filled = ~np.isnan(doubles)
        numbers = np.where(filled, doubles, 0.0)
        if (np.abs(numbers) > EXACT).any():
            self.inexact = True
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


def _error_findings(errors: tuple[ErrorCell, ...]) -> list[Finding]:
    severity = rule("TIP-107").severity
    return [
        Finding(
            "TIP-107",
            severity,
            f"{error.cell} holds {error.text}",
            sheet=error.sheet,
            cell=error.cell,
            row=_row_of(error.cell),
            column_letter=error.cell.rstrip("0123456789?"),
            value=error.text,
        )
        for error in errors
    ]


def _row_of(cell: str) -> int | None:
    digits = cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ?")
    return int(digits) if digits else None


def _hidden_findings(sheets: tuple[Sheet, ...]) -> list[Finding]:
    severity = rule("TIP-113").severity
    return [
        Finding("TIP-113", severity, f"sheet {sheet.name} is hidden", sheet=sheet.name)
        for sheet in sheets
        if sheet.hidden and sheet.table.num_rows
    ]
