"""Zip archives from elsewhere: their declared sizes and names are looked at before they open."""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from tipstat.errors import ReturnRefused
from tipstat.limits import MEGABYTE, Limits
from tipstat.rules import refuse

#: A small archive may unpack to many times its size: the ratio counts from here on.
RATIO_FROM = 64 * MEGABYTE

#: Bytes of a part held at a time, and the overlap that keeps what is looked for in one piece.
CHUNK = 8 * MEGABYTE
OVERLAP = 64 * 1024

#: Endings of archives, which are not opened inside an archive.
NESTED = (".zip", ".7z", ".rar", ".gz", ".bz2", ".xz", ".tar", ".tgz", ".zst", ".jar")

#: What reading a damaged archive may raise.
BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError, ValueError,
    OSError, NotImplementedError, RuntimeError,
)  # fmt: skip

#: How parts may be packed; other ways are rare, and unpack to any size.
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_DRIVE = re.compile(r"[A-Za-z]:")


def open_archive(name: str, data: bytes, limits: Limits) -> zipfile.ZipFile:
    """Open an archive whose declared sizes stay within the limits.

    Args:
        name: of the file, for messages.
        data: the bytes received.
        limits: of the workspace.

    Returns:
        The archive; nothing of it is unpacked yet.

    Raises:
        ReturnRefused: TIP-103 damaged, TIP-104 encrypted, TIP-105 beyond the limits, TIP-152
            parts whose names lead out of the archive, that are links, or that stand twice.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except BROKEN as error:
        raise refuse("TIP-103", ReturnRefused, where=name, found="a broken archive") from error
    if any(member.flag_bits & 1 for member in members):
        raise refuse("TIP-104", ReturnRefused, where=name, found="an encrypted archive")
    if any(member.compress_type not in _PACKED for member in members):
        found = "an archive packed in a way that no spreadsheet program uses"
        raise refuse("TIP-103", ReturnRefused, where=name, found=found)
    if len(members) > limits.members:
        raise too_large(name, f"{len(members):,} parts", limits)
    unpacked = sum(member.file_size for member in members)
    ratio = unpacked / max(len(data), 1)
    if unpacked > limits.unpacked_mb * MEGABYTE or (
        unpacked > RATIO_FROM and ratio > limits.unpack_ratio
    ):
        found = f"{unpacked / MEGABYTE:,.0f} MB unpacked, {ratio:,.0f} times the file"
        raise too_large(name, found, limits)
    _refuse_tricks(name, members)
    return archive


def too_large(name: str, found: str, limits: Limits) -> ReturnRefused:
    """The refusal of a file beyond the limits."""
    expected = (
        f"at most {limits.unpacked_mb:,} MB unpacked, {limits.unpack_ratio} times the file, "
        f"{limits.members:,} parts, and {limits.cells:,} cells in the rectangle that a sheet uses"
    )
    return refuse("TIP-105", ReturnRefused, where=name, found=found, expected=expected)


def _refuse_tricks(name: str, members: list[zipfile.ZipInfo]) -> None:
    """Nothing is ever unpacked to a folder; an archive that tries is not what it seems."""
    seen: set[str] = set()
    for member in members:
        found = _trick(member, seen)
        if found:
            raise refuse("TIP-152", ReturnRefused, where=name, found=found)
        seen.add(member.filename.casefold())


def _trick(member: zipfile.ZipInfo, seen: set[str]) -> str:
    # The name itself is not repeated: it may hold what a terminal would act upon.
    path = member.filename.replace("\\", "/")
    if path.startswith("/") or _DRIVE.match(path) or ".." in PurePosixPath(path).parts:
        return "a part whose name leads out of the archive"
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in path):
        return "a part whose name holds control characters"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "a part that is a link"
    if member.filename.casefold() in seen:
        return "two parts of one name"
    return ""


def chunks_of(archive: zipfile.ZipFile, path: str) -> Iterator[bytes]:
    """A part in overlapping pieces: each begins with the end of the one before.

    The archive's reader stops at the declared size and checks the sum, so a part that unpacks to
    more than it declares never comes through.
    """
    tail = b""
    with archive.open(path) as part:
        while piece := part.read(CHUNK):
            yield tail + piece
            tail = piece[-OVERLAP:]


def refuse_doctype(name: str, chunk: bytes) -> None:
    """A workbook has no document type; one is there only to make entities expand.

    Parts in another encoding than UTF-8, which no spreadsheet program writes, would hide it.

    Raises:
        ReturnRefused: TIP-103.
    """
    if b"<!DOCTYPE" in chunk or b"<!ENTITY" in chunk:
        raise refuse("TIP-103", ReturnRefused, where=name, found="a document type declaration")
    if b"\0" in chunk[:4]:
        raise refuse("TIP-103", ReturnRefused, where=name, found="XML that is not UTF-8")
