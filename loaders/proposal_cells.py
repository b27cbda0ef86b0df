"""What the names of numbers mean: the variables of a long file, the columns of a wide one."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from loaders.proposal_names import (
    Meaning,
    age_group_of,
    ages_in,
    code_of,
    holds,
    is_total,
    month_of,
    words,
)
from tipstat.classification import code_list

#: Lists that dimensions of a cell have of their own; any other is a further breakdown.
DIMENSIONS = {"form": "form", "sex": "sex", "country": "citizenship"}
#: Share of the names of a block that a list must know.
KNOWN = 0.5
#: Headings of a stock on the first or the last day of the year.
_AT = re.compile(
    r"(beginning|year start|start of|al inicio|a inicios|au debut)|"
    r"(year end|end of|al final|a la fin)"
)
#: Codes above which a list is no list of the breakdowns of a return.
LARGE = 80
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True)
class Cell:
    """What one number of a row is.

    Attributes:
        dimensions: of its cell; empty for a total that is only compared.
        why: how that was found, for a reader.
        control: what the number is, where it is no cell.
    """

    dimensions: Mapping[str, str]
    why: str
    control: str = ""


@dataclass(frozen=True)
class Block:
    """Names that belong together: the parts of one breakdown, and their total."""

    prefix: str
    parts: tuple[str, ...]
    total: str


def long_cells(names: Iterable[str]) -> tuple[dict[str, Cell], tuple[Block, ...]]:
    """The cells that the variables of a long file stand for.

    Names with a prefix in common, such as ``F1_``, are one block, and a block is of one list: the
    one that knows most of its names.

    Args:
        names: of the variables, as sent.

    Returns:
        Every name with its cell, or as a control where no list knows it; and the blocks that have
        a total of their own.
    """
    cells: dict[str, Cell] = {}
    blocks: list[Block] = []
    groups = _groups(names)
    # The block of the forms first: its total is the total of all.
    for prefix, members in sorted(groups.items(), key=lambda item: _list_of(item[1])[0] != "form"):
        list_name, _ = _list_of(members)
        found = _block_cells(prefix, members, list_name)
        for name, cell in found.items():
            taken = any(cell.dimensions == other.dimensions for other in cells.values())
            cells[name] = _control(name) if cell.dimensions and taken else cell
        total = _total_of(members)
        parts = tuple(n for n in found if n != total and cells[n].dimensions)
        if total and parts:
            blocks.append(Block(prefix, parts, total))
    return cells, tuple(blocks)


def _groups(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Prefix -> name as sent -> the rest of it; a prefix of one name alone is none."""
    split: dict[str, dict[str, str]] = {}
    for name in names:
        prefix, line, rest = name.partition("_")
        fits = bool(line) and len(prefix) <= 4 and " " not in prefix
        split.setdefault(prefix if fits else "", {})[name] = rest if fits else name
    alone = {n: n for p, members in split.items() if p and len(members) == 1 for n in members}
    kept = {p: members for p, members in split.items() if not p or len(members) > 1}
    if alone:
        kept[""] = {**kept.get("", {}), **alone}
    return kept


def _list_of(members: Mapping[str, str]) -> tuple[str, float]:
    """The list that knows most of the names, with the share of them; ``age_group`` for ages."""
    named = [rest for rest in members.values() if not is_total(rest)]
    if not named:
        return "", 0.0
    ages = sum(1 for rest in named if age_group_of(rest)) / len(named)
    best = ("age_group", ages) if ages >= KNOWN else ("", 0.0)
    for list_name in _lists():
        # A dimension of its own goes before a further breakdown that knows the same words.
        share = _share(named, list_name) + (0.05 if list_name in DIMENSIONS else 0.0)
        if share > best[1] and share >= KNOWN:
            best = (list_name, share)
    return best


@cache
def _lists() -> tuple[str, ...]:
    """Lists of dimensions and breakdowns; a classification of hundreds of codes fits anything."""
    breakdowns = [code.code for code in code_list("breakdown").codes]
    small = [name for name in breakdowns if len(_codes_of(name)) <= LARGE]
    return tuple(dict.fromkeys((*DIMENSIONS, *small)))


def _codes_of(list_name: str) -> tuple[str, ...]:
    try:
        return tuple(code.code for code in code_list(list_name).codes)
    except KeyError:  # a breakdown that has no list of its own
        return ()


