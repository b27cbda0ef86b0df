"""Read a file as sent: recognise it by its content, keep to limits, and change no text.

Dates become ISO text, whole numbers lose their ``.0``, logical values become TRUE and FALSE; any
other text is as it was sent. Nothing of the file is written anywhere, no macro is run and no
external link is followed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from loaders.read_csv import read_csv
from loaders.read_xlsx import kind_of_zip, read_xlsx
from loaders.source import ErrorCell, Sheet, Source
from tipstat.errors import ReturnRefused, UsageError
from tipstat.rules import refuse

if TYPE_CHECKING:
    from loaders.layout_model import Repair

__all__ = ["ErrorCell", "Sheet", "Source", "name_of", "read_source"]

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
#: What is read of a folder.
TABLE_ENDINGS = (".csv", ".tsv")
NAMES = {"xlsx": "an Excel workbook (xlsx)", "csv": "delimited text"}


def read_source(
    path: Path | str | Sequence[Path],
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    repairs: Sequence[Repair] = (),
) -> Source:
    """Read a workbook, a delimited text, or several texts that form one return.

    Args:
        path: the file; a folder, whose CSV and TSV files are read; or several delimited texts.
        encoding: of a text; detected where not given.
        delimiter: of a text; detected where not given.
        repairs: known faults of a text's lines, from a layout.

    Returns:
        All sheets as text, with row numbers, error cells and notes. Each of several texts is a
        sheet named by its file, without the ending; their order does not matter.

    Raises:
        ReturnRefused: a file is empty, damaged, encrypted, too large or of a wrong type, or the
            files cannot be one return (TIP-970).
        UsageError: there is no such file, or it cannot be opened.
    """
    files = [Path(path)] if isinstance(path, str | Path) else list(path)
    if len(files) == 1 and not files[0].is_dir():
        return _read_file(files[0], encoding, delimiter, repairs)
    return _read_texts(files, encoding, delimiter, repairs)


def name_of(path: Path | str | Sequence[Path]) -> str:
    """The name under which a return is spoken of: its file, its folder, or its files."""
    if isinstance(path, str | Path):
        return Path(path).resolve().name if Path(path).is_dir() else Path(path).name
    return " + ".join(sorted(name_of(file) for file in path))


def _read_texts(
    files: Sequence[Path],
    encoding: str | None,
    delimiter: str | None,
    repairs: Sequence[Repair],
) -> Source:
    """Several delimited texts as the sheets of one source."""
    where = name_of(files)
    texts = sorted(
        {text for file in files for text in _texts_of(file)}, key=lambda text: text.stem.casefold()
    )
    repeated = [stem for stem, n in Counter(t.stem.casefold() for t in texts).items() if n > 1]
    if not texts or repeated:
        found = f"two files named {repeated[0]}" if repeated else "a folder without CSV files"
        raise refuse("TIP-970", ReturnRefused, where=where, found=found)
    sources = [_read_file(text, encoding, delimiter, repairs) for text in texts]
    for source in sources:
        if source.format != "csv":
            found = f"{source.path.name}, {NAMES[source.format]}, beside other files"
            raise refuse("TIP-970", ReturnRefused, where=where, found=found)
    # Of the contents alone, so that neither the order nor the folder makes another return of it.
    digests = "".join(sorted(source.sha256 for source in sources))
    return Source(
        files[0].resolve() if len(files) == 1 else texts[0].parent / where,
        "csv",
        hashlib.sha256(digests.encode()).hexdigest(),
        tuple(sheet for source in sources for sheet in source.sheets),
        (),
        tuple(note for source in sources for note in source.notes),
    )


def _texts_of(file: Path) -> list[Path]:
    """A file itself, or the tables of a folder; a note beside them (.txt) is none."""
    if not file.is_dir():
        return [file]
    return [one for one in file.iterdir() if one.is_file() and one.suffix.lower() in TABLE_ENDINGS]


def _read_file(
    path: Path, encoding: str | None, delimiter: str | None, repairs: Sequence[Repair]
) -> Source:
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
    sheet, notes = read_csv(path, data, encoding=encoding, delimiter=delimiter, repairs=repairs)
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
