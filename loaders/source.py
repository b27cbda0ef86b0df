"""What reading a file gives: its sheets as text, before any layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from loaders.findings import Finding


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
        format: ``xlsx`` or ``csv`` (any delimiter).
        sha256: of the bytes received.
        notes: what reading showed: encoding, delimiter, ragged rows, error cells, hidden sheets.
    """

    path: Path
    format: str
    sha256: str
    sheets: tuple[Sheet, ...]
    error_cells: tuple[ErrorCell, ...] = ()
    notes: tuple[Finding, ...] = ()


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