def _share(named: Sequence[str], list_name: str) -> float:
    """How well a list knows names: their likeness to its terms, missing ones left out."""
    found = [code_of(name, list_name) for name in named]
    known = [one.score for one in found if one is not None and not one.code.startswith("_")]
    return sum(known) / len(named)


def _block_cells(prefix: str, members: Mapping[str, str], list_name: str) -> dict[str, Cell]:
    total = _total_of(members)
    cells = {}
    for name, rest in members.items():
        if name == total:
            cells[name] = _total_cell(prefix, list_name)
        elif list_name == "age_group":
            cells[name] = _age_cell(prefix, name, rest)
        else:
            cells[name] = _coded_cell(name, rest, list_name)
    return cells


def _total_of(members: Mapping[str, str]) -> str:
    """The name of the block's total: the one that says nothing else."""
    totals = [name for name, rest in members.items() if is_total(rest)]
    plain = ("total", "sub total", "subtotal")
    return min(totals, key=lambda name: (words(members[name]) not in plain, name), default="")


def _total_cell(prefix: str, list_name: str) -> Cell:
    if list_name == "form":
        return Cell({"form": "_T"}, "the total of the forms is the total of all")
    sex = _sex_of(prefix, "")
    if list_name == "age_group" and sex:
        return Cell({"sex": sex.code, "age_group": "_T"}, f"total; sex: {sex.why}")
    return _control(prefix, "total of the block")


def _age_cell(prefix: str, name: str, rest: str) -> Cell:
    band, sex = age_group_of(rest), _sex_of(prefix, rest)
    if not band:
        return _control(name)
    dimensions = {**({"sex": sex.code} if sex else {}), "age_group": band}
    return Cell(dimensions, f"its ages{f'; sex: {sex.why}' if sex else ''}")


def _coded_cell(name: str, rest: str, list_name: str) -> Cell:
    found = code_of(rest, list_name) if list_name else None
    if found is None or found.code == "_T":
        return _control(name)
    if list_name in DIMENSIONS:
        return Cell({DIMENSIONS[list_name]: found.code}, found.why)
    return Cell({"breakdown": list_name, "breakdown_code": found.code}, found.why)


def _control(name: str, what: str = "not placed") -> Cell:
    return Cell({}, f"no list knows {name}" if what == "not placed" else what, control=what)


def _sex_of(prefix: str, rest: str) -> Meaning | None:
    """The sex that a name tells by a word, or by the last letter of its prefix."""
    told = holds(rest, "sex")
    if told is not None:
        return told
    code = {"F": "F", "M": "M", "H": "M"}.get(prefix[-1:].upper(), "")
    return Meaning(code, 0.6, f"the last letter of {prefix}") if code else None


def wide_cell(header: str, *, of_year: bool = False) -> Cell | None:
    """What a column of numbers is, by its heading: measure, sex, age, form, year or month.

    Args:
        header: of the column.
        of_year: whether each row tells its year, so that a month alone is a period.

    Returns:
        The cell, or ``None`` where the heading tells nothing.
    """
    if period := _period_of(header):
        return Cell(period, "the period that it names")
    if of_year and (month := month_of(header)):
        return Cell({"month": str(month)}, "the month that it names")
    dimensions: dict[str, str] = {}
    why: list[str] = []
    for name in ("measure", "sex", "form"):
        found = holds(header, name)
        if found is not None and not (name == "form" and "measure" in dimensions):
            dimensions[name] = found.code
            why.append(f"{name}: {found.why}")
    if ages_in(header):
        if not age_group_of(header):
            return None  # ages of which there is no group: another number than without them
        dimensions["age_group"] = age_group_of(header)
        why.append("age_group: its ages")
    if day := _AT.search(words(header)):
        dimensions["at"] = "start" if day.group(1) else "end"
        why.append("a stock, by the day that it names")
    if not dimensions and is_total(header):
        return Cell({"sex": "_T"}, "total")
    return Cell(dimensions, "; ".join(why)) if dimensions else None


def _period_of(header: str) -> dict[str, str]:
    """First and last day of the year, or of the month of a year, that a heading names."""
    text = header.strip()
    if _YEAR.fullmatch(text):
        return {"period_start": f"{text}-01-01", "period_end": f"{text}-12-31"}
    told = _YEAR.search(text)
    month = month_of(_YEAR.sub("", text))
    if not (told and month):
        return {}
    year = told.group()
    last = calendar.monthrange(int(year), month)[1]
    first_day, last_day = f"{year}-{month:02d}-01", f"{year}-{month:02d}-{last}"
    return {"period_start": first_day, "period_end": last_day}
