"""The findings of a check in one table, with cell, expectation and nearest accepted value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb

from loaders.findings import FINDING_COLUMNS, SEVERITIES, Finding
from loaders.returned import OWN_LETTER, RecordTable
from loaders.typed import Typing, literal, lookup, quoted

#: Values are shown up to this length.
_SHOWN = 80
#: Rules for which the list of the variable says what was expected.
_BY_LIST = ("TIP-201",)


def collect(
    con: duckdb.DuckDBPyConnection,
    tables: Mapping[str, RecordTable],
    typing: Typing,
    noted: Iterable[Finding],
) -> None:
    """Make ``finding`` from ``hit`` and from what was noted outside the one query.

    Args:
        con: holds ``hit``, ``rule`` and ``src_*``.
        tables: record type -> records as sent, for the letters of the columns.
        typing: knows what the lists accept and the nearest values.
        noted: findings that concern no single record, or were made before the rules.
    """
    _make_lookups(con, tables, typing)
    rows = [(*(_text(getattr(f, name)) for name in FINDING_COLUMNS), str(f.count)) for f in noted]
    lookup(con, "noted", (*FINDING_COLUMNS, "n"), rows)
    parts = [_located(name, table) for name, table in tables.items()]
    parts.append('select * replace ("row"::integer as "row", n::bigint as n) from noted')
    ranks = " ".join(f"when '{s}' then {rank}" for rank, s in enumerate(SEVERITIES))
    con.execute(
        f"""
        create temp table finding as
        select *, row_number() over (
            order by severity_rank, rule_id, record_type, variable, sheet, "row" nulls first,
                column_letter, cell, value nulls first, message
        ) as place
        from (
            select *, case severity {ranks} end as severity_rank
            from ({" union all ".join(parts)})
        )
        """
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _located(name: str, table: RecordTable) -> str:
    """The hits of one record type with their cells; a column that was not sent has none."""
    letter = "l.letter"
    if "_letter" in table.table.column_names:
        letter = f"case when l.letter = {literal(OWN_LETTER)} then s._letter else l.letter end"
    by_list = ", ".join(literal(rule_id) for rule_id in _BY_LIST)
    return f"""
        select h.rule_id, r.severity, h.record_type, s._sheet as sheet,
            coalesce({letter} || s._row, '') as cell,
            s._row as "row", coalesce({letter}, '') as column_letter, h.variable,
            left(h.value, {_SHOWN}) as value,
            case when h.rule_id in ({by_list}) and l.expected is not null
                then l.expected else r.expected end as expected,
            coalesce(n.nearest, '') as nearest, r.title as message, 1::bigint as n
        from hit h
        join {quoted("src_" + name)} s on s._i = h.i
        join rule r on r.rule_id = h.rule_id
        left join column_text l on l.record_type = h.record_type and l.variable = h.variable
        left join nearest_text n on n.record_type = h.record_type
            and n.variable = h.variable and n.sent = h.value
        where h.record_type = {literal(name)}
    """


def _make_lookups(
    con: duckdb.DuckDBPyConnection, tables: Mapping[str, RecordTable], typing: Typing
) -> None:
    columns = [
        (name, variable, letter, typing.expected.get((name, variable)))
        for name, table in tables.items()
        for variable, letter in table.columns.items()
    ]
    nearest = [(*key, text) for key, text in typing.nearest.items()]
    lookup(con, "column_text", ("record_type", "variable", "letter", "expected"), columns)
    lookup(con, "nearest_text", ("record_type", "variable", "sent", "nearest"), nearest)
