"""A layout proposed for an unknown file: what each column may be, how sure, and why.

A proposal is a start for a person: it takes names and values for what they most probably mean, in
English, Spanish and French, lists what it could not place, and never shows a value of a record
but those of columns with few values that fit a code list (STATISTICS section 6).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from loaders.proposal_cells import Block, Cell, long_cells, wide_cell
from loaders.proposal_columns import Column, Found, find_table
from loaders.proposal_fit import ENOUGH, Placed, fitted, place
from loaders.proposal_names import (
    code_of,
    is_total,
    likeness,
    literal,
    meanings,
    synonyms,
    terms,
    words,
)
from loaders.source import Source
from tipstat.classification import LANGUAGES
from tipstat.contract import RecordType, load_contract
from tipstat.errors import ReturnRefused, UsageError
from tipstat.rules import refuse

#: What the numbers of a file without a measure are taken for.
USUAL_MEASURE = "VICTIMS_REGISTERED"
#: Measure, by the start of its name -> unit of count.
UNITS = {
    "VICTIMS": "VICTIM_REGISTRATION",
    "OFFENCES": "OFFENCE",
    "EVENTS": "EVENT",
    "CONTACTS": "CONTACT",
    "PERSONS": "PERSON",
}
#: Kinds of records that are tried where none is given, the first going before.
RECORD_KINDS = ("police", "service", "court")
_RATE = r"(?i)(per|por(?: cada)?|pour) ?100[ .,]?000|percent|porcentaje|pourcentage"
_YEARS = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True)
class Totals:
    """Total rows: the column that names them, their values, and what they have in common."""

    column: str
    values: tuple[str, ...]
    by: tuple[str, ...]


@dataclass(frozen=True)
class Proposal:
    """What a file may be.

    Attributes:
        constants: variable -> code and why, where no column tells it.
        units: pattern of a measure as sent -> unit of count, where a column tells the measure.
        year: column of the year; likewise month.
        long: column of the names and column of the numbers, with the cells of the names.
        wide: column -> its cell.
        skip: column, pattern and reason of rows that are left out.
        joined: columns that together are the registering unit.
        unplaced: columns left aside, with the reason.
    """

    found: Found
    format: str
    area: str
    language: str
    record_type: RecordType
    guessed_kind: bool
    placed: tuple[Placed, ...]
    constants: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    units: tuple[str, Mapping[str, str]] = ("", {})
    year: str = ""
    month: str = ""
    period: tuple[str, str] = ("", "")
    long: tuple[str, str] = ("", "")
    cells: Mapping[str, Cell] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    wide: Mapping[str, Cell] = field(default_factory=dict)
    totals: Totals | None = None
    skip: tuple[tuple[str, str, str], ...] = ()
    joined: tuple[str, ...] = ()
    unplaced: tuple[tuple[Column, str], ...] = ()

    @property
    def kind(self) -> str:
        """The kind of return."""
        return self.record_type.kind


def propose(
    source: Source, area: str, *, kind: str | None = None, sheet: str | None = None
) -> Proposal:
    """Propose how a file is read.

    Args:
        source: the file as read.
        area: reference area, ISO 3166-1 alpha-3.
        kind: kind of return; guessed where not given.
        sheet: name of the sheet; otherwise the visible one with most cells.

    Returns:
        The proposal, every column of the table placed or listed as not placed.

    Raises:
        ReturnRefused: TIP-691 for a file without a table, TIP-692 where headings repeat.
        UsageError: TIP-693 for a kind that there is not, or that has no cells or records.
    """
    found = find_table(source, sheet)
    if found.repeated:
        where = f"{source.path.name} › {found.sheet.name} › row {found.header_row}"
        raise refuse("TIP-692", ReturnRefused, where=where, found=", ".join(found.repeated))
    kinds = load_contract().kinds()
    if kind is not None and kind not in (*RECORD_KINDS, "aggregate"):
        raise refuse("TIP-693", UsageError, found=kind, expected="one of " + ", ".join(kinds))
    language = language_of(found.columns)
    if (kind or _guessed(found)) == "aggregate":
        builder = _Aggregate(found, language)
        return builder.proposal(source.format, area, guessed=kind is None)
    return _records(found, source.format, area, language, kind)


def language_of(columns: Sequence[Column]) -> str:
    """The language in which most headings, and values of few, are terms; English for none."""
    votes: Counter[str] = Counter()
    for column in columns:
        for list_name in ("variable", "year", "month", "number", "counted"):
            for term in terms(list_name):
                wording = term.code.partition("\0")[2]
                like = likeness(column.header, wording)
                votes[term.language] += (like >= 0.9) + 3 * (like == 1.0)
    return max(LANGUAGES, key=lambda language: (votes[language], language == "en"))


def _guessed(found: Found) -> str:
    """``aggregate`` where numbers are counted, else nothing: records."""
    dated = any(column.dates > 0.8 for column in found.columns)
    if any(map(_is_counted, found.columns)) and not dated:
        return "aggregate"
    numbers = [c for c in found.columns if c.numbers >= 0.8 and not _is_year(c) and not _code(c)]
    aged = any(_variable_of(column) == "age" for column in numbers)
    if sum(wide_cell(column.header) is not None for column in numbers) >= 2 and not (dated or aged):
        return "aggregate"
    record = dated or any(map(_is_of_a_person, found.columns))
    return "aggregate" if numbers and not record else ""


def _is_counted(column: Column) -> bool:
    """Whether a heading says that its numbers are counts: "Number of victims", "Victims"."""
    if _named(column, "number"):
        return column.numbers >= 0.3
    counted = {words(term) for _, _, term in synonyms("counted")}
    return words(column.header) in counted and column.whole >= 0.9


def _is_of_a_person(column: Column) -> bool:
    """Whether a column of numbers is an age, or a reference that no other row has."""
    variable, unique = _variable_of(column), column.distinct >= 0.9 * column.filled
    is_reference = variable in ("victim_ref", "event_ref") and unique
    return column.numbers > 0.5 and (variable == "age" or is_reference)


def _variable_of(column: Column) -> str:
    best = meanings(column.header, "variable")
    return best[0].code if best and best[0].score >= 0.8 else ""


def _named(column: Column, what: str) -> bool:
    """Whether a heading is one of the words for year, month or number."""
    return any(likeness(column.header, term) >= 0.95 for _, _, term in synonyms(what))


def _is_year(column: Column) -> bool:
    if not column.values:
        return False
    years = all(_YEARS.fullmatch(value) for value in column.values)
    return years and (_named(column, "year") or len(column.values) <= 60)


def _code(column: Column) -> bool:
    """Codes of places and the like look like numbers: few of them, for very many rows."""
    name = column.header.casefold()
    return name.endswith(("_id", "code", "código", "codigo", "cod")) or (
        column.whole == 1.0 and column.filled > 1000 and column.distinct <= 30
    )


# ── records ───────────────────────────────────────────────────────────────────────────────────


def _records(
    found: Found, file_format: str, area: str, language: str, kind: str | None
) -> Proposal:
    """The record type of the kind whose variables the columns name best."""
    filled = [column for column in found.columns if column.filled]
    options: list[tuple[float, RecordType, tuple[Placed, ...]]] = []
    for name in (kind,) if kind else RECORD_KINDS:
        for record_type in load_contract().of_kind(name):
            placed = place(filled, record_type, language)
            weight = sum(one.score * (1.2 if _core(one) else 1.0) for one in placed)
            options.append((weight, record_type, placed))
    # Of equals the first: a list of persons is one of victims before anything else.
    best = max(
        options,
        key=lambda option: (round(option[0], 3), option[1].name == "victim"),
    )
    _, record_type, placed = best
    skip = tuple(
        (column.header, _total_pattern(column), "total rows")
        for column in filled
        if column.distinct > 1 and any(map(is_total, column.values))
    )[:1]
    used = {one.column.letter for one in placed} | {
        column.letter for column in filled for header, _, _ in skip if column.header == header
    }
    unplaced = tuple(
        (column, _reason(column)) for column in found.columns if column.letter not in used
    )
    return Proposal(
        found=found,
        format=file_format,
        area=area,
        language=language,
        record_type=record_type,
        guessed_kind=kind is None,
        placed=placed,
        skip=skip,
        unplaced=unplaced,
    )


def _core(placed: Placed) -> bool:
    return placed.variable.obligation == "core"


def _reason(column: Column) -> str:
    if not column.filled:
        return "blank throughout"
    near = [one for one in meanings(column.header, "variable") if one.score >= ENOUGH][:2]
    if near:
        return "nearest by name: " + ", ".join(f"{one.code} ({one.score:.0%})" for one in near)
    return "no variable of a like name"


def _total_pattern(column: Column) -> str:
    """An expression for the total rows that a column names."""
    told = sorted(value for value in column.values if is_total(value))
    return f"^({'|'.join(literal(value) for value in told)})$"


# ── cells ─────────────────────────────────────────────────────────────────────────────────────


class _Aggregate:
    """Places the columns of a table of numbers, one role after another."""

    def __init__(self, found: Found, language: str) -> None:
        self.found, self.language = found, language
        self.record_type = load_contract().record_type("aggregate", "cell")
        self.left = [column for column in found.columns if column.filled]

    def proposal(self, file_format: str, area: str, *, guessed: bool) -> Proposal:
        year, month = self._take_time()
        value = self._take_value()
        wide = {} if value else _with_units(self._take_wide(year))
        if not (value or wide):
            value = self._take_only_number()
        long, cells, blocks = self._take_long(value)
        skip = self._take_rates()
        aside = self._take_units()
        placed = place(self.left, self._without(value, {**cells, **wide}, year), self.language)
        if value and not long:
            placed = (*placed, self._as_value(value))
        self._drop([one.column for one in placed])
        placed, joined = self._joined(placed)
        totals, total_rows = self._total_rows(
            placed, year, compared=not long and bool(wide or value)
        )
        skip = (*skip, *total_rows)
        units = self._units(placed)
        columns = {one.variable.name for one in placed}
        dims = {name for cell in (*cells.values(), *wide.values()) for name in cell.dimensions}
        return Proposal(
            found=self.found,
            format=file_format,
            area=area,
            language=self.language,
            record_type=self.record_type,
            guessed_kind=guessed,
            placed=placed,
            constants=self._constants(columns | dims, wide, units),
            units=units,
            year=year.header if year else "",
            month=month.header if month else "",
            period=self._period(year),
            long=(long.header, value.header) if long and value else ("", ""),
            cells=cells,
            blocks=blocks,
            wide=wide,
            totals=totals,
            skip=skip,
            joined=joined,
            unplaced=self._unplaced(totals, skip, aside),
        )

    def _drop(self, columns: Sequence[Column | None]) -> None:
        letters = {column.letter for column in columns if column is not None}
        self.left = [column for column in self.left if column.letter not in letters]

    def _take_time(self) -> tuple[Column | None, Column | None]:
        """The columns of year and month."""
        year = next((c for c in self.left if _named(c, "year") and c.whole > 0.9), None)
        year = year or next((c for c in self.left if _is_year(c)), None)
        months = {str(number) for number in range(1, 13)}
        named = [c for c in self.left if _named(c, "month") and set(c.values) <= months]
        # A month without its year is no period.
        month = named[0] if named and year else None
        self._drop([year, month])
        return year, month

    def _take_value(self) -> Column | None:
        named = [column for column in self.left if _is_counted(column)]
        value = max(named, key=lambda column: column.numbers, default=None)
        self._drop([value])
        return value

    def _take_wide(self, year: Column | None) -> dict[str, Cell]:
        """Columns of numbers, each with the cell that its heading tells; no cell twice."""
        several = year is not None and len(year.values) > 1
        wide: dict[str, Cell] = {}
        numeric = [c for c in self.left if c.numbers >= 0.6 and not _code(c)]
        for column in numeric:
            cell = wide_cell(column.header, of_year=year is not None)
            same = any(cell and cell.dimensions == other.dimensions for other in wide.values())
            timed = cell is not None and "period_start" in cell.dimensions
            if cell is not None and not same and not (timed and several):
                wide[column.header] = cell
        # Periods stand in all columns of numbers or in none.
        dated = {h: c for h, c in wide.items() if {"period_start", "month"} & set(c.dimensions)}
        wide = _of_one_measure(dated or wide)
        if len(wide) < 2:
            return {}
        self._drop([column for column in numeric if column.header in wide])
        return wide

    def _take_only_number(self) -> Column | None:
        numeric = [c for c in self.left if c.numbers >= 0.6 and not _code(c)]
        value = max(numeric, key=lambda column: column.numbers, default=None)
        self._drop([value])
        return value

    def _take_long(
        self, value: Column | None
    ) -> tuple[Column | None, dict[str, Cell], tuple[Block, ...]]:
        """The column that names the numbers, where its names are of several lists."""
        options = []
        for column in self.left:
            few = 4 <= column.distinct <= 300 and column.distinct * 2 <= column.filled
            places = _variable_of(column) in ("area", "area_unit")
            if value is None or not few or places or column.numbers > 0.5:
                continue
            cells, blocks = long_cells(column.values)
            kinds = {tuple(sorted(cell.dimensions)) for cell in cells.values() if cell.dimensions}
            share = sum(1 for cell in cells.values() if cell.dimensions) / len(cells)
            if share >= 0.5 and (
                len(kinds) > 1 or "breakdown" in {k for one in kinds for k in one}
            ):
                options.append((share, column, cells, blocks))
        if not options:
            return None, {}, ()
        _, column, cells, blocks = max(options, key=lambda option: option[0])
        self._drop([column])
        return column, cells, blocks

    def _take_rates(self) -> tuple[tuple[str, str, str], ...]:
        """Rows of rates, which are no counts: the column that tells them is read by ``skip``."""
        for column in self.left:
            rates = [value for value in column.values if re.search(_RATE, value)]
            if rates and len(rates) < len(column.values):
                pattern = f"^({'|'.join(literal(value) for value in sorted(rates))})$"
                counts = {v: n for v, n in column.values.items() if v not in rates}
                kept = replace(column, values=counts, distinct=len(counts))
                self.left = [kept if one is column else one for one in self.left]
                return (
                    (column.header, pattern, "rates, computed again from count and population"),
                )
        return ()

    def _take_units(self) -> tuple[tuple[Column, str], ...]:
        """Columns that say how numbers are written ("Units", "Number") and not what is counted."""
        variable = self.record_type.variable("unit_of_count")
        aside = [
            column
            for column in self.left
            if _variable_of(column) == "unit_of_count"
            and fitted(column.values, variable, self.language, aggregate=True).share < 0.5
        ]
        self._drop(aside)
        return tuple((column, "how numbers are written, no unit of count") for column in aside)

    def _without(
        self, value: Column | None, cells: Mapping[str, Cell], year: Column | None
    ) -> RecordType:
        """The cell without the variables that are filled otherwise."""
        filled = {name for cell in cells.values() for name in cell.dimensions}
        filled |= {"period_start", "period_end"} if year else set()
        filled |= {"value", "breakdown", "breakdown_code"} if value or cells else set()
        kept = tuple(v for v in self.record_type.variables if v.name not in filled)
        return RecordType("aggregate", "cell", kept)

    def _as_value(self, column: Column) -> Placed:
        why = f"{column.numbers:.0%} of its cells are numbers"
        return Placed(column, self.record_type.variable("value"), 0.9, why)

    def _total_rows(
        self, placed: Sequence[Placed], year: Column | None, *, compared: bool
    ) -> tuple[Totals | None, tuple[tuple[str, str, str], ...]]:
        """Total rows among the places, which nobody may add to their parts.

        They are compared with them where other columns say which belong together, else left out.
        """
        for one in placed:
            if one.variable.type != "label" or one.column.distinct < 2:
                continue
            told = tuple(sorted(text for text in one.column.values if is_total(text)))
            keys = [p for p in placed if p is not one and p.variable.name != "value"]
            by = (*([year.header] if year else []), *(p.column.header for p in keys))
            if told and by and compared:
                return Totals(one.column.header, told, by), ()
            if told:
                reason = (one.column.header, _total_pattern(one.column), "total rows")
                return None, (reason,)
        return None, ()

    def _units(self, placed: Sequence[Placed]) -> tuple[str, dict[str, str]]:
        """The unit of count of each measure, where a column tells the measure."""
        names = {one.variable.name: one for one in placed}
        measure = names.get("measure")
        if measure is None or measure.fit is None or "unit_of_count" in names:
            return "", {}
        told = {text: found.code for text, found in measure.fit.mapped.items()}
        for text in measure.fit.known:
            found = code_of(text, "measure")
            told |= {text: found.code} if found else {}
        patterns = {f"^{literal(text)}$": unit_of(code) for text, code in told.items()}
        return (measure.column.header, patterns) if patterns else ("", {})

    def _constants(
        self, told: set[str], wide: Mapping[str, Cell], units: tuple[str, Mapping[str, str]]
    ) -> dict[str, tuple[str, str]]:
        constants: dict[str, tuple[str, str]] = {}
        measure = USUAL_MEASURE
        if "measure" not in told:
            constants["measure"] = (measure, "no column tells what is counted: guessed")
        else:
            sent = [cell.dimensions.get("measure", "") for cell in wide.values()]
            measure = next((code for code in sent if code), measure)
        if "unit_of_count" not in told and not units[0]:
            constants["unit_of_count"] = (unit_of(measure), "follows from the measure: guessed")
        return constants

    @staticmethod
    def _period(year: Column | None) -> tuple[str, str]:
        years = sorted(v for v in year.values if _YEARS.fullmatch(v)) if year else []
        return (f"{years[0]}-01-01", f"{years[-1]}-12-31") if years else ("", "")

    def _joined(self, placed: tuple[Placed, ...]) -> tuple[tuple[Placed, ...], tuple[str, ...]]:
        """Smaller places below the area: together they tell one unit from another."""
        units = [one for one in placed if one.variable.name == "area_unit"]
        below = [
            column
            for column in self.left
            if _variable_of(column) in ("area", "area_unit") and column.numbers < 0.5
        ]
        if not below or not any(one.variable.name == "area" for one in placed):
            return placed, ()
        self._drop(below)
        headers = {column.header for column in (*below, *(one.column for one in units))}
        ordered = tuple(c.header for c in self.found.columns if c.header in headers)
        return tuple(one for one in placed if one not in units), ordered

    def _unplaced(
        self,
        totals: Totals | None,
        skip: Sequence[tuple[str, str, str]],
        aside: Sequence[tuple[Column, str]],
    ) -> tuple[tuple[Column, str], ...]:
        blank = [column for column in self.found.columns if not column.filled]
        read = {*({totals.column} if totals else ()), *(header for header, _, _ in skip)}
        left = [(column, _reason(column)) for column in (*self.left, *blank)]
        return tuple((column, why) for column, why in (*aside, *left) if column.header not in read)


def _of_one_measure(wide: Mapping[str, Cell]) -> dict[str, Cell]:
    """Where some headings tell the measure and others do not, all are of the first one told."""
    told = [cell.dimensions["measure"] for cell in wide.values() if "measure" in cell.dimensions]
    if not told or len(told) == len(wide):
        return dict(wide)
    completed = {
        header: replace(cell, dimensions={"measure": told[0], **cell.dimensions})
        for header, cell in wide.items()
    }
    seen: set[tuple[tuple[str, str], ...]] = set()
    kept: dict[str, Cell] = {}
    for header, cell in completed.items():
        key = tuple(sorted(cell.dimensions.items()))
        if key not in seen:
            kept[header] = cell
            seen.add(key)
    return kept


def _with_units(wide: Mapping[str, Cell]) -> dict[str, Cell]:
    """Where the columns are of measures with different units of count, each tells its own."""
    measures = {header: cell.dimensions.get("measure", "") for header, cell in wide.items()}
    units = {unit_of(measure) for measure in measures.values() if measure}
    if len(units) < 2 or not all(measures.values()):
        return dict(wide)
    return {
        header: replace(
            cell, dimensions={**cell.dimensions, "unit_of_count": unit_of(measures[header])}
        )
        for header, cell in wide.items()
    }


def unit_of(measure: str) -> str:
    """The unit of count that goes with a measure."""
    return UNITS.get(measure.partition("_")[0], "PERSON")
