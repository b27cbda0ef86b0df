"""From the bytes of one file to its sheets: the part of reading that may run in another process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from loaders.characters import character_findings
from loaders.findings import Finding
from loaders.formats import WORKBOOK_NAMES, format_of
from loaders.read_csv import read_csv
from loaders.source import ErrorCell, Sheet
from tipstat.limits import Limits

if TYPE_CHECKING:
    from loaders.layout_model import Repair


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


def parse_file(name: str, data: bytes, how: Reading) -> Parsed:
    """Parse a file of whatever kind.

    Args:
        name: of the file, for messages, for the name of a table's sheet, and because its ending
            promises a format.
        data: the bytes received.
        how: encoding, delimiter, repairs and limits.

    Returns:
        Its sheets as text, with what reading showed.

    Raises:
        ReturnRefused: as ``format_of``, or the file is damaged or beyond the limits.
    """
    return parse(name, format_of(name, data, how.limits), data, how)


def parse(name: str, file_format: str, data: bytes, how: Reading) -> Parsed:
    """Parse a file whose kind is known.

    Args:
        name, data, how: as ``parse_file``.
        file_format: of ``format_of``.

    Returns:
        As ``parse_file``.

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
