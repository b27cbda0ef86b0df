"""Rows of a file that become cells in another way: counted, repeated in a row, or added together.

Everything is set-based; nothing here shows what a row of a record-level return holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from loaders.coding import collapsed, list_coder
from loaders.findings import Finding
from loaders.layout_findings import layout_finding
from loaders.layout_keys import nearest
from loaders.layout_model import Count, Group, RecordLayout
from loaders.layout_sql import Body, condition_sql, name_sql, one_row, text_sql
from loaders.typed import lookup
from tipstat.contract import RecordType, Variable

#: Columns of a table of counted rows besides those of the file: dimensions, then the number.
DIMENSION, COUNTED = "_is_", "_counted"
#: Unknown texts of a column that are named one by one.
NAMED = 50

#: What a text that names a year, or several, begins with.
_YEAR = r"^\s*\d{4}"

#: A number, or the smallest and largest that ``<5`` or ``5-9`` leaves open.
_NUMBER = "try_cast(trim(value) as decimal(18,2))"
_BELOW = r"^\s*(<=|<|≤)\s*(\d{1,9})\s*$"
_BETWEEN = r"^\s*(\d{1,9})\s*[-–]\s*(\d{1,9})\s*$"


def _part(pattern: str, place: int) -> str:
    return f"try_cast(nullif(regexp_extract(value, '{pattern}', {place}), '') as decimal(18,2))"


_UPPER = (
    f"coalesce({_NUMBER}, {_part(_BETWEEN, 2)}, {_part(_BELOW, 2)} - "
    f"case when regexp_extract(value, '{_BELOW}', 1) = '<' then 1 else 0 end)"
)
_LOWER = (
    f"coalesce({_NUMBER}, {_part(_BETWEEN, 1)}, "
    f"case when regexp_matches(value, '{_BELOW}') then 0 end)"
)


def default_sql(variable: Variable) -> str:
    """What a dimension is where a cell does not give it; the door knows that of the return."""
    default = variable.default_value
    return text_sql(default) if default.startswith("_") else "null"


# ── texts that stand for several variables ────────────────────────────────────────────────────


def dimension_findings(
    con: duckdb.DuckDBPyConnection, body: Body, record: RecordLayout
) -> list[Finding]:
    """Give each row the variables that the text of a column stands for: ``_is_<variable>``.

    Args:
        con: holds the table ``body``, which gets a column for each variable.
        body: its columns.
        record: the layout of the table.

    Returns:
        A refusal for each text that the layout does not know (TIP-132).
    """
    findings = []
    for column, texts in record.dimensions.items():
        sent = con.execute(
            f"select {name_sql(column)}, count(*), min(_row) from body group by 1 order by 3"
        ).fetchall()
        unknown = [row for row in sent if collapsed(row[0] or "") not in texts]
        findings += _unknown_texts(body, column, unknown, texts)
        for name in dict.fromkeys(name for cell in texts.values() for name in cell):
            cases = " ".join(
                f"when {text_sql(text)} then {text_sql(cell[name])}"
                for text, cell in (
                    (text, texts.get(collapsed(text or ""), {})) for text, *_ in sent
                )
                if name in cell and text is not None
            )
            default = default_sql(record.record_type.variable(name))
            sql = f"case {name_sql(column)} {cases} else {default} end" if cases else default
            con.execute(f"alter table body add column {name_sql(DIMENSION + name)} varchar")
            con.execute(f"update body set {name_sql(DIMENSION + name)} = {sql}")
    return findings


def _unknown_texts(
    body: Body,
    column: str,
    unknown: Sequence[tuple[str | None, int, int]],
    texts: Mapping[str, Mapping[str, str]],
) -> list[Finding]:
    return [
        layout_finding(
            "TIP-132",
            body,
            f"{count:,} rows with {column} {text or '(blank)'}",
            row=first,
            column=column,
            value=text,
            close=nearest(text or "", texts),
            count=count,
        )
        for text, count, first in unknown[:NAMED]
    ]


# ── several records in one row ────────────────────────────────────────────────────────────────


def expand_groups(con: duckdb.DuckDBPyConnection, body: Body, groups: Sequence[Group]) -> None:
    """Make a row of each group of columns that holds anything; ``_place`` numbers the groups.

    Args:
        con: holds the table ``body``, which is replaced.
        body: its columns.
        groups: the columns of each record of a row.
    """
    parts = []
    for place, group in enumerate(groups, start=1):
        filled = " or ".join(f"trim(coalesce({name_sql(c)}, '')) <> ''" for c in group.columns)
        letter = text_sql(body.letters[next(iter(group.columns))])
        parts.append(f"select *, {place} as _place, {letter} as _letter from body where {filled}")
    con.execute(f"create temp table grouped as {' union all '.join(parts)}")
    con.execute("drop table body")
    con.execute("alter table grouped rename to body")


def group_sql(groups: Sequence[Group]) -> dict[str, str]:
    """Variable -> SQL of its value in the group of the row."""
    cases: dict[str, str] = {}
    for place, group in enumerate(groups, start=1):
        of_group = {
            **{variable: name_sql(column) for column, variable in group.columns.items()},
            **{variable: text_sql(text) for variable, text in group.constants.items()},
        }
        for variable, sql in of_group.items():
            cases[variable] = f"{cases.get(variable, 'case _place')} when {place} then {sql}"
    return {variable: f"{case} end" for variable, case in cases.items()}


# ── rows that are counted ─────────────────────────────────────────────────────────────────────


def count_rows(con: duckdb.DuckDBPyConnection, body: Body, record: RecordLayout) -> list[Finding]:
    """Replace the rows by cells that count them (STATISTICS section 1: rows are no persons).

    Args:
        con: holds the table ``body``, which is replaced.
        body: its columns.
        record: the layout of the table.

    Returns:
        A note on what was counted (TIP-671) and one on rows that have no year (TIP-670).
    """
    (rows,) = one_row(con, "select count(*) from body")
    year = record.period.year if record.period else ""
    tables = " union all by name ".join(_counted_sql(record, count, year) for count in record.count)
    con.execute(
        f"create temp table counted as select *, row_number() over () as _place from ({tables})"
    )
    findings = _without_year(con, body, record, year)
    con.execute("drop table body")
    con.execute("alter table counted rename to body")
    (cells,) = one_row(con, "select count(*) from body")
    message = f"{rows:,} rows are counted in {cells:,} cells; none of them is loaded as a record"
    return [*findings, layout_finding("TIP-671", body, message, count=rows)]


def _counted_sql(record: RecordLayout, count: Count, year: str) -> str:
    """The cells of one table of counts: columns of the file, dimensions, number and first row."""
    columns = dict.fromkeys((*record.columns, *((year,) if year else ())))
    where = [condition_sql(count.where)] if count.where else []
    if year in count.by:
        where.append(f"regexp_matches(coalesce({name_sql(year)}, ''), '{_YEAR}')")
    filters = ", ".join(
        f"count(*) filter ({condition_sql(cell.where) if cell.where else 'true'}) as n{index}"
        for index, cell in enumerate(count.cells)
    )
    by = ", ".join(name_sql(column) for column in count.by)
    grouped = (
        f"select {by + ', ' if by else ''}min(_row) as _row, {filters} from body "
        f"{'where ' + ' and '.join(where) if where else ''} {'group by ' + by if by else ''}"
    )
    others = ", ".join(
        f"{'null::varchar' if column == year else _all_of(record, column)} as {name_sql(column)}"
        for column in columns
        if column not in count.by
    )
    dimensions = ", ".join(
        f"{_counted_dimension(record.record_type, count, name)} as {name_sql(DIMENSION + name)}"
        for name in dict.fromkeys(name for cell in count.cells for name in cell.dimensions)
    )
    picked = ", ".join(part for part in (by, others, dimensions) if part)
    names = ", ".join(f"n{index}" for index in range(len(count.cells)))
    return (
        f"select {picked}{', ' if picked else ''}_row, _n::varchar as {COUNTED} "
        f"from ({grouped}) unpivot (_n for _cell in ({names})) where _n > 0"
    )


def _all_of(record: RecordLayout, column: str) -> str:
    """What a column that is not counted by says: all together, where its variable can."""
    variable = record.record_type.variable(record.columns[column])
    return "'_T'" if variable.type == "code" else default_sql(variable)


def _counted_dimension(record_type: RecordType, count: Count, name: str) -> str:
    cases = " ".join(
        f"when 'n{index}' then {text_sql(cell.dimensions[name])}"
        for index, cell in enumerate(count.cells)
        if name in cell.dimensions
    )
    return f"case _cell {cases} else {default_sql(record_type.variable(name))} end"


def _without_year(
    con: duckdb.DuckDBPyConnection, body: Body, record: RecordLayout, year: str
) -> list[Finding]:
    """Rows that no cell of a year can hold."""
    if not any(year in count.by for count in record.count):
        return []
    count, first = one_row(
        con,
        "select count(*), min(_row) from body "
        f"where not regexp_matches(coalesce({name_sql(year)}, ''), '{_YEAR}')",
    )
    if not count:
        return []
    message = f"{count:,} rows without {year} are counted only where all years stand together"
    return [layout_finding("TIP-670", body, message, row=first, column=year, count=count)]


# ── rows that are one cell ────────────────────────────────────────────────────────────────────


def merge_cells(
    table: pa.Table,
    con: duckdb.DuckDBPyConnection,
    body: Body,
    record: RecordLayout,
    coding: tuple[str, Mapping[str, Mapping[str, str]], Path | None],
) -> tuple[pa.Table, list[Finding]]:
    """Add the numbers of rows that are one cell once their values are coded, intervals included.

    Args:
        table: the records as laid out.
        con: an engine in memory.
        body: the columns of the sheet.
        record: the layout of the table.
        coding: language, value maps and the office's own correspondences.

    Returns:
        The records with each cell once, and a warning that counts what was added (TIP-668).
    """
    con.register("laid", table)
    con.execute("create temp table sent as select *, row_number() over () as _n from laid")
    keys = [_key_sql(con, variable, coding) for variable in _keys(record, table)]
    con.execute(
        f"create temp table placed as select _n, count(*) over cell as _of, "
        f"min(_n) over cell as _first from sent window cell as (partition by {', '.join(keys)})"
    )
    cells, rows, first = one_row(
        con,
        "select count(distinct _first), count(*), min(_row) from placed join sent using (_n) "
        "where _of > 1",
    )
    if not cells:
        return table, []
    message = f"{cells:,} cells stand in {rows:,} rows, whose numbers are added: {record.merge}"
    finding = layout_finding(
        "TIP-668", body, message, row=first, column=body.value, count=rows - cells
    )
    return _added(con, table), [finding]


def _keys(record: RecordLayout, table: pa.Table) -> list[Variable]:
    variables = record.record_type.variables
    return [v for v in variables if v.is_key and v.name in table.column_names]


def _key_sql(
    con: duckdb.DuckDBPyConnection,
    variable: Variable,
    coding: tuple[str, Mapping[str, Mapping[str, str]], Path | None],
) -> str:
    """A part of the key as the door will code it; what it cannot code stays as sent."""
    name = name_sql(variable.name)
    if variable.type != "code" or variable.code_list.startswith("@"):
        return name
    language, maps, office = coding
    if variable.code_list == "national_offence":
        return name
    own = {**maps.get(variable.code_list, {}), **maps.get(variable.name, {})}
    coder = list_coder(variable.code_list, language, own, aggregate=True, office=office)
    texts = con.execute(f"select distinct {name} from sent where {name} is not null").fetchall()
    coded = [(text, coder.cell(text).code if coder.one(text) else text) for (text,) in texts]
    if not coded:
        return name
    lookup(con, f"key_{variable.name}", ("text", "code"), coded)
    con.execute(
        f"alter table sent add column {name_sql('k_' + variable.name)} varchar; "
        f"update sent set {name_sql('k_' + variable.name)} = code "
        f"from {name_sql('key_' + variable.name)} where {name} = text"
    )
    return name_sql("k_" + variable.name)


def _added(con: duckdb.DuckDBPyConnection, table: pa.Table) -> pa.Table:
    """Each cell once, in the place of its first row, with the sum or the interval of the sum."""
    own = [name for name in table.column_names if name not in _NUMBERS]
    added: pa.Table = con.sql(
        f"""
        with summed as (
            select _first, count(*) as n, sum({_NUMBER}) as total, sum({_LOWER}) as low,
                sum({_UPPER}) as high, bool_and({_NUMBER} is not null) as known,
                bool_and({_LOWER} is not null) as bounded
            from placed join sent using (_n)
            group by _first
        )
        select {", ".join("sent." + name_sql(name) for name in own)},
            case when n = 1 then sent.value when known then {_plain("total")}
                when not bounded then '_U' end as value,
            case when n > 1 and bounded and not known then {_plain("low")} end as lower_bound,
            case when n > 1 and bounded and not known then {_plain("high")} end as upper_bound,
            case when n = 1 then {_kept_kind(table)} when known then
                case when total = 0 then 'TRUE_ZERO' else 'VALUE' end
                when bounded then 'WITHHELD_AT_SOURCE' end as cell_kind
        from summed join sent on sent._n = summed._first
        order by _row, _pivot
        """
    ).to_arrow_table()
    return added


#: Variables that the addition fills itself.
_NUMBERS = ("value", "lower_bound", "upper_bound", "cell_kind")


def _plain(column: str) -> str:
    """A whole number without decimals."""
    return f"regexp_replace({column}::varchar, '[.]0+$', '')"


def _kept_kind(table: pa.Table) -> str:
    return "sent.cell_kind" if "cell_kind" in table.column_names else "null"


# ── numbers as they are written ───────────────────────────────────────────────────────────────


def plain_numbers(
    con: duckdb.DuckDBPyConnection, record: RecordLayout, columns: Iterable[str]
) -> None:
    """Rewrite well-formed numbers such as ``46,000`` without signs between the thousands.

    Args:
        con: holds the table ``body``, which is changed.
        record: the layout of the table, which says how its numbers are written.
        columns: the columns of numbers.
    """
    if record.numbers is None:
        return
    thousands, decimal = record.numbers.thousands, record.numbers.decimal
    between = f"([{thousands}]\\d{{3}})+" if thousands else ""
    whole = f"\\d{{1,3}}{between}|\\d+" if between else "\\d+"
    pattern = f"^\\s*[-+]?({whole})([{decimal}]\\d+)?\\s*$"
    for column in columns:
        name = name_sql(column)
        plain = (
            f"replace(trim({name}), {text_sql(thousands)}, '')" if thousands else f"trim({name})"
        )
        if decimal != ".":
            plain = f"replace({plain}, {text_sql(decimal)}, '.')"
        con.execute(
            f"update body set {name} = {plain} where regexp_matches({name}, {text_sql(pattern)})"
        )
