"""Values as sent to codes: by layout, by code, by label in three languages, by words for missing.

Works on the distinct values of a column; the check joins the result back in the engine.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from loaders.alphabet import latin, visible
from tipstat.classification import LANGUAGES, code_list, labels

#: Missing codes that a sender may state; ``_I`` is only ever found by the check (STATISTICS 3).
STATED_MISSING = ("_U", "_X", "_N", "_Z")
#: Codes that only a cell of an aggregate return may carry.
CELL_ONLY = ("_T", "_NS")
INVALID, BLANK, ABSENT = "_I", "_X", "_N"

#: Separators of several values in one cell, tried in this order.
_SEPARATORS = (re.compile(r"\s*;\s*"), re.compile(r"\s*[|\n]\s*"))
#: Nearest values are looked for among these many distinct bad values of a column, commonest first.
NEAREST_LIMIT = 50
#: How alike a value and the accepted one must be that is offered in its place.
_ALIKE = 0.7


@dataclass(frozen=True)
class Accepted:
    """A code and what led to it: code, label:<lang>, layout, alias or missing."""

    code: str
    entry: str


@dataclass(frozen=True)
class Coded:
    """One cell coded.

    Attributes:
        code: the code, or several sorted and joined by ``;``.
        parts: value as sent, code and map entry of each part; the entry of a bad part is empty.
    """

    code: str
    parts: tuple[tuple[str, str, str], ...]

    @property
    def valid(self) -> bool:
        """Whether every part of the cell was codable."""
        return all(entry for _, _, entry in self.parts)


#: Quotation marks, apostrophes and dashes of typography, and those of a keyboard.
_KEYBOARD = str.maketrans("’‘‛`´′“”„‟«»″‐‑‒–—―−", "''''''" + '"' * 7 + "-" * 7)


def collapsed(text: str) -> str:
    """Lower case with single blanks; diacritics are kept.

    Invisible characters are passed over, and signs of typography are those of a keyboard.
    """
    plain = visible(text).translate(_KEYBOARD)
    return " ".join(unicodedata.normalize("NFKC", plain).casefold().split())


def folded(text: str) -> str:
    """Lower case, single blanks, without diacritics."""
    decomposed = unicodedata.normalize("NFKD", text)
    return collapsed("".join(c for c in decomposed if not unicodedata.combining(c)))


def squeezed(text: str) -> str:
    """As ``folded`` and without any blank."""
    return folded(text).replace(" ", "")


#: A value is looked up in these forms, the closest to what was sent first.
_FORMS = (collapsed, folded, squeezed)


@cache
def _forms_of(spelling: str) -> tuple[str, str, str]:
    """The forms of a spelling of our own, which stands in several lists and tiers."""
    close = collapsed(spelling)
    bare = close if spelling.isascii() else folded(spelling)
    return close, bare, bare.replace(" ", "")


class Coder:
    """Codes the values of one list.

    Args:
        list_name: shown in what was expected.
        tiers: spelling -> accepted code, the tier that wins first.
        codes: the codes to show as expected.
    """

    def __init__(
        self, list_name: str, tiers: Iterable[Iterable[tuple[str, Accepted]]], codes: Iterable[str]
    ) -> None:
        self.list_name = list_name
        self.codes = tuple(codes)
        self._forms: list[dict[str, Accepted]] = [{} for _ in _FORMS]
        self._spellings: dict[str, Accepted] = {}
        self._exact: dict[str, Accepted] = {}
        for tier in tiers:
            self._add(tuple(tier))
        self._labels_divide = any(";" in form or "|" in form for form in self._forms[0])

    def _add(self, tier: tuple[tuple[str, Accepted], ...]) -> None:
        """Add a tier below those already there; a spelling of two codes is dropped, not guessed."""
        shapes = [_forms_of(spelling) for spelling, _ in tier]
        for place, known in enumerate(self._forms):
            own: dict[str, set[Accepted]] = {}
            for shape, (_, accepted) in zip(shapes, tier, strict=True):
                own.setdefault(shape[place], set()).add(accepted)
            for form, meant in own.items():
                if len({accepted.code for accepted in meant}) == 1:
                    known.setdefault(form, min(meant, key=lambda accepted: accepted.entry))
        for shape, (spelling, accepted) in zip(shapes, tier, strict=True):
            known_as = self._forms[0].get(shape[0])
            if known_as is not None:
                self._exact.setdefault(spelling, known_as)
                if known_as.code == accepted.code:
                    self._spellings.setdefault(spelling, accepted)

    def one(self, text: str) -> Accepted | None:
        """The code of one value, or ``None``."""
        exact = self._exact.get(text)
        if exact is not None:
            return exact
        for form, known in zip(_FORMS, self._forms, strict=True):
            found = known.get(form(text))
            if found:
                return found
        return None

    def cell(self, text: str, *, multi: bool = False) -> Coded:
        """Code a cell: the whole value first, then its parts where several may be sent.

        A missing code beside a real one is dropped: what is known outweighs what is not.
        """
        divided = multi and not self._labels_divide and (";" in text or "|" in text)
        whole = None if divided else self.one(text)
        if whole is not None:
            return Coded(_joined({whole.code}), ((text, whole.code, whole.entry),))
        parts = _parts(text) if multi else (text,)
        if multi and self._labels_divide:
            parts = self._whole_labels(parts)
        coded = tuple((part, self.one(part)) for part in parts)
        traced = tuple(
            (part, found.code if found else INVALID, found.entry if found else "")
            for part, found in coded
        )
        codes = {code for _, code, _ in traced}
        return Coded(_joined(codes - set(STATED_MISSING) or codes), traced)

    def _whole_labels(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        """Neighbouring parts put together again where a label holds the separator itself.

        The longest label that fits is taken first: ``Water supply; sewerage, …`` is one of ISIC's.
        """
        whole: list[str] = []
        start = 0
        while start < len(parts):
            for end in range(len(parts), start, -1):
                together = "; ".join(parts[start:end])
                if end == start + 1 or self.one(together) is not None:
                    whole.append(together)
                    start = end
                    break
        return tuple(whole)

    def nearest(self, coded: Coded) -> str:
        """The accepted value nearest to the first bad part, with its code; or empty."""
        bad = next((part for part, _, entry in coded.parts if not entry), "")
        by_form = {folded(spelling): spelling for spelling in self._spellings}
        close = difflib.get_close_matches(folded(latin(bad)), by_form, n=1, cutoff=_ALIKE)
        if not close:
            return ""
        spelling = by_form[close[0]]
        code = self._spellings[spelling].code
        return f'"{spelling}" → {code}' if spelling != code else code

    @property
    def expected(self) -> str:
        """What the list accepts, in one line."""
        if not self.codes:
            return f"a code of {self.list_name}, which has none yet"
        shown = ", ".join(self.codes[:8])
        more = f", … ({len(self.codes)} codes)" if len(self.codes) > 8 else ""
        return f"a code of {self.list_name}: {shown}{more}"


def _joined(codes: set[str]) -> str:
    """Codes sorted and joined; a layout may map one value to several."""
    return ";".join(sorted({single for code in codes for single in code.split(";")}))


def _parts(text: str) -> tuple[str, ...]:
    for separator in _SEPARATORS:
        parts = tuple(part.strip() for part in separator.split(text) if part.strip())
        if len(parts) > 1:
            return parts
    return (text.strip(" ;|\n"),)


def list_coder(
    list_name: str,
    language: str,
    layout: Mapping[str, str],
    *,
    aggregate: bool = False,
    office: Path | None = None,
) -> Coder:
    """The coder of a code list.

    Args:
        list_name: a list of ``seeds/code_lists``, or ``offence_<ISO3>``.
        language: language of the return, whose labels go before those of the others.
        layout: value as sent -> code, from the layout; goes before everything.
        aggregate: whether totals are accepted (cells only).
        office: the office's own ``correspondences`` folder, for national offences.

    Returns:
        The coder; ``layout`` entries that name no code of the list are left out.
    """
    return _list_coder(list_name, language, tuple(layout.items()), aggregate, office)


@lru_cache(maxsize=512)
def _list_coder(
    list_name: str,
    language: str,
    layout: tuple[tuple[str, str], ...],
    aggregate: bool,
    office: Path | None,
) -> Coder:
    codes = _codes(list_name, office)
    missing = (*STATED_MISSING, *(CELL_ONLY if aggregate else ()))
    allowed = {*codes, *missing}
    tiers = [
        [(v, Accepted(c, "layout")) for v, c in layout if set(c.split(";")) <= allowed],
        [(code, Accepted(code, "code")) for code in codes],
        [(code, Accepted(code, "missing")) for code in missing],
        _aliases(list_name),
        _labelled(list_name, codes, (language,), ""),
        _labelled("missing", missing, (language,), "missing"),
        _labelled(list_name, codes, LANGUAGES, ""),
        _labelled("missing", missing, LANGUAGES, "missing"),
    ]
    return Coder(list_name, tiers, codes)


def names_coder(what: str, names: Iterable[str]) -> Coder:
    """The coder of names that have no labels, such as registered entities."""
    ordered = tuple(names)
    return Coder(what, [[(name, Accepted(name, "code")) for name in ordered]], ordered)


def missing_coder(language: str, layout: Mapping[str, str]) -> Coder:
    """The coder of what may stand in a date or number column instead of one."""
    mapped = [(v, Accepted(c, "layout")) for v, c in layout.items() if c in STATED_MISSING]
    tiers = [
        mapped,
        [(code, Accepted(code, "missing")) for code in STATED_MISSING],
        _labelled("missing", STATED_MISSING, (language,), "missing"),
        _labelled("missing", STATED_MISSING, LANGUAGES, "missing"),
    ]
    return Coder("missing", tiers, STATED_MISSING)


@cache
def _codes(list_name: str, office: Path | None) -> tuple[str, ...]:
    try:
        known = code_list(list_name, office).codes
    except KeyError:  # an area whose law is not mapped yet
        return ()
    return tuple(dict.fromkeys(code.code for code in known))


@cache
def _aliases(list_name: str) -> tuple[tuple[str, Accepted], ...]:
    """The source's own codes, for countries only: alpha-2."""
    if list_name != "country":
        return ()
    return tuple(
        (code.source_code, Accepted(code.code, "alias"))
        for code in code_list(list_name).codes
        # NA may be Namibia or "not available": it is found and not guessed.
        if code.source_code and code.source_code != "NA"
    )


def _labelled(
    list_name: str, codes: Iterable[str], languages: Iterable[str], entry: str
) -> list[tuple[str, Accepted]]:
    found = []
    for language in languages:
        if language not in LANGUAGES:
            continue
        named = labels(language)
        for code in codes:
            label = named.get((list_name, code), "")
            if label:
                found.append((label, Accepted(code, entry or f"label:{language}")))
    return found
