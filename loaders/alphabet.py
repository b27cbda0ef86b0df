"""Characters that are not seen, and letters of other alphabets that look like Latin ones."""

from __future__ import annotations

import unicodedata

#: Soft hyphen, zero-width and direction marks, byte-order marks within a text; for an expression.
INVISIBLE = "[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"

_UNSEEN = dict.fromkeys(
    (
        0x00AD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065),
        *range(0x2066, 0x206A), 0xFEFF,
    )
)  # fmt: skip

#: Cyrillic and Greek letters, small and capital, and the Latin letters for which they are taken.
_CYRILLIC = ("асԁеһіјӏорԛѕԝхуѵАВСЕНІЈКМОРЅТХУ", "acdehijlopqswxyvABCEHIJKMOPSTXY")
_GREEK = ("αινορυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aivopuABEZHIKMNOPTYX")
_LOOK_ALIKE = str.maketrans(_CYRILLIC[0] + _GREEK[0], _CYRILLIC[1] + _GREEK[1])


def visible(text: str) -> str:
    """A text without characters that are not seen."""
    return text if text.isascii() else text.translate(_UNSEEN)


def latin(text: str) -> str:
    """A text with letters of other alphabets as the Latin letters that they look like."""
    return text if text.isascii() else text.translate(_LOOK_ALIKE)


def mixes_alphabets(text: str) -> bool:
    """Whether Latin letters stand beside Cyrillic or Greek ones in a text.

    Such a reference looks like another and is another: two records of one person do not link.
    """
    if text.isascii():
        return False
    scripts = {unicodedata.name(sign, "").partition(" ")[0] for sign in text if sign.isalpha()}
    return "LATIN" in scripts and bool(scripts & {"CYRILLIC", "GREEK"})
