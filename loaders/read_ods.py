"""Scan an OpenDocument spreadsheet (.ods): a zip whose ``content.xml`` holds every sheet.

Source of the layout: OpenDocument 1.3 part 3, chapter 9. Rows and cells say how often they are
repeated, so a few bytes can declare a sheet that fills the memory: it is measured first.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from loaders.archive import BROKEN, CHUNK, open_archive, too_large
from loaders.scan import NO_VALUE, SheetScan, WorkbookScan, address, span
from tipstat.errors import ReturnRefused
from tipstat.limits import Limits
from tipstat.rules import refuse

_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
_CALCEXT = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 "
_ANNOTATION = f"{_OFFICE}annotation"
_ERROR = re.compile(r"#[A-Z][A-Z0-9_/]*[!?]|#N/A|Err:\d{3}")
_HIDDEN = ("collapse", "filter")
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")


class _Doctype(Exception):
    """A document type declaration, which is there only to make entities expand."""


def scan_ods(name: str, data: bytes, limits: Limits) -> WorkbookScan:
    """Look at the content of an .ods spreadsheet.

    Args:
        name: of the file, for messages.
        data: the bytes received.
        limits: of the workspace.

    Returns:
        What the content says, by sheet.

    Raises:
        ReturnRefused: TIP-101 no spreadsheet, TIP-103 damaged, TIP-104 encrypted, TIP-105 beyond
            the limits.
    """
    reader = _Content(name, limits)
    try:
        with open_archive(name, data, limits) as archive:
            members = set(archive.namelist())
            if b"encryption-data" in archive.read("META-INF/manifest.xml"):
                raise refuse("TIP-104", ReturnRefused, where=name, found="an encrypted document")
            if b"opendocument.spreadsheet" not in archive.read("mimetype"):
                found = "an OpenDocument file that is no spreadsheet"
                raise refuse("TIP-101", ReturnRefused, where=name, found=found)
            with archive.open("content.xml") as part:
                while piece := part.read(CHUNK):
                    reader.parser.Parse(piece, False)
            reader.parser.Parse(b"", True)
    except _Doctype as error:
        found = "a document type declaration"
        raise refuse("TIP-103", ReturnRefused, where=name, found=found) from error
    except (*BROKEN, expat.ExpatError) as error:
        raise refuse("TIP-103", ReturnRefused, where=name, found="a broken archive") from error
    macros = any(member.startswith(("Basic/", "Scripts/")) for member in members)
    return WorkbookScan(reader.sheets, False, ("macros",) if macros else ())


class _Content:
    """Walks ``content.xml`` and keeps count of rows and columns."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.sheets: dict[str, SheetScan] = {}
        self._name, self._limits = name, limits
        self._sheet = SheetScan()
        self._row = self._column = self._rows = self._times = 0
        self._hidden = False
        self._is_error = self._aside = False
        self._shown: list[str] | None = None
        self.parser = expat.ParserCreate("UTF-8", " ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype

    @staticmethod
    def _doctype(*_: object) -> None:
        raise _Doctype

    def _start(self, element: str, attributes: dict[str, str]) -> None:
        if element in _CELLS:
            self._cell(attributes)
        elif element == _ANNOTATION:
            self._aside = True
        elif element == f"{_TABLE}table-row":
            self._rows = _times(attributes, "number-rows-repeated")
            self._column = 0
            self._hidden = attributes.get(f"{_TABLE}visibility") in _HIDDEN
        elif element == f"{_TABLE}table-column":
            times = _times(attributes, "number-columns-repeated")
            if attributes.get(f"{_TABLE}visibility") in _HIDDEN:
                self._sheet.hidden_columns.add((self._column + 1, self._column + times))
            self._column += times
        elif element == f"{_TABLE}table":
            self._sheet, self._row, self._column = SheetScan(), 0, 0
            self.sheets[attributes.get(f"{_TABLE}name", "")] = self._sheet

    def _cell(self, attributes: dict[str, str]) -> None:
        self._times = _times(attributes, "number-columns-repeated")
        kind, formula = attributes.get(f"{_OFFICE}value-type"), f"{_TABLE}formula" in attributes
        if kind or formula:
            self._measure()
        if kind:
            self._is_error = attributes.get(f"{_CALCEXT}value-type") == "error"
            if self._is_error or formula:
                self._shown = []
        elif formula:
            self._note(NO_VALUE)
        self._merged(attributes)

    def _measure(self) -> None:
        """Take a cell, as often as it is repeated, into the rectangle that the sheet uses."""
        sheet = self._sheet
        sheet.rows = max(sheet.rows, self._row + self._rows)
        sheet.columns = max(sheet.columns, self._column + self._times)
        if sheet.rows * sheet.columns > self._limits.cells:
            found = f"a sheet of {sheet.rows:,} rows and {sheet.columns:,} columns"
            raise too_large(self._name, found, self._limits)

    def _merged(self, attributes: dict[str, str]) -> None:
        wide = int(attributes.get(f"{_TABLE}number-columns-spanned", "1"))
        high = int(attributes.get(f"{_TABLE}number-rows-spanned", "1"))
        if wide * high > 1:
            last = (self._row + high - 1, self._column + wide - 1)
            self._sheet.merged[span(self._row, self._column, *last)] = None

    def _note(self, text: str) -> None:
        for row in range(self._row, self._row + self._rows):
            for column in range(self._column, self._column + self._times):
                self._sheet.errors[address(row, column)] = text

    def _text(self, text: str) -> None:
        if self._shown is not None and not self._aside:
            self._shown.append(text)

    def _end(self, element: str) -> None:
        if element in _CELLS:
            if self._shown is not None:
                text = "".join(self._shown).strip()
                if self._is_error or _ERROR.fullmatch(text):
                    self._note(text or "#ERROR")
                self._shown = None
            self._column += self._times
        elif element == f"{_TABLE}table-row":
            if self._hidden:
                last = min(self._row + self._rows, self._sheet.rows)
                self._sheet.hidden_rows.update(range(self._row + 1, last + 1))
            self._row += self._rows
        elif element == _ANNOTATION:
            self._aside = False


def _times(attributes: dict[str, str], name: str) -> int:
    return max(int(attributes.get(_TABLE + name, "1")), 1)
