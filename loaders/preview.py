"""What a layout would load from a file, in counts: shown before anything is landed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from loaders.check import check_with
from loaders.coding import INVALID
from loaders.inspection import Context
from loaders.returned import OWN_LETTER
from loaders.typed import quoted
from tipstat.contract import load_contract

if TYPE_CHECKING:
    from loaders.check import CheckResult
    from loaders.findings import Finding
    from loaders.layout import Layout
    from loaders.layout_model import RecordLayout
    from loaders.returned import RecordTable, Returned

#: Values without a code that are named for one variable, the commonest first.
NAMED = 5


@dataclass(frozen=True)
class Codes:
    """How the values of one variable were coded.

    Attributes:
        mapped: different values with a code, and the cells that hold them; likewise unmapped.
        unknown: commonest values without a code, each with its cells.
    """

    variable: str
    mapped: int
    mapped_cells: int
    unmapped: int
    unmapped_cells: int
    unknown: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class ColumnUse:
    """A variable of a record type: where it comes from, and how many records have it."""

    record_type: str
    column: str
    letter: str
    variable: str
    filled: int


@dataclass(frozen=True)
class Preview:
    """What would be loaded.

    Attributes:
        records: by record type: records, and of them held out.
        period: first and last day; of the records where they tell them, else of the return.
        entities: reporting entity -> records.
        areas: reference area -> records, where the records tell it.
        missing: core items of the metadata sheet that neither layout nor file gives.
    """

    records: Mapping[str, tuple[int, int]]
    columns: tuple[ColumnUse, ...]
    codes: tuple[Codes, ...]
    period: tuple[str, str]
    entities: Mapping[str, int]
    areas: Mapping[str, int]
    missing: tuple[str, ...]
    findings: tuple[Finding, ...]


def preview(layout: Layout, returned: Returned, context: Context | None, name: str) -> Preview:
    """Check a laid-out return and count what it holds; nothing is written.

    Args:
        layout: that it was laid out by.
        returned: records as sent.
        context: of the workspace; without one every entity that the file names is taken as
            registered.
        name: of the file, for messages.

    Returns:
        The counts, and the findings of every rule but those on missing metadata.
    """
    told = context or Context(entities=named_entities(returned))
    with closing(check_with(returned, told, name)) as result:
        found = result.findings()
        metadata = [one for one in found if one.record_type == "metadata"]
        return Preview(
            records={n: (total, result.held_out[n]) for n, total in result.records.items()},
            columns=tuple(use for one in returned.tables for use in _uses(layout, one)),
            codes=_codes(result),
            period=_period(result),
            entities=_counts(result, "reporting_entity"),
            areas=_counts(result, "reference_area"),
            missing=tuple(one.variable for one in metadata if one.rule_id == "TIP-146"),
            findings=tuple(
                one for one in found if one not in metadata and one.rule_id != "TIP-145"
            ),
        )


def named_entities(returned: Returned) -> tuple[str, ...]:
    """The sender and every reporting entity that a return names, registered or not."""
    names = {returned.metadata.get("sender", "")}
    for one in returned.tables:
        if "reporting_entity" in one.table.column_names:
            sent = pc.unique(one.table.column("reporting_entity")).to_pylist()
            names |= {str(name) for name in sent if name}
    return tuple(sorted(name for name in names if name))


def _uses(layout: Layout, table: RecordTable) -> list[ColumnUse]:
    """Every variable that was sent, with its column and the records that have it."""
    record = next(r for r in layout.records if r.record_type.name == table.record_type)
    headers = _origins(record)
    uses = []
    for name in table.table.column_names:
        if name.startswith("_"):
            continue
        column = table.table.column(name)
        letter = table.columns.get(name, "")
        uses.append(
            ColumnUse(
                record_type=table.record_type,
                column=headers.get(name, "" if letter else "(constant)"),
                letter="" if letter == OWN_LETTER else letter,
                variable=name,
                filled=len(column) - column.null_count,
            )
        )
    return uses


def _origins(record: RecordLayout) -> dict[str, str]:
    """Variable -> the columns that it is made of."""
    found = {variable: column for column, variable in record.columns.items()}
    found |= {variable: " + ".join(one.columns) for variable, one in record.joined.items()}
    found |= {variable: one.column for variable, one in record.recode.items()}
    if record.period:
        parts = [name for name in (record.period.year, record.period.month) if name]
        found |= dict.fromkeys(("period_start", "period_end"), " + ".join(parts))
    if record.long:
        for cell in record.long.variables.values():
            found |= dict.fromkeys(cell, record.long.variable)
        found |= dict.fromkeys(("value", "cell_kind"), record.long.value)
    return found


def _codes(result: CheckResult) -> tuple[Codes, ...]:
    """The mapping decisions by variable; values of coded columns only."""
    by_variable: dict[str, list[tuple[str, bool, int]]] = {}
    for (variable, _, sent, code, _), number in result.mapping.items():
        by_variable.setdefault(variable, []).append((sent, code != INVALID, number))
    found = []
    for variable, decisions in by_variable.items():
        known = [number for _, coded, number in decisions if coded]
        unknown = sorted(
            ((sent, number) for sent, coded, number in decisions if not coded),
            key=lambda one: (-one[1], one[0]),
        )
        found.append(
            Codes(
                variable=variable,
                mapped=len(known),
                mapped_cells=sum(known),
                unmapped=len(unknown),
                unmapped_cells=sum(number for _, number in unknown),
                unknown=tuple(unknown[:NAMED]),
            )
        )
    return tuple(found)


def _tables_with(result: CheckResult, variable: str) -> list[str]:
    types = {one.name: one for one in load_contract().of_kind(result.kind)}
    return [
        name
        for name in result.records
        if variable in {known.name for known in types[name].variables}
    ]


def _counts(result: CheckResult, variable: str) -> dict[str, int]:
    """Records by the values of a variable that is no personal one, most first."""
    counts: dict[str, int] = {}
    for name in _tables_with(result, variable):
        rows = result.connection.execute(
            f"select {variable}, count(*) from {quoted('rec_' + name)} "
            f"where {variable} is not null and {variable} <> '?' group by 1"
        ).fetchall()
        for value, number in rows:
            counts[str(value)] = counts.get(str(value), 0) + int(number)
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _period(result: CheckResult) -> tuple[str, str]:
    days: list[tuple[object, object]] = []
    for name in _tables_with(result, "period_start"):
        days += result.connection.execute(
            f"select min(period_start), max(period_end) from {quoted('rec_' + name)}"
        ).fetchall()
    first = min((str(day) for day, _ in days if day), default="")
    last = max((str(day) for _, day in days if day), default="")
    start, end = result.metadata.get("period_start"), result.metadata.get("period_end")
    return first or str(start or ""), last or str(end or "")
