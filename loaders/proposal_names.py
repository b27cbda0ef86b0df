"""What a heading or a value may mean: by label, synonym, word stem and likeness, in any language.

The terms are the labels of the classification and ``seeds/catalogue/synonyms.csv``, which holds
the words that offices use instead.
"""

from __future__ import annotations

import csv
import difflib
import re
from dataclasses import dataclass
from functools import cache

from loaders.coding import folded
from tipstat.classification import LANGUAGES, code_list, correspondence, labels
from tipstat.project import seeds_dir

#: Likeness below which two texts are not held to be the same name.
LIKE = 0.8
#: Words that tell nothing apart.
_FILLERS = frozenset({
    "a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to",
    "de", "del", "el", "en", "la", "las", "los", "o", "por", "un", "una", "y",
    "au", "aux", "d", "des", "du", "et", "l", "le", "les", "ou", "par", "sur", "une", "no",
})  # fmt: skip
_ENDINGS = re.compile(r"(?:iones|ions|ion|mente|ies|es|os|as|s|e|o|a)$")
_OPEN_TOP = (
    r"(?:y mas|a mas|o mas|et plus|ou plus|and over|or over|and above|and older|or more|plus|\+)"
)
_AGES = (
    (re.compile(r"(\d{1,2}) and above and below (\d{1,2})"), "up to"),
    (re.compile(r"(\d{1,2}) to under (\d{1,2})"), "up to"),
    (re.compile(r"(\d{1,2})\s*(?:years|anos|ans)?\s*(?:and younger|or younger|o menos)"), "upper"),
    (re.compile(r"(?:under|menor(?:es)? de|moins de|<)\s*(\d{1,2})"), "below"),
    (re.compile(rf"(\d{{1,2}})\s*(?:years|anos|ans)?\s*{_OPEN_TOP}"), "from"),
    (re.compile(r"(?:mayor(?:es)? de|plus de|over|>=)\s*(\d{1,2})"), "from"),
    (re.compile(r"\b(\d{1,2})\s*(?:a|to|-|–|et|y|and|au|\s)\s*(\d{1,2})\b"), "between"),
)
_OTHER = re.compile(r"(?:otr[oa]s?|others?|autres?)(?: especificar)?$")
_CHILD = re.compile(r"\b(?:children|child|minors?|ninos|ninas|menores|enfants|mineurs)\b")
_ADULT = re.compile(r"\b(?:adults?|adultos|adultas|adultes|majeurs)\b")


@dataclass(frozen=True)
class Meaning:
    """What a text may mean.

    Attributes:
        code: variable or code.
        score: 1 where the text is its label, less where it is only like it.
        why: how it was found, for a reader.
        language: of the term that it was found by; empty for a code.
    """

    code: str
    score: float
    why: str
    language: str = ""


@cache
def words(text: str) -> str:
    """A text without capitals, accents, punctuation and underscores."""
    return " ".join(re.sub(r"[\W_]+", " ", folded(text)).split())


@cache
def stems(text: str) -> frozenset[str]:
    """The stems of the words that tell something."""
    kept = [word for word in words(text).split() if word not in _FILLERS]
    return frozenset(_ENDINGS.sub("", word) if len(word) > 3 else word for word in kept)


@cache
def synonyms(list_name: str) -> tuple[tuple[str, str, str], ...]:
    """Code, language and term of every synonym of a list; ``variable`` lists the variables."""
    path = seeds_dir() / "catalogue" / "synonyms.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["list"] == list_name]
    return tuple((row["code"], row["lang"], row["term"]) for row in rows)


@cache
def terms(list_name: str) -> tuple[Meaning, ...]:
    """Every term of a list, with the code that it means; the ``code`` holds code and term."""
    named = [
        Meaning(f"{code}\0{text}", 1.0, "label", language)
        for language in LANGUAGES
        for (name, code), text in labels(language).items()
        if name == list_name
    ]
    known = [
        Meaning(f"{code}\0{text}", 0.98, "synonym", language)
        for code, language, text in synonyms(list_name)
    ]
    return (*named, *known, *_by_source(list_name))


def _by_source(list_name: str) -> tuple[Meaning, ...]:
    """The words of the source of a measure: international files write them."""
    if list_name != "measure":
        return ()
    codes = [code for code in code_list(list_name).codes if code.source_code]
    return tuple(Meaning(f"{c.code}\0{c.source_code}", 0.99, c.source, "en") for c in codes)


@cache
def meanings(text: str, list_name: str) -> tuple[Meaning, ...]:
    """What a text may mean in a list, the best first and each code once.

    Args:
        text: a heading, or a value as sent.
        list_name: a code list, or ``variable``.
    """
    best: dict[str, Meaning] = {}
    for term in terms(list_name):
        code, _, wording = term.code.partition("\0")
        score = likeness(text, wording) * term.score
        if score > (best[code].score if code in best else LIKE - 0.2):
            best[code] = Meaning(code, score, f'{term.why} "{wording}"', term.language)
    return tuple(sorted(best.values(), key=lambda meaning: (-meaning.score, meaning.code)))


