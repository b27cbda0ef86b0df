"""A layout as data: what each of its keys becomes once it is validated."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from tipstat.contract import RecordType


@dataclass(frozen=True)
class Condition:
    """A condition on one column: one of the values, a pattern, or none of the values.

    Attributes:
        values: accepted values, the empty text standing for a blank cell.
        matches: regular expression that the value must match somewhere.
        besides: values that do not meet the condition.
    """

    column: str
    values: tuple[str, ...] = ()
    matches: str = ""
    besides: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rows:
    """Rows that meet all conditions, and why they are treated in another way."""

    where: tuple[Condition, ...]
    reason: str


@dataclass(frozen=True)
class Repair:
    """A known fault of a text's lines, and how a line that shows it is mended.

    Attributes:
        fields: number of fields of the lines concerned.
        join: neighbouring fields, counted from 1, that are one field with the delimiter in it.
        matches: regular expression that the joined text must match; other lines stay as they are.
    """

    fields: int
    join: tuple[int, ...]
    matches: str
    reason: str


@dataclass(frozen=True)
class Place:
    """Where a table stands in the file.

    Attributes:
        file: columns by which the file is known where several form the return; else empty.
        sheet: exact name; empty where there is but one visible sheet.
        sheet_pattern: regular expression for the name, where it changes with every edition.
        header_rows: rows that the heading takes, ``header_row`` being the last of them.
        footer: conditions on the first row that no longer belongs to the table.
    """

    file: tuple[str, ...]
    sheet: str
    sheet_pattern: str
    header_row: int
    header_rows: int
    first_row: int
    footer: tuple[Condition, ...]


@dataclass(frozen=True)
class Joined:
    """Several columns that make one variable, blanks left out.

    Attributes:
        with_period: whether the period of the return stands before them, for numbers that begin
            anew in every file.
    """

    columns: tuple[str, ...]
    separator: str
    with_period: bool


@dataclass(frozen=True)
class Group:
    """Columns of one of several records that stand in a row, and what is the same in each."""

    columns: dict[str, str]
    constants: dict[str, str]


@dataclass(frozen=True)
class Partial:
    """Rows that cover a part of their year, from a first to a last day (``MM-DD``)."""

    rows: Rows
    first: str
    last: str


@dataclass(frozen=True)
class Period:
    """Columns of year and month that make ``period_start`` and ``period_end``.

    Attributes:
        starts: first day (``MM-DD``) of a year that is not the calendar's; else empty.
    """

    year: str
    month: str
    whole_year: tuple[Rows, ...]
    starts: str
    partial: tuple[Partial, ...]


@dataclass(frozen=True)
class Numbers:
    """How numbers are written: the sign between thousands and the decimal sign."""

    thousands: str
    decimal: str


@dataclass(frozen=True)
class FieldNames:
    """A second header: its row, and the name that it should have over each column.

    Attributes:
        names: column as the header says -> name that belongs over it.
    """

    row: int
    names: dict[str, str]
    reason: str


@dataclass(frozen=True)
class CountedCell:
    """Rows that meet the conditions are one cell with these dimensions."""

    where: tuple[Condition, ...]
    dimensions: dict[str, str]


@dataclass(frozen=True)
class Count:
    """A table that is made by counting rows.

    Attributes:
        by: columns whose values make the cells; the others are counted together.
        where: rows that are counted; all if none.
    """

    by: tuple[str, ...]
    where: tuple[Condition, ...]
    cells: tuple[CountedCell, ...]

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All conditions of the table."""
        return (*self.where, *(c for cell in self.cells for c in cell.where))


@dataclass(frozen=True)
class Sum:
    """A total and its parts among the cells of a return.

    Attributes:
        dimension: variable whose ``_T`` is the total of its other codes.
        overlapping: why parts may give more than their total; empty where they may not.
    """

    id: str
    title: str
    dimension: str
    overlapping: str


