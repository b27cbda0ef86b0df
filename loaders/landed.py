"""Records landed by earlier submissions: a reference may name one of them.

Only keys are read of them, keyed as they were landed; nothing of an earlier return is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loaders import keyed
from loaders.rules import parent_key
from loaders.typed import literal, quoted
from tipstat.contract import RecordType, Variable

if TYPE_CHECKING:
    import duckdb

    from tipstat.workspace import Workspace


@dataclass(frozen=True)
class Earlier:
    """What was landed before, of one kind of return.

    Attributes:
        folders: accepted submission -> its folder in the landing.
        pads: parameters of the statements that key a reference.
    """

    folders: Mapping[str, Path]
    pads: Mapping[str, bytes]

    def files(self, record_type: str, besides: tuple[str, ...]) -> list[Path]:
        """The landed files of a record type, but those of some submissions."""
        paths = [
            folder / f"{record_type}.parquet"
            for name, folder in self.folders.items()
            if name not in besides
        ]
        return [path for path in paths if path.is_file()]


def earlier_in(ws: Workspace) -> Callable[[str], Earlier]:
    """Look up what is landed, once it is needed: kind of return -> what was landed of it."""

    def look(kind: str) -> Earlier:
        from tipstat.keys import load_key

        current = [row for row in ws.registry().current_submissions() if row.kind == kind]
        folders = {row.id: ws.landing_dir / row.id for row in current}
        return Earlier(folders, keyed.pads(load_key(ws)))

    return look


def reference_sql(variable: Variable) -> str:
    """A reference as it is landed: keyed ``<domain>|<scope>|<reference>``, of the record ``t``."""
    domain, scope = keyed.reference_domain(variable.name), "t.reporting_entity"
    if domain == "case":
        issuer = variable.name.removesuffix("_ref") + "_issuer"
        scope = f"coalesce(t.{quoted(issuer)}, upper(t.reporting_entity))"
    name = quoted(variable.name)
    message = f"{literal(domain + '|')} || coalesce({scope}, '') || '|' || t.{name}"
    # Placeholders identify nothing and are landed empty, in a held-out record too.
    return (
        f"case when t.{quoted(variable.name + '__why')} is null then {keyed.keyed_sql(message)} end"
    )


def spare_landed_parents(
    con: duckdb.DuckDBPyConnection,
    record_type: RecordType,
    parent: RecordType,
    *,
    variable: str,
    files: list[Path],
    pads: Mapping[str, bytes],
) -> None:
    """Take back TIP-421 of the records whose parent an earlier submission has landed.

    Args:
        con: holds ``hit`` and the records of the return.
        record_type: of the records.
        parent: the record type that they refer to.
        variable: by which they refer to it.
        files: landed files of the parent's record type.
        pads: parameters that key a reference.
    """
    table, about = quoted("rec_" + record_type.name), literal(record_type.name)
    hits = f"rule_id = 'TIP-421' and record_type = {about} and variable = {literal(variable)}"
    if not files or not con.execute(f"select 1 from hit where {hits} limit 1").fetchall():
        return
    names = parent_key(record_type, parent)
    columns = ", ".join(
        f"{_as_landed(record_type.variable(name))} as {quoted(name)}" for name in names
    )
    same = " and ".join(f"p.{quoted(n)} is not distinct from c.{quoted(n)}" for n in names)
    needed = pads if "$inner_pad" in columns else {}
    paths = ", ".join(literal(path.as_posix()) for path in files)
    con.execute(
        f"create or replace temp table known_parent as with c as (select t._i as i, {columns} "
        f"from {table} t where t._i in (select i from hit where {hits})) "
        f"select distinct c.i from c join read_parquet([{paths}], union_by_name = true) p "
        f"on {same} where p.record_state = 'accepted'",
        dict(needed),
    )
    con.execute(f"delete from hit where {hits} and i in (select i from known_parent)")


def _as_landed(variable: Variable) -> str:
    return reference_sql(variable) if variable.type == "reference" else f"t.{variable.name}"
