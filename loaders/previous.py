"""This return against the same sender's previous one: changes that somebody should look at.

Only the sender's own figures are looked at, so the finding may go back to it (STATISTICS
section 6). A change is plausible within a settable ratio (``load.change_ratio``); numbers so small
that any change is large are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from loaders.findings import Finding
from loaders.typed import literal
from tipstat.landing.folders import final_folder
from tipstat.reconcile import Scope, figures_of_cells
from tipstat.reconcile_sources import make_cells
from tipstat.rules import rule

if TYPE_CHECKING:
    import duckdb

    from loaders.check import CheckResult
    from tipstat.landing import SubmissionHeader
    from tipstat.registry.models import Submission
    from tipstat.workspace import Workspace

#: The larger of two numbers below which they are not compared.
LEAST = 20
#: Changes that are told one by one, the greatest first.
TOLD = 20

RULE = "TIP-740"


def previous_findings(
    result: CheckResult, ws: Workspace, header: SubmissionHeader
) -> list[Finding]:
    """Compare a checked return with the one before it of the same sender, kind and area.

    A return that replaces or updates earlier ones is compared with those, year by year; any other
    with the latest that ended before it begins, by what both give for a month.

    Args:
        result: the check, whose connection holds the records.
        ws: the workspace.
        header: what the return declares.

    Returns:
        A note (TIP-740) for each number that changed beyond the ratio; none without a previous
        return, or where the ratio is 0.
    """
    ratio = ws.settings.change_ratio
    earlier = _previous(ws, header) if ratio else []
    if not earlier:
        return []
    if header.kind == "aggregate":
        rows = _changed_cells(result, ws, header, earlier, ratio)
    else:
        rows = _changed_counts(result, header, earlier, ratio)
    named = ", ".join(row.id for row in earlier)
    findings = [_finding(f"{what}: {told}", named) for what, told in rows[:TOLD]]
    more = len(rows) - TOLD
    return [*findings, _finding(f"{more:,} more numbers", named, more)] if more > 0 else findings


def _previous(ws: Workspace, header: SubmissionHeader) -> list[Submission]:
    """The returns that this one replaces, or the sender's latest that ended before it begins."""
    same = (header.sender, header.kind, header.reference_area)
    own = [
        row
        for row in ws.registry().current_submissions()
        if (row.sender, row.kind, row.reference_area) == same
    ]
    if header.earlier_ids:
        return [row for row in own if row.id.lower() in header.earlier_ids]
    start = header.period_start
    before = [row for row in own if start and row.period_end and row.period_end < start]
    return sorted(before, key=lambda row: (str(row.period_end), row.sequence or 0))[-1:]


def _months(*returns: SubmissionHeader | Submission) -> float:
    """Months that returns cover together."""
    spans = [
        (row.period_end - row.period_start).days + 1
        for row in returns
        if row.period_start is not None and row.period_end is not None
    ]
    return sum(spans) / 365.25 * 12 or 12.0


def _changed_counts(
    result: CheckResult, header: SubmissionHeader, earlier: Sequence[Submission], ratio: float
) -> list[tuple[str, str]]:
    """Record types whose number for a month changed beyond the ratio."""
    rows = []
    for name, number in result.records.items():
        before = sum(row.records.get(name, 0) for row in earlier)
        now_rate, then_rate = number / _months(header), before / _months(*earlier)
        if max(number, before) >= LEAST and _beyond(now_rate, then_rate, ratio):
            rows.append((f"records of {name}", _told(now_rate, then_rate, " a month")))
    return rows


def _beyond(now: float, before: float, ratio: float) -> bool:
    return now > before * ratio or before > now * ratio


def _told(now: float, before: float, unit: str) -> str:
    return f"{now:,.1f}{unit}, {before:,.1f}{unit} in the previous return"


def _changed_cells(
    result: CheckResult,
    ws: Workspace,
    header: SubmissionHeader,
    earlier: Sequence[Submission],
    ratio: float,
) -> list[tuple[str, str]]:
    """Figures by indicator, sex, age and form that changed beyond the ratio."""
    paths = [final_folder(ws, row.id) / "cell.parquet" for row in earlier]
    files = ", ".join(literal(path.as_posix()) for path in paths if path.is_file())
    if "cell" not in result.records or not files:
        return []
    connection = result.connection
    connection.execute(
        "create or replace temp view now_cells as select * from rec_cell r where not exists "
        "(select 1 from held h where h.record_type = 'cell' and h.i = r._i)"
    )
    connection.execute(
        "create or replace temp view then_cells as select * from "
        f"read_parquet([{files}], union_by_name = true) where record_state = 'accepted'"
    )
    for side, table in (("a", "now_cells"), ("b", "then_cells")):
        make_cells(connection, side, table, "aggregate", header.reference_area)
        figures_of_cells(connection, side, Scope())
    replaced = bool(header.earlier_ids)
    spans = (1.0, 1.0) if replaced else (_months(header), _months(*earlier))
    return _compared(connection, spans, ratio, by_year=replaced)


def _compared(
    connection: duckdb.DuckDBPyConnection,
    spans: tuple[float, float],
    ratio: float,
    *,
    by_year: bool,
) -> list[tuple[str, str]]:
    """Both sides on the same keys, the greatest change first."""
    year = "year::varchar" if by_year else "''"
    key = "reference_area, indicator, sex, age_group, form, citizenship, of_year"
    side = (
        f"select reference_area, indicator, sex, age_group, form, citizenship, {year} as of_year, "
        "sum(lower) as number from figures_{side} group by all"
    )
    rows = connection.execute(
        f"""
        with now as ({side.format(side="a")}), before as ({side.format(side="b")}),
        paired as (
            select {key}, coalesce(now.number, 0) as this, coalesce(before.number, 0) as that,
                coalesce(now.number, 0) / $now as this_rate,
                coalesce(before.number, 0) / $before as that_rate
            from now full outer join before using ({key})
        )
        select {key}, this_rate, that_rate from paired
        where greatest(this, that) >= $least
            and (this_rate > that_rate * $ratio or that_rate > this_rate * $ratio)
        order by greatest(this, that) desc, {key}
        """,
        {"now": spans[0], "before": spans[1], "least": LEAST, "ratio": ratio},
    ).fetchall()
    unit = "" if by_year else " a month"
    return [(_name(row[:7]), _told(float(row[7]), float(row[8]), unit)) for row in rows]


def _name(key: tuple[object, ...]) -> str:
    """What a number is: area and indicator, year, and the dimensions that are no total."""
    area, indicator, *dimensions, year = (str(part) for part in key)
    told = [code for code in dimensions if code != "_T"]
    return " ".join(part for part in (area, indicator, *told, year) if part)


def _finding(message: str, earlier: str, count: int = 1) -> Finding:
    entry = rule(RULE)
    return Finding(
        RULE,
        entry.severity,
        f"{message} ({earlier})",
        expected=entry.expected,
        count=count,
    )
