"""Scan a binary workbook (.xlsb): a zip whose parts are streams of records.

Source of the layout: [MS-XLSB]. As in the other formats only what values do not say is looked at.
"""

from __future__ import annotations

import posixpath
import struct
from collections.abc import Iterator

from loaders.archive import BROKEN, open_archive, refuse_doctype, too_large
from loaders.read_xlsx import active_content, relations
from loaders.scan import ERROR_CODES, SheetScan, WorkbookScan, address, span
from tipstat.errors import ReturnRefused
from tipstat.limits import Limits
from tipstat.rules import refuse

_ROW, _CELL_ERROR, _FORMULA_ERROR, _LAST_CELL = 0, 3, 11, 11
_PROPERTIES, _SHEET, _COLUMN, _MERGED = 153, 156, 60, 176


def scan_xlsb(name: str, data: bytes, limits: Limits) -> WorkbookScan:
    """Look at the records of an .xlsb workbook.

    Args:
        name: of the file, for messages.
        data: the bytes received.
        limits: of the workspace.

    Returns:
        What the records say, by sheet.

    Raises:
        ReturnRefused: TIP-103 damaged, TIP-104 encrypted, TIP-105 beyond the limits.
    """
    try:
        with open_archive(name, data, limits) as archive:
            book = archive.read("xl/workbook.bin")
            rels = archive.read("xl/_rels/workbook.bin.rels")
            refuse_doctype(name, rels)
            targets = relations(rels)
            scans = {
                title: _sheet(name, archive.read(path), limits)
                for title, path in _sheets(book, targets).items()
                if path in archive.namelist()
            }
            return WorkbookScan(scans, _date_1904(book), active_content(archive))
    except BROKEN as error:
        raise refuse("TIP-103", ReturnRefused, where=name, found="a broken archive") from error


def _records(part: bytes) -> Iterator[tuple[int, int, int]]:
    """Kind, place and length of every record ([MS-XLSB] 2.1.4)."""
    place, end = 0, len(part)
    while place < end:
        kind = part[place]
        place += 1
        if kind & 0x80:
            kind = (kind & 0x7F) | (part[place] & 0x7F) << 7
            place += 1
        length = shift = 0
        while True:
            byte = part[place]
            place += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80 or shift > 21:
                break
        yield kind, place, length
        place += length


def _date_1904(book: bytes) -> bool:
    return any(book[place] & 1 for kind, place, n in _records(book) if kind == _PROPERTIES and n)


def _sheets(book: bytes, targets: dict[str, str]) -> dict[str, str]:
    """Name of every worksheet -> path of its part."""
    found = {}
    for kind, place, _ in _records(book):
        if kind != _SHEET:
            continue
        relation, after = _text(book, place + 8)
        title, _ = _text(book, after)
        path = posixpath.normpath(targets.get(relation, ""))
        if "worksheets" in path:
            found[title] = path
    return found


def _text(part: bytes, place: int) -> tuple[str, int]:
    """A text that its length precedes, and the place after it; -1 stands for none."""
    (length,) = struct.unpack_from("<i", part, place)
    start = place + 4
    end = start + 2 * max(length, 0)
    if end > len(part):
        raise ValueError
    return part[start:end].decode("utf-16-le", "replace"), end


def _sheet(name: str, part: bytes, limits: Limits) -> SheetScan:
    found, row = SheetScan(), 0
    for kind, place, _ in _records(part):
        if kind == _ROW:
            (row,) = struct.unpack_from("<I", part, place)
            if part[place + 11] & 0x10:
                found.hidden_rows.add(row + 1)
        elif 1 <= kind <= _LAST_CELL:
            (column,) = struct.unpack_from("<I", part, place)
            found.rows, found.columns = max(found.rows, row + 1), max(found.columns, column + 1)
            if kind in (_CELL_ERROR, _FORMULA_ERROR):
                text = ERROR_CODES.get(part[place + 8], "#ERROR")
                found.errors[address(row, column)] = text
        elif kind == _COLUMN and part[place + 16] & 1:
            first, last = struct.unpack_from("<II", part, place)
            found.hidden_columns.add((first + 1, last + 1))
        elif kind == _MERGED:
            first_row, last_row, first, last = struct.unpack_from("<IIII", part, place)
            found.merged[span(first_row, first, last_row, last)] = None
    if found.rows * found.columns > limits.cells:
        text = f"a sheet of {found.rows:,} rows and {found.columns:,} columns"
        raise too_large(name, text, limits)
    return found
