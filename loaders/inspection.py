"""The rules applied to one return: structure, metadata, records, and the file as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from loaders.cells import band_findings, family_findings, sum_findings
from loaders.coding import names_coder
from loaders.collected import collect
from loaders.findings import SEVERITIES, Finding
from loaders.landed import Earlier, spare_landed_parents
from loaders.returned import OWN_LETTER, RecordTable, Returned
from loaders.rules import (
    LINK_LIMIT,
    Compiled,
    MetadataValue,
    compile_rules,
    finding_query,
    held_children_query,
    value_rules,
)
from loaders.tables import row_numbers, text_array
from loaders.typed import (
    HIDDEN,
    Typing,
    checked_sql,
    lookup,
    make_maps,
    make_types,
    narrowed_sql,
    parsed_sql,
    quoted,
    stage,
)
from tipstat.classification import correspondence
from tipstat.contract import RecordType, Variable, load_contract
from tipstat.landing.header import earlier_ids
from tipstat.rules import all_rules, rule

#: No value of a return may be spilled to disk, and no extension fetched.
_IN_MEMORY: dict[str, Any] = {
    "temp_directory": "",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


@dataclass(frozen=True)
class Context:
    """What a check needs to know of the workspace.

    Attributes:
        entities: ids of the registered entities.
        refusal_share: share of records held out above which a return is refused.
        linkable: entities with a valid link authorisation, whose identifiers are kept, keyed.
        today: the day of the check.
        link_limit: a reference that is no key links at most so many records.
        office: the office's own ``correspondences`` folder.
        earlier: looks up what was landed before of a kind of return; none outside a workspace.
    """

    entities: tuple[str, ...]
    refusal_share: float = 0.2
    linkable: frozenset[str] = frozenset()
    today: date = field(default_factory=date.today)
    link_limit: int = LINK_LIMIT
    office: Path | None = None
    earlier: Callable[[str], Earlier] | None = None


class Inspection:
    """One run of the rules over one return, in a connection of its own."""

    def __init__(self, returned: Returned, context: Context) -> None:
        self.returned, self.context = returned, context
        self.con = duckdb.connect(config=_IN_MEMORY)
        self.typing = Typing(
            returned.kind,
            returned.language,
            returned.value_maps,
            context.entities,
            office=context.office,
            date_order=returned.date_order,
            decimal_sign=returned.decimal_sign,
            date_1904=returned.date_1904,
        )
        self.found: list[Finding] = list(returned.findings)
        self.metadata: dict[str, MetadataValue] = {}
        self.present: dict[str, RecordType] = {}
        self.tables: dict[str, RecordTable] = {}

    def run(self) -> None:
        """Type the return, apply every rule, hold out what must be, and collect the findings."""
        self._prepare()
        self._type_metadata()
        for table in self.returned.tables:
            self._accept_structure(table)
        compiled = compile_rules(
            self.returned.kind, (*self.present.values(), load_contract().metadata), self.metadata
        )
        for record_type in self.present.values():
            self._type(self.tables[record_type.name], record_type, compiled)
            self._unlink_overused(record_type)
        self._tell_noted()
        self._apply(compiled)
        self._hold_children()
        self._compare_cells()
        self._whole_file()
        collect(self.con, self.tables, self.typing, self.found)

    def let_go(self) -> Returned:
        """Free what was sent, once it is typed and every finding has its cell.

        Returns:
            The return with nothing of its tables but the numbers of the rows.
        """
        for name in self.present:
            self.con.unregister("src_" + name)
        self.typing.staged.clear()
        tables = tuple(replace(t, table=t.table.select(["_row"])) for t in self.returned.tables)
        self.tables = {t.record_type: t for t in tables if t.record_type in self.present}
        return replace(self.returned, tables=tables)

    def counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """Records and records held out, by record type."""
        held = dict(
            self.con.execute("select record_type, count(*) from held group by 1").fetchall()
        )
        records = {name: self.tables[name].table.num_rows for name in self.present}
        return records, {name: held.get(name, 0) for name in self.present}

    def severities(self) -> dict[str, int]:
        """Findings by severity, the worst first."""
        counted = dict(
            self.con.execute("select severity, sum(n)::bigint from finding group by 1").fetchall()
        )
        return {severity: counted[severity] for severity in SEVERITIES if severity in counted}

    # ── before the records ────────────────────────────────────────────────────────────────────

    def _prepare(self) -> None:
        make_types(self.con)
        bands = [
            (row["age_group"], row["min_age"], row["max_age"] or "200")
            for row in correspondence("map_age_band")
            if row["min_age"]
        ]
        lookup(self.con, "age_band", ("age_group", "min_age", "max_age"), bands)
        self.con.execute("alter table age_band alter min_age type integer")
        self.con.execute("alter table age_band alter max_age type integer")
        names = ("rule_id", "severity", "expected", "title")
        rules = [tuple(getattr(r, name) for name in names) for r in all_rules().values()]
        lookup(self.con, "rule", names, rules)

    def _type_metadata(self) -> None:
        """The metadata sheet is a record of one row, whose every fault is told by two rules."""
        contract = load_contract().metadata
        sent = {v.name: self.returned.metadata.get(v.name) or None for v in contract.variables}
        columns = [text_array([sent[name]]) for name in sent]
        place = [text_array([""]), row_numbers(np.arange(1)), row_numbers(np.arange(1))]
        names = [*sent, "_sheet", "_row", "_pivot"]
        one = pa.Table.from_arrays([*columns, *place], names=names)
        table = RecordTable("metadata", one, {})
        self._type(table, contract, [])
        rows = self.con.execute("select * from rec_metadata")
        names = [column[0] for column in rows.description or []]
        record = dict(zip(names, rows.fetchall()[0], strict=True))
        for variable in contract.variables:
            self._metadata_item(variable, record)
        self.metadata["today"] = self.context.today
        sender, area = self.metadata.get("sender"), self.metadata.get("reference_area")
        if area == "_Z" and self.returned.kind != "aggregate":
            self.find("TIP-664", record_type="metadata", variable="reference_area", value="_Z")
        # Without a sender the file is refused; a stand-in spares every record the same finding.
        self.typing.sender = sender if isinstance(sender, str) else "?"
        self.typing.area = area if isinstance(area, str) else None

    def _metadata_item(self, variable: Variable, record: Mapping[str, Any]) -> None:
        why = record.get(f"{variable.name}__why")
        value = record[variable.name]
        blank = value is None or value in ("_X", "_N")
        self.metadata[variable.name] = None if blank or value == "_I" else value
        core = variable.obligation == "core"
        if why:
            rule_id = "TIP-511" if why == "TIP-511" else "TIP-147" if core else "TIP-148"
            entry = rule(str(why))
            self._find_in_metadata(rule_id, variable, entry.title, entry.expected)
        elif blank and core:
            self._find_in_metadata("TIP-146", variable, variable.definition, "")

    def _find_in_metadata(
        self, rule_id: str, variable: Variable, message: str, expected: str
    ) -> None:
        sheet, cell = self.returned.metadata_cells.get(variable.name, ("", ""))
        sent = self.returned.metadata.get(variable.name)
        self.find(
            rule_id,
            message=message,
            record_type="metadata",
            sheet=sheet,
            cell=cell,
            variable=variable.name,
            value=None if variable.type in HIDDEN or not sent else sent,
            expected=self.typing.expected.get(("metadata", variable.name)) or expected,
            nearest=self.typing.nearest.get(("metadata", variable.name, (sent or "").strip()), ""),
        )

    def find(self, rule_id: str, *, message: str = "", **where: Any) -> None:  # noqa: ANN401  # as Finding has them
        """Note a finding that concerns no single record; ``where`` are fields of ``Finding``."""
        entry = rule(rule_id)
        where["expected"] = where.get("expected") or entry.expected
        message = message or entry.title
        self.found.append(Finding(rule_id, entry.severity, message=message, **where))

    # ── structure ─────────────────────────────────────────────────────────────────────────────

    def _accept_structure(self, table: RecordTable) -> None:
        known = {rt.name: rt for rt in load_contract().of_kind(self.returned.kind)}
        record_type = known.get(table.record_type)
        if record_type is None:
            expected = "one of " + ", ".join(known)
            self.find("TIP-144", record_type=table.record_type, expected=expected)
            return
        names = [n for n in table.table.column_names if not n.startswith("_")]
        doubled = sorted({name for name in names if names.count(name) > 1})
        for name in doubled:
            self.find("TIP-143", record_type=record_type.name, variable=name)
        self._unknown_columns(record_type, names, table)
        self._missing_columns(record_type, set(names))
        if not doubled and table.table.num_rows:
            self.present[record_type.name] = record_type
            self.tables[record_type.name] = table

    def _unknown_columns(
        self, record_type: RecordType, names: list[str], table: RecordTable
    ) -> None:
        known = [v.name for v in record_type.variables]
        coder = names_coder(f"columns of {record_type.name}", known)
        for name in names:
            if name not in known:
                letter = table.columns.get(name, "")
                self.find(
                    "TIP-140",
                    message=f'"{name}" is no variable of {record_type.name}',
                    record_type=record_type.name,
                    column_letter=letter,
                    variable=name,
                    expected="one of " + ", ".join(v for v in known if v not in names),
                    nearest=coder.nearest(coder.cell(name)),
                )

    def _missing_columns(self, record_type: RecordType, names: set[str]) -> None:
        told = {(f.record_type, f.variable) for f in self.returned.findings}
        for variable in record_type.variables:
            absent = variable.name not in names and not variable.default_value
            if not absent or variable.obligation != "core":
                continue
            if (record_type.name, variable.name) in told or _from_birth_date(variable, names):
                continue
            self.find(
                "TIP-141" if variable.is_key else "TIP-142",
                message=variable.definition,
                record_type=record_type.name,
                variable=variable.name,
                expected=variable.name,
            )

    # ── records ───────────────────────────────────────────────────────────────────────────────

    def _type(self, table: RecordTable, record_type: RecordType, compiled: list[Compiled]) -> None:
        sent = stage(self.con, self.typing, table, record_type)
        make_maps(self.con, self.typing, record_type, sent)
        query = parsed_sql(self.typing, record_type, sent)
        query = checked_sql(query, record_type, value_rules(compiled, record_type.name))
        if record_type.name != "metadata":
            query = narrowed_sql(query, self.typing, record_type, sent)
        self.con.execute(f"create temp table {quoted('rec_' + record_type.name)} as {query}")

    def _tell_noted(self) -> None:
        """One finding a column of what typing noted of it as a whole."""
        for rule_id, name, variable, message, count, row in self.typing.noted:
            if name == "metadata":
                continue
            letter = self.tables[name].columns.get(variable, "")
            letter = "" if letter == OWN_LETTER else letter
            self.find(
                rule_id,
                message=message,
                record_type=name,
                sheet=self.tables[name].table.column("_sheet")[0].as_py(),
                variable=variable,
                column_letter=letter,
                cell=f"{letter}{row}" if letter else "",
                row=row,
                count=count,
            )

    def _unlink_overused(self, record_type: RecordType) -> None:
        """A reference that is no key and stands on many records tells nothing apart."""
        table = quoted("rec_" + record_type.name)
        for variable in record_type.variables:
            if variable.is_key or variable.type not in ("reference", "identifier"):
                continue
            name, why = quoted(variable.name), quoted(f"{variable.name}__why")
            overused = (
                f"select {name} from {table} where {name} is not null "
                f"group by {name} having count(*) > {self.context.link_limit}"
            )
            self.con.execute(
                f"update {table} set {name} = null, {why} = 'TIP-412' where {name} in ({overused})"
            )

    def _apply(self, compiled: list[Compiled]) -> None:
        """Run the one query, and hold out the records that it says to hold out."""
        metadata = load_contract().metadata
        on_metadata = [c for c in compiled if c.record_type == "metadata"]
        on_records = [c for c in compiled if c.record_type != "metadata"]
        for entry in on_metadata:
            if self.con.execute(f"select 1 from rec_metadata t where {entry.sql}").fetchall():
                variable = metadata.variable(entry.variable.name)
                self._find_in_metadata(entry.rule.rule_id, variable, entry.rule.title, "")
        query = finding_query(self.present.values(), on_records) if self.present else _NOTHING
        self.con.execute(f"create temp table hit as {query}")
        self._spare_absent_keys()
        self._spare_landed_parents()
        self.con.execute(
            "create temp table held as select hit.record_type, hit.i, min(rule_id) as rule_id, "
            "bool_or(rule_id = 'TIP-530') as blanked from hit join rule using (rule_id) "
            "where severity = 'error-record' group by all"
        )

    def _spare_absent_keys(self) -> None:
        """A key column that was not sent is told once, not for each record."""
        for record_type in self.present.values():
            sent = set(self.tables[record_type.name].table.column_names)
            for name in set(record_type.key) - sent:
                if not record_type.variable(name).default_value:
                    self.con.execute(
                        "delete from hit where rule_id = 'TIP-401' and record_type = ? "
                        "and variable = ?",
                        [record_type.name, name],
                    )

    def _spare_landed_parents(self) -> None:
        """A record may refer to one of an earlier submission: an update carries what changed."""
        found = "select 1 from hit where rule_id = 'TIP-421' limit 1"
        if self.context.earlier is None or not self.con.execute(found).fetchall():
            return
        earlier = self.context.earlier(self.returned.kind)
        replaced = self._replaced()
        for record_type in self.present.values():
            for variable in record_type.variables:
                if variable.refers_to:
                    parent = load_contract().record_type(record_type.kind, variable.refers_to)
                    files = earlier.files(parent.name, replaced)
                    spare_landed_parents(
                        self.con,
                        record_type,
                        parent,
                        variable=variable.name,
                        files=files,
                        pads=earlier.pads,
                    )

    def _replaced(self) -> tuple[str, ...]:
        """The submissions whose records will not be there any more once this one is accepted."""
        if self.metadata.get("intent") != "REPLACES":
            return ()
        return earlier_ids(str(self.metadata.get("earlier_submission") or ""))

    def _hold_children(self) -> None:
        """Hold the children of held-out parents out too, by name of the rule, parents first."""
        for record_type in self.present.values():
            for query in held_children_query(record_type, self.present):
                name = f"'{record_type.name}'"
                self.con.execute(f"create or replace temp table follows as {query}")
                self.con.execute(
                    f"insert into hit select 'TIP-422', {name}, variable, i, null from follows f "
                    f"where not exists (select 1 from held h where h.record_type = {name} "
                    "and h.i = f.i)"
                )
                self.con.execute(
                    "update held set blanked = true from follows f "
                    f"where held.record_type = {name} and held.i = f.i and f.blanked"
                )
                self.con.execute(
                    f"insert into held select {name}, i, 'TIP-422', blanked from follows f "
                    f"where not exists (select 1 from held h where h.record_type = {name} "
                    "and h.i = f.i)"
                )

    def _compare_cells(self) -> None:
        """Totals among the cells against their parts, and codes beside the codes above them."""
        if "cell" not in self.present:
            return
        cells = self.present["cell"]
        told = [
            *sum_findings(self.con, cells, self.returned.sums),
            *family_findings(self.con, cells),
            *band_findings(self.con),
        ]
        for rule_id, message, variable, record, count in told:
            [(sheet, row)] = self.con.execute(
                "select _sheet, _row from rec_cell where _i = $record", {"record": record}
            ).fetchall()
            letter = self.tables["cell"].columns.get("value", "")
            known = letter and letter != OWN_LETTER
            self.find(
                rule_id,
                message=message,
                record_type="cell",
                sheet=sheet,
                cell=f"{letter}{row}" if known else "",
                row=row,
                variable=variable,
                count=count,
            )

    # ── the file as a whole ───────────────────────────────────────────────────────────────────

    def _whole_file(self) -> None:
        records, held = self.counts()
        total, out = sum(records.values()), sum(held.values())
        nil = self.metadata.get("nil_return") == "Y"
        if total and nil:
            sheet, cell = self.returned.metadata_cells.get("nil_return", ("", ""))
            where = {"sheet": sheet, "cell": cell, "variable": "nil_return"}
            self.find("TIP-611", message=f"{total} records", record_type="metadata", **where)
        if not total and not nil and not self._refused():
            self.find("TIP-145")
        self._refuse_share(total, out)
        for name, n in records.items():
            if n > 1 and held[name] == n and out <= self.context.refusal_share * total:
                self.find("TIP-591", message=f"{n} of {n} records held out", record_type=name)
        self._unkept_identifiers()

    def _refused(self) -> bool:
        return any(finding.severity == "refusal" for finding in self.found)

    def _refuse_share(self, total: int, out: int) -> None:
        share = self.context.refusal_share
        if total and out > share * total:
            self.find(
                "TIP-590",
                message=f"{out} of {total} records held out",
                expected=f"at most {share:.0%} of the records held out",
            )

    def _unkept_identifiers(self) -> None:
        for record_type in self.present.values():
            if "person_id" not in {v.name for v in record_type.variables}:
                continue
            [(count,)] = self.con.execute(
                f"select count(*) from {quoted('rec_' + record_type.name)} where person_id is not "
                "null and not list_contains($linkable, coalesce(reporting_entity, ''))",
                {"linkable": sorted(self.context.linkable) or [""]},
            ).fetchall()
            if count:
                self.find(
                    "TIP-430",
                    message="identifiers not kept: no link authorisation",
                    record_type=record_type.name,
                    variable="person_id",
                    count=count,
                )


_NOTHING = (
    "select null::varchar as rule_id, null::varchar as record_type, null::varchar as variable, "
    "null::bigint as i, null::varchar as value where false"
)


def _from_birth_date(variable: Variable, names: set[str]) -> bool:
    """An age need not be sent where birth dates are."""
    return variable.name == "age" and "birth_date" in names
