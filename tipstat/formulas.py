"""Text that no spreadsheet takes for a formula: for everything that is written as CSV."""

from __future__ import annotations

#: Beginnings that make a spreadsheet program compute a field (OWASP, CSV injection); a line end or
#: a tab before them is dropped on opening, and signs of full width are taken for plain ones.
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def neutral(text: str) -> str:
    """A text with an apostrophe before what would make it a formula.

    Workbooks need none: there every text is written as a text. Numbers are no text and stay.
    """
    return f"'{text}" if text.startswith(_STARTS) else text


def neutral_sql(column: str) -> str:
    """The same of a text column in the engine."""
    starts = " or ".join(f"starts_with({column}, chr({ord(start)}))" for start in _STARTS)
    return f"case when {starts} then chr(39) || {column} else {column} end"
