"""From text to typed records: one table per record type in the engine, without a loop over rows.

Every distinct value of a column is looked at once and stands in a map (as sent, value, state,
rule that it breaks). The columns as sent are dictionaries of their distinct values, so that what
the map says of a value is found by its place in the dictionary, without a join; few distinct
values stay a byte or two each as an enumeration, in memory and in the landing. Table
names: ``src_<record type>`` as sent, ``map_<record type>_<variable>``, ``rec_<record type>`` typed.
In ``rec_*`` a variable has beside it ``<name>__sent``, ``<name>_state`` and ``<name>__why``, the
rule that the value breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders import keyed
from loaders.alphabet import mixes_alphabets
from loaders.coding import (
    ABSENT,
    BLANK,
    INVALID,
    NEAREST_LIMIT,
    Coded,
    Coder,
    list_coder,
    missing_coder,
    names_coder,
)
from loaders.returned import RecordTable
from loaders.tables import combined, integers, row_numbers, small_numbers, text_array
from loaders.written import cleaned_sql, date_map_sql, number_map_sql, plain_values
from tipstat.contract import RecordType, Variable
from tipstat.rules import all_rules

#: State of a typed value for each missing code (STATISTICS section 3).
STATES = {
    "_U": "not_known",
    "_X": "not_stated",
    "_N": "not_collected",
    "_Z": "not_applicable",
}
_DATES = ("date", "birth_date")
_NUMBERS = ("integer", "decimal")
TYPED = (*_DATES, *_NUMBERS)
KEYED = ("reference", "identifier")
#: Default of a variable that takes the item of the metadata sheet of its own name.
OF_RETURN = "return"
#: Types whose values never stand in a finding (STATISTICS section 6).
HIDDEN = (*KEYED, "birth_date", "label")

#: Types of which each distinct value is looked at, and stands in a dictionary.
_DICTIONARY = ("code", "entity", *TYPED)
#: The variable whose code names the list of another one: its codes are asked for value by value.
_NAMES_LIST = "breakdown"
#: The variable whose values say of what kind their cell is.
_CELL_VALUE = ("cell", "value")
#: A column of more distinct values than this stays text.
_ENUM_LIMIT = 5_000
#: Types of numbers in SQL; dates are dates.
_SQL_TYPES = {"integer": "bigint", "decimal": "decimal(18,2)"}
_ARROW_TYPES: dict[str, Any] = {
    "integer": pa.int64(),
    "decimal": pa.decimal128(18, 2),
    **dict.fromkeys(_DATES, pa.date32()),
}
#: What is trimmed: blank, tab, ends of line and the no-break space that spreadsheets leave.
_BLANKS = " \t\r\n\u00a0"

#: Signs that statistical tables use for a number that is not there, and the kind of cell they
#: mean here. A dash is a zero to some offices and a gap to others, so it is taken as a gap.
CELL_SIGNS = {
    ":": "NOT_STATED",
    "..": "NOT_STATED",
    "...": "NOT_STATED",
    "…": "NOT_STATED",
    "-": "NOT_STATED",
    "–": "NOT_STATED",
    "—": "NOT_STATED",
    ".": "NOT_APPLICABLE",
    "x": "NOT_APPLICABLE",
    "c": "WITHHELD_AT_SOURCE",
    "*": "WITHHELD_AT_SOURCE",
}
_CELL_KINDS = {
    "_U": "NOT_KNOWN",
    "_X": "NOT_STATED",
    "_N": "NOT_COLLECTED",
    "_Z": "NOT_APPLICABLE",
}


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


@dataclass
class Typing:
    """What typing a return needs and what it leaves behind.

    Attributes:
        kind: kind of return.
        language: language of the return.
        value_maps: the maps of the layout.
        entities: ids of the registered entities.
        sender: sender of the return, where it is registered.
        area: reference area, whose national law the articles belong to.
        office: the office's own ``correspondences`` folder.
        mapping: one row per variable, value as sent, code and map entry, with its count.
        nearest: (record type, variable, value as sent) -> nearest accepted value.
        expected: (record type, variable) -> what the list accepts.
        date_order: ``dmy`` or ``mdy`` where the layout says it.
        decimal_sign: ``,`` or ``.`` where the layout says it.
        date_1904: whether bare numbers are days counted from 1904.
        noted: rule, record type, variable, message, count and first row of what concerns a
            column as a whole, such as dates whose order the others of the column told.
        staged: record type -> ``src_*``, the table as sent with what the maps say beside it.
        meanings: (record type, variable) -> what the map says (``val``, ``why``, ``state``) and the
            value as ``sent``, for each place in the column's dictionary and last for a blank.
        coded: (record type, variable) -> value as sent -> code and rule broken, until they are
            put beside the column.
        plain: (record type, variable) -> the values of a column whose distinct values are all
            written plainly, in their order, until they are put beside the column.
    """

    kind: str
    language: str
    value_maps: Mapping[str, Mapping[str, str]]
    entities: tuple[str, ...]
    sender: str | None = None
    area: str | None = None
    office: Path | None = None
    mapping: dict[tuple[str, str, str, str, str], int] = field(default_factory=dict)
    nearest: dict[tuple[str, str, str], str] = field(default_factory=dict)
    expected: dict[tuple[str, str], str] = field(default_factory=dict)
    date_order: str = ""
    decimal_sign: str = ""
    date_1904: bool = False
    noted: list[tuple[str, str, str, str, int, int]] = field(default_factory=list)
    staged: dict[str, pa.Table] = field(default_factory=dict)
    meanings: dict[tuple[str, str], dict[str, list[Any]]] = field(default_factory=dict)
    coded: dict[tuple[str, str], dict[str, tuple[str | None, str | None]]] = field(
        default_factory=dict
    )
    plain: dict[tuple[str, str], pa.Array[Any]] = field(default_factory=dict)

    def layout_map(self, variable: Variable) -> dict[str, str]:
        """The layout's map for a variable: that of its list, and over it its own."""
        by_list = self.value_maps.get(variable.code_list, {})
        return {**by_list, **self.value_maps.get(variable.name, {})}


