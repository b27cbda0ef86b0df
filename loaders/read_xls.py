"""Scan an Excel 97-2003 workbook (.xls): a compound file that holds a stream of records.

Source of the layout: [MS-CFB] (compound file), [MS-XLS] (records). Only what values do not say is
looked at: error cells, hidden rows and columns, merged cells, the date system, a password.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from loaders.scan import ERROR_CODES, SheetScan, WorkbookScan, address, span
from tipstat.errors import ReturnRefused
from tipstat.rules import refuse

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

#: Sector numbers from here on mean "none" or "end" ([MS-CFB] 2.1).
_NO_SECTOR = 0xFFFFFFFA
_HEADER = 512
_ENTRY = 128

_BOF, _EOF, _FILEPASS, _DATEMODE, _BOUNDSHEET = 0x0809, 0x000A, 0x002F, 0x0022, 0x0085
_ROW, _COLINFO, _MERGED, _BOOLERR, _FORMULA = 0x0208, 0x007D, 0x00E5, 0x0205, 0x0006
#: Records that begin with the row and column of a cell.
_CELLS = frozenset((0x0201, 0x0203, 0x0204, 0x0205, 0x0006, 0x00BD, 0x00BE, 0x00FD, 0x027E, 0x00D6))
_WORKSHEET = 0


class BrokenFile(Exception):
    """The bytes do not follow the format."""


@dataclass(frozen=True)
class _Entry:
    """One entry of the directory of a compound file."""

    name: str
    start: int
    size: int


class CompoundFile:
    """The streams of a compound file, by name.

    Args:
        data: the bytes received.

    Raises:
        BrokenFile: the header or the directory does not follow [MS-CFB].
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        try:
            major, _, shift, mini_shift = struct.unpack_from("<HHHH", data, 26)
            self._fat_count, directory = struct.unpack_from("<I", data, 44)[0], _u32(data, 48)
            self._cutoff, mini_fat = _u32(data, 56), _u32(data, 60)
        except struct.error as error:
            raise BrokenFile from error
        if shift not in (9, 12) or mini_shift != 6 or major not in (3, 4):
            raise BrokenFile
        self._sector = 1 << shift
        self._fat = self._table()
        self._entries = self._directory(b"".join(self._sectors(directory)))
        self._mini_fat = _words(b"".join(self._sectors(mini_fat)))
        root = self._entries[0] if self._entries else None
        self._mini = b"".join(self._sectors(root.start)) if root else b""

    def names(self) -> set[str]:
        """The names of all streams and folders."""
        return {entry.name for entry in self._entries}

    def stream(self, *names: str) -> bytes | None:
        """The first stream that bears one of the names."""
        found = next((e for name in names for e in self._entries if e.name == name), None)
        if found is None:
            return None
        if found.size >= self._cutoff:
            return b"".join(self._sectors(found.start))[: found.size]
        pieces = [self._mini[64 * n : 64 * n + 64] for n in _chain(found.start, self._mini_fat)]
        return b"".join(pieces)[: found.size]

    def _at(self, number: int) -> bytes:
        start = (number + 1) * self._sector
        return self._data[start : start + self._sector]

    def _sectors(self, start: int) -> Iterator[bytes]:
        for number in _chain(start, self._fat):
            yield self._at(number)

    def _table(self) -> tuple[int, ...]:
        """The allocation table, whose sectors the header and its continuations list."""
        listed = list(_words(self._data[76:_HEADER]))
        following, room = _u32(self._data, 68), len(self._data) // self._sector + 1
        while following < _NO_SECTOR and len(listed) <= room:
            more = _words(self._at(following))
            if not more:
                raise BrokenFile
            listed += more[:-1]
            following = more[-1]
        used = [number for number in listed[: self._fat_count] if number < _NO_SECTOR]
        if len(used) > room:
            raise BrokenFile
        return _words(b"".join(self._at(number) for number in used))

    @staticmethod
    def _directory(data: bytes) -> list[_Entry]:
        entries = []
        for place in range(0, len(data) - _ENTRY + 1, _ENTRY):
            length = min(struct.unpack_from("<H", data, place + 64)[0], 64)
            name = data[place : place + max(length - 2, 0)].decode("utf-16-le", "replace")
            if name:
                entries.append(_Entry(name, _u32(data, place + 116), _u32(data, place + 120)))
        return entries


