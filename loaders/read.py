"""Read a file as sent: recognise it by its content, keep to limits, and change no text.

Dates become ISO text, whole numbers lose their ``.0``, logical values become TRUE and FALSE; any
other text is as it was sent. Nothing of the file is written anywhere, no macro is run and no
external link is followed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from loaders.read_csv import read_csv
from loaders.read_xlsx import kind_of_zip, read_xlsx
from loaders.source import ErrorCell, Sheet, Source
from tipstat.errors import ReturnRefused, UsageError
from tipstat.rules import refuse

__all__ = ["ErrorCell", "Sheet", "Source", "read_source"]

#: Largest file that is opened, in bytes.
MAX_FILE_BYTES = 512 * 1024 * 1024

#: First bytes of files that are no return, and what they are.
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"{\\rtf", "a rich-text document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "a SQLite database"),
    (b"<html", "a web page"),
    (b"<!doctype", "a web page"),
    (b"<table", "a web page"),
    (b"<?xml", "an XML file"),
    (b"{", "a JSON file"),
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")

#: What the ending of a file's name promises; a file of another content is refused.
ENDINGS = {
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".txt": "csv",
}
NAMES = {"xlsx": "an Excel workbook (xlsx)", "csv": "delimited text"}


def read_source(
    path: Path | str, *, encoding: str | None = None, delimiter: str | None = None
) -> Source:
    """Read a workbook or a delimited text.

    Args:
        path: the file.
        encoding: of a text; detected where not given.
        delimiter: of a text; detected where not given.

    Returns:
        All sheets as text, with row numbers, error cells and notes.

    Raises:
        ReturnRefused: the file is empty, damaged, encrypted, too large or of a wrong type.
        UsageError: there is no such file, or it cannot be opened.
    """
    path = Path(path)
    data = _bytes(path)
    found = _recognise(path, data)
    promised = ENDINGS.get(path.suffix.lower(), found)
    if promised != found:
        raise refuse(
            "TIP-101",
            ReturnRefused,
            where=path.name,
            found=f"a name ending in {path.suffix} over {NAMES[found]}",
            do="send the file as it was saved; do not change the ending of its name",
        )
    digest = hashlib.sha256(data).hexdigest()
    if found == "xlsx":
        sheets, errors, notes = read_xlsx(path.name, data)
        return Source(path, "xlsx", digest, sheets, errors, notes)
    sheet, notes = read_csv(path, data, encoding=encoding, delimiter=delimiter)
    return Source(path, "csv", digest, (sheet,), (), notes)


def _bytes(path: Path) -> bytes:
    """The file's bytes, if it is there and not too large."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise refuse(
                "TIP-105",
                ReturnRefused,
                where=path.name,
                found=f"{size / 2**20:,.0f} MB",
                expected=f"at most {MAX_FILE_BYTES / 2**20:,.0f} MB",
            )
        return path.read_bytes()
    except OSError as error:
        found = error.strerror or "it cannot be opened"
        raise refuse("TIP-106", UsageError, where=path.name, found=found) from error


def _recognise(path: Path, data: bytes) -> str:
    """``xlsx`` or ``csv`` from the content; anything else is refused."""
    if not data.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"):
        raise refuse("TIP-102", ReturnRefused, where=path.name, found=f"{len(data)} bytes")
    if data.startswith(OLE):
        raise _refuse_compound(path, data)
    what = kind_of_zip(path.name, data) if data.startswith(ZIP) else _kind_of_text(data)
    if what in NAMES:
        return what
    raise refuse("TIP-101", ReturnRefused, where=path.name, found=what)


def _refuse_compound(path: Path, data: bytes) -> ReturnRefused:
    """An OLE file: an encrypted workbook, or a format of before 2007."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return refuse("TIP-104", ReturnRefused, where=path.name, found="an encrypted workbook")
    return refuse(
        "TIP-101",
        ReturnRefused,
        where=path.name,
        found="an old .xls workbook or another file of before 2007",
    )


def _kind_of_text(data: bytes) -> str:
    head = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for signature, what in SIGNATURES:
        if head.startswith(signature.lower()):
            return what
    return "csv"