@dataclass(frozen=True)
class Long:
    """A file with one number a row and its name beside it.

    Attributes:
        variables: name as sent -> dimensions of its cell.
        controls: name as sent -> what the number is, for totals that are only compared.
    """

    variable: str
    value: str
    variables: dict[str, dict[str, str]]
    controls: dict[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """All names that the layout knows."""
        return (*self.variables, *self.controls)


@dataclass(frozen=True)
class Wide:
    """A file with several numbers a row, each column a cell of its own.

    Attributes:
        columns: column -> dimensions of its cell.
        census: column of a stock -> ``start`` or ``end`` of the row's period.
        months: column of a month -> its number.
    """

    columns: dict[str, dict[str, str]]
    census: dict[str, str]
    months: dict[str, str]


@dataclass(frozen=True)
class Recode:
    """A column whose texts become codes by pattern, the first that matches deciding."""

    column: str
    cases: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Hidden:
    """Values that hide a missing one.

    Attributes:
        code: missing code that takes their place; empty where they are only reported.
    """

    column: str
    values: tuple[str, ...]
    matches: str
    where: tuple[Condition, ...]
    code: str
    reason: str


@dataclass(frozen=True)
class Repeats:
    """Rows that may repeat one another: which columns are compared, and by what they are told."""

    columns: tuple[str, ...]
    by: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class TotalRows:
    """Rows that are totals of other rows: compared with them, then left out.

    Attributes:
        keep: whether the total rows stay, because their parts are left out instead.
        where: the total rows.
        parts: the rows that they sum up.
        by: columns that a total has in common with its parts.
        values: columns of the numbers.
    """

    id: str
    title: str
    where: tuple[Condition, ...]
    parts: tuple[Condition, ...]
    by: tuple[str, ...]
    values: tuple[str, ...]
    keep: bool


@dataclass(frozen=True)
class Identity:
    """Numbers of one row that must agree: plus less minus equals the sum of the last."""

    id: str
    title: str
    plus: tuple[str, ...]
    minus: tuple[str, ...]
    equals: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of the identity."""
        return (*self.plus, *self.minus, *self.equals)


@dataclass(frozen=True)
class State:
    """Values that stand for no number: which, under what condition, and what they mean."""

    variables: tuple[str, ...]
    where: tuple[Condition, ...]
    values: tuple[str, ...]
    cell_kind: str
    reason: str


@dataclass(frozen=True)
class Control:
    """A total, its parts or another total, and the groups by which they are compared.

    Attributes:
        units: columns that with ``by`` name one sending unit, to find the first cell concerned.
    """

    id: str
    title: str
    total: str
    parts: tuple[str, ...]
    equals: str
    by: tuple[str, ...]
    units: tuple[str, ...]
    tolerance: str

    @property
    def names(self) -> tuple[str, ...]:
        """The numbers compared: variables of a long file, columns of another."""
        return (self.total, *self.parts, *([self.equals] if self.equals else []))


@dataclass(frozen=True)
class Coverage:
    """Columns that show whether years are whole and areas are named."""

    year: str
    month: str
    filled: tuple[str, ...]


@dataclass(frozen=True)
class RecordLayout:
    """How the records of one type are read from one table."""

    record_type: RecordType
    place: Place
    expect: tuple[Rows, ...]
    columns: dict[str, str]
    joined: dict[str, Joined]
    recode: dict[str, Recode]
    numbered: dict[str, tuple[str, ...]]
    constants: dict[str, str]
    period: Period | None
    ignore: tuple[str, ...]
    skip: tuple[Rows, ...]
    refuse: tuple[Rows, ...]
    repeats: Repeats | None
    hidden: tuple[Hidden, ...]
    remarks: tuple[Rows, ...]
    numbers: Numbers | None
    field_names: FieldNames | None
    separators: dict[str, str]
    dimensions: dict[str, dict[str, dict[str, str]]]
    groups: tuple[Group, ...]
    count: tuple[Count, ...]
    merge: str
    long: Long | None
    wide: Wide | None
    states: tuple[State, ...]
    totals: tuple[TotalRows, ...]
    identities: tuple[Identity, ...]
    controls: tuple[Control, ...]
    sums: tuple[Sum, ...]
    coverage: Coverage | None

    @property
    def reads_rows_as_they_stand(self) -> bool:
        """Whether no row of the table is left out, changed, added up or spread."""
        return not any(
            (
                *(self.place.footer, self.skip, self.hidden, self.numbers, self.totals),
                *(self.dimensions, self.groups, self.count, self.merge, self.long, self.wide),
                *(self.states, self.numbered, self.period),
            )
        )

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition on rows of the table."""
        period = self.period
        rows = (
            *self.expect,
            *self.skip,
            *self.refuse,
            *self.remarks,
            *(period.whole_year if period else ()),
            *(partial.rows for partial in (period.partial if period else ())),
        )
        return (
            *(condition for one in rows for condition in one.where),
            *(condition for state in self.states for condition in state.where),
            *(condition for one in self.hidden for condition in one.where),
            *(condition for one in self.totals for condition in (*one.where, *one.parts)),
            *(condition for one in self.count for condition in one.conditions),
            *self.place.footer,
        )

    @property
    def used_columns(self) -> tuple[str, ...]:
        """Every column of the file that the layout reads, once, in the order of the layout."""
        names = [
            *self.columns,
            *(recode.column for recode in self.recode.values()),
            *(column for columns in self.numbered.values() for column in columns),
            *(hidden.column for hidden in self.hidden),
            *((*self.repeats.columns, *self.repeats.by) if self.repeats else ()),
            *(self.wide.columns if self.wide else ()),
            *(column for total in self.totals for column in (*total.by, *total.values)),
            *(column for identity in self.identities for column in identity.columns),
            *(column for joined in self.joined.values() for column in joined.columns),
            *((self.period.year, self.period.month) if self.period else ()),
            *((self.long.variable, self.long.value) if self.long else ()),
            *(condition.column for condition in self.conditions),
            *(column for one in self.count for column in one.by),
            *self.dimensions,
            *(column for group in self.groups for column in group.columns),
            *(column for control in self.controls for column in (*control.by, *control.units)),
            *(name for control in self.controls if not self.long for name in control.names),
            *((self.coverage.year, self.coverage.month) if self.coverage else ()),
            *(self.coverage.filled if self.coverage else ()),
        ]
        return tuple(dict.fromkeys(name for name in names if name))


@dataclass(frozen=True)
class MappedValue:
    """Our code for a value as sent, with the dates between which it stands."""

    code: str
    valid_from: dt.date | None
    valid_to: dt.date | None


@dataclass(frozen=True)
class Layout:
    """A validated layout.

    Attributes:
        name_pattern: regular expression for the names of its files, which tells it from other
            layouts of the same columns; empty where the columns tell it.
        repairs: faults of a text's lines that are mended as it is read.
        files: name -> columns by which it is known, where several files form one return.
        date_order: ``dmy`` or ``mdy`` for dates such as 05/06/2024; empty where the dates tell.
        decimal_sign: ``,`` or ``.`` in numbers; empty where the numbers tell.
        metadata: constants of the metadata sheet; a caller may override them.
        values: variable or code list -> value as sent -> codes by validity.
        sha256: of the YAML's bytes.
    """

    id: str
    title: str
    kind: str
    language: str
    reference_area: str
    valid_from: dt.date | None
    valid_to: dt.date | None
    source: dict[str, str]
    format: str
    name_pattern: str
    encoding: str | None
    delimiter: str | None
    date_order: str
    decimal_sign: str
    repairs: tuple[Repair, ...]
    files: dict[str, tuple[str, ...]]
    metadata: dict[str, str]
    values: dict[str, dict[str, tuple[MappedValue, ...]]]
    records: tuple[RecordLayout, ...]
    sha256: str
    path: Path
