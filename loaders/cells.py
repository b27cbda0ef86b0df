"""Cells of an aggregate return against one another: totals, their parts, codes above codes.

A total is the cell whose dimension says ``_T`` and whose other dimensions are those of its parts.
Numbers are compared as intervals, so that ``<5`` agrees with whatever it leaves open; what is
found is told and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import duckdb

from loaders.layout_model import Sum
from loaders.typed import lookup, quoted
from tipstat.classification import code_list
from tipstat.contract import RecordType

#: Totals of one comparison that are told one by one, those that differ most first.
NAMED = 100

#: Found: rule, message, variable, place of the first cell (record), places it stands for.
Told = tuple[str, str, str, int, int]


def sum_findings(
    con: duckdb.DuckDBPyConnection, record_type: RecordType, sums: Iterable[Sum]
) -> list[Told]:
    """Compare totals with their parts, as the layout says.

    Args:
        con: holds ``rec_cell``.
        record_type: of cells.
        sums: totals that have parts.

    Returns:
        For each total whose parts give more (TIP-665, or TIP-666 where they may overlap) or less
        (TIP-666): rule, message, variable, record and number of places.
    """
    told: list[Told] = []
    for one in sums:
        rows = _compared(con, record_type, one.dimension)
        above = [row for row in rows if row[-1] == "above"]
        below = [row for row in rows if row[-1] == "below"]
        if above:
            rule_id = "TIP-666" if one.overlapping else "TIP-665"
            told += _each(rule_id, one, above, "more than", record_type)
        if below:
            told += _each("TIP-666", one, below, "less than", record_type)
    return told


def _compared(
    con: duckdb.DuckDBPyConnection, record_type: RecordType, dimension: str
) -> list[tuple[Any, ...]]:
    """By group: its keys, total and parts as lowest and highest number, record, and verdict."""
    others = [name for name in record_type.key if name != dimension]
    keys = ", ".join(quoted(name) for name in others)
    _parents(con, record_type, dimension)
    low = "coalesce(value, lower_bound)"
    return con.execute(
        f"""
        with cells as (
            select {keys}, {quoted(dimension)}::varchar as code, _i,
                coalesce({low}, 0) as low,
                case when value is not null then value else upper_bound end as high,
                {low} is not null as known
            from rec_cell
            where unit_of_count not in ('RATE', 'RATIO')
        ),
        totals as (select * from cells where code = '_T' and known and high is not null),
        parts as (
            select {keys}, sum(cells.low) as low,
                case when bool_and(cells.high is not null) then sum(cells.high) end as high
            from cells
            left join parent_of on cells.code = parent_of.code
            where cells.code <> '_T' and not exists (
                select 1 from cells upper
                where upper.code = parent_of.parent and ({_same("upper", others)})
            )
            group by all
        )
        select {", ".join(f"totals.{quoted(name)}::varchar" for name in others)},
            totals.low, totals.high, parts.low, parts.high, totals._i,
            case when parts.low > totals.high then 'above' else 'below' end
        from totals join parts on {_pairs(others)}
        where parts.low > totals.high or parts.high < totals.low
        order by greatest(parts.low - totals.high, totals.low - parts.high) desc, totals._i
        """
    ).fetchall()


def _same(alias: str, names: Iterable[str]) -> str:
    return " and ".join(f"{alias}.{quoted(name)} = cells.{quoted(name)}" for name in names)


def _pairs(names: Iterable[str]) -> str:
    return " and ".join(f"totals.{quoted(name)} = parts.{quoted(name)}" for name in names)


def _parents(con: duckdb.DuckDBPyConnection, record_type: RecordType, dimension: str) -> None:
    """``parent_of``: code and the code above it, of the lists that a dimension may name."""
    listed = record_type.variable(dimension).code_list
    names = [listed]
    if listed == "@breakdown":
        sent = con.execute("select distinct breakdown::varchar from rec_cell").fetchall()
        names = [name for (name,) in sent if not name.startswith("_")]
    rows = [
        (code.code, code.parent_code)
        for name in names
        if name != "national_offence"
        for code in code_list(name).codes
        if code.parent_code
    ]
    lookup(con, "parent_of", ("code", "parent"), rows or [(None, None)])


def _each(
    rule_id: str,
    one: Sum,
    rows: Sequence[tuple[Any, ...]],
    compared: str,
    record_type: RecordType,
) -> list[Told]:
    others = [name for name in record_type.key if name != one.dimension]
    why = f"; {one.overlapping}" if one.overlapping and compared == "more than" else ""
    told = [
        (
            rule_id,
            f"{one.title}, {_group(others, row)}: the parts give {_shown(*row[-4:-2])}, "
            f"{compared} the total of {_shown(*row[-6:-4])}{why}",
            one.dimension,
            row[-2],
            1,
        )
        for row in rows[:NAMED]
    ]
    if rows[NAMED:]:
        rest = len(rows) - NAMED
        told.append(
            (rule_id, f"{one.title}: {rest:,} more totals", one.dimension, rows[NAMED][-2], rest)
        )
    return told


#: Parts of a key that name a group by themselves, and those that tell it from no other.
_HEAD = ("reference_area", "period_start", "measure")
_SILENT = ("reporting_entity", "unit_of_count", "period_end", "status_scope")


def _group(names: Sequence[str], row: Sequence[Any]) -> str:
    """The country, first day and measure of a group, and the codes that tell it from the whole."""
    of = dict(zip(names, row, strict=False))
    head = [str(of.get(name)) for name in _HEAD if of.get(name) not in (None, "_T")]
    pairs = [
        f"{name} {value}"
        for name, value in of.items()
        if name not in (*_HEAD, *_SILENT) and value not in (None, "_T", "_Z", "_X", "_N", "FLOW")
    ]
    return ", ".join([*head, *pairs])


def _shown(low: Decimal | None, high: Decimal | None) -> str:
    """A number, or the interval that is open."""
    texts = [f"{number:,.2f}".removesuffix(".00") for number in (low, high) if number is not None]
    if len(texts) == 2 and texts[0] != texts[1]:
        return " to ".join(texts)
    return texts[0] if high is not None else f"{texts[0]} or more"


#: Dimensions in which a code may stand above others.
FAMILIES = ("form", "age_group", "breakdown_code")


def family_findings(con: duckdb.DuckDBPyConnection, record_type: RecordType) -> list[Told]:
    """Codes that stand beside the codes above them, which hold them already.

    Args:
        con: holds ``rec_cell``.
        record_type: of cells.

    Returns:
        For each code with codes below it in the same group of cells: a note (TIP-667) that they
        must not be added.
    """
    told: list[Told] = []
    columns = [name for name, *_ in con.execute("describe rec_cell").fetchall()]
    for dimension in FAMILIES:
        if f"{dimension}__sent" not in columns:
            continue
        _parents(con, record_type, dimension)
        others = [name for name in record_type.key if name != dimension]
        name = quoted(dimension)
        rows = con.execute(
            f"""
            select upper.{name}::varchar, string_agg(distinct cells.{name}::varchar, ', '
                order by cells.{name}::varchar), count(distinct upper._i), min(upper._i)
            from rec_cell cells
            join parent_of on cells.{name} = parent_of.code
            join rec_cell upper on upper.{name} = parent_of.parent and {_same("upper", others)}
            where cells.value is not null and upper.value is not null
            group by 1 order by 4
            """
        ).fetchall()
        told += [
            (
                "TIP-667",
                f"{dimension}: {below} beside {parent} in {count:,} cells, which hold them already",
                dimension,
                first,
                count,
            )
            for parent, below, count, first in rows
        ]
    return told


def band_findings(con: duckdb.DuckDBPyConnection) -> list[Told]:
    """Age bands across the age of 18, of which no figure of children or of adults can be made.

    Args:
        con: holds ``rec_cell`` and ``age_band``.

    Returns:
        One note (TIP-672) that names the bands and counts their cells.
    """
    [(bands, count, first)] = con.execute(
        """
        select string_agg(distinct cells.age_group::varchar, ', '
            order by cells.age_group::varchar), count(*), min(cells._i)
        from rec_cell cells join age_band on cells.age_group::varchar = age_band.age_group
        where age_band.min_age < 18 and age_band.max_age >= 18
        """
    ).fetchall()
    if not count:
        return []
    return [("TIP-672", f"{bands} in {count:,} cells, kept as sent", "age_group", first, count)]
