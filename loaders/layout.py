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
from loaders.layout_cells import (
    COUNTED,
    DIMENSION,
    count_rows,
    default_sql,
    dimension_findings,
    expand_groups,
    group_sql,
    merge_cells,
    plain_numbers,
)
from loaders.layout_controls import control_findings, coverage_findings
from loaders.layout_file import layout_paths, load_layout
from loaders.layout_findings import layout_finding
from loaders.layout_keys import nearest, tidy
from loaders.layout_model import (
    Condition,
    Joined,
    Layout,
    Long,
    Period,
    Place,
    Recode,
    RecordLayout,
    Rows,
    Wide,
)
from loaders.layout_rows import (
    NAME,
    NUMBER,
    field_name_findings,
    hide_missing,
    numbered_rows,
    refuse_other_content,
    repeat_findings,
    spread,
)
from loaders.layout_sql import Body, condition_sql, in_memory, name_sql, one_row, text_sql
from loaders.layout_totals import identity_findings, total_findings
from loaders.returned import OWN_LETTER, RecordTable, Returned
from loaders.source import Sheet, Source, column_letter, family_of
from loaders.tables import integers, rows_numbered
from tipstat.contract import Variable
from tipstat.errors import ReturnRefused
from tipstat.rules import refuse, rule

__all__ = ["Layout", "apply_layout", "fits", "layout_paths", "load_layout", "takes"]

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
    sheets = _placed(layout, source)
    merged = {**layout.metadata, **(metadata or {})}
    laid = [
        _lay_out(source, sheets[id(record)], record, layout, merged) for record in layout.records
    ]
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
        date_order=layout.date_order,
        decimal_sign=layout.decimal_sign,
        findings=tuple(findings),
        sums=tuple(one for record in layout.records for one in record.sums),
    )


def fits(layout: Layout, source: Source) -> bool:
    """Whether a layout is made for a file: its format, sheets and columns."""
    try:
        _placed(layout, source)
    except ReturnRefused:
        return False
    return True


def takes(layout: Layout, source: Source) -> bool:
    """Whether one of several files of a layout is this one, by its columns."""
    return source.format == layout.format and any(
        _has_columns(sheet, columns) for columns in layout.files.values() for sheet in source.sheets
    )


def _placed(layout: Layout, source: Source) -> dict[int, Sheet]:
    """The sheet of each record of the layout, by the record's ``id``; refused where it is none."""
    if family_of(source.format) != family_of(layout.format):
        raise _unfit(source, f"a file of format {source.format}", f"format {layout.format}")
    _refuse_other_files(layout, source)
    sheets = {id(record): _sheet(source, record.place) for record in layout.records}
    for record in layout.records:
        sheet = sheets[id(record)]
        together = [other for other in layout.records if sheets[id(other)] is sheet]
        _check_columns(source, sheet, record, together)
    return sheets


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
    """Column name in the table -> header; columns that are blank below and above are left out.

    A column without a header is named by its letter: ``column A``.
    """
    # A row stands never behind its number.
    rows = sheet.table.column("_row").slice(0, place.header_row).to_pylist()
    if place.header_row not in rows:
        found = f"{sheet.name} with {sheet.table.num_rows:,} rows"
        raise _unfit(source, found, f"a header in row {place.header_row}")
    index = rows.index(place.header_row)
    texts = heading(sheet.table, place.header_row, place.header_rows)
    headers = {}
    for name, text in texts.items():
        below = sheet.table.column(name).slice(index)
        if text or below.null_count < len(below):
            headers[name] = text or _unnamed(name)
    return headers


def heading(table: pa.Table, header_row: int, header_rows: int = 1) -> dict[str, str]:
    """Column of the table -> its header, from the rows of the heading.

    Args:
        table: of a sheet.
        header_row: last row of the heading.
        header_rows: rows that it takes. The text of an upper row stands over all columns to its
            right until the next one, as merged cells do; a column without a text in the last row
            keeps its own alone.
    """
    # A row stands never behind its number.
    lines = {line["_row"]: line for line in table.slice(0, header_row).to_pylist()}
    upper = [lines[row] for row in range(header_row - header_rows + 1, header_row) if row in lines]
    last = lines.get(header_row, {})
    headers: dict[str, str] = {}
    over = [""] * len(upper)
    for name in (column for column in table.column_names if column != "_row"):
        own = [tidy(line[name] or "") for line in upper]
        over = [text or before for text, before in zip(own, over, strict=True)]
        bottom = tidy(last.get(name) or "")
        headers[name] = " ".join(text for text in ([*over, bottom] if bottom else own) if text)
    return headers


