"""From the bytes of one file to its sheets: the part of reading that may run in another process."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from loaders.archive import open_archive
from loaders.characters import character_findings
from loaders.findings import Finding
from loaders.read_csv import read_csv
from loaders.read_xls import SIGNATURE, BrokenFile, CompoundFile
from loaders.source import ErrorCell, Sheet
from tipstat.errors import ReturnRefused
from tipstat.limits import Limits
from tipstat.rules import refuse

if TYPE_CHECKING:
    from loaders.layout_model import Repair

#: First bytes of files that are no return, and what they are.
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"{\\rtf", "a rich-text document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"SQLite format 3", "a SQLite database"),
    (b"<html", "a web page"),
    (b"<!doctype", "a web page"),
    (b"<table", "a web page"),
    (b"<?xml", "an XML file"),
    (b"{", "a JSON file"),
)
PARQUET = b"PAR1"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_BLANK = re.compile(rb"[\xef\xbb\xbf\xff\xfe\x00 \t\r\n]*")

WORKBOOK_NAMES = {
    "xlsx": "Excel workbook",
    "xls": "Excel 97-2003 workbook",
    "xlsb": "binary Excel workbook",
    "ods": "OpenDocument spreadsheet",
}


@dataclass(frozen=True)
class Reading:
    """How a file is to be read.

    Attributes:
        encoding: of a text; detected where not given.
        delimiter: of a text; detected where not given.
        repairs: known faults of a text's lines, from a layout.
        limits: of the workspace.
    """

    encoding: str | None = None
    delimiter: str | None = None
    repairs: tuple[Repair, ...] = ()
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Parsed:
    """The sheets of one file, as in ``Source``."""

    format: str
    sheets: tuple[Sheet, ...]
    error_cells: tuple[ErrorCell, ...] = ()
    notes: tuple[Finding, ...] = ()
    read_as: str = ""
    date_1904: bool = False
    encoding: str = ""
    delimiter: str = ""


def recognised(name: str, data: bytes, limits: Limits) -> str:
    """What a file is by its content: a format that is read, or ``zip``.

    Raises:
        ReturnRefused: TIP-101 anything else, TIP-102 nothing in it, TIP-103 damaged, TIP-104
            encrypted, TIP-105 an archive beyond the limits, TIP-152 one with odd names.
    """
    if _BLANK.fullmatch(data):
        raise refuse("TIP-102", ReturnRefused, where=name, found=f"{len(data)} bytes")
    if data.startswith(SIGNATURE):
        return _kind_of_compound(name, data)
    if data.startswith(PARQUET):
        return "parquet"
    what = _kind_of_zip(name, data, limits) if data.startswith(ZIP) else _kind_of_text(data)
    if what in (*WORKBOOK_NAMES, "zip", "csv"):
        return what
    raise refuse("TIP-101", ReturnRefused, where=name, found=what)


def _kind_of_compound(name: str, data: bytes) -> str:
    """A workbook of before 2007; or why another compound file is none."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise refuse("TIP-104", ReturnRefused, where=name, found="an encrypted workbook")
    try:
        names = CompoundFile(data).names()
    except BrokenFile as error:
        found = "a file of before 2007 whose parts do not add up"
        raise refuse("TIP-103", ReturnRefused, where=name, found=found) from error
    if names & {"Workbook", "Book"}:
        return "xls"
    found = "a Word document" if "WordDocument" in names else "a file of before 2007, no workbook"
    raise refuse("TIP-101", ReturnRefused, where=name, found=found)


def _kind_of_zip(name: str, data: bytes, limits: Limits) -> str:
    """A format that a zip holds, ``zip`` for one of tables, or in words what else it is."""
    with open_archive(name, data, limits) as archive:
        members = set(archive.namelist())
    parts = {
        "xl/workbook.xml": "xlsx",
        "xl/workbook.bin": "xlsb",
        "content.xml": "ods" if "mimetype" in members else "a zip archive that holds no return",
        "word/document.xml": "a Word document",
        "ppt/presentation.xml": "a presentation",
    }
    return next((what for part, what in parts.items() if part in members), "zip")


def _kind_of_text(data: bytes) -> str:
    head = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for signature, what in SIGNATURES:
        if head.startswith(signature.lower()):
            return what
    return "csv"


def load_parser(file_format: str) -> None:
    """Import what parses a format, before the limits of a process of its own take hold."""
    modules = {"parquet": ("read_parquet",), "zip": ("read_zip", "read_parquet")}
    for module in modules.get(file_format, ("read_workbook",)):
        import_module(f"loaders.{module}")


def parse(name: str, file_format: str, data: bytes, how: Reading) -> Parsed:
    """Parse a file whose kind is known.

    Args:
        name: of the file, for messages and for the name of a table's sheet.
        file_format: of ``recognised``.
        data: the bytes received.
        how: encoding, delimiter, repairs and limits.

    Returns:
        Its sheets as text, with what reading showed.

    Raises:
        ReturnRefused: the file is damaged or beyond the limits.
    """
    if file_format in WORKBOOK_NAMES:
        parsed = _workbook(name, file_format, data, how.limits)
    elif file_format == "parquet":
        from loaders.read_parquet import read_parquet

        parsed = Parsed("parquet", (read_parquet(name, data, how.limits),), read_as="Parquet")
    elif file_format == "zip":
        from loaders.read_zip import read_zip

        parsed = read_zip(name, data, how)
    else:
        parsed = parse_text(name, data, how)
    return parsed


def parse_text(name: str, data: bytes, how: Reading) -> Parsed:
    """Parse a delimited text; the arguments are those of ``parse``."""
    text = read_csv(
        Path(name), data, encoding=how.encoding, delimiter=how.delimiter, repairs=how.repairs
    )
    notes = (*text.notes, *character_findings(text.sheet, text.ascii))
    return Parsed(
        "csv",
        (text.sheet,),
        notes=notes,
        read_as=text.read_as,
        encoding=text.encoding,
        delimiter=text.delimiter,
    )


def _workbook(name: str, file_format: str, data: bytes, limits: Limits) -> Parsed:
    from loaders.read_workbook import read_workbook

    book = read_workbook(name, data, file_format, limits)
    odd = [finding for sheet in book.sheets for finding in character_findings(sheet)]
    return Parsed(
        file_format,
        book.sheets,
        book.error_cells,
        (*book.notes, *odd),
        _read_as(file_format, book.date_1904),
        book.date_1904,
    )


def _read_as(file_format: str, date_1904: bool) -> str:
    name = WORKBOOK_NAMES[file_format]
    if file_format == "ods":  # its dates are written out
        return name
    return f"{name}, days counted from {1904 if date_1904 else 1900}"
