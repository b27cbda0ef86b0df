"""``submission.json`` and ``status.json``: the landing's own account of each submission.

The registry is the truth. The two files let it be rebuilt, and ``doctor`` writes a status file
again where it differs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tipstat import __version__
from tipstat.errors import WorkplaceError
from tipstat.landing import folders
from tipstat.landing.header import LandedCounts, SubmissionHeader
from tipstat.registry import Registry
from tipstat.registry.models import STATUSES, AuditEvent, ReportingEntity, Submission
from tipstat.workspace import Workspace

_DAYS = ("period_start", "period_end", "destroy_by")
_ENTITY_FIELDS = (
    "id",
    "name",
    "entity_type",
    "parent",
    "reference_area",
    "mandate",
    "agreement",
    "confidential",
)


def write_receipt(
    folder: Path,
    header: SubmissionHeader,
    counts: LandedCounts,
    *,
    submission_id: str,
    received_at: datetime,
    entities: Iterable[ReportingEntity],
) -> None:
    """Write ``submission.json``: header, counts, file sizes and the entities concerned.

    Args:
        folder: the temporary folder, with all other files in it.
        entities: sender, covered entities and their parents.
    """
    content = {
        "format": folders.FORMAT,
        "id": submission_id,
        "received_at": received_at.isoformat(),
        "tipstat_version": __version__,
        "header": _plain(asdict(header)),
        "counts": asdict(counts),
        "entities": [entity_as_json(entity) for entity in entities],
        "files": folders.file_sizes(folder),
    }
    folders.write_json(folder / folders.SUBMISSION_FILE, content)


def recount(folder: Path, counts: LandedCounts) -> None:
    """Let ``submission.json`` say what is in the folder after records were destroyed."""
    path = folder / folders.SUBMISSION_FILE
    accounts = (folders.SUBMISSION_FILE, folders.STATUS_FILE)
    sizes = {k: n for k, n in folders.file_sizes(folder).items() if k not in accounts}
    folders.write_json(path, folders.read_json(path) | {"counts": asdict(counts), "files": sizes})


def landed_counts(folder: Path) -> LandedCounts:
    """The counts that stand in ``submission.json``."""
    return LandedCounts(**folders.read_json(folder / folders.SUBMISSION_FILE)["counts"])


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    days = {name: values[name].isoformat() if values[name] else None for name in _DAYS}
    return values | days | {"coverage": [list(pair) for pair in values["coverage"]]}


def header_from_json(content: dict[str, Any]) -> SubmissionHeader:
    """The header that :func:`write_receipt` wrote; ``KeyError`` or ``ValueError`` if it is none."""
    values = {entry.name: content[entry.name] for entry in fields(SubmissionHeader)}
    days = {name: date.fromisoformat(values[name]) if values[name] else None for name in _DAYS}
    coverage = tuple((str(entity), str(scope)) for entity, scope in values["coverage"])
    return SubmissionHeader(**(values | days | {"coverage": coverage}))


def entity_as_json(entity: ReportingEntity) -> dict[str, Any]:
    """A reporting entity as it stands in ``submission.json``."""
    values = {name: getattr(entity, name) for name in _ENTITY_FIELDS}
    return values | {"registered_at": entity.registered_at.isoformat()}


def entities_concerned(
    entities: Iterable[ReportingEntity], header: SubmissionHeader
) -> list[ReportingEntity]:
    """Sender and covered entities, and their parents up to the top, by id."""
    by_id = {entity.id: entity for entity in entities}
    waiting = [header.sender, *(entity for entity, _ in header.coverage)]
    found: dict[str, ReportingEntity] = {}
    while waiting:
        name = waiting.pop()
        if name in by_id and name not in found:
            found[name] = by_id[name]
            waiting += [by_id[name].parent or ""]
    return [found[name] for name in sorted(found)]


def status_as_json(session: Session, row: Submission) -> dict[str, Any]:
    """What became of a submission and who decided it: the content of its ``status.json``."""
    decisions = AuditEvent.subject == row.id, AuditEvent.action.in_(STATUSES)
    query = select(AuditEvent).where(*decisions).order_by(AuditEvent.id)
    return {
        "format": folders.FORMAT,
        "id": row.id,
        "status": row.status,
        "sequence": row.sequence,
        "relations": [
            {
                "earlier": relation.earlier_id,
                "relation": relation.relation,
                "recorded_at": relation.recorded_at.isoformat(),
            }
            for relation in row.relations
        ],
        "history": [
            {
                "at": event.at.isoformat(),
                "actor": event.actor,
                "action": event.action,
                "details": event.details,
            }
            for event in session.scalars(query)
        ],
    }


def write_status_files(ws: Workspace, registry: Registry, submission_id: str) -> None:
    """Copy the registry's status of a submission, and of what it replaced, into the landing."""
    with registry.read() as session:
        row = session.get(Submission, submission_id)
        if row is None:
            return
        concerned = [row.id, *(relation.earlier_id for relation in row.relations)]
        for name in concerned:
            member = session.get(Submission, name)
            if member is not None:
                _write_status(ws, name, status_as_json(session, member))


def _write_status(ws: Workspace, submission_id: str, content: dict[str, Any]) -> None:
    folder = folders.final_folder(ws, submission_id)
    if folder.is_dir():
        folders.write_json(folder / folders.STATUS_FILE, content)


def stale_status_files(ws: Workspace, registry: Registry) -> list[str]:
    """Ids of the landed submissions whose ``status.json`` is not what the registry says."""
    landed = set(folders.landed_ids(ws))
    with registry.read() as session:
        rows = session.scalars(select(Submission).order_by(Submission.received_at))
        return [
            row.id
            for row in rows
            if row.id in landed and _read_status(ws, row.id) != status_as_json(session, row)
        ]


def _read_status(ws: Workspace, submission_id: str) -> dict[str, Any] | None:
    try:
        return folders.read_json(folders.final_folder(ws, submission_id) / folders.STATUS_FILE)
    except WorkplaceError:
        return None
