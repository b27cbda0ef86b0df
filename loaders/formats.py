"""What a file is, by its content and not by its name."""

from __future__ import annotations

import re
from pathlib import PurePath

from loaders.archive import open_archive
from loaders.read_xls import SIGNATURE, BrokenFile, CompoundFile
from tipstat.errors import ReturnRefused
from tipstat.limits import Limits
from tipstat.rules import refuse

#: What the ending of a file's name promises; a file of another content is refused.
ENDINGS = {
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xls": "xls",
    ".xlsb": "xlsb",
    ".ods": "ods",
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".txt": "csv",
    ".zip": "zip",
    ".parquet": "parquet",
}
#: The formats in the words of a refusal.
NAMES = {
    "xlsx": "an Excel workbook (xlsx)",
    "xls": "an Excel 97-2003 workbook (xls)",
    "xlsb": "a binary workbook (xlsb)",
    "ods": "an OpenDocument spreadsheet (ods)",
    "csv": "delimited text",
    "zip": "a zip archive",
    "parquet": "a Parquet file",
}
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


def format_of(name: str, data: bytes, limits: Limits) -> str:
    """What a file is by its content, which its name must not contradict.

    Args:
        name: of the file.
        data: the bytes received.
        limits: of the workspace.

    Returns:
        A format that is read, or ``zip``.

    Raises:
        ReturnRefused: TIP-101 anything else, or not what the name's ending promises; TIP-102
            nothing in it, TIP-103 damaged, TIP-104 encrypted, TIP-105 an archive beyond the
            limits, TIP-152 one with odd names.
    """
    found = _recognised(name, data, limits)
    ending = PurePath(name).suffix
    if ENDINGS.get(ending.lower(), found) != found:
        raise refuse(
            "TIP-101",
            ReturnRefused,
            where=name,
            found=f"a name ending in {ending} over {NAMES[found]}",
            do="send the file as it was saved; do not change the ending of its name",
        )
    return found


def _recognised(name: str, data: bytes, limits: Limits) -> str:
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
