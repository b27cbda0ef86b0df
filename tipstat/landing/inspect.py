"""What is known of one submission, for people to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb

from tipstat.landing import folders
from tipstat.registry import Purge, Registry, Submission
from tipstat.workspace import Workspace

Row = dict[str, object]

#: A DuckDB that never reaches for the network.
OFFLINE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def account_of(ws: Workspace, submission_id: str, columns: Sequence[str]) -> list[Row]:
    """Everything on one submission, as rows of section, name and value.

    Args:
        ws: the workspace.
        submission_id: the submission.
        columns: attributes of the submission to show first.

    Raises:
        UsageError: TIP-922 there is none of that id.
    """
    registry = ws.registry()
    row = registry.submission(submission_id)
    declared = [(name, getattr(row, name)) for name in columns]
    return [
        *_section("submission", declared),
        *_section("metadata", sorted(row.return_metadata.items())),
        *_section("coverage", ((c.reporting_entity, c.scope or "records") for c in row.coverage)),
        *_section("relation", ((r.relation, r.earlier_id) for r in row.relations)),
        *_section("records", sorted(row.records.items())),
        *_section("held out", sorted(row.held_out.items())),
        *_section("findings", sorted(row.findings.items())),
        *_section("rule", findings_by_rule(ws, submission_id)),
        *_section("destroyed", _destroyed(registry, submission_id)),
        *_section("history", _history(registry, row)),
    ]


def _section(section: str, pairs: Iterable[tuple[str, object]]) -> list[Row]:
    return [{"section": section, "name": name, "value": value} for name, value in pairs]


def _destroyed(registry: Registry, submission_id: str) -> list[tuple[str, object]]:
    """What was destroyed of the submission, when, on which ground and by whom."""
    return [
        (
            f"{purge.destroyed_at:%Y-%m-%d %H:%M} UTC",
            f"{purge.scope} by {purge.actor}, {purge.ground}: {purge.note} ({_numbers(purge)})",
        )
        for purge in registry.purges(submission_id)
        if purge.destroyed_at is not None
    ]


def _numbers(purge: Purge) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(purge.counts.items())) or "none"


def _history(registry: Registry, row: Submission) -> list[tuple[str, object]]:
    return [
        (f"{event.at:%Y-%m-%d %H:%M} UTC", " ".join((event.action, "by", event.actor, *reason)))
        for event in registry.audit_events(row.id)
        for reason in [[f"({event.details['reason']})"] if "reason" in event.details else []]
    ]


def findings_by_rule(ws: Workspace, submission_id: str) -> list[tuple[str, object]]:
    """Rule ids with severity and number of findings, from ``findings.parquet``; empty without."""
    path = folders.final_folder(ws, submission_id) / "findings.parquet"
    if not path.is_file():
        return []
    query = """
        select rule_id || ' ' || severity, count(*)
        from read_parquet(?)
        group by all
        order by all
    """
    try:
        with duckdb.connect(config=OFFLINE) as connection:
            return connection.execute(query, [str(path)]).fetchall()
    except duckdb.Error:
        return [("findings.parquet", "cannot be read")]