def _unnamed(name: str) -> str:
    """The name of a column without a header."""
    return f"column {column_letter(int(name[1:]))}"


def _check_columns(
    source: Source, sheet: Sheet, record: RecordLayout, together: list[RecordLayout]
) -> None:
    """Refuse a sheet with doubled, missing or unknown columns, and list all of them."""
    headers = _headers(source, sheet, record.place)
    where = f"{source.path.name} › {sheet.name}"
    present = list(headers.values())
    doubled = sorted({header for header in present if present.count(header) > 1})
    if doubled:
        raise refuse("TIP-129", ReturnRefused, where=where, found=", ".join(doubled))
    wanted = set(record.used_columns)
    named = {column for other in together for column in (*other.used_columns, *other.ignore)}
    unnamed = {_unnamed(name) for name in headers}
    unknown = [
        f"{header} without a header" if header in unnamed else header
        for header in present
        if header not in named
    ]
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


def _lay_out(
    source: Source,
    sheet: Sheet,
    record: RecordLayout,
    layout: Layout,
    metadata: Mapping[str, str],
) -> _Laid:
    """One record table, from the rows below the header to the footer."""
    headers = _headers(source, sheet, record.place)
    letters = {header: column_letter(int(name[1:])) for name, header in headers.items()}
    with in_memory() as con:
        con.register("sheet", sheet.table)
        body = _body(con, sheet, record, headers, letters)
        refuse_other_content(con, source.path.name, body, record)
        _refuse_rows(con, source, sheet, record)
        findings = [*field_name_findings(sheet, body, record), *numbered_rows(con, body, headers)]
        findings += _prepared(con, body, record)
        findings += _shaped(con, body, record)
        table = _records(con, body, record, metadata)
        if record.reads_rows_as_they_stand:
            table = _with_columns_as_sent(table, sheet, record, headers)
        if record.merge:
            maps = _value_maps(layout, metadata)
            table, added = merge_cells(table, con, body, record, (layout.language, maps, None))
            findings += added
    laid = RecordTable(record.record_type.name, table, _letters_of(record, letters))
    return _Laid(laid, findings, sheet.name, record.place.header_row, body.last_row)


def _prepared(con: duckdb.DuckDBPyConnection, body: Body, record: RecordLayout) -> list[Finding]:
    """Everything that looks at rows as they were sent, until the last of them is left out."""
    findings = repeat_findings(con, body, record.repeats)
    plain_numbers(con, record, _number_columns(record))
    findings += _remarks(con, body, record)
    findings += hide_missing(con, body, record)
    findings += identity_findings(con, body, record)
    findings += total_findings(con, body, record)
    return findings + _skip_rows(con, body, record)


def _shaped(con: duckdb.DuckDBPyConnection, body: Body, record: RecordLayout) -> list[Finding]:
    """Everything that tells cells apart, and the controls of what will be loaded."""
    findings = dimension_findings(con, body, record)
    if record.long is not None:
        findings += _long_variables(con, body, record.long)
    findings += _mark_states(con, body, record)
    findings += _other_periods(con, body, record)
    if record.coverage is not None:
        findings += coverage_findings(con, body, record.coverage)
    findings += control_findings(con, body, record)
    if record.wide is not None:
        spread(con, body, record.wide)
    if record.groups:
        expand_groups(con, body, record.groups)
    if record.count:
        findings += count_rows(con, body, record)
    return findings


def _number_columns(record: RecordLayout) -> tuple[str, ...]:
    """The columns of the file that hold numbers."""
    numeric = {v.name for v in record.record_type.variables if v.type in ("integer", "decimal")}
    return (
        *((record.long.value,) if record.long else ()),
        *(record.wide.columns if record.wide else ()),
        *(column for column, variable in record.columns.items() if variable in numeric),
    )


