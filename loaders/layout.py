"""Apply a layout to a file: find tables and columns, and lay the records out by the contract.

All work on rows is done in DuckDB, in memory only; what a person wrote in the file reaches SQL
as quoted text and never as code.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from loaders.findings import Finding
from loaders.layout_controls import control_findings, coverage_findings
from loaders.layout_file import layout_paths, load_layout
from loaders.layout_findings import layout_finding
from loaders.layout_keys import nearest, tidy
from loaders.layout_model import (
    Condition,
    Layout,
    Long,
    Place,
    Recode,
    RecordLayout,
    Rows,
    Wide,
)
from loaders.layout_rows import (
    NAME,
    NUMBER,
    hide_missing,
    refuse_other_content,
    repeat_findings,
    spread,
)
from loaders.layout_sql import Body, condition_sql, in_memory, name_sql, one_row, text_sql
from loaders.layout_totals import identity_findings, total_findings
from loaders.returned import OWN_LETTER, RecordTable, Returned
from loaders.source import Sheet, Source, column_letter
from tipstat.contract import Variable
from tipstat.errors import ReturnRefused
from tipstat.rules import refuse, rule

__all__ = ["Layout", "apply_layout", "layout_paths", "load_layout"]

#: Unknown variables of a long file that are named one by one.
NAMED = 50

#: Rows among which the header of one of several files is looked for.
HEAD = 20


@dataclass(frozen=True)
class _Laid:
    """One record table laid out, what it showed, and the rows of the sheet that it covers."""

    record: RecordTable
    findings: list[Finding]
    sheet: str
    first_row: int
    last_row: int


def apply_layout(
    layout: Layout, source: Source, metadata: Mapping[str, str] | None = None
) -> Returned:
    """Lay a file out as its layout says.

    Args:
        layout: a validated layout.
        source: the file as read.
        metadata: values of the caller that go before the layout's constants.

    Returns:
        Records as text, value maps for the period of the return, and the findings of structure,
        states, coverage and controls.

    Raises:
        ReturnRefused: the layout does not fit: another format, sheet or header, missing, doubled
            or unknown columns, or rows that the layout refuses.
    """
    if source.format != layout.format:
        raise _unfit(source, f"a file of format {source.format}", f"format {layout.format}")
    _refuse_other_files(layout, source)
    merged = {**layout.metadata, **(metadata or {})}
    sheets = {id(record): _sheet(source, record.place) for record in layout.records}
    for record in layout.records:
        sheet = sheets[id(record)]
        together = [other for other in layout.records if sheets[id(other)] is sheet]
        _check_columns(source, sheet, record, together)
    laid = [_lay_out(source, sheets[id(record)], record) for record in layout.records]
    findings = [
        *(note for note in source.notes if _concerns(note, laid)),
        *_validity(layout, merged),
        *(finding for one in laid for finding in one.findings),
    ]
    return Returned(
        kind=layout.kind,
        language=layout.language,
        metadata=merged,
        metadata_cells={},
        tables=tuple(one.record for one in laid),
        layout_id=layout.id,
        layout_sha256=layout.sha256,
        value_maps=_value_maps(layout, merged),
        findings=tuple(findings),
    )


def _unfit(source: Source, found: str, expected: str, close: str = "") -> ReturnRefused:
    where = source.path.name
    return refuse(
        "TIP-126", ReturnRefused, where=where, found=found, expected=expected, nearest=close
    )


def _refuse_other_files(layout: Layout, source: Source) -> None:
    """Each file of the layout is there once, and no other file is."""
    if not layout.files:
        return
    told, left = [], list(source.sheets)
    for name, columns in layout.files.items():
        fitting = [sheet for sheet in source.sheets if _has_columns(sheet, columns)]
        left = [sheet for sheet in left if sheet not in fitting]
        if len(fitting) != 1:
            told.append(f"{len(fitting)} files with the columns of {name} ({', '.join(columns)})")
    told += [f"another file, {sheet.name}" for sheet in left]
    if told:
        expected = f"one file each of {', '.join(layout.files)}"
        raise refuse(
            "TIP-135",
            ReturnRefused,
            where=source.path.name,
            found="; ".join(told),
            expected=expected,
        )


def _has_columns(sheet: Sheet, columns: tuple[str, ...]) -> bool:
    """Whether some row at the head of the sheet holds all these column names."""
    names = [name for name in sheet.table.column_names if name != "_row"]
    for row in sheet.table.slice(0, HEAD).select(names).to_pylist():
        if set(columns) <= {tidy(text) for text in row.values() if text}:
            return True
    return False


def _sheet(source: Source, place: Place) -> Sheet:
    """The sheet that a place names, or the only visible one."""
    if place.file:
        return next(sheet for sheet in source.sheets if _has_columns(sheet, place.file))
    names = {sheet.name: sheet for sheet in source.sheets}
    if place.sheet:
        if place.sheet in names:
            return names[place.sheet]
        close = nearest(place.sheet, names)
        raise _unfit(source, f"sheets {', '.join(names)}", f"a sheet {place.sheet}", close)
    candidates = [sheet for sheet in source.sheets if not sheet.hidden]
    if place.sheet_pattern:
        pattern = re.compile(place.sheet_pattern)
        candidates = [sheet for sheet in source.sheets if pattern.search(sheet.name)]
    if len(candidates) == 1:
        return candidates[0]
    expected = f"one sheet like {place.sheet_pattern}" if place.sheet_pattern else "one sheet"
    raise _unfit(source, f"{len(candidates)} of {', '.join(names)}", expected)


def _headers(source: Source, sheet: Sheet, place: Place) -> dict[str, str]:
    """Column name in the table -> header; columns that are blank below and above are left out."""
    rows = sheet.table.column("_row").to_pylist()
    if place.header_row not in rows:
        found = f"{sheet.name} with {len(rows):,} rows"
        raise _unfit(source, found, f"a header in row {place.header_row}")
    index = rows.index(place.header_row)
    columns = [name for name in sheet.table.column_names if name != "_row"]
    headers = {}
    for name in columns:
        below = sheet.table.column(name).slice(index)
        if below.null_count < len(below):
            headers[name] = tidy(below[0].as_py() or "")
    return headers


def _check_columns(
    source: Source, sheet: Sheet, record: RecordLayout, together: list[RecordLayout]
) -> None:
    """Refuse a sheet with doubled, missing or unknown columns, and list all of them."""
    headers = _headers(source, sheet, record.place)
    where = f"{source.path.name} › {sheet.name}"
    present = [header for header in headers.values() if header]
    doubled = sorted({header for header in present if present.count(header) > 1})
    if doubled:
        raise refuse("TIP-129", ReturnRefused, where=where, found=", ".join(doubled))
    wanted = set(record.used_columns)
    named = {column for other in together for column in (*other.used_columns, *other.ignore)}
    blank = [f"column {column_letter(int(n[1:]))} without a header" for n in headers
             if not headers[n]]  # fmt: skip
    unknown = [*(header for header in present if header not in named), *blank]
    missing = sorted(wanted - set(present))
    if missing:
        raise refuse(
            "TIP-127",
            ReturnRefused,
            where=where,
            found=f"no column {', '.join(missing)}",
            nearest=_pairs(missing, unknown),
        )
    if unknown:
        raise refuse(
            "TIP-128",
            ReturnRefused,
            where=where,
            found=", ".join(unknown),
            nearest=_pairs(unknown, named),
        )


def _pairs(names: Iterable[str], among: Iterable[str]) -> str:
    """``name → nearest`` for every name that has a like."""
    options = list(among)
    pairs = [(name, nearest(name, options)) for name in names]
    return "; ".join(f"{name} → {close}" for name, close in pairs if close)


def _lay_out(source: Source, sheet: Sheet, record: RecordLayout) -> _Laid:
    """One record table, from the rows below the header to the footer."""
    headers = _headers(source, sheet, record.place)
    letters = {header: column_letter(int(name[1:])) for name, header in headers.items() if header}
    with in_memory() as con:
        con.register("sheet", sheet.table)
        body = _body(con, sheet, record, headers, letters)
        refuse_other_content(con, source.path.name, body, record)
        _refuse_rows(con, source, sheet, record)
        findings = repeat_findings(con, body, record.repeats)
        findings += hide_missing(con, body, record)
        findings += identity_findings(con, body, record)
        findings += total_findings(con, body, record)
        findings += _skip_rows(con, body, record)
        if record.long is not None:
            findings += _long_variables(con, body, record.long)
        findings += _mark_states(con, body, record)
        findings += _whole_years(con, body, record)
        if record.coverage is not None:
            findings += coverage_findings(con, body, record.coverage)
        findings += control_findings(con, body, record)
        if record.wide is not None:
            spread(con, body, record.wide)
        table = _records(con, body, record)
    laid = RecordTable(record.record_type.name, table, _letters_of(record, letters))
    return _Laid(laid, findings, sheet.name, record.place.header_row, body.last_row)


def _body(
    con: duckdb.DuckDBPyConnection,
    sheet: Sheet,
    record: RecordLayout,
    headers: Mapping[str, str],
    letters: dict[str, str],
) -> Body:
    """Make the table ``body``: named columns, blank rows, heading and footer left out."""
    columns = {header: name for name, header in headers.items() if header}
    picked = ", ".join(f"{name} as {name_sql(header)}" for header, name in columns.items())
    blank = " and ".join(f"{name} is null" for name in columns.values())
    con.execute(
        f"create temp table body as select {picked}, _row from sheet "
        f"where _row >= {record.place.first_row} and not ({blank})"
    )
    if record.place.footer:
        foot = condition_sql(record.place.footer)
        con.execute(
            "delete from body where _row >= (select coalesce(min(_row), 2147483647) from body "
            f"where {foot})"
        )
    (last_row,) = one_row(con, "select coalesce(max(_row), 0) from body")
    variable = record.long.variable if record.long else ""
    value = record.long.value if record.long else ""
    return Body(
        sheet=sheet.name,
        record_type=record.record_type.name,
        letters=letters,
        variable=variable,
        value=value,
        last_row=last_row,
    )


def _rows_meeting(con: duckdb.DuckDBPyConnection, rows: Rows) -> tuple[int, int]:
    """How many rows meet the conditions, and the first of them."""
    where = condition_sql(rows.where)
    count, first = one_row(con, f"select count(*), min(_row) from body where {where}")
    return count, first or 0


def _refuse_rows(
    con: duckdb.DuckDBPyConnection, source: Source, sheet: Sheet, record: RecordLayout
) -> None:
    for rows in record.refuse:
        count, first = _rows_meeting(con, rows)
        if count:
            raise refuse(
                "TIP-130",
                ReturnRefused,
                where=f"{source.path.name} › {sheet.name} › row {first}",
                found=f"{count:,} rows: {rows.reason}",
            )


def _skip_rows(con: duckdb.DuckDBPyConnection, body: Body, record: RecordLayout) -> list[Finding]:
    """Leave out the rows that the layout names, and say how many and why."""
    findings = []
    for rows in record.skip:
        count, first = _rows_meeting(con, rows)
        if count:
            con.execute(f"delete from body where {condition_sql(rows.where)}")
            message = f"{count:,} rows left out: {rows.reason}"
            findings.append(layout_finding("TIP-131", body, message, row=first, count=count))
    return findings


def _long_variables(con: duckdb.DuckDBPyConnection, body: Body, long: Long) -> list[Finding]:
    """Name the variables of a long file that the layout does not know.

    Their rows are no records: without dimensions such a number would pass for the total.
    """
    known = ", ".join(text_sql(name) for name in long.names)
    column = name_sql(body.variable)
    unknown = con.execute(
        f"select coalesce({column}, ''), count(*), min(_row) from body "
        f"where {column} is null or {column} not in ({known}) group by 1 order by 3"
    ).fetchall()
    findings = [
        layout_finding(
            "TIP-132",
            body,
            f"{count:,} rows of the variable {name or '(blank)'}",
            row=first,
            column=body.variable,
            value=name,
            close=nearest(name, long.names),
            count=count,
        )
        for name, count, first in unknown[:NAMED]
    ]
    if unknown[NAMED:]:
        rest = sum(count for _, count, _ in unknown[NAMED:])
        message = f"{len(unknown) - NAMED:,} more unknown variables"
        findings.append(layout_finding("TIP-132", body, message, count=rest))
    totals = ", ".join(text_sql(name) for name in long.controls)
    if totals:
        (number,) = one_row(con, f"select count(*) from body where {column} in ({totals})")
        message = f"{number:,} rows of {len(long.controls)} totals are only compared"
        findings.append(layout_finding("TIP-131", body, message, count=number))
    return findings


def _mark_states(con: duckdb.DuckDBPyConnection, body: Body, record: RecordLayout) -> list[Finding]:
    """Add ``_state``: the kind of cell of values that stand for no number.

    The value itself is emptied, so that nobody can add it up.
    """
    con.execute("alter table body add column _state varchar")
    if record.long is None:
        return []
    findings = []
    value = name_sql(body.value)
    for state in record.states:
        conditions = [
            *state.where,
            Condition(body.value, values=state.values),
            *([Condition(body.variable, values=state.variables)] if state.variables else []),
        ]
        where = f"{condition_sql(conditions)} and _state is null"
        count, first = one_row(con, f"select count(*), min(_row) from body where {where}")
        if count:
            con.execute(
                f"update body set _state = {text_sql(state.cell_kind)}, {value} = null "
                f"where {where}"
            )
            message = f"{count:,} values are {state.cell_kind}: {state.reason}"
            findings.append(
                layout_finding("TIP-652", body, message, row=first, column=body.value, count=count)
            )
    return findings


def _whole_years(con: duckdb.DuckDBPyConnection, body: Body, record: RecordLayout) -> list[Finding]:
    """Say which rows are taken as standing for their whole year."""
    findings = []
    for rows in record.period.whole_year if record.period else ():
        count, first = _rows_meeting(con, rows)
        if count:
            message = f"{count:,} rows are taken as figures of the whole year: {rows.reason}"
            findings.append(layout_finding("TIP-134", body, message, row=first, count=count))
    return findings


def _records(con: duckdb.DuckDBPyConnection, body: Body, record: RecordLayout) -> pa.Table:
    """Select the records with the variables of the contract, in its order."""
    sources = {
        **{variable: name_sql(column) for column, variable in record.columns.items()},
        **{variable: _joined_sql(j.columns, j.separator) for variable, j in record.joined.items()},
        **{variable: _recode_sql(recode) for variable, recode in record.recode.items()},
        **{variable: _number_sql(columns) for variable, columns in record.numbered.items()},
        **{variable: text_sql(text) for variable, text in record.constants.items()},
        **_period_sql(record),
    }
    if record.long is not None:
        sources |= _long_sql(record, record.long)
    if record.wide is not None:
        sources |= _wide_sql(record, record.wide, sources)
    order = [variable.name for variable in record.record_type.variables]
    picked = "".join(f"{sources[name]} as {name}, " for name in order if name in sources)
    keep = "true"
    if record.long is not None:
        names = ", ".join(text_sql(name) for name in record.long.variables) or "''"
        keep = f"{name_sql(body.variable)} in ({names})"
    # The cells of a wide row are told apart by their place, and each has its own letter.
    place, letter = ("_place", ", _letter") if record.wide else ("0", "")
    laid: pa.Table = con.sql(
        f"select {picked}{text_sql(body.sheet)} as _sheet, _row::integer as _row, "
        f"{place}::integer as _pivot{letter} from body where {keep} order by _row, _pivot"
    ).to_arrow_table()
    return laid


def _joined_sql(columns: Iterable[str], separator: str) -> str:
    parts = ", ".join(f"nullif(trim({name_sql(column)}), '')" for column in columns)
    return f"nullif(concat_ws({text_sql(separator)}, {parts}), '')"


def _recode_sql(recode: Recode) -> str:
    """The code of the first pattern that matches; a text that matches none stays as sent."""
    sent = f"nullif(trim({name_sql(recode.column)}), '')"
    cases = " ".join(
        f"when regexp_matches({sent}, {text_sql(pattern)}) then {text_sql(code)}"
        for pattern, code in recode.cases
    )
    return f"case {cases} else {sent} end"


def _number_sql(columns: Iterable[str]) -> str:
    """The running number of a row among those that are alike in the columns."""
    listed = ", ".join(name_sql(column) for column in columns)
    return f"(row_number() over (partition by {listed} order by _row))::varchar"


def _period_sql(record: RecordLayout) -> dict[str, str]:
    """First and last day from year and month; text that is neither stays as sent."""
    period = record.period
    if period is None:
        return {}
    year_sent = name_sql(period.year)
    year = f"try_cast({year_sent} as integer)"
    plain = f"{year} between 1900 and 2200"
    whole_year = [f"when {plain} then", f"{year} || '-01-01'", f"{year} || '-12-31'"]
    if not period.month:
        return _period_cases([whole_year], year_sent)
    month_sent = name_sql(period.month)
    month = f"try_cast({month_sent} as integer)"
    first = f"make_date({year}, {month}, 1)"
    dated = f"{plain} and {month} between 1 and 12"
    cases = [
        [f"when {plain} and {condition_sql(rows.where)} then", *whole_year[1:]]
        for rows in period.whole_year
    ]
    cases.append([f"when {dated} then", f"{first}::varchar", f"last_day({first})::varchar"])
    return _period_cases(cases, f"nullif(concat_ws('-', {year_sent}, {month_sent}), '')")


def _period_cases(cases: list[list[str]], otherwise: str) -> dict[str, str]:
    return {
        name: f"case {' '.join(f'{case[0]} {case[place]}' for case in cases)} else {otherwise} end"
        for place, name in ((1, "period_start"), (2, "period_end"))
    }


def _long_sql(record: RecordLayout, long: Long) -> dict[str, str]:
    """Dimensions of the cell by its name, its value, and its kind where the value tells it."""
    dimensions = sorted({name for cell in long.variables.values() for name in cell})
    variable, value = name_sql(long.variable), name_sql(long.value)
    sql = {
        name: _dimension_sql(long, record.record_type.variable(name), variable)
        for name in dimensions
    }
    number = f"try_cast({value} as decimal(18,2))"
    kinds = f"when {number} = 0 then 'TRUE_ZERO' when {number} is not null then 'VALUE'"
    known = [v.name for v in record.record_type.variables]
    if "cell_kind" in known and "cell_kind" not in (*record.columns.values(), *record.constants):
        sql["cell_kind"] = f"case when _state is not null then _state {kinds} end"
    return {**sql, "value": value}


def _wide_sql(record: RecordLayout, wide: Wide, sources: Mapping[str, str]) -> dict[str, str]:
    """As of a long table; a stock stands on the first or the last day of the row's period."""
    sql = _long_sql(record, Long(NAME, NUMBER, wide.columns, {}))
    starts, ends = sources.get("period_start", "null"), sources.get("period_end", "null")
    for variable, day, other, at in (
        ("period_start", starts, ends, "end"),
        ("period_end", ends, starts, "start"),
    ):
        stocks = ", ".join(text_sql(name) for name, when in wide.census.items() if when == at)
        if stocks:
            sql[variable] = f"case when {NAME} in ({stocks}) then {other} else {day} end"
    return sql


