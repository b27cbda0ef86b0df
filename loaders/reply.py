"""A reply to the sender of a return: what was found, in the language of the return.

Nothing of it derives from another entity's records (STATISTICS section 6): what names another
sender's submission or an entity that is not the sender's own is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb

from loaders.findings import FINDING_COLUMNS, SEVERITIES
from loaders.mended import Changes, since
from loaders.reply_content import FIRST_CELLS, GROUPS, LISTED, Account, Content
from loaders.reply_words import language_of, said
from loaders.typed import HIDDEN, lookup, quoted
from tipstat.contract import load_contract
from tipstat.rules import rule, rule_texts

if TYPE_CHECKING:
    from tipstat.workspace import Workspace

#: The columns of the machine-readable findings of a reply.
REPLY_COLUMNS = (*FINDING_COLUMNS, "count", "title", "fix")
#: Findings of which one note speaks.
NOTED = 5

_SUBMISSION_ID = re.compile(r"[a-z0-9][a-z0-9-]*-\d{8}-[0-9a-f]{8}-[0-9a-f]{4}")
#: Rules that say which entities are registered, or what is accepted already.
_ABOUT_ENTITIES = ("TIP-510", "TIP-511", "TIP-543")


@dataclass(frozen=True)
class Reply:
    """A reply with its findings.

    Attributes:
        connection: holds ``reply``, the findings in the language of the return.
        changes: what is mended since the return before, if there is one.
    """

    account: Account
    connection: duckdb.DuckDBPyConnection
    changes: Changes | None = None

    def content(self, limit: int) -> Content:
        """What a workbook shows of the reply; ``limit`` is how many cells at most are marked."""
        groups, n_groups = self.groups(GROUPS)
        cells, n_cells = self.cells(limit)
        return Content(
            self.account,
            self.counts(),
            groups,
            n_groups,
            cells,
            n_cells,
            list(self.findings(LISTED)),
            self.size(),
            since(self.changes) if self.changes else None,
        )

    def counts(self) -> dict[str, int]:
        """Findings by severity, the worst first."""
        rows = self.connection.execute("select severity, sum(count)::bigint from reply group by 1")
        counted = dict(rows.fetchall())
        return {name: counted[name] for name in SEVERITIES if name in counted}

    def groups(self, limit: int) -> tuple[list[dict[str, Any]], int]:
        """Findings by rule, sheet and variable, the worst first; and how many groups there are."""
        rows = self.connection.execute(
            f"""
            select rule_id, severity, title, fix, record_type, sheet, variable,
                min(column_letter) as column_letter, min(expected) as expected,
                sum(count)::bigint as n,
                (list(distinct message order by message) filter (where message <> ''))[:3]
                    as messages,
                (list(distinct nearest order by nearest) filter (where nearest <> ''))[:3]
                    as nearest,
                (list(cell order by place) filter (where cell <> ''))[:{FIRST_CELLS}] as cells,
                count(*) filter (where cell <> '') as n_cells,
                count(*) over () as n_groups
            from reply
            group by rule_id, severity, severity_rank, title, fix, record_type, sheet, variable
            order by severity_rank, rule_id, min(place)
            limit {int(limit)}
            """
        )
        found = _dicts(rows)
        return found, (found[0]["n_groups"] if found else 0)

    def cells(self, limit: int) -> tuple[list[dict[str, Any]], int]:
        """Cells with what was found in them; and how many cells there are.

        Every rule gets its first cells before any rule gets its last.
        """
        fields = ("rule_id", "severity", "title", "value", "message", "expected", "nearest", "fix")
        packed = ", ".join(f"{name} := {name}" for name in fields)
        rows = self.connection.execute(
            f"""
            with turns as (
                select *, row_number() over (
                    partition by rule_id, sheet, variable order by place
                ) as turn
                from reply
                where cell <> ''
            )
            select sheet, cell, arg_min(severity, severity_rank) as severity,
                (list(struct_pack({packed}) order by place))[:{NOTED}] as found,
                count(*) as n, count(*) over () as n_cells
            from turns
            group by sheet, cell
            order by min(turn), min(place)
            limit {int(limit)}
            """
        )
        found = _dicts(rows)
        return found, (found[0]["n_cells"] if found else 0)

    def findings(self, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """The findings, the worst first, as ``REPLY_COLUMNS``."""
        names = ", ".join(quoted(name) for name in REPLY_COLUMNS)
        cut = f" limit {int(limit)}" if limit is not None else ""
        rows = self.connection.execute(f"select {names} from reply order by place{cut}")
        while block := rows.fetchmany(10_000):
            yield from (dict(zip(REPLY_COLUMNS, row, strict=True)) for row in block)

    def size(self) -> int:
        """How many findings there are, each place for itself."""
        [(n,)] = self.connection.execute("select count(*) from reply").fetchall()
        return int(n)


def _dicts(rows: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    names = [column[0] for column in rows.description or []]
    return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]


def make_reply(
    con: duckdb.DuckDBPyConnection, account: Account, ws: Workspace, changes: Changes | None = None
) -> Reply:
    """Make a reply of findings.

    Args:
        con: holds ``finding``, with ``n``, ``severity_rank`` and ``place``; ``reply`` is made.
        account: what is said of the return as a whole.
        ws: whose registry says what is the sender's own.
        changes: since the return before.

    Returns:
        The reply, on the same connection.
    """
    language = language_of(account.language)
    own = rule_texts(language)
    rules = [(rule_id, texts.title, texts.fix) for rule_id, texts in own.items()]
    lookup(con, "reply_rule", ("rule_id", "title", "fix"), rules)
    names = ("rule_id", "variable", "expected", "nearest", "message")
    listed = con.execute(f"select distinct {', '.join(names)} from finding").fetchall()
    reader = _Reader(account, ws, language)
    rows = [(*row, *reader.read(*row)) for row in listed]
    lookup(con, "reply_text", (*names, "own_expected", "own_nearest", "own_message"), rows)
    same = " and ".join(f"t.{name} is not distinct from f.{name}" for name in names)
    con.execute(
        f"""
        create or replace temp table reply as
        select f.rule_id, f.severity, f.severity_rank, f.record_type, f.sheet, f.cell, f."row",
            f.column_letter, f.variable, {_shown_sql(account.kind)} as value,
            t.own_expected as expected, t.own_nearest as nearest, t.own_message as message,
            f.n as count, r.title, r.fix, f.place
        from finding f
        join reply_rule r on r.rule_id = f.rule_id
        join reply_text t on {same}
        """
    )
    return Reply(account, con, changes)


def _shown_sql(kind: str) -> str:
    """The value, but never of a column whose values are not shown (STATISTICS section 6)."""
    contract = load_contract()
    hidden = sorted(
        {
            variable.name
            for record_type in (contract.metadata, *contract.of_kind(kind))
            for variable in record_type.variables
            if variable.type in HIDDEN
        }
    )
    listed = ", ".join(f"'{name}'" for name in hidden)
    # An error such as #REF! is no value.
    return f"case when f.variable in ({listed}) then null else f.value end"


class _Reader:
    """Says again what a finding says, without what is not for this sender."""

    def __init__(self, account: Account, ws: Workspace, language: str) -> None:
        self._language = language
        registry = ws.registry()
        self._entities = _own_entities(
            account.sender, [(entity.id, entity.parent) for entity in registry.entities()]
        )
        self._submissions = {
            row.id for row in registry.submissions() if account.sender in ("", row.sender)
        } if account.sender else set()  # fmt: skip
        contract = load_contract()
        types = (contract.metadata, *contract.of_kind(account.kind))
        self._of_entities = {v.name for rt in types for v in rt.variables if v.type == "entity"}

    def read(
        self, rule_id: str, variable: str, expected: str, nearest: str, message: str
    ) -> tuple[str, str, str]:
        """What was expected, the nearest, and what was found in particular."""
        known = rule(rule_id)
        if rule_id in _ABOUT_ENTITIES or variable in self._of_entities:
            expected = known.expected
            nearest = nearest if self._names_own(nearest) else ""
        if self._foreign(f"{message} {expected} {nearest}"):
            message, expected, nearest = "", known.expected, ""
        message = "" if message == known.title else message
        message = message.removeprefix(f"{known.title}: ")
        if expected == known.expected:
            expected = rule_texts(self._language)[rule_id].expected
        return said(expected, self._language), nearest, said(message, self._language)

    def _names_own(self, nearest: str) -> bool:
        return nearest.rpartition("→")[2].strip().strip('"') in self._entities

    def _foreign(self, text: str) -> bool:
        named = set(_SUBMISSION_ID.findall(text))
        return bool(named - self._submissions)


def _own_entities(sender: str, parents: Sequence[tuple[str, str | None]]) -> set[str]:
    """The sender and the entities below it."""
    own = {sender}
    while True:
        below = {entity for entity, parent in parents if parent in own} - own
        if not below:
            return own
        own |= below


def day(value: object) -> str:
    """A day of the metadata as text."""
    return value.isoformat() if isinstance(value, date) else str(value or "")
