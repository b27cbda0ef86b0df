"""What a corrected return has mended: its findings beside those of the return before it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from tipstat.landing import findings_file

if TYPE_CHECKING:
    from tipstat.workspace import Workspace

#: Findings of two returns side by side; what `moved` says is in :func:`compare_findings`.
_COMPARED = """
    with earlier as (
        select rule_id, record_type, variable, sheet, cell, coalesce(value, '') as value,
            row_number() over (
                partition by rule_id, record_type, variable, sheet, cell order by value
            ) as turn
        from read_parquet($earlier)
    ),

    present as (
        select rule_id, record_type, variable, sheet, cell, coalesce(value, '') as value,
            row_number() over (
                partition by rule_id, record_type, variable, sheet, cell order by value
            ) as turn
        from finding
    ),

    placed as (
        select coalesce(e.rule_id, p.rule_id) as rule_id,
            coalesce(e.record_type, p.record_type) as record_type,
            coalesce(e.variable, p.variable) as variable,
            coalesce(p.value, e.value) as value,
            e.rule_id is not null as was, p.rule_id is not null as stays
        from earlier e
        full join present p on e.rule_id = p.rule_id and e.record_type = p.record_type
            and e.variable = p.variable and e.sheet = p.sheet and e.cell = p.cell
            and e.turn = p.turn
    ),

    moved as (
        select rule_id, count(*) filter (where was and stays) as same,
            count(*) filter (where was and not stays) as gone,
            count(*) filter (where stays and not was) as come
        from placed
        group by rule_id, record_type, variable, value
    )

    select rule_id, sum(gone - least(gone, come))::bigint,
        sum(same + least(gone, come))::bigint, sum(come - least(gone, come))::bigint
    from moved
    group by rule_id
    order by rule_id
"""


@dataclass(frozen=True)
class Change:
    """Findings of one rule in two returns of the same sender, kind and period.

    Attributes:
        mended: found before and not now.
        left: found before and now.
        new: found now and not before.
    """

    rule_id: str
    mended: int
    left: int
    new: int


@dataclass(frozen=True)
class Changes:
    """The findings of a return compared with those of an earlier one.

    Attributes:
        earlier: id of the earlier submission.
        status: what became of it.
    """

    earlier: str
    status: str
    rules: tuple[Change, ...]

    @property
    def mended(self) -> int:
        """Findings that are mended."""
        return sum(change.mended for change in self.rules)

    @property
    def left(self) -> int:
        """Findings that are left."""
        return sum(change.left for change in self.rules)

    @property
    def new(self) -> int:
        """Findings that are new."""
        return sum(change.new for change in self.rules)

    def told(self) -> str:
        """The comparison in one line."""
        return (
            f"the same return as {self.earlier} ({self.status}); findings: {self.mended:,} mended, "
            f"{self.left:,} left, {self.new:,} new"
        )


def since(changes: Changes) -> dict[str, Any]:
    """What was mended since the return before, fit for JSON."""
    totals = {name: getattr(changes, name) for name in ("mended", "left", "new")}
    rules = [asdict(change) for change in changes.rules]
    return {"earlier": changes.earlier, "status": changes.status, **totals, "rules": rules}


def changes_since(
    con: duckdb.DuckDBPyConnection, ws: Workspace, earlier: tuple[str, str] | None
) -> Changes | None:
    """Compare findings with those of the return before.

    Args:
        con: holds ``finding``.
        ws: the workspace.
        earlier: id and status of the earlier submission.

    Returns:
        ``None`` where there is no earlier submission, or its findings cannot be read: a damaged
        landing is for ``tipstat doctor`` and keeps no return from being checked.
    """
    if earlier is None or not findings_file(ws, earlier[0]).is_file():
        return None
    try:
        return Changes(*earlier, compare_findings(con, findings_file(ws, earlier[0])))
    except duckdb.Error:
        return None


def compare_findings(con: duckdb.DuckDBPyConnection, earlier: Path) -> tuple[Change, ...]:
    """Compare the findings of a check with those of an earlier return, rule by rule.

    A finding is the same if it is of the same rule in the same cell; of the rest, as many are the
    same as there are, of a rule and a variable, with the same value in both: records move when
    rows are put in or taken out.

    Args:
        con: holds ``finding``.
        earlier: ``findings.parquet`` of the earlier submission.

    Returns:
        The rules that found something in either, by id.
    """
    rows = con.execute(_COMPARED, {"earlier": str(earlier)})
    return tuple(Change(*row) for row in rows.fetchall())
