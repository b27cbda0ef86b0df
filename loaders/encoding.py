"""The encoding of a delimited text: told by a mark in the file, or weighed by alphabets.

A text that is not Unicode is tried in every usual code page; the one wins under which its words
are written in the alphabet of one language. What won is shown, and told as doubtful where another
page gives other letters that fit nearly as well.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import islice

from loaders.findings import Finding
from tipstat.errors import ReturnRefused
from tipstat.rules import refuse, rule

#: Words with a letter beyond ASCII on which a code page is judged.
_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_SAMPLE = 5_000
_ASCII = bytes(range(128))
#: Scores so near to the best that the page is named as another possibility.
_NEAR = 0.1
_DIFFERING = 200
#: A page under which so little of the letters fits is a guess that nobody should rely on.
_UNFIT = 0.5
#: Signs of typography, which say nothing of the alphabet; amid a word only the first of them.
_AMID = frozenset("“”„‘«»–—…")
_SIGNS = _AMID | frozenset("‚‹›·•°§©®™€£¥¢¡¿´±²³½¼¾×÷†‰")

#: Alphabets; an apostrophe marks a Latin one, and a no-break space stands in any of those.
_WESTERN = (
    "áéíóúüñªº’",  # Spanish
    "áâãàéêíóôõúüç’",  # Portuguese
    "àâäçéèêëîïôöùûüœæÿ’",  # French
    "äöüß’",  # German
    "àèéìíîòóùú’",  # Italian
    "åäöéæø’",  # Scandinavian
    "áéíóúýþæöð’",  # Icelandic
)
_CENTRAL = (
    "ąćęłńóśźż’",  # Polish
    "áčďéěíňóřšťúůýž’",  # Czech
    "áäčďéíĺľňóôŕšťúýž’",  # Slovak
    "áéíóöőúüű’",  # Hungarian
    "ăâîşţ’",  # Romanian
    "čćđšž’",  # Bosnian, Croatian, Serbian, Slovene
    "ëç’",  # Albanian
    "äöüß’",  # German
)
_BALTIC = ("ąčęėįšųūž’", "āčēģīķļņšūž’", "äõöüšž’")
_CYRILLIC = (
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "абвгдђежзијклљмнњопрстћуфхцчџш",
)
_GREEK = ("αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋ",)
_HEBREW = ("אבגדהוזחטיךכלםמןנסעףפץצקרשת",)
_ARABIC = ("ابتثجحخدذرزسشصضطظعغفقكلمنهويىءآأؤإئةپچژگ",)

#: Code pages in the order in which equal ones win, with the alphabets written in them.
PAGES: dict[str, tuple[str, ...]] = {
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "cp1251": _CYRILLIC,
    "cp1256": _ARABIC,
    "cp1254": ("çğıöşüİ’",),
    "cp1253": _GREEK,
    "cp1255": _HEBREW,
    "cp1257": _BALTIC,
    "cp850": _WESTERN,
    "cp437": _WESTERN,
    "cp852": _CENTRAL,
    "cp866": _CYRILLIC,
    "koi8-r": _CYRILLIC[:1],
    "mac-roman": _WESTERN,
}
#: Letters that make up most of a text in an alphabet that is not Latin.
_FREQUENT = frozenset("оеаинтсрвлк" + "αοιετσνηυρ" + "יוהלארתבמש" + "اليمونرتبةهع")


@dataclass(frozen=True)
class Decoded:
    """A text in Unicode.

    Attributes:
        guessed: whether the encoding was weighed and not told.
        near: other code pages that fit nearly as well and give other letters.
    """

    text: str
    encoding: str
    guessed: bool = False
    near: tuple[str, ...] = ()


def decoded(name: str, data: bytes, encoding: str | None) -> Decoded:
    """The text of a file.

    Args:
        name: of the file, for messages.
        data: the bytes received.
        encoding: of the text; told by its mark or weighed where not given.

    Returns:
        The text, its encoding, and how that was found.

    Raises:
        ReturnRefused: TIP-112 NUL characters, TIP-114 the bytes are not of the encoding.
    """
    told = encoding or _marked(data)
    text = _in(data, _with_mark(told) if told else "utf-8-sig")
    found = Decoded(text, told or "UTF-8") if text is not None else None
    if found is None and not told:
        found = _weighed(data)
    if found is None:
        asked = told or "in UTF-8 or another usual encoding"
        raise refuse("TIP-114", ReturnRefused, where=name, found=f"bytes that are not {asked}")
    if "\0" in found.text:
        raise refuse("TIP-112", ReturnRefused, where=name, found="NUL characters")
    return found


def _in(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _with_mark(encoding: str) -> str:
    """The name under which a mark at the beginning of the file is no part of the text."""
    plain = encoding.lower().replace("_", "-")
    return "utf-8-sig" if plain in ("utf-8", "utf8") else encoding


def _marked(data: bytes) -> str | None:
    """The encoding that a byte-order mark names, or that a NUL in every other byte shows."""
    for mark, encoding in (
        (codecs.BOM_UTF32_LE, "UTF-32"),
        (codecs.BOM_UTF32_BE, "UTF-32"),
        (codecs.BOM_UTF16_LE, "UTF-16"),
        (codecs.BOM_UTF16_BE, "UTF-16"),
    ):
        if data.startswith(mark):
            return encoding
    head = data[:2_000]
    if len(head) > 3 and not len(data) % 2:
        half = len(head) // 2
        if head[1::2].count(0) > 0.6 * half and not head[::2].count(0):
            return "UTF-16-LE"
        if head[::2].count(0) > 0.6 * half and not head[1::2].count(0):
            return "UTF-16-BE"
    return None


def _weighed(data: bytes) -> Decoded | None:
    """The text under the code page that fits best, with those that fit nearly as well."""
    found = (match[0] for match in islice(_WORD.finditer(data), _SAMPLE))
    words = Counter(word for word in found if len(word) > 1)
    used = bytes(set(data.translate(None, _ASCII)))
    scores = {page: _score(words, page) for page in PAGES if _in(used, page) is not None}
    best = max(scores, key=lambda page: scores[page])
    if words and 0 != scores[best] < _UNFIT:
        return None
    near = tuple(
        page
        for page, score in scores.items()
        if page != best and score >= max(scores[best] - _NEAR, _UNFIT)
        and _differs(words, page, best)
    )  # fmt: skip
    return Decoded(data.decode(best), best, True, near)


def _differs(words: Counter[bytes], one: str, other: str) -> bool:
    return any(word.decode(one) != word.decode(other) for word in islice(words, _DIFFERING))


def _score(words: Counter[bytes], page: str) -> float:
    """How well the words fit the best of the page's alphabets, for each letter beyond ASCII."""
    texts = [(word.decode(page), times) for word, times in words.items()]
    letters = sum(_beyond_ascii(text) * times for text, times in texts) or 1
    return max(
        sum(_fit(text, alphabet) * times for text, times in texts) / letters
        for alphabet in map(_letters, PAGES[page])
    )