def _remarks(con: duckdb.DuckDBPyConnection, body: Body, record: RecordLayout) -> list[Finding]:
    """What is known to be wrong in a file, with the rows that show it, were they none."""
    findings = []
    for rows in record.remarks:
        count, first = _rows_meeting(con, rows)
        message = f"{count:,} rows: {rows.reason}"
        column = rows.where[0].column
        findings.append(
            layout_finding("TIP-673", body, message, row=first or None, column=column, count=count)
        )
    return findings


def _body(
    con: duckdb.DuckDBPyConnection,
    sheet: Sheet,
    record: RecordLayout,
    headers: Mapping[str, str],
    letters: dict[str, str],
) -> Body:
    """Make the table ``body``: named columns, blank rows, heading and footer left out.

    Where nothing of it will be changed, it is a view of the sheet and no second copy.
    """
    columns = {header: name for name, header in headers.items()}
    picked = ", ".join(f"{name} as {name_sql(header)}" for header, name in columns.items())
    # What stands in a column without a header, such as a running number, makes no record alone.
    filled = [name for header, name in columns.items() if header != _unnamed(name)]
    none_blank = any(not sheet.table.column(name).null_count for name in filled)
    blank = "" if none_blank else " and ".join(f"{name} is null" for name in filled)
    kind = "view" if record.reads_rows_as_they_stand else "table"
    con.execute(
        f"create temp {kind} body as select {picked}, _row from sheet "
        f"where _row >= {record.place.first_row} and not ({blank or 'false'})"
    )
    if record.place.footer:
        foot = condition_sql(record.place.footer)
        con.execute(
            "delete from body where _row >= (select coalesce(min(_row), 2147483647) from body "
            f"where {foot})"
        )
    rows = sheet.table.column("_row")
    if kind == "view" and len(rows):
        last_row = rows[-1].as_py()
    else:
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
        first_row=record.place.first_row,
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
    if record.reads_rows_as_they_stand:
        return []
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


def _other_periods(
    con: duckdb.DuckDBPyConnection, body: Body, record: RecordLayout
) -> list[Finding]:
    """Say which rows are taken as standing for their whole year, or for a part of it."""
    findings = []
    for partial in record.period.partial if record.period else ():
        count, first = _rows_meeting(con, partial.rows)
        if count:
            days = f"{partial.first} to {partial.last}"
            message = f"{count:,} rows cover {days} of their year: {partial.rows.reason}"
            findings.append(layout_finding("TIP-674", body, message, row=first, count=count))
    for rows in record.period.whole_year if record.period else ():
        count, first = _rows_meeting(con, rows)
        if count:
            message = f"{count:,} rows are taken as figures of the whole year: {rows.reason}"
            findings.append(layout_finding("TIP-134", body, message, row=first, count=count))
    return findings


def _records(
    con: duckdb.DuckDBPyConnection, body: Body, record: RecordLayout, metadata: Mapping[str, str]
) -> pa.Table:
    """Select the records with the variables of the contract, in its order."""
    order = "_row, _place" if record.groups else "_row"
    sources = {
        **{variable: name_sql(column) for column, variable in record.columns.items()},
        **_dimension_columns(record),
        **group_sql(record.groups),
        **{variable: _joined_sql(j, metadata) for variable, j in record.joined.items()},
        **{variable: _recode_sql(recode) for variable, recode in record.recode.items()},
        **{variable: _number_sql(columns, order) for variable, columns in record.numbered.items()},
        **{variable: text_sql(text) for variable, text in record.constants.items()},
        **_period_sql(record),
    }
    if record.long is not None:
        sources |= _long_sql(record, record.long)
    if record.wide is not None:
        sources |= _wide_sql(record, record.wide, sources)
    if record.count:
        sources |= _counted_sql(record, sources, metadata)
    sources |= {name: _separated(sources[name], sign) for name, sign in record.separators.items()}
    as_sent = _columns_as_sent(record)
    names = [variable.name for variable in record.record_type.variables]
    picked = "".join(
        f"{sources[name]} as {name}, " for name in names if name in sources and name not in as_sent
    )
    keep = "true"
    if record.long is not None:
        cells = ", ".join(text_sql(name) for name in record.long.variables) or "''"
        keep = f"{name_sql(body.variable)} in ({cells})"
    # The cells of a wide row are told apart by their place, and each has its own letter.
    several = record.wide or record.groups
    place, letter = ("_place", ", _letter") if several else ("_place" if record.count else "0", "")
    # Rows that are read as they stand are in their order already.
    sort = "" if record.reads_rows_as_they_stand else " order by _row, _pivot"
    laid: pa.Table = con.sql(
        f"select {picked}{text_sql(body.sheet)} as _sheet, _row::integer as _row, "
        f"{place}::integer as _pivot{letter} from body where {keep}{sort}"
    ).to_arrow_table()
    return laid