def _u32(data: bytes, place: int) -> int:
    return int(struct.unpack_from("<I", data, place)[0])


def _words(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])


def _chain(start: int, table: tuple[int, ...]) -> Iterator[int]:
    """Sector numbers from the first on; a chain longer than the table is a ring."""
    number = start
    for _ in range(len(table) + 1):
        if number >= _NO_SECTOR:
            return
        if number >= len(table):
            raise BrokenFile
        yield number
        number = table[number]
    raise BrokenFile


def scan_xls(name: str, data: bytes) -> WorkbookScan:
    """Look at the records of an .xls workbook.

    Args:
        name: of the file, for messages.
        data: the bytes received.

    Returns:
        What the records say, by sheet.

    Raises:
        ReturnRefused: TIP-103 damaged, TIP-104 protected by a password.
    """
    try:
        streams = CompoundFile(data)
        stream = streams.stream("Workbook", "Book") or b""
        found = _Globals(stream)
        if found.protected:
            raise refuse("TIP-104", ReturnRefused, where=name, found="a workbook with a password")
        sheets = {title: _sheet(stream, place) for title, place in found.sheets.items()}
    except (BrokenFile, struct.error, IndexError, UnicodeDecodeError) as error:
        found_text = "a workbook whose records do not add up"
        raise refuse("TIP-103", ReturnRefused, where=name, found=found_text) from error
    macros = ("macros",) if "_VBA_PROJECT_CUR" in streams.names() else ()
    return WorkbookScan(sheets, found.date_1904, macros)


def _records(stream: bytes, place: int) -> Iterator[tuple[int, int, int]]:
    """Kind, place and length of every record from a place on, to the end of its part."""
    depth = 0
    while place + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, place)
        if kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                return
        elif depth == 1:  # what is deeper belongs to a chart in the sheet
            yield kind, place + 4, length
        place += 4 + length


class _Globals:
    """The first part of the stream: sheets and their places, the date system, a password."""

    def __init__(self, stream: bytes) -> None:
        self.sheets: dict[str, int] = {}
        self.protected = self.date_1904 = False
        old = stream[:2] == b"\x09\x08" and stream[4:6] == b"\x00\x05"
        for kind, place, length in _records(stream, 0):
            if kind == _FILEPASS:
                self.protected = True
                return
            if kind == _DATEMODE:
                self.date_1904 = stream[place : place + 2] == b"\x01\x00"
            elif kind == _BOUNDSHEET and stream[place + 5] == _WORKSHEET:
                self.sheets[_title(stream[place : place + length], old)] = _u32(stream, place)


def _title(record: bytes, old: bool) -> str:
    """The name of a sheet; before 1997 a text without a mark of its width."""
    length = record[6]
    if old:
        return record[7 : 7 + length].decode("cp1252", "replace")
    if record[7] & 1:
        return record[8 : 8 + 2 * length].decode("utf-16-le")
    return record[8 : 8 + length].decode("latin-1")


def _sheet(stream: bytes, start: int) -> SheetScan:
    found = SheetScan()
    for kind, place, length in _records(stream, start):
        if kind in _CELLS:
            row, column = struct.unpack_from("<HH", stream, place)
            found.rows, found.columns = max(found.rows, row + 1), max(found.columns, column + 1)
            text = _error(stream, kind, place)
            if text:
                found.errors[address(row, column)] = text
        elif kind == _ROW and stream[place + 12] & 0x20:
            found.hidden_rows.add(struct.unpack_from("<H", stream, place)[0] + 1)
        elif kind == _COLINFO and stream[place + 8] & 1:
            first, last = struct.unpack_from("<HH", stream, place)
            found.hidden_columns.add((first + 1, last + 1))
        elif kind == _MERGED:
            for each in struct.iter_unpack(
                "<HHHH", stream[place + 2 : place + 2 + (length - 2) // 8 * 8]
            ):
                found.merged[span(each[0], each[2], each[1], each[3])] = None
    return found


def _error(stream: bytes, kind: int, place: int) -> str:
    """The error that a cell holds or that its formula came to; empty for a value."""
    if kind == _BOOLERR and stream[place + 7] == 1:
        return ERROR_CODES.get(stream[place + 6], "#ERROR")
    result = stream[place + 6 : place + 14]
    if kind == _FORMULA and result[0] == 2 and result[6:8] == b"\xff\xff":
        return ERROR_CODES.get(result[2], "#ERROR")
    return ""
