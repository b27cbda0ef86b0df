"""The classification: code lists, labels, correspondences and national offences, read from seeds.

Everything here is data in ``seeds/``; this module only reads it, with the standard library alone,
because commands that must answer at once use it. ``docs/classification.md`` says what the lists are
and how one is added.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path

from tipstat.errors import WorkplaceError
from tipstat.project import seeds_dir
from tipstat.rules import refuse

#: Languages that have a labels file, the first being the one to fall back on.
LANGUAGES = ("en", "es", "fr")

#: The list of the codes that stand in any coded column for a missing value, and of the totals.
MISSING_LIST = "missing"

#: Lists of national offences are named by this and the ISO 3166-1 alpha-3 code of the country.
OFFENCE_PREFIX = "offence_"
#: How an article fits its ICCS code, and what it is to trafficking (STATISTICS section 5).
MATCHES = ("exact", "broader", "narrower", "partial")
RELATIONS = (
    "TIP_SPECIFIC",
    "TIP_OTHER_ARTICLE",
    "KNOWING_USE",
    "TIP_RELATED",
    "PROXY",
    "NOT_TIP",
)


@dataclass(frozen=True)
class Code:
    """One code of a list.

    Attributes:
        parent_code: the broader code of the same list, or empty.
        source: the standard or file that the category comes from; ``tipstat`` for our own.
        source_code: how that source names it, or empty.
        confidence: V verified, A adjacent standard, P proposal of the project, M from memory.
        ictip_code: empty until someone has read the official text of the IC-TIP.
    """

    code: str
    parent_code: str
    source: str
    source_code: str
    confidence: str
    ictip_code: str
    valid_from: str
    valid_to: str


@dataclass(frozen=True)
class CodeList:
    """A code list, with its codes in the order of the file."""

    name: str
    codes: tuple[Code, ...]

    @cached_property
    def by_code(self) -> dict[str, Code]:
        """The codes by their id."""
        return {code.code: code for code in self.codes}

    def depth(self, code: str) -> int:
        """How many broader codes stand above a code; 0 for a code without parent."""
        parent = self.by_code[code].parent_code
        return 1 + self.depth(parent) if parent else 0

    def as_tree(self) -> Iterator[tuple[int, Code]]:
        """Every code after its parent, with its depth; siblings keep the order of the file."""
        children: dict[str, list[Code]] = {}
        for code in self.codes:
            children.setdefault(code.parent_code, []).append(code)
        waiting = [(0, code) for code in reversed(children.get("", []))]
        while waiting:
            depth, code = waiting.pop()
            yield depth, code
            waiting += [(depth + 1, child) for child in reversed(children.get(code.code, []))]


@dataclass(frozen=True)
class Offence:
    """One article of national law and what it is in the ICCS (STATISTICS section 5).

    Attributes:
        match: exact, broader, narrower or partial: the article against the ICCS code.
        relation: TIP_SPECIFIC, TIP_OTHER_ARTICLE, KNOWING_USE, TIP_RELATED, PROXY or NOT_TIP; only
            the first two stand under 0204.
        threats: Y, N or empty where it is not declared; likewise the other inclusion tags.
    """

    offence_code: str
    statute: str
    article: str
    paragraph: str
    text: str
    valid_from: str
    valid_to: str
    iccs_code: str
    match: str
    allocation_rule: str
    relation: str
    threats: str
    aiding: str
    accomplice: str
    conspiracy: str
    incitement: str
    decided_by: str
    decided_on: str
    area: str


@dataclass(frozen=True)
class Hit:
    """One label that a search found."""

    list_name: str
    code: str
    label: str
    lang: str


def fold(text: str) -> str:
    """Reduce a label to what is compared: no case, accents, ligatures or doubled blanks."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe"))
    bare = "".join(mark for mark in decomposed if not unicodedata.combining(mark))
    return " ".join(bare.replace("’", "'").split())


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@cache
def list_names() -> tuple[str, ...]:
    """The names of all code lists, those of national offences last."""
    lists = sorted(path.stem for path in (seeds_dir() / "code_lists").glob("*.csv"))
    return (*lists, *(OFFENCE_PREFIX + area for area in offence_areas()))


@cache
def code_list(name: str, office: Path | None = None) -> CodeList:
    """One code list.

    Args:
        name: a name of ``list_names()``; ``offence_<ISO3>`` is the list of a country's articles.
        office: the office's own ``correspondences`` folder; see :func:`offences`.

    Returns:
        The list, its codes in the order of the file.

    Raises:
        KeyError: there is no list of that name.
    """
    articles = offences(name.removeprefix(OFFENCE_PREFIX), office)
    if name.startswith(OFFENCE_PREFIX) and articles:
        return CodeList(name, tuple(_as_code(offence) for offence in articles))
    if name not in list_names():
        raise KeyError(name)
    path = seeds_dir() / "code_lists" / f"{name}.csv"
    return CodeList(name, tuple(Code(**row) for row in _rows(path)))


