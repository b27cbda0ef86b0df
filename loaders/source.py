"""What reading a file gives: its sheets as text, before any layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from loaders.findings import Finding

#: Formats whose sheets stand in one file, beside each other; every other format is of tables.
WORKBOOKS = ("xlsx", "xls", "xlsb", "ods")


@dataclass(frozen=True)
class Sheet:
    """One sheet as sent.

    Attributes:
        table: string columns ``c1`` .. ``cN``, ``c1`` being column A (null = empty cell), and
            ``_row`` (int32), the row number in the sheet. Every used row is there, headers too;
            rows and columns that are blank to the end are not.
    """

    name: str
    hidden: bool
    table: pa.Table


@dataclass(frozen=True)
class ErrorCell:
    """A cell that holds an error such as ``#REF!``, or a formula whose value was not saved."""

    sheet: str
    cell: str
    text: str


@dataclass(frozen=True)
class Source:
    """A file as read.

    Attributes:
        format: ``xlsx`` (xlsm too), ``xls``, ``xlsb``, ``ods``, ``csv`` (any delimiter),
            ``parquet`` or ``sdmx-csv``.
        sha256: of the bytes received.
        notes: what reading showed: encoding, delimiter, ragged rows, error cells, hidden sheets.
        read_as: in words how the bytes were understood: encoding and delimiter, or the format.
        date_1904: whether the workbook counts its days from 1904.
        encoding: of one text; else empty.
        delimiter: of one text; else empty.
        replies: names of the sheets of an earlier reply, which were left out.
    """

    path: Path
    format: str
    sha256: str
    sheets: tuple[Sheet, ...]
    error_cells: tuple[ErrorCell, ...] = ()
    notes: tuple[Finding, ...] = ()
    read_as: str = ""
    date_1904: bool = False
    encoding: str = ""
    delimiter: str = ""
    replies: tuple[str, ...] = ()


def family_of(file_format: str) -> str:
    """``xlsx`` for every format of workbooks, ``csv`` for every format of one table a file.

    A layout is written for a family: a workbook saved as xls fits the layout of its xlsx.
    """
    return "xlsx" if file_format in WORKBOOKS else "csv"


def column_letter(number: int) -> str:
    """The letters of a column: 1 is A, 27 is AA."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def column_number(letters: str) -> int:
    """The number of a column from its letters: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