def _dimension_sql(long: Long, dimension: Variable, column: str) -> str:
    cases = " ".join(
        f"when {text_sql(name)} then {text_sql(cell[dimension.name])}"
        for name, cell in long.variables.items()
        if dimension.name in cell
    )
    default = text_sql(dimension.default_value) if dimension.default_value else "null"
    return f"case {column} {cases} else {default} end"


def _letters_of(record: RecordLayout, letters: Mapping[str, str]) -> dict[str, str]:
    """Variable -> column letter of the cell that a finding should point at."""
    named = {variable: column for column, variable in record.columns.items()}
    named |= {variable: joined.columns[-1] for variable, joined in record.joined.items()}
    named |= {variable: recode.column for variable, recode in record.recode.items()}
    if record.period:
        named["period_start"] = record.period.year
        named["period_end"] = record.period.month or record.period.year
    if record.long:
        for cell in record.long.variables.values():
            named |= dict.fromkeys(cell, record.long.variable)
        named |= dict.fromkeys(("value", "cell_kind"), record.long.value)
    found = {variable: letters[column] for variable, column in named.items()}
    if record.wide:
        dimensions = {name for cell in record.wide.columns.values() for name in cell}
        found |= dict.fromkeys((*sorted(dimensions), "value", "cell_kind"), OWN_LETTER)
    return found