@cache
def _letters(alphabet: str) -> frozenset[str]:
    blank = "\u00a0" if "’" in alphabet else ""
    return frozenset(alphabet + alphabet.upper() + blank)


def _beyond_ascii(text: str) -> int:
    return sum(not sign.isascii() and sign not in _SIGNS for sign in text)


def _fit(text: str, alphabet: frozenset[str]) -> float:
    """Letters of the alphabet count for the page; signs, capitals and scripts amid words against.

    A capital after a small letter, or a Greek letter in an English word, is what a wrong page
    looks like.
    """
    latin = "’" in alphabet
    fit = 0.0
    for place, sign in enumerate(text):
        before = text[place - 1] if place else " "
        if sign.isascii() and latin:
            continue
        if sign in _SIGNS:
            amid = before.isalpha() and text[place + 1 : place + 2].isalpha()
            fit -= 1.0 if amid and sign not in _AMID else 0.0
        elif sign.isascii() or not (sign in alphabet or sign.isalpha()):
            fit -= 1.0
        elif sign in alphabet:
            fit += 1.5 if latin or sign.lower() in _FREQUENT else 1.0
            fit -= 1.5 if _odd_capital(text[max(place - 2, 0) : place + 1]) else 0.0
    return fit


def _odd_capital(end: str) -> bool:
    """Whether a capital follows a small letter, or a small letter two capitals."""
    if end[-1].isupper():
        return end[-2:-1].islower()
    return end[-1].islower() and len(end) == 3 and end[:2].isupper()


def encoding_findings(found: Decoded) -> list[Finding]:
    """What a reader should know of how the encoding was found."""
    if not found.guessed:
        return []
    if found.near:
        entry = rule("TIP-164")
        message = f"read as {found.encoding}, but {' or '.join(found.near)} fits as well"
        return [Finding("TIP-164", entry.severity, message, expected=entry.expected)]
    entry = rule("TIP-108")
    message = f"read as {found.encoding}: not UTF-8"
    return [Finding("TIP-108", entry.severity, message)]
