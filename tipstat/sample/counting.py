"""Units counted into cells, with arrays; the columns are those of the golden figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from tipstat.sample.records import Flags, Ints


class Figure(NamedTuple):
    """One figure, in the columns of ``tests/golden/sample_country.csv``."""

    indicator: str
    period: str
    sex: str
    age: str
    form_classification: str
    form: str
    citizenship: str
    breakdown: str
    breakdown_code: str
    source_type: str
    status_scope: str
    population_scope: str
    counting_basis: str
    instance: str
    value: int


@dataclass(frozen=True)
class Cells:
    """The value of each unit in one dimension: one code each, or a set of codes as bits."""

    codes: tuple[str, ...]
    positions: Ints | None = None
    sets: Ints | None = None

    def members(self, rows: Ints) -> Iterator[tuple[str, Ints]]:
        """Each code with those of the rows whose unit has it."""
        for number, code in enumerate(self.codes):
            if self.sets is not None:
                yield code, rows[(self.sets[rows] & (1 << number)) > 0]
            elif self.positions is not None:
                yield code, rows[self.positions[rows] == number]


@dataclass(frozen=True)
class Unit:
    """What is counted: events, offences or persons, a row each.

    Attributes:
        weight: how often each counts; once if not given.
        counted: units outside stand only in parts of ``all_units``.
    """

    year: Ints
    cells: dict[str, Cells]
    weight: Ints | None = None
    counted: Flags | None = field(default=None)


@dataclass(frozen=True)
class Parts:
    """Dimensions of a cell: ``sex``; ``age2`` or ``age_group``; a classification of forms."""

    sex: bool = False
    age: str = ""
    form: str = ""
    citizenship: bool = False
    breakdown: str = ""
    all_units: bool = False

    @property
    def dimensions(self) -> list[str]:
        """Names of the cells that are crossed."""
        named = ["sex" if self.sex else "", self.age, self.form]
        named += ["citizenship" if self.citizenship else "", self.breakdown]
        return [name for name in named if name]


def person_parts() -> list[Parts]:
    """The parts that every indicator of persons has."""
    parts = [Parts(), Parts(sex=True), Parts(age="age2"), Parts(age="age_group")]
    parts += [Parts(sex=True, age="age2"), Parts(citizenship=True)]
    for form in ("fine", "iccs", "unodc"):
        parts += [Parts(form=form), Parts(form=form, sex=True)]
        if form != "fine":
            parts += [Parts(form=form, age="age2"), Parts(form=form, sex=True, age="age2")]
    return parts


def year_of(days: Ints) -> Ints:
    """Calendar year of days since 1970."""
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def first_of_each(groups: Ints, days: Ints) -> Ints:
    """Row of the earliest of each group."""
    order = np.lexsort((days, groups))
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    first: Ints = order[starts]
    return first


def union_of_each(sets: Ints, groups: Ints) -> Ints:
    """For each row the union of the sets of its group; groups are numbered from 0."""
    union = np.zeros(int(groups.max(initial=-1)) + 1, dtype=np.int64)
    np.bitwise_or.at(union, groups, sets)
    return union[groups]


def count(
    indicator: str,
    unit: Unit,
    parts: Sequence[Parts],
    *,
    rows: Ints | None = None,
    source: str,
    basis: str,
    status_scope: str = "_Z",
    population_scope: str = "_Z",
    instance: str = "_Z",
) -> Iterator[Figure]:
    """Count units into the cells of each part; cells without a unit are left out.

    Args:
        rows: units that count; all if not given.
    """
    series = (source, status_scope, population_scope, basis, instance)
    every = np.arange(len(unit.year)) if rows is None else rows
    counted = every if unit.counted is None else every[unit.counted[every]]
    for part in parts:
        chosen = every if part.all_units else counted
        for codes, year, n in _crossed(unit, part.dimensions, chosen):
            if codes.get("age_group") in _NO_BAND:
                continue
            yield Figure._make((indicator, str(year), *_labels(part, codes), *series, n))


def _crossed(
    unit: Unit, names: Sequence[str], rows: Ints
) -> Iterator[tuple[dict[str, str], int, int]]:
    """Codes of the crossed dimensions, year and number of units."""
    if names:
        for code, members in unit.cells[names[0]].members(rows):
            if len(members):
                for codes, year, n in _crossed(unit, names[1:], members):
                    yield {names[0]: code, **codes}, year, n
    elif len(rows):
        years = unit.year[rows]
        start = int(years.min())
        sums = np.bincount(years - start, None if unit.weight is None else unit.weight[rows])
        for offset in np.flatnonzero(sums):
            yield {}, start + int(offset), int(sums[offset])


#: Age groups that are no band: they stand with child and adult.
_NO_BAND = ("Y0T17", "Y_GE18", "_U")


def _labels(part: Parts, codes: dict[str, str]) -> tuple[str, ...]:
    """Sex, age, classification, form, citizenship, breakdown and its code."""
    return (
        codes.get("sex", "_T"),
        codes.get(part.age, "_T"),
        part.form or "_T",
        codes.get(part.form, "_T"),
        codes.get("citizenship", "_T"),
        part.breakdown or "_T",
        codes.get(part.breakdown, "_T"),
    )
