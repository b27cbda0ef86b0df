"""What victims and perpetrators have in common: dates, age, copies of a person."""

from __future__ import annotations

from datetime import date

import numpy as np

from tipstat.sample.plan import Plan
from tipstat.sample.records import (
    BLANK,
    UNKNOWN,
    Coded,
    Flags,
    Ints,
    Numbers,
    Records,
    Rng,
    chance,
    later_pairs,
)
from tipstat.sample.vocabulary import AGE_GROUP

#: Share of victims and perpetrators who are met again in a later event or case.
MET_AGAIN = 0.03
#: Shares of ages sent in years, as a group, said to be not known, left blank.
_AGE_KINDS = (0.86, 0.07, 0.03, 0.04)
NOT_A_DAY = "soon"
NO_SUCH_DAY = "2023-02-30"


def day_number(day: date) -> int:
    """Days since 1970."""
    return (day - date(1970, 1, 1)).days


def days_between(plan: Plan) -> tuple[int, int]:
    """First and last day of the period, as numbers."""
    return day_number(plan.first_day), day_number(plan.last_day)


def days(values: Ints, wrong: str = NO_SUCH_DAY) -> Numbers:
    """A column of days."""
    return Numbers(values, wrong=wrong, days=True)


def after(rng: Rng, start: Ints, most: int, plan: Plan) -> Ints:
    """Days up to so many days later, none after the period."""
    later: Ints = np.minimum(start + rng.integers(0, most + 1, len(start)), days_between(plan)[1])
    return later


def decided_after(rng: Rng, start: Ints, usual: tuple[int, int], plan: Plan) -> tuple[Ints, Flags]:
    """Days of a decision, the late ones more than a year later, and which fall into the period."""
    late = chance(rng, len(start), plan.late)
    lag = np.where(late, rng.integers(366, 720, len(start)), rng.integers(*usual, size=len(start)))
    decided = start + lag
    return decided, decided <= days_between(plan)[1]


def references(letter: str, plan: Plan, numbers: Ints, wrong: str = "S/N") -> Numbers:
    """A column of references, which other seeds do not use."""
    return Numbers(numbers, wrong=wrong, prefix=f"{letter}{plan.seed}-")


def ages(rng: Rng, n: int, children: float) -> tuple[Numbers, Coded]:
    """Age in years, or an age group, or neither."""
    years = np.where(chance(rng, n, children), rng.integers(4, 18, n), rng.integers(18, 66, n))
    kind = np.searchsorted(np.cumsum(_AGE_KINDS), rng.random(n) * sum(_AGE_KINDS))
    values = np.choose(np.minimum(kind, 3), [years, BLANK, UNKNOWN, BLANK])
    group = AGE_GROUP.draw(rng, n)
    group.positions[kind != 1] = AGE_GROUP.position("")
    return Numbers(values, wrong="214"), group


def copy_traits(records: Records, first: Ints, second: Ints, variables: tuple[str, ...]) -> None:
    """Give the second record of each pair what the first one has."""
    for variable in variables:
        column = records.columns[variable]
        values = column.values if isinstance(column, Numbers) else records.coded(variable).positions
        values[second] = values[first]


def meet_again(
    rng: Rng, records: Records, on: Ints, within: Ints, *, share: float, taken: Flags
) -> tuple[Ints, Ints]:
    """Pairs of records of one person, in which no mistake may be made.

    Args:
        on: day of each record.
        within: event or case of each; a pair is of two.
        share: of the records, how many are the second of a pair.
        taken: records in a pair already.
    """
    first, second = later_pairs(rng, on, within, n=int(share * records.n), taken=taken)
    records.sound[first] = False
    records.sound[second] = False
    return first, second