def _value_maps(layout: Layout, metadata: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The codes that stand on the last day of the return's period."""
    try:
        day = dt.date.fromisoformat(metadata.get("period_end", ""))
    except ValueError:
        day = dt.date.max
    return {
        key: {
            value: mapped.code
            for value, entries in values.items()
            for mapped in entries
            if (mapped.valid_from or dt.date.min) <= day <= (mapped.valid_to or dt.date.max)
        }
        for key, values in layout.values.items()
    }


def _validity(layout: Layout, metadata: Mapping[str, str]) -> list[Finding]:
    """A warning where the return's period goes beyond what the layout was written for."""
    first, last = metadata.get("period_start", ""), metadata.get("period_end", "")
    early = bool(first and layout.valid_from and first < layout.valid_from.isoformat())
    late = bool(last and layout.valid_to and last > layout.valid_to.isoformat())
    if not (early or late):
        return []
    expected = f"{layout.valid_from or '…'} to {layout.valid_to or '…'}"
    message = f"the return covers {first} to {last}"
    return [Finding("TIP-133", rule("TIP-133").severity, message, expected=expected)]


def _concerns(note: Finding, laid: Iterable[_Laid]) -> bool:
    """Whether a finding of reading lies in a table that the layout reads."""
    if note.row is None:
        return True
    return any(
        one.sheet == note.sheet and one.first_row <= note.row <= one.last_row for one in laid
    )