def _as_code(offence: Offence) -> Code:
    return Code(
        code=offence.offence_code,
        parent_code="",
        source=offence.statute,
        source_code=offence.article,
        confidence="P",
        ictip_code="",
        valid_from=offence.valid_from,
        valid_to=offence.valid_to,
    )


@cache
def missing_codes() -> frozenset[str]:
    """The codes that no other list may hold: missing values, totals and *not separable*."""
    return frozenset(code.code for code in code_list(MISSING_LIST).codes)


@cache
def labels(lang: str) -> dict[tuple[str, str], str]:
    """The labels of one language, by list and code; a code without a label there is left out.

    Besides the code lists, ``variable`` labels the variables of the contract and ``code_list`` the
    lists themselves.

    Raises:
        KeyError: the language has no labels file.
    """
    if lang not in LANGUAGES:
        raise KeyError(lang)
    rows = _rows(seeds_dir() / "labels" / f"{lang}.csv")
    return {(row["list"], row["code"]): row["label"] for row in rows if row["label"]}


def label(list_name: str, code: str, lang: str = "en") -> str:
    """The label of a code, in English where the language has none, and at last the code itself.

    The missing codes and totals are labelled in every list.
    """
    for tried in dict.fromkeys((lang, *LANGUAGES)):
        known = labels(tried)
        found = known.get((list_name, code)) or known.get((MISSING_LIST, code))
        if found:
            return found
    return code


@cache
def offence_areas(office: Path | None = None) -> tuple[str, ...]:
    """The countries whose offences are mapped, by ISO 3166-1 alpha-3 code."""
    folders = [folder for folder in (seeds_dir() / "correspondences", office) if folder]
    paths = [path for folder in folders for path in folder.glob(f"{OFFENCE_PREFIX}???.csv")]
    return tuple(sorted({path.stem.removeprefix(OFFENCE_PREFIX) for path in paths}))


@cache
def offences(iso3: str, office: Path | None = None) -> tuple[Offence, ...]:
    """The articles of a country's law with their ICCS codes; empty where none are mapped.

    Args:
        iso3: ISO 3166-1 alpha-3 code.
        office: the office's own ``correspondences`` folder; its ``offence_<ISO3>.csv`` goes
            before the shipped one, whole.

    Raises:
        WorkplaceError: TIP-761, the office's own map has other columns, or an ICCS code, match or
            relation that does not exist.
    """
    if iso3 not in offence_areas(office):
        return ()
    name = f"{OFFENCE_PREFIX}{iso3}.csv"
    own = office / name if office else None
    if own is None or not own.is_file():
        return tuple(Offence(**row) for row in _rows(seeds_dir() / "correspondences" / name))
    return _office_offences(own)


def _office_offences(path: Path) -> tuple[Offence, ...]:
    """The office's own map, every row of it checked."""
    rows = _rows(path)
    columns = tuple(field.name for field in fields(Offence))
    for row in rows[:1]:
        if tuple(row) != columns:
            raise _unfit_map(path, 1, "other columns", ", ".join(columns))
    iccs = {code.code for code in code_list("iccs").codes}
    for number, row in enumerate(rows, start=2):
        if row["iccs_code"] not in iccs:
            raise _unfit_map(path, number, f'iccs_code "{row["iccs_code"]}"', "a code of the ICCS")
        for name, allowed in (("match", MATCHES), ("relation", RELATIONS)):
            if row[name] not in allowed:
                raise _unfit_map(path, number, f'{name} "{row[name]}"', ", ".join(allowed))
    return tuple(Offence(**row) for row in rows)


def _unfit_map(path: Path, line: int, found: str, expected: str) -> WorkplaceError:
    where = f"{path.name}, line {line}"
    return refuse("TIP-761", WorkplaceError, where=where, found=found, expected=expected)


@cache
def correspondence(name: str) -> list[dict[str, str]]:
    """The rows of one correspondence.

    Args:
        name: name of the file without suffix, such as ``map_form_unodc``.

    Raises:
        KeyError: there is no correspondence of that name.
    """
    path = seeds_dir() / "correspondences" / f"{name}.csv"
    if not path.is_file():
        raise KeyError(name)
    return _rows(path)


def search(text: str) -> list[Hit]:
    """Find codes whose label holds a text, in any language, ignoring case and accents.

    Args:
        text: part of a label, or a whole code.

    Returns:
        The hits by language, then in the order of the labels file; none for a blank text.
    """
    wanted = fold(text)
    if not wanted:
        return []
    return [
        Hit(list_name, code, found, lang)
        for lang in LANGUAGES
        for (list_name, code), found in labels(lang).items()
        if wanted in fold(found) or wanted == fold(code)
    ]
