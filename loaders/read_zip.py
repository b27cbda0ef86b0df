"""Read a zip of tables: each is a sheet, as a folder's files are; nothing is unpacked to disk."""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from loaders.archive import BROKEN, NESTED, open_archive
from loaders.findings import Finding
from loaders.formats import PARQUET, ZIP
from loaders.parse import Parsed, parse, parse_text
from tipstat.errors import ReturnRefused
from tipstat.rules import refuse, rule

if TYPE_CHECKING:
    from loaders.parse import Reading

_TABLES = (".csv", ".tsv", ".tab", ".txt")
_WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
#: What operating systems leave in archives.
_LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


def read_zip(name: str, data: bytes, how: Reading) -> Parsed:
    """Read the tables of a zip.

    Args:
        name: of the file, for messages.
        data: the bytes received.
        how: encoding, delimiter, repairs and limits, for each of its texts.

    Returns:
        A sheet for each table, named by it, and a finding that names what was left out.

    Raises:
        ReturnRefused: TIP-152 an archive or a workbook in it, no table, or two of one name;
            TIP-103 damaged.
    """
    with open_archive(name, data, how.limits) as archive:
        tables, other = _sorted_out(name, archive)
        try:
            parts = [_part(archive, member, how) for member in tables]
        except BROKEN as error:
            found = "a broken archive"
            raise refuse("TIP-103", ReturnRefused, where=name, found=found) from error
    formats = {part.format for part in parts}
    read_as = "; ".join(dict.fromkeys(part.read_as for part in parts))
    return Parsed(
        formats.pop() if len(formats) == 1 else "csv",
        tuple(sheet for part in parts for sheet in part.sheets),
        (),
        (*_left_out(other), *(note for part in parts for note in part.notes)),
        f"zip of {len(parts)}: {read_as}",
    )


def _sorted_out(name: str, archive: zipfile.ZipFile) -> tuple[list[str], list[str]]:
    """The tables by name, and what is none."""
    files = [
        member.filename
        for member in archive.infolist()
        if not member.is_dir() and not any(part in _LITTER for part in _path(member.filename).parts)
    ]
    for file in files:
        ending = _path(file).suffix.lower()
        if ending in (*NESTED, *_WORKBOOKS):
            found = "an archive in the archive" if ending in NESTED else "a workbook in the archive"
            do = "send the workbook itself" if ending in _WORKBOOKS else ""
            raise refuse("TIP-152", ReturnRefused, where=name, found=found, do=do)
    tables = [file for file in files if _path(file).suffix.lower() in (".csv", ".tsv", ".parquet")]
    tables = tables or [file for file in files if _path(file).suffix.lower() in _TABLES]
    repeated = [
        stem for stem, n in Counter(_path(t).stem.casefold() for t in tables).items() if n > 1
    ]
    if not tables or repeated:
        found = "two tables of one name" if repeated else "no table in the archive"
        raise refuse("TIP-152", ReturnRefused, where=name, found=found)
    return sorted(tables, key=lambda t: _path(t).stem.casefold()), sorted(set(files) - set(tables))


def _path(member: str) -> PurePosixPath:
    return PurePosixPath(member.replace("\\", "/"))


def _part(archive: zipfile.ZipFile, member: str, how: Reading) -> Parsed:
    data, name = archive.read(member), _path(member).name
    if data.startswith(ZIP):
        found = "an archive in the archive"
        raise refuse("TIP-152", ReturnRefused, where=name, found=found)
    if data.startswith(PARQUET):
        return parse(name, "parquet", data, how)
    if not data.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"):
        raise refuse("TIP-102", ReturnRefused, where=name, found=f"{len(data)} bytes")
    return parse_text(name, data, how)


def _left_out(other: list[str]) -> list[Finding]:
    if not other:
        return []
    entry = rule("TIP-153")
    shown = ", ".join(_path(file).name for file in other[:5])
    more = f" and {len(other) - 5:,} more" if len(other) > 5 else ""
    message = f"not read: {shown}{more}"
    return [Finding("TIP-153", entry.severity, message, expected=entry.expected, count=len(other))]
