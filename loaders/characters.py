"""Characters that a reader does not see, or that show that a text was damaged on its way.

Looked for column by column in the engine; what is found is told by place and never mended here.
Values are compared without such characters where codes are looked up (``loaders/coding.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from loaders.alphabet import INVISIBLE
from loaders.findings import Finding
from loaders.source import Sheet, column_letter
from tipstat.rules import rule

if TYPE_CHECKING:
    import numpy.typing as npt

    from loaders.tables import Column

#: The replacement character, and UTF-8 that was once read as Windows-1252 or Latin-1.
DAMAGED = (
    "\ufffd|\u00e2\u20ac"
    "|\u00c3[\u0080-\u00bf\u0152\u0153\u0160\u0161\u017d\u017e\u0192\u2018-\u203a\u20ac]"
)

#: In UTF-8 the first bytes of the characters above: a column without any of them is not searched.
_SIGNS = (b"\xc2\xad", b"\xc3\x83", b"\xc3\xa2\xe2\x82\xac", b"\xe1\xa0\x8e", b"\xe2\x81",
          b"\xef\xbb\xbf", b"\xef\xbf\xbd")  # fmt: skip
#: Those of the block of quotation marks and dashes, which are common in sound text.
_GENERAL = tuple(bytes((0xE2, 0x80, last)) for last in (*range(0x8B, 0x90), *range(0xAA, 0xAF)))


def character_findings(sheet: Sheet, ascii_only: bool = False) -> list[Finding]:
    """One finding a column and rule: the first cell, and how many there are.

    Args:
        sheet: as read.
        ascii_only: whether it is known to hold ASCII alone.

    Returns:
        Findings of invisible characters and of damaged letters.
    """
    if ascii_only:
        return []
    findings = []
    for place, name in enumerate(sheet.table.column_names[:-1], start=1):
        column = sheet.table.column(name)
        if not _may_hold(column):
            continue
        for rule_id, pattern in (("TIP-158", INVISIBLE), ("TIP-159", DAMAGED)):
            found = pc.match_substring_regex(column, pattern)
            rows = sheet.table.filter(found)["_row"]
            count = len(rows)
            if count:
                row = int(rows[0].as_py())
                findings.append(_finding(rule_id, sheet, place, row, count))
    return findings


def _finding(rule_id: str, sheet: Sheet, column: int, row: int, count: int) -> Finding:
    entry, letter = rule(rule_id), column_letter(column)
    return Finding(
        rule_id,
        entry.severity,
        entry.title,
        sheet=sheet.name,
        cell=f"{letter}{row}",
        row=row,
        column_letter=letter,
        expected=entry.expected,
        count=count,
    )


def _may_hold(column: Column) -> bool:
    """Whether any text of a column holds one of the signs."""
    for part in _bytes(column):
        if part.max(initial=0) > 127:
            raw = part.tobytes()
            signs = (*_SIGNS, *_GENERAL) if b"\xe2\x80" in raw else _SIGNS
            if any(sign in raw for sign in signs):
                return True
    return False


def _bytes(column: Column) -> Iterator[npt.NDArray[np.uint8]]:
    """The bytes of a text column, chunk by chunk."""
    for chunk in column.chunks:
        _, ends, texts = chunk.buffers()
        if len(chunk) and ends is not None and texts is not None:
            offsets = np.frombuffer(memoryview(ends), dtype=np.int32)
            used = offsets[chunk.offset : chunk.offset + len(chunk) + 1]
            yield np.frombuffer(memoryview(texts), dtype=np.uint8)[int(used[0]) : int(used[-1])]
