"""Records of one type as columns of numbers, and what each number is as sent and in truth.

Nothing here loops over records: a column is an array, and its text is made by pyarrow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Rng: TypeAlias = np.random.Generator
Texts: TypeAlias = "pa.Array[Any]"

#: Numbers that stand for no number: a blank, a value said to be not known, and a mistake.
BLANK, UNKNOWN, WRONG = -1, -2, -3
#: Added to a reference so that it is the reference of nothing.
ORPHAN = 500_000_000


def texts_of(numbers: Ints) -> Texts:
    """Numbers as text."""
    return pa.array(numbers).cast(pa.string())


def draw(rng: Rng, n: int, shares: Sequence[float]) -> Ints:
    """Positions drawn with the given shares, which need not add up to one."""
    bounds = np.cumsum(np.asarray(shares, dtype=np.float64))
    drawn: Ints = np.searchsorted(bounds, rng.random(n) * bounds[-1], side="right")
    return drawn.astype(np.int64)


def chance(rng: Rng, n: int, share: float) -> Flags:
    """A flag for each, true for about the given share."""
    flags: Flags = rng.random(n) < share
    return flags


@dataclass(frozen=True)
class Choice:
    """What may stand in a coded column.

    Attributes:
        options: text as sent, the code that it means in a figure, and its share. A text of share
            0 is only ever sent as a mistake.
    """

    options: tuple[tuple[str, str, float], ...]

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The codes that can come of it, each once."""
        return tuple(dict.fromkeys(code for _, code, _ in self.options))

    def position(self, text: str) -> int:
        """The position of a text among the options."""
        return [option[0] for option in self.options].index(text)

    def draw(self, rng: Rng, n: int) -> Coded:
        """A column drawn with the shares."""
        return Coded(self, draw(rng, n, [share for _, _, share in self.options]))


class Column(Protocol):
    """A column of records."""

    def text(self, rows: Ints) -> Texts:
        """The values of some rows as sent; a blank is null."""
        ...


@dataclass
class Coded:
    """A column of positions in a choice."""

    choice: Choice
    positions: Ints

    def text(self, rows: Ints) -> Texts:
        """The texts of some rows; a blank is null."""
        texts = pa.array([text or None for text, _, _ in self.choice.options], pa.string())
        return texts.take(self.positions[rows])

    @property
    def codes(self) -> Ints:
        """Positions of the true codes in ``choice.codes``."""
        known = self.choice.codes
        return np.array([known.index(code) for _, code, _ in self.choice.options])[self.positions]

    def means(self, *codes: str) -> Flags:
        """Where the true code is one of these."""
        wanted = [n for n, (_, code, _) in enumerate(self.choice.options) if code in codes]
        return np.isin(self.positions, wanted)


@dataclass
class Numbers:
    """A column of numbers, days or references, with texts for those that are no number.

    Attributes:
        values: from 0 on, or ``BLANK``, ``UNKNOWN`` or ``WRONG``.
        wrong: the text of a mistake.
        prefix: of a reference, whose number is then filled up with zeros.
        days: the numbers are days since 1970.
    """

    values: Ints
    wrong: str = ""
    prefix: str | None = None
    days: bool = False

    def text(self, rows: Ints) -> Texts:
        """The numbers of some rows as text, or what stands for them."""
        values = self.values[rows]
        made: Texts
        if self.days:
            days = pa.array(values.astype("datetime64[D]"))
            made = days.cast(pa.string())
        elif self.prefix is not None:
            filled = pc.utf8_lpad(texts_of(values), 9, "0")
            made = pc.utf8_replace_slice(filled, 0, 0, self.prefix)
        else:
            made = texts_of(values)
        for number, text in ((BLANK, None), (UNKNOWN, "_U"), (WRONG, self.wrong)):
            if (values == number).any():
                made = pc.if_else(pa.array(values == number), pa.scalar(text, pa.string()), made)
        return made

    @property
    def known(self) -> Flags:
        """Where there is a number."""
        return self.values >= 0


@dataclass
class Records:
    """The records of one type.

    Attributes:
        columns: variable -> column, in the order of the file.
        parents: variable -> the parent records and the row of the parent of each record.
        sound: where a mistake may be made; what other records repeat is left alone.
        mistake: number of the mistake in ``mistakes.MISTAKES``; -1 for none.
        repeated: rows that are sent twice.
    """

    kind: str
    name: str
    n: int
    columns: dict[str, Column]
    parents: dict[str, tuple[Records, Ints]] = field(default_factory=dict)
    sound: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    mistake: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    repeated: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    held_by_own: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    def __post_init__(self) -> None:
        """Nothing is wrong with any record yet."""
        self.sound = np.ones(self.n, dtype=np.bool_)
        self.mistake = np.full(self.n, -1, dtype=np.int64)
        self.held_by_own = np.zeros(self.n, dtype=np.bool_)

    @property
    def followed(self) -> Flags:
        """Records that only their parent holds out."""
        held = np.zeros(self.n, dtype=np.bool_)
        for parent, rows in self.parents.values():
            held |= parent.held[rows]
        followed: Flags = held & ~self.held_by_own
        return followed

    @property
    def held(self) -> Flags:
        """Records that the door holds out."""
        held: Flags = self.held_by_own | self.followed
        return held

    @property
    def accepted(self) -> Ints:
        """Rows of the records that count."""
        return np.flatnonzero(~self.held)

    def coded(self, variable: str) -> Coded:
        """A coded column."""
        column = self.columns[variable]
        if not isinstance(column, Coded):
            raise TypeError(variable)
        return column

    def numbers(self, variable: str) -> Numbers:
        """A column of numbers, days or references."""
        column = self.columns[variable]
        if not isinstance(column, Numbers):
            raise TypeError(variable)
        return column

    def batches(self, size: int = 100_000) -> Iterator[pa.Table]:
        """The records as sent, in parts; what is sent twice stands at the end."""
        rows = np.concatenate([np.arange(self.n), self.repeated])
        for start in range(0, max(len(rows), 1), size):
            part = rows[start : start + size]
            yield pa.table({name: column.text(part) for name, column in self.columns.items()})


def positions_within(counts: Ints) -> Ints:
    """1, 2, ... within each group of the given sizes."""
    starts = np.cumsum(counts) - counts
    return np.arange(int(counts.sum())) - np.repeat(starts, counts) + 1


def later_pairs(rng: Rng, days: Ints, groups: Ints, *, n: int, taken: Flags) -> tuple[Ints, Ints]:
    """Disjoint pairs of records of different groups, the second of a pair strictly later.

    Args:
        days: day of each record.
        groups: event or case of each record.
        n: number of pairs wanted; fewer where there are not enough records.
        taken: records that are in a pair already; those of the new pairs are added.

    Returns:
        Rows of the first ones and of the second ones.
    """
    free = rng.permutation(np.flatnonzero(~taken))
    n = min(n, len(free) // 2)
    one, other = free[:n], free[n : 2 * n]
    swap = days[one] > days[other]
    first, second = np.where(swap, other, one), np.where(swap, one, other)
    kept = (days[first] < days[second]) & (groups[first] != groups[second])
    taken[first[kept]] = True
    taken[second[kept]] = True
    return first[kept], second[kept]