def _columns_as_sent(record: RecordLayout) -> dict[str, str]:
    """Variable -> header of a column that becomes it just as it stands in the sheet."""
    made = {*record.joined, *record.recode, *record.constants, *record.separators}
    if not record.reads_rows_as_they_stand:
        return {}
    return {v: column for column, v in record.columns.items() if v not in made}


def _with_columns_as_sent(
    table: pa.Table, sheet: Sheet, record: RecordLayout, headers: Mapping[str, str]
) -> pa.Table:
    """The records with the columns of the sheet that become variables as they stand, not copied."""
    as_sent = _columns_as_sent(record)
    rows = rows_numbered(sheet.table, integers(table.column("_row")))
    names = {header: name for name, header in headers.items()}
    found = {variable: rows.column(names[header]) for variable, header in as_sent.items()}
    made = {name: table.column(name) for name in table.column_names}
    order = [v.name for v in record.record_type.variables if v.name in {*found, *made}]
    columns = {**made, **found}
    order += [name for name in made if name.startswith("_")]
    return pa.Table.from_arrays([columns[name] for name in order], names=order)


def _dimension_columns(record: RecordLayout) -> dict[str, str]:
    """Variables that the text of a column stands for, or the kind of a counted cell."""
    cells = [cell for texts in record.dimensions.values() for cell in texts.values()]
    cells += [cell.dimensions for count in record.count for cell in count.cells]
    names = dict.fromkeys(name for cell in cells for name in cell)
    defaults = {v.name: default_sql(v) for v in record.record_type.variables}
    return {name: f"coalesce({name_sql(DIMENSION + name)}, {defaults[name]})" for name in names}


def _counted_sql(
    record: RecordLayout, sources: Mapping[str, str], metadata: Mapping[str, str]
) -> dict[str, str]:
    """The number of rows, and the period of the return where all years stand together."""
    sql = {"value": COUNTED, "cell_kind": "'VALUE'"}
    if record.period is not None:
        year = name_sql(record.period.year)
        for name in ("period_start", "period_end"):
            whole = text_sql(metadata.get(name, ""))
            sql[name] = f"case when {year} is null then {whole} else {sources[name]} end"
    return sql


def _separated(sql: str, sign: str) -> str:
    """Several values of one cell with the separator that the door knows."""
    if not sign.strip():
        return rf"regexp_replace(trim({sql}), '\s+', ';', 'g')"
    return f"replace({sql}, {text_sql(sign)}, ';')"


def _joined_sql(joined: Joined, metadata: Mapping[str, str]) -> str:
    parts = ", ".join(f"nullif(trim({name_sql(column)}), '')" for column in joined.columns)
    together = f"nullif(concat_ws({text_sql(joined.separator)}, {parts}), '')"
    if not joined.with_period:
        return together
    period = f"{metadata.get('period_start', '')}/{metadata.get('period_end', '')}/"
    return f"{text_sql(period)} || {together}"


def _recode_sql(recode: Recode) -> str:
    """The code of the first pattern that matches; a text that matches none stays as sent."""
    sent = f"nullif(trim({name_sql(recode.column)}), '')"
    cases = " ".join(
        f"when regexp_matches({sent}, {text_sql(pattern)}) then {text_sql(code)}"
        for pattern, code in recode.cases
    )
    return f"case {cases} else {sent} end"


def _number_sql(columns: Iterable[str], order: str) -> str:
    """The running number of a row among those that are alike in the columns."""
    listed = ", ".join(name_sql(column) for column in columns)
    return f"(row_number() over (partition by {listed} order by {order}))::varchar"