@cache
def likeness(text: str, term: str) -> float:
    """How like two names are, from 0 to 1: the same words, stems, one within the other, letters."""
    one, other = words(text), words(term)
    if not one or not other:
        return 0.0
    if one == other:
        return 1.0
    left, right = stems(text), stems(term)
    if left and left == right:
        return 0.95
    ratio = _letters(one, other)
    if right and right < left:
        # "sexo de la víctima" holds "sexo"; the more is left over, the less is sure.
        return max(0.9 - 0.08 * len(left - right), 0.6, ratio * 0.9)
    if left and left < right:
        return max(0.85 - 0.1 * len(right - left), 0.55, ratio * 0.9)
    return ratio * 0.95 if ratio >= LIKE else ratio * 0.6


def _letters(one: str, other: str) -> float:
    """Share of letters in common, in order; 0 where it cannot be much."""
    matcher = difflib.SequenceMatcher(None, one, other)
    if matcher.real_quick_ratio() < LIKE - 0.2 or matcher.quick_ratio() < LIKE - 0.2:
        return 0.0
    return matcher.ratio()


@cache
def age_bands() -> dict[tuple[int, int], str]:
    """The age groups by first and last age; an open band ends at 200."""
    return {
        (int(row["min_age"]), int(row["max_age"] or 200)): row["age_group"]
        for row in correspondence("map_age_band")
        if row["min_age"]
    }


@cache
def ages_in(text: str) -> tuple[int, int] | None:
    """First and last age that a text names, an open band ending at 200; ``None`` without ages."""
    plain = folded(text).replace("_", " ")
    for pattern, form in _AGES:
        found = pattern.search(plain)
        if found:
            numbers = [int(number) for number in found.groups()]
            return {
                "below": (0, numbers[0] - 1),
                "upper": (0, numbers[0]),
                "up to": (numbers[0], numbers[-1] - 1),
                "from": (numbers[0], 200),
                "between": (numbers[0], numbers[-1]),
            }[form]
    if _CHILD.search(plain):
        return 0, 17
    return (18, 200) if _ADULT.search(plain) else None


def age_group_of(text: str) -> str:
    """The age group that a text names, such as ``DE 60 A MAS`` or ``0-17``; empty without one."""
    limits = ages_in(text)
    return age_bands().get(limits, "") if limits else ""


def literal(text: str) -> str:
    """A text as a regular expression that matches it alone, blanks left readable."""
    return re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", text)


def is_total(text: str) -> bool:
    """Whether a text says that a number is a total."""
    plain = words(text)
    known = {words(term) for _, _, term in synonyms("total")}
    return (
        plain in known or bool({"total", "subtotal"} & set(plain.split())) or "sub total" in plain
    )


@cache
def _codes(list_name: str) -> frozenset[str]:
    try:
        return frozenset(code.code for code in code_list(list_name).codes)
    except KeyError:  # of terms that are no code list
        return frozenset()


@cache
def code_of(text: str, list_name: str) -> Meaning | None:
    """The code that a value as sent most probably means; ``None`` where it is anyone's guess."""
    if list_name == "age_group" and (band := age_group_of(text)):
        return Meaning(band, 0.95, "its ages")
    if text.strip() in _codes(list_name):
        return Meaning(text.strip(), 1.0, "code")
    if _OTHER.match(words(text)) and "OTHER" in _codes(list_name):
        return Meaning("OTHER", 0.9, "it says: other")
    found = [one for one in meanings(text, list_name) if one.score >= LIKE]
    if list_name not in ("missing", "total", "variable") and (not found or found[0].score < 0.95):
        found = [
            *(one for one in meanings(text, "missing") if one.score >= 0.95),
            *(one for one in meanings(text, "total") if one.score >= 0.95),
            *found,
        ]
    if not found and list_name == "measure":
        return holds(text, list_name)  # "1. Detected victims, by sex"
    tied = len(found) > 1 and found[0].score == found[1].score
    return found[0] if found and not tied else None


def holds(text: str, list_name: str) -> Meaning | None:
    """The code whose term stands within a longer text, such as a heading; the longest term wins."""
    plain = stems(text)
    found: list[tuple[int, Meaning]] = []
    for term in terms(list_name):
        code, _, wording = term.code.partition("\0")
        inside = stems(wording)
        if inside and inside <= plain and not _OTHER.match(words(wording)):
            why = f'it holds "{wording}"'
            found.append((len(inside), Meaning(code, 0.8, why, term.language)))
    return max(found, key=lambda one: (one[0], one[1].language == "en"))[1] if found else None


_MONTHS = (
    "january enero janvier", "february febrero fevrier", "march marzo mars",
    "april abril avril", "may mayo mai", "june junio juin", "july julio juillet",
    "august agosto aout", "september septiembre septembre", "october octubre octobre",
    "november noviembre novembre", "december diciembre decembre",
)  # fmt: skip


def month_of(text: str) -> int:
    """The number of the month that a text names, whole or by three letters; 0 for none."""
    plain = words(text)
    for number, names in enumerate(_MONTHS, start=1):
        for name in names.split():
            if plain == name or (len(plain) in (3, 4) and name.startswith(plain)):
                return number
    return 0