# ── as sent ───────────────────────────────────────────────────────────────────────────────────


def stage(
    con: duckdb.DuckDBPyConnection, typing: Typing, table: RecordTable, record_type: RecordType
) -> list[str]:
    """Make ``src_<record type>``: the variables of the contract that were sent, numbered.

    Returns:
        The variables that were sent, in the order of the contract.
    """
    sent = table.table
    if "breakdown_code" in sent.column_names and "breakdown" not in sent.column_names:
        # Its codes are looked up in the list that the breakdown names, here none.
        sent = sent.append_column("breakdown", pa.nulls(sent.num_rows, pa.string()))
    present = [v.name for v in record_type.variables if v.name in sent.column_names]
    own_letter = ["_letter"] if "_letter" in sent.column_names else []
    picked = sent.select([*present, "_sheet", "_row", "_pivot", *own_letter])
    picked = _encode(
        picked, [name for name in present if record_type.variable(name).type in _DICTIONARY]
    )
    numbered = picked.append_column("_i", row_numbers(np.arange(picked.num_rows)))
    con.register("src_" + record_type.name, numbered)
    typing.staged[record_type.name] = numbered
    return present


def _encode(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Columns as dictionaries of their distinct values, on all cores."""
    with ThreadPoolExecutor() as cores:
        made = cores.map(lambda name: table[name].dictionary_encode(), names)
        encoded = dict(zip(names, made, strict=True))
    columns = [encoded.get(name, table[name]) for name in table.column_names]
    return pa.Table.from_arrays(columns, names=table.column_names)


def lookup(
    con: duckdb.DuckDBPyConnection,
    name: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str | None]],
) -> None:
    """Make a small table of texts."""
    arrays = {
        column: text_array([row[position] for row in rows])
        for position, column in enumerate(columns)
    }
    con.register("lookup_rows", pa.Table.from_arrays(list(arrays.values()), names=list(arrays)))
    con.execute(f"create or replace temp table {quoted(name)} as select * from lookup_rows")
    con.unregister("lookup_rows")


# ── maps of distinct values ───────────────────────────────────────────────────────────────────


def make_maps(
    con: duckdb.DuckDBPyConnection, typing: Typing, record_type: RecordType, present: list[str]
) -> None:
    """Make the map of every column sent that has one, and put it beside the values."""
    makers: dict[str, Callable[..., None]] = {
        "code": _code_map,
        "entity": _entity_map,
        "reference": _reference_map,
        "identifier": _reference_map,
        "issuer": _reference_map,
        **dict.fromkeys(_DATES, _date_map),
        **dict.fromkeys(_NUMBERS, _number_map),
    }
    for name in present:
        variable = record_type.variable(name)
        asks = variable.type in makers and not _is_blank(typing, variable)
        if asks and not _is_plain(typing, variable):
            makers[variable.type](con, typing, variable)
        if _by_dictionary(variable):
            _put_beside(con, typing, variable)
    con.execute(";".join(_declared(typing, record_type)))
    con.register("src_" + record_type.name, typing.staged[record_type.name])


def _declared(typing: Typing, record_type: RecordType) -> Iterator[str]:
    """Statements that make the enumerations of the columns, and the meanings as lists of them."""
    for variable in record_type.variables:
        said = typing.meanings.get((record_type.name, variable.name), {})
        if not said:
            continue
        if sent := _sent(typing, variable):
            yield f"create type {_kind_name(variable, 'sent')} as {_enumeration(sent)}"
        if codes := _codes(typing, variable):
            yield f"create type {_kind_name(variable, 'val')} as {_enumeration(codes)}"
        lists = ", ".join(_list_sql(typing, variable, column) for column in said)
        yield f"set variable {_kind_name(variable, 'meanings')} = {{{lists}}}"


def _list_sql(typing: Typing, variable: Variable, column: str) -> str:
    """What the map says of each place in the dictionary of a column, as a field of a struct."""
    default = _default_of(typing, variable, column)
    said = typing.meanings[variable.record_type, variable.name][column]
    items = ", ".join(_literal_of(default if one is None else one) for one in said)
    return f"{column}: cast([{items}] as {_kind_of(typing, variable, column)}[])"


def _kind_name(variable: Variable, column: str) -> str:
    """Name of the enumeration of a column, or of what is said of its values."""
    return f"{variable.record_type}__{variable.name}__{column}"


def _encoded(table: pa.Table, column: str) -> list[pa.DictionaryArray[Any, Any]]:
    """The pieces of a dictionary column, which share one dictionary."""
    return cast("list[pa.DictionaryArray[Any, Any]]", table.column(column).chunks)


def _by_dictionary(variable: Variable) -> bool:
    """Whether a value alone says what it means; within a breakdown it does not."""
    return variable.type in _DICTIONARY and variable.code_list != "@breakdown"


def _by_place(variable: Variable) -> bool:
    """Whether what its values mean is needed by their place in the dictionary only."""
    by_name = variable.name == _NAMES_LIST or (variable.record_type, variable.name) == _CELL_VALUE
    return _by_dictionary(variable) and not by_name


def _is_blank(typing: Typing, variable: Variable) -> bool:
    """Whether a column holds nothing whose meaning would have to be found."""
    return _by_place(variable) and not len(_dictionary(typing, variable))


def _is_plain(typing: Typing, variable: Variable) -> bool:
    """Whether every value of a column is written plainly; what they mean is kept."""
    written = {"integer": "integer", **dict.fromkeys(_DATES, "date")}.get(variable.type)
    values = plain_values(_dictionary(typing, variable), written) if written else None
    if values is None:
        return False
    typing.plain[variable.record_type, variable.name] = values
    return True


def _dictionary(typing: Typing, variable: Variable) -> pa.Array[Any]:
    """The distinct values of a column as sent."""
    return _encoded(typing.staged[variable.record_type], variable.name)[0].dictionary


def _put_beside(con: duckdb.DuckDBPyConnection, typing: Typing, variable: Variable) -> None:
    """Say what the map says of each value by its place in the dictionary of the column.

    Of few distinct values the meanings are lists and the column gets the place of each value
    beside it, ``<name>__i``; of many they stand beside the values themselves: ``<name>__val``.
    """
    table = typing.staged[variable.record_type]
    chunks = _encoded(table, variable.name)
    words = chunks[0].dictionary
    said = _said(con, typing, variable, words)
    several = variable.record_type != "metadata" and variable.name != _NAMES_LIST
    # Nothing that may identify a person stands in the text of a statement.
    if several and variable.type not in HIDDEN and len(words) <= _ENUM_LIMIT:
        typing.meanings[variable.record_type, variable.name] = {
            **{column: [*meant.to_pylist(), None] for column, meant in said.items()},
            "sent": [*words.to_pylist(), None],
        }
        places = pa.chunked_array([_places(chunk, len(words)) for chunk in chunks])
        table = table.append_column(f"{variable.name}__i", places)
    else:
        for column, meaning in said.items():
            meant = [pa.DictionaryArray.from_arrays(chunk.indices, meaning) for chunk in chunks]
            table = table.append_column(f"{variable.name}__{column}", pa.chunked_array(meant))
    typing.staged[variable.record_type] = table


def _said(
    con: duckdb.DuckDBPyConnection, typing: Typing, variable: Variable, words: pa.Array[Any]
) -> dict[str, pa.Array[Any]]:
    """What the map of a column says of each of its distinct values, in their order."""
    plain = typing.plain.pop((variable.record_type, variable.name), None)
    if plain is not None:
        states = text_array(["value"] * len(plain))
        return {"val": plain, "why": pa.nulls(len(plain), pa.string()), "state": states}
    columns = ("val", "why", "state") if variable.type in TYPED else ("val", "why")
    coded = typing.coded.pop((variable.record_type, variable.name), None)
    if coded is not None:
        texts = cast("list[str]", words.to_pylist())
        found = [coded.get(text, (None, None)) for text in texts]
        return {name: text_array([one[n] for one in found]) for n, name in enumerate(columns)}
    if not len(words):
        blank = {name: pa.nulls(0, pa.string()) for name in columns}
        return {**blank, "val": pa.nulls(0, _ARROW_TYPES.get(variable.type, pa.string()))}
    table = con.table(_map_name(variable)).to_arrow_table()
    order = pc.index_in(words, value_set=combined(table.column("sent")))
    return {name: combined(table.column(name)).take(order) for name in columns}


def _places(column: pa.DictionaryArray[Any, Any], blank: int) -> pa.Array[Any]:
    """Place of each value in its dictionary, counted from 1; blanks stand behind the last one."""
    places = column.indices
    if column.null_count:
        places = pc.coalesce(places, row_numbers(np.array([blank]))[0])
    return small_numbers(integers(places) + 1)


def _map_name(variable: Variable) -> str:
    return f"map_{variable.record_type}_{variable.name}"


def _source(variable: Variable) -> str:
    return quoted("src_" + variable.record_type)


def _distinct(
    con: duckdb.DuckDBPyConnection, typing: Typing, variable: Variable
) -> list[tuple[str, str, int]]:
    """(breakdown or '', value as sent, count), commonest first."""
    if _by_dictionary(variable):
        return _counted(typing, variable)
    column = quoted(variable.name)
    breakdown = f'left join "map_{variable.record_type}_breakdown" b on b.sent = s.breakdown'
    return con.execute(
        f"select coalesce(b.val, '_T'), s.{column}, count(*) from {_source(variable)} s "
        f"{breakdown} where s.{column} is not null group by all order by 3 desc, 1, 2"
    ).fetchall()


def _counted(typing: Typing, variable: Variable) -> list[tuple[str, str, int]]:
    """The values of a dictionary column, each counted by its place in the dictionary."""
    words = cast("list[str]", _dictionary(typing, variable).to_pylist())
    counts = np.zeros(len(words), dtype=np.int64)
    for chunk in _encoded(typing.staged[variable.record_type], variable.name):
        filled = integers(pc.drop_null(chunk.indices))
        counts += np.bincount(filled, minlength=len(words))
    pairs = zip(words, counts.tolist(), strict=True)
    return [("", word, n) for word, n in sorted(pairs, key=lambda pair: (-pair[1], pair[0]))]


def _save_map(
    con: duckdb.DuckDBPyConnection,
    typing: Typing,
    variable: Variable,
    rows: Sequence[tuple[str, str, str | None, str | None]],
) -> None:
    """Keep what each value means: (breakdown or '', value as sent, meaning, broken rule)."""
    if _by_place(variable):
        coded = {sent: (val, why) for _, sent, val, why in rows}
        typing.coded[variable.record_type, variable.name] = coded
    else:
        lookup(con, _map_name(variable), ("within", "sent", "val", "why"), rows)


def _coders(typing: Typing, variable: Variable) -> Callable[[str], Coder | None]:
    """The coder for each ``within``; ``None`` where a breakdown's code has no breakdown."""
    aggregate = typing.kind == "aggregate" and variable.record_type != "metadata"
    layout = typing.layout_map(variable)
    if variable.code_list == "@breakdown":
        made: dict[str, Coder] = {}

        def by_breakdown(within: str) -> Coder | None:
            if within.startswith("_"):
                return None
            if within not in made:
                by_list = {**typing.value_maps.get(within, {}), **layout}
                made[within] = list_coder(within, typing.language, by_list, aggregate=True)
            return made[within]

        return by_breakdown
    name = variable.code_list
    if name == "national_offence":
        name = f"offence_{typing.area or ''}"
    coder = list_coder(name, typing.language, layout, aggregate=aggregate, office=typing.office)
    typing.expected[(variable.record_type, variable.name)] = coder.expected
    return lambda _within: coder


def _code_map(con: duckdb.DuckDBPyConnection, typing: Typing, variable: Variable) -> None:
    coder_of = _coders(typing, variable)
    rule_id = "TIP-203" if variable.code_list == "national_offence" else "TIP-201"
    rows: list[tuple[str, str, str | None, str | None]] = []
    for within, sent, n in _distinct(con, typing, variable):
        coder = coder_of(within)
        if not sent.strip():
            rows.append((within, sent, None, None))
            continue
        if coder is None:
            total = sent.strip() == "_T"
            rows.append((within, sent, "_T" if total else INVALID, None if total else "TIP-204"))
            continue
        coded = coder.cell(sent, multi=variable.multi)
        rows.append((within, sent, coded.code, None if coded.valid else rule_id))
        for part, code, entry in coded.parts:
            _count(typing, variable, (coder.list_name, part, code, entry or "unmapped"), n)
        if not coded.valid:
            _note_nearest(typing, variable, sent, coder, coded)
    _save_map(con, typing, variable, rows)


def _entity_map(con: duckdb.DuckDBPyConnection, typing: Typing, variable: Variable) -> None:
    coder = names_coder("registered entities", typing.entities)
    rule_id = "TIP-511" if variable.record_type == "metadata" else "TIP-510"
    rows: list[tuple[str, str, str | None, str | None]] = []
    for within, sent, n in _distinct(con, typing, variable):
        if not sent.strip():
            rows.append((within, sent, None, None))
            continue
        coded = coder.cell(sent)
        rows.append(
            (within, sent, coded.code, None) if coded.valid else (within, sent, None, rule_id)
        )
        entry = "code" if coded.valid else "unmapped"
        _count(typing, variable, ("reporting_entity", sent, coded.code, entry), n)
        if not coded.valid:
            _note_nearest(typing, variable, sent, coder, coded)
    _save_map(con, typing, variable, rows)


def _count(typing: Typing, variable: Variable, entry: tuple[str, str, str, str], n: int) -> None:
    """Count a decision: (list, value as sent, code, map entry)."""
    if variable.record_type == "metadata":
        return
    key = (variable.name, *entry)
    typing.mapping[key] = typing.mapping.get(key, 0) + n


def _note_nearest(
    typing: Typing, variable: Variable, sent: str, coder: Coder, coded: Coded
) -> None:
    """Look for the nearest accepted value, for the commonest bad values of a column only."""
    noted = sum(
        1
        for kind, name, _ in typing.nearest
        if (kind, name) == (variable.record_type, variable.name)
    )
    if noted < NEAREST_LIMIT:
        typing.nearest[(variable.record_type, variable.name, sent)] = coder.nearest(coded)


def _reference_map(con: duckdb.DuckDBPyConnection, typing: Typing, variable: Variable) -> None:
    """Only values beyond ASCII: the engine has no NFKC, and for ASCII it changes nothing."""
    column = quoted(variable.name)
    sent = con.execute(
        f"select distinct {column} from {_source(variable)} where not {keyed.is_ascii_sql(column)}"
    ).fetchall()
    _save_map(con, typing, variable, [("", text, keyed.normalised(text), None) for (text,) in sent])
    mixed = [text for (text,) in sent if mixes_alphabets(text)]
    if mixed:
        count, row = con.execute(
            f"select count(*), min(_row) from {_source(variable)} where list_contains(?, {column})",
            [mixed],
        ).fetchall()[0]
        message = "letters of several alphabets, which look alike"
        typing.noted.append(("TIP-168", variable.record_type, variable.name, message, count, row))


def _date_map(con: duckdb.DuckDBPyConnection, typing: Typing, variable: Variable) -> None:
    """ISO dates, and others where the layout or the column tells day and month apart."""
    query = date_map_sql(_distinct_texts(variable), typing.date_order, typing.date_1904)
    con.execute(f"create temp table {quoted(_map_name(variable))} as {query}")
    _note_resolved(con, typing, variable, "TIP-160", {"dmy": "day, month", "mdy": "month, day"})
    if variable.type not in HIDDEN:
        serials = con.execute(
            f"select sent, serial from {quoted(_map_name(variable))} where why = 'TIP-161' "
            f"order by sent limit {NEAREST_LIMIT}"
        ).fetchall()
        for sent, day in serials:
            typing.nearest[(variable.record_type, variable.name, sent)] = day.isoformat()
    _missing_words(con, typing, variable)


def _distinct_texts(variable: Variable) -> str:
    """Distinct values as sent, and as they are compared."""
    column = quoted(variable.name)
    return (
        f"select sent, {cleaned_sql('sent')} as text from ("
        f"select distinct {column} as sent from {_source(variable)} where {column} is not null)"
    )


def _note_resolved(
    con: duckdb.DuckDBPyConnection,
    typing: Typing,
    variable: Variable,
    rule_id: str,
    words: Mapping[str, str],
) -> None:
    """Note how many records hold a value whose reading the rest of its column told."""
    found = con.execute(
        f"select m.told, count(*), min(s._row) from {quoted(_map_name(variable))} m join "
        f"{_source(variable)} s on s.{quoted(variable.name)} = m.sent where m.resolved "
        "group by all order by 2 desc"
    ).fetchall()
    for told, count, row in found:
        message = f"read {words.get(told or '', 'as plain numbers')}"
        typing.noted.append((rule_id, variable.record_type, variable.name, message, count, row))


def _number_map(con: duckdb.DuckDBPyConnection, typing: Typing, variable: Variable) -> None:
    accepted, landed = {
        "integer": (r"[+-]?\d{1,18}(\.0+)?", "bigint"),
        "decimal": (r"[+-]?\d{1,15}(\.\d{1,2}0*)?", "decimal(18,2)"),
    }[variable.type]
    query = number_map_sql(
        _distinct_texts(variable),
        typing.decimal_sign,
        whole=variable.type == "integer",
        accepted=accepted,
        landed=landed,
    )
    con.execute(f"create temp table {quoted(_map_name(variable))} as {query}")
    _note_resolved(
        con, typing, variable, "TIP-162", {",": "with a decimal comma", ".": "with a decimal point"}
    )
    _missing_words(con, typing, variable)
    if variable.record_type == "cell" and variable.name == "value":
        _cell_signs(con, typing, variable)


def _missing_words(con: duckdb.DuckDBPyConnection, typing: Typing, variable: Variable) -> None:
    """What is no date or number may say why there is none."""
    wrong = con.execute(
        f"select m.sent, count(*) from {quoted(_map_name(variable))} m join {_source(variable)} s "
        f"on s.{quoted(variable.name)} = m.sent where m.state = 'invalid' group by all"
    ).fetchall()
    coder = missing_coder(typing.language, typing.layout_map(variable))
    for text, n in wrong:
        accepted = coder.one(text)
        if accepted is None:
            continue
        con.execute(
            f"update {quoted(_map_name(variable))} set state = ?, why = null where sent = ?",
            [STATES[accepted.code], text],
        )
        if variable.type != "birth_date":
            _count(typing, variable, ("missing", text, accepted.code, accepted.entry), n)


def _cell_signs(con: duckdb.DuckDBPyConnection, typing: Typing, variable: Variable) -> None:
    """Signs, words and intervals that stand in a cell in place of a number."""
    name = quoted(_map_name(variable))
    con.execute(
        f"alter table {name} add column kind varchar; alter table {name} add column low bigint; "
        f"alter table {name} add column high bigint"
    )
    states = ", ".join(f"({literal(s)}, {literal(_CELL_KINDS[c])})" for c, s in STATES.items())
    con.execute(
        f"update {name} set kind = k.kind from (values {states}) k(state, kind) "
        f"where {name}.state = k.state"
    )
    signs = ", ".join(f"({literal(s)}, {literal(kind)})" for s, kind in CELL_SIGNS.items())
    con.execute(
        f"update {name} set kind = k.kind, why = null, state = case k.kind "
        f"when 'NOT_APPLICABLE' then 'not_applicable' else 'not_stated' end "
        f"from (values {signs}) k(sign, kind) where lower(text) = k.sign and state = 'invalid'"
    )
    below, between = r"(<|<=|≤)\s*(\d{1,9})", r"(\d{1,9})\s*[-–]\s*(\d{1,9})"
    con.execute(
        f"update {name} set kind = 'WITHHELD_AT_SOURCE', state = 'not_stated', why = null, low = 0,"
        f" high = regexp_extract(text, '{below}', 2)::bigint - (text not like '<=%' and text not "
        f"like '≤%')::integer where state = 'invalid' and regexp_full_match(text, '{below}')"
    )
    con.execute(
        f"update {name} set kind = 'WITHHELD_AT_SOURCE', state = 'not_stated', why = null,"
        f" low = regexp_extract(text, '{between}', 1)::bigint,"
        f" high = regexp_extract(text, '{between}', 2)::bigint "
        f"where state = 'invalid' and regexp_full_match(text, '{between}')"
    )
    mapped = con.execute(
        f"select m.sent, m.kind, count(*) from {name} m join {_source(variable)} s "
        "on s.value = m.sent where m.kind is not null group by all"
    ).fetchall()
    for sent, kind, n in mapped:
        _count(typing, variable, ("cell_kind", sent, kind, "code"), n)


# ── typed records ─────────────────────────────────────────────────────────────────────────────


def parsed_sql(typing: Typing, record_type: RecordType, present: list[str]) -> str:
    """The query that joins the records as sent to their maps and applies the defaults."""
    joins, columns = [], ["s._i", "s._sheet", "s._row", "s._pivot"]
    for variable in record_type.variables:
        sent = variable.name in present
        if sent and variable.type not in ("label", "submission") and not _by_dictionary(variable):
            joins.append(_join(variable))
        columns += [f"{sql} as {quoted(name)}" for name, sql in _columns(typing, variable, sent)]
    table = quoted("src_" + record_type.name)
    query = f"select {', '.join(columns)} from {table} s {' '.join(joins)}"
    query = _without_placeholders(query, record_type, present)
    for variable in record_type.variables:
        if variable.default_value in {v.name for v in record_type.variables}:
            query = _copied(query, variable)
    return _cell_kind(query, present) if record_type.name == "cell" else query


def _alias(variable: Variable) -> str:
    return quoted("k_" + variable.name)


def _meant(typing: Typing, variable: Variable, column: str) -> str:
    """What the map says of the value of a record, its ``val``, ``state`` or ``why``, as SQL.

    ``sent`` is the value itself.
    """
    if (variable.record_type, variable.name) in typing.meanings:
        place = f"s.{quoted(f'{variable.name}__i')}"
        return f"getvariable('{_kind_name(variable, 'meanings')}').{column}[{place}]"
    if column == "sent":
        return f"s.{quoted(variable.name)}"
    default = _default_of(typing, variable, column)
    said = f"{_alias(variable)}.{column}"
    if _by_dictionary(variable):
        said = f"s.{quoted(f'{variable.name}__{column}')}"
    return said if default is None else f"coalesce({said}, {literal(default)})"


def _default_of(typing: Typing, variable: Variable, column: str) -> str | None:
    """What stands where the map says nothing, in a column that was sent."""
    if column == "state":
        return "not_stated"
    if column == "val" and variable.type == "code":
        return _default_code(variable, typing.area) or BLANK
    return None


def _literal_of(value: object) -> str:
    return "null" if value is None else literal(str(value))


def _kind_of(typing: Typing, variable: Variable, column: str) -> str:
    """The type of what the map says: enumerations, but for dates, numbers and entities."""
    if column in ("why", "state"):
        return {"why": "rule_id", "state": "value_state"}[column]
    if column == "val" and variable.type in TYPED:
        return _SQL_TYPES.get(variable.type, "date")
    known = _codes(typing, variable) if column == "val" else _sent(typing, variable)
    return _kind_name(variable, column) if known else "varchar"


def _join(variable: Variable) -> str:
    alias, column = _alias(variable), f"s.{quoted(variable.name)}"
    on = f"{alias}.sent = {column}"
    if variable.code_list == "@breakdown":
        on += f" and {alias}.within = coalesce(s.breakdown__val, '_T')"
    return f"left join {quoted(_map_name(variable))} {alias} on {on}"


def _columns(typing: Typing, variable: Variable, sent: bool) -> list[tuple[str, str]]:
    """Name and SQL of the columns that a variable has in ``rec_*``."""
    if variable.type == "code":
        return _code_columns(typing, variable, sent)
    if variable.type == "entity":
        return _entity_columns(typing, variable, sent)
    if variable.type in TYPED:
        return _typed_columns(typing, variable, sent)
    if variable.type in (*KEYED, "issuer"):
        return _keyed_columns(variable, sent)
    column = quoted(variable.name)
    value = f"nullif(trim(s.{column}, '{_BLANKS}'), '')" if sent else "cast(null as varchar)"
    default = literal(variable.default_value) if variable.default_value else "null"
    return [(variable.name, f"coalesce({value}, {default})")]


def _code_columns(typing: Typing, variable: Variable, sent: bool) -> list[tuple[str, str]]:
    name = variable.name
    default = _default_code(variable, typing.area) or (BLANK if sent else ABSENT)
    if not sent:
        empty = "cast(null as varchar)"
        return [(name, literal(default)), (f"{name}__sent", empty), (f"{name}__why", empty)]
    return [
        (name, _meant(typing, variable, "val")),
        (f"{name}__sent", _meant(typing, variable, "sent")),
        (f"{name}__why", _meant(typing, variable, "why")),
    ]


def _default_code(variable: Variable, area: str | None) -> str:
    """The code where none was sent; ``return`` is the reference area of the return."""
    return area or "" if variable.default_value == OF_RETURN else variable.default_value


def _entity_columns(typing: Typing, variable: Variable, sent: bool) -> list[tuple[str, str]]:
    name = variable.name
    sender = literal(typing.sender) if typing.sender else "cast(null as varchar)"
    default = sender if variable.default_value == "sender" else "cast(null as varchar)"
    if not sent:
        empty = "cast(null as varchar)"
        return [(name, default), (f"{name}__sent", empty), (f"{name}__why", empty)]
    value, why = _meant(typing, variable, "val"), _meant(typing, variable, "why")
    return [
        (name, f"coalesce({value}, case when {why} is null then {default} end)"),
        (f"{name}__sent", _meant(typing, variable, "sent")),
        (f"{name}__why", why),
    ]


def _typed_columns(typing: Typing, variable: Variable, sent: bool) -> list[tuple[str, str]]:
    name = variable.name
    if not sent:
        kind = _SQL_TYPES.get(variable.type, "date")
        value, state = f"cast(null as {kind})", "'not_collected'"
        why = as_sent = "cast(null as varchar)"
    else:
        value, why = _meant(typing, variable, "val"), _meant(typing, variable, "why")
        state, as_sent = _meant(typing, variable, "state"), _meant(typing, variable, "sent")
    columns = [(name, value), (f"{name}_state", state), (f"{name}__why", why)]
    if variable.type not in HIDDEN:
        columns.append((f"{name}__sent", as_sent))
    return columns


def _keyed_columns(variable: Variable, sent: bool) -> list[tuple[str, str]]:
    """Normalised; values beyond ASCII come from the map."""
    name, alias, as_sent = variable.name, _alias(variable), f"s.{quoted(variable.name)}"
    if not sent:
        return [(name, "cast(null as varchar)")]
    value = (
        f"nullif(case when {keyed.is_ascii_sql(as_sent)} then {keyed.normalised_sql(as_sent)} "
        f"else {alias}.val end, '')"
    )
    return [(name, value)]


def _without_placeholders(query: str, record_type: RecordType, present: Sequence[str]) -> str:
    """A placeholder breaks a key, and is left out of a link (STATISTICS section 2)."""
    whys, replaced = [], []
    for variable in record_type.variables:
        if variable.type not in KEYED:
            continue
        name, why = quoted(variable.name), quoted(f"{variable.name}__why")
        if variable.name not in present:
            whys.append(f"cast(null as varchar) as {why}")
            continue
        placeholder = keyed.placeholder_sql(f"q.{name}")
        rule_id = "TIP-402" if variable.is_key else "TIP-411"
        whys.append(f"case when {placeholder} then '{rule_id}' end as {why}")
        if not variable.is_key:
            replaced.append(f"case when not {placeholder} then q.{name} end as {name}")
    if not whys:
        return query
    kept = f" replace ({', '.join(replaced)})" if replaced else ""
    return f"select q.*{kept}, {', '.join(whys)} from ({query}) q"


def _copied(query: str, variable: Variable) -> str:
    """A blank value taken from another variable of the record."""
    name, other = quoted(variable.name), quoted(variable.default_value)
    return f"select * replace (coalesce({name}, upper({other})) as {name}) from ({query})"


def _cell_kind(query: str, present: list[str]) -> str:
    """The kind of cell where none was sent, and the interval behind ``<5`` (STATISTICS 3)."""
    if "value" not in present:
        return query
    bounds = ", ".join(
        f"case when {bound}_state in ('not_stated', 'not_collected') and k.{column} is not null "
        f"then k.{column} else {bound} end as {bound}, "
        f"case when {bound}_state in ('not_stated', 'not_collected') and k.{column} is not null "
        f"then 'value' else {bound}_state end as {bound}_state"
        for bound, column in (("lower_bound", "low"), ("upper_bound", "high"))
    )
    return f"""
        select c.* replace (
            case
                when c.cell_kind not in ('_X', '_N') then c.cell_kind
                when k.kind is not null then k.kind
                when c.value = 0 then 'TRUE_ZERO'
                when c.value is not null then 'VALUE'
                when c.value_state = 'not_stated' then 'NOT_STATED'
                else '_I'
            end as cell_kind, {bounds}
        )
        from ({query}) c left join "map_cell_value" k on k.sent = c.value__sent
    """


def checked_sql(
    query: str, record_type: RecordType, bad: Mapping[str, list[tuple[str, str]]]
) -> str:
    """The typed query with values that break an ``error-value`` rule made invalid.

    Args:
        query: of :func:`parsed_sql`.
        bad: variable -> rule id and SQL that is true for a bad value.
    """
    replaced = []
    for name, conditions in bad.items():
        variable = record_type.variable(name)
        column, why = quoted(name), quoted(f"{name}__why")
        broken = " or ".join(f"coalesce({sql}, false)" for _, sql in conditions)
        invalid = literal(INVALID) if variable.type == "code" else "null"
        replaced.append(f"case when {broken} then {invalid} else t.{column} end as {column}")
        if variable.type in TYPED:
            state = quoted(f"{name}_state")
            replaced.append(f"case when {broken} then 'invalid' else t.{state} end as {state}")
        whens = " ".join(f"when {sql} then {literal(rule_id)}" for rule_id, sql in conditions)
        replaced.append(f"case when t.{why} is not null then t.{why} {whens} end as {why}")
    if replaced:
        query = f"select t.* replace ({', '.join(replaced)}) from ({query}) t"
    if "birth_date" in {v.name for v in record_type.variables}:
        query = _aged(query)
    if record_type.name == "cell":
        query = _kind_of_invalid(query)
    return query


def _aged(query: str) -> str:
    """Completed years at registration; taken as the age where no age was sent (STATISTICS 6)."""
    fills = "age is null and age_state in ('not_stated', 'not_collected') and birth_age is not null"
    return f"""
        select * replace (
            case when {fills} then birth_age else age end as age,
            case when {fills} then 'value' else age_state end as age_state
        )
        from (
            select *, case
                when datesub('year', birth_date, registration_date) between 0 and 120
                then datesub('year', birth_date, registration_date)
            end as birth_age
            from ({query})
        )
    """


def _kind_of_invalid(query: str) -> str:
    """A cell whose number became invalid is no value, unless its sender said what it is."""
    return (
        "select * replace (case when value_state = 'invalid' and cell_kind__sent is null "
        f"then '{INVALID}' else cell_kind end as cell_kind) from ({query})"
    )


# ── few values, few bytes ─────────────────────────────────────────────────────────────────────


def narrowed_sql(query: str, typing: Typing, record_type: RecordType, present: list[str]) -> str:
    """The checked query with columns of few distinct values as enumerations.

    A code takes a byte or two instead of a text, is compared and joined as the text it stands for,
    and is written to Parquet as the dictionary that it is.
    """
    kinds: dict[str, str] = {}
    for variable in record_type.variables:
        if variable.type in _DICTIONARY:
            kinds |= _few_values(typing, variable, variable.name in present)
    replaced = ", ".join(f"cast({quoted(n)} as {kind}) as {quoted(n)}" for n, kind in kinds.items())
    return f"select * replace ({replaced}) from ({query})" if replaced else query


def make_types(con: duckdb.DuckDBPyConnection) -> None:
    """Make the enumerations that every ``<name>__why`` and ``<name>_state`` is."""
    states = _enumeration(("value", *STATES.values(), "invalid"))
    con.execute(f"create type rule_id as {_enumeration(all_rules())}")
    con.execute(f"create type value_state as {states}")


def _sent(typing: Typing, variable: Variable) -> list[str]:
    """The distinct values of a column as sent."""
    return typing.meanings[variable.record_type, variable.name]["sent"][:-1]


def _enumeration(values: Iterable[str]) -> str:
    return f"enum({', '.join(literal(value) for value in values)})"


def _few_values(typing: Typing, variable: Variable, sent: bool) -> dict[str, str]:
    """The columns of a variable in ``rec_*`` that are enumerated, and what they can hold."""
    name, kinds = variable.name, {f"{variable.name}__why": "rule_id"}
    if variable.type in TYPED:
        kinds[f"{name}_state"] = "value_state"
    if sent and _codes(typing, variable):
        kinds[name] = _kind_name(variable, "val")
    return kinds


def _codes(typing: Typing, variable: Variable) -> list[str]:
    """The codes that a column can hold; none where they are not known."""
    said = typing.meanings.get((variable.record_type, variable.name))
    # A kind of cell is also told by its value.
    if variable.type != "code" or said is None or variable.name == "cell_kind":
        return []
    default = [_default_code(variable, typing.area)] if variable.default_value else []
    codes = {code for code in said["val"] if code is not None}
    return sorted({*codes, *default, BLANK, ABSENT, INVALID})