def _period_sql(record: RecordLayout) -> dict[str, str]:
    """First and last day from year and month; text that is neither stays as sent."""
    period = record.period
    if period is None:
        return {}
    year_sent = name_sql(period.year)
    year = f"try_cast({year_sent} as integer)"
    plain = f"{year} between 1900 and 2200"
    whole_year = [f"when {plain} then", f"{year} || '-01-01'", f"{year} || '-12-31'"]
    partial = [
        [f"when {plain} and {condition_sql(one.rows.where)} then",
         f"{year} || '-{one.first}'", f"{year} || '-{one.last}'"]
        for one in period.partial
    ]  # fmt: skip
    if period.starts:
        return _period_cases([*partial, *_fiscal_years(period, year_sent, year)], year_sent)
    if not period.month:
        return _period_cases([*partial, whole_year, _span_of_years(year_sent)], year_sent)
    month_sent = name_sql(period.month)
    month = f"try_cast({month_sent} as integer)"
    first = f"make_date({year}, {month}, 1)"
    dated = f"{plain} and {month} between 1 and 12"
    cases = partial + [
        [f"when {plain} and {condition_sql(rows.where)} then", *whole_year[1:]]
        for rows in period.whole_year
    ]
    cases.append([f"when {dated} then", f"{first}::varchar", f"last_day({first})::varchar"])
    return _period_cases(cases, f"nullif(concat_ws('-', {year_sent}, {month_sent}), '')")


def _fiscal_years(period: Period, sent: str, year: str) -> list[list[str]]:
    """Years that start on another day: ``2019``, ``2019-20`` and ``2019/2020`` are one year."""
    first = rf"try_cast(regexp_extract({sent}, '^\s*(\d{{4}})', 1) as integer)"
    shaped = rf"regexp_matches({sent}, '^\s*\d{{4}}(\s*[-/–]\s*(\d{{2}}|\d{{4}}))?\s*$')"
    ends = rf"try_cast(right(regexp_extract({sent}, '(\d+)\s*$', 1), 2) as integer)"
    follows = f"({year} is not null or {ends} = ({first} + 1) % 100)"
    start = f"make_date({first}, {int(period.starts[:2])}, {int(period.starts[3:])})"
    end = f"({start} + interval 1 year - interval 1 day)::date"
    return [
        [f"when {shaped} and {first} between 1900 and 2200 and {follows} then",
         f"{start}::varchar", f"{end}::varchar"]
    ]  # fmt: skip


def _span_of_years(sent: str) -> list[str]:
    """Several whole years: ``2005-2013``."""
    span = r"^\s*(\d{4})\s*[-/–]\s*(\d{4})\s*$"
    first = f"regexp_extract({sent}, '{span}', 1)"
    last = f"regexp_extract({sent}, '{span}', 2)"
    return [
        f"when regexp_matches({sent}, '{span}') and {first} < {last} then",
        f"{first} || '-01-01'",
        f"{last} || '-12-31'",
    ]


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
    return sql | _month_sql(record, wide)


def _month_sql(record: RecordLayout, wide: Wide) -> dict[str, str]:
    """First and last day of columns that are months of the row's year."""
    if not wide.months or record.period is None:
        return {}
    year = f"try_cast({name_sql(record.period.year)} as integer)"
    cases = " ".join(f"when {text_sql(name)} then {month}" for name, month in wide.months.items())
    first = f"make_date({year}, case {NAME} {cases} end, 1)"
    whole = _period_sql(record)
    named = ", ".join(text_sql(name) for name in wide.months)
    known = f"{NAME} in ({named}) and {year} between 1900 and 2200"
    return {
        "period_start": f"case when {known} then {first}::varchar else {whole['period_start']} end",
        "period_end": f"case when {known} then last_day({first})::varchar "
        f"else {whole['period_end']} end",
    }


def _dimension_sql(long: Long, dimension: Variable, column: str) -> str:
    cases = " ".join(
        f"when {text_sql(name)} then {text_sql(cell[dimension.name])}"
        for name, cell in long.variables.items()
        if dimension.name in cell
    )
    return f"case {column} {cases} else {default_sql(dimension)} end"


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
    for column, texts in record.dimensions.items():
        named |= {name: column for cell in texts.values() for name in cell}
    found = {variable: letters[column] for variable, column in named.items()}
    for group in record.groups:
        found |= dict.fromkeys((*group.columns.values(), *group.constants), OWN_LETTER)
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
