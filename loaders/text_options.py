"""How a person says that a text is written: its encoding and its delimiter."""

from __future__ import annotations

ENCODING_EXPECTED = "the name of an encoding, such as utf-8, cp1252 or utf-16"
DELIMITER_EXPECTED = "one character, such as ; or |, or the word tab"
#: They divide records or hold fields together.
_NO_DELIMITERS = '"\r\n'


def encoding_of(said: str | None) -> str | None:
    """The encoding that is meant; ``None`` where nothing is said.

    Raises:
        ValueError: there is no such encoding of texts.
    """
    if not said:
        return None
    try:
        "".encode(said)
    except (LookupError, UnicodeError, ValueError):
        raise ValueError(ENCODING_EXPECTED) from None
    return said


def delimiter_of(said: str | None) -> str | None:
    """The delimiter that is meant, which ``tab`` may name; ``None`` where nothing is said.

    Raises:
        ValueError: it is not one character of ASCII, or one that can divide no fields.
    """
    named = {"tab": "\t", "\\t": "\t"}.get(said or "", said)
    if named and (len(named) != 1 or not named.isascii() or named in _NO_DELIMITERS):
        raise ValueError(DELIMITER_EXPECTED)
    return named or None
