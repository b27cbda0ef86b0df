"""What is known of one submission, for people to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
from sqlalchemy import select

from tipstat.landing import folders
from tipstat.landing.header import SubmissionHeader
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


def findings_file(ws: Workspace, submission_id: str) -> Path:
    """Where the findings of a submission are kept, of an accepted or of a refused one."""
    return folders.final_folder(ws, submission_id) / "findings.parquet"


def earlier_submission(
    ws: Workspace, header: SubmissionHeader | Submission
) -> tuple[str, str] | None:
    """The return before: of the same sender, kind, area, period and layout, but another file.

    Several returns of one sender and period stand side by side where they speak for different
    entities or measures; such are not the same.

    Args:
        ws: the workspace.
        header: of a return at the door, or a submission.

    Returns:
        Id and status of the newest one, received before; ``None`` where there is none.
    """
    same = ("sender", "kind", "reference_area", "period_start", "period_end", "layout_id")
    query = select(Submission).where(
        *(getattr(Submission, name) == getattr(header, name) for name in same),
        Submission.file_sha256 != header.file_sha256,
        Submission.status != "purged",
    )
    if isinstance(header, Submission):
        query = query.where(Submission.received_at < header.received_at)
    with ws.registry().read() as session:
        for row in session.scalars(query.order_by(Submission.received_at.desc(), Submission.id)):
            if _meet(_pairs(row), _pairs(header)):
                return row.id, row.status
    return None


def _pairs(header: SubmissionHeader | Submission) -> set[tuple[str, str]]:
    """The entities, and for cells the measures, that a return speaks for."""
    if isinstance(header, Submission):
        return {(entry.reporting_entity, entry.scope) for entry in header.coverage}
    return set(header.coverage)


def _meet(some: set[tuple[str, str]], others: set[tuple[str, str]]) -> bool:
    """Whether two returns speak for the same; of one that does not say so it is taken."""
    return not some or not others or bool(some & others)


def findings_by_rule(ws: Workspace, submission_id: str) -> list[tuple[str, object]]:
    """Rule ids with severity and number of findings, from ``findings.parquet``; empty without."""
    path = findings_file(ws, submission_id)
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
