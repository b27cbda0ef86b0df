"""Making the registry again from the landing, after its loss."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from tipstat.errors import TipstatError, WorkplaceError
from tipstat.landing import folders
from tipstat.landing.acceptance import submission_row
from tipstat.landing.header import LandedCounts
from tipstat.landing.purging import purge_row
from tipstat.landing.receipts import header_from_json
from tipstat.landing.tombstones import Tombstone, is_destroyed, read_tombstones
from tipstat.registry import engine as engines
from tipstat.registry.models import (
    AuditEvent,
    KeyInUse,
    ReportingEntity,
    Submission,
    SubmissionRelation,
)
from tipstat.registry.store import add_audit
from tipstat.rules import refuse
from tipstat.workspace import Workspace


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild found.

    Attributes:
        undecided: landed folders that say nothing of their acceptance (the process died next to
            it): entered as ``received``, outside the figures.
    """

    submissions: int
    entities: int
    undecided: tuple[str, ...]


@dataclass(frozen=True)
class _Landed:
    """The accounts of one landed submission; ``status`` is ``None`` where there is none."""

    receipt: dict[str, Any]
    status: dict[str, Any] | None
    stones: tuple[Tombstone, ...] = ()

    @property
    def received_at(self) -> datetime:
        return datetime.fromisoformat(self.receipt["received_at"])


def rebuild_registry(ws: Workspace) -> Rebuilt:
    """Make the registry of a workspace again from its landing.

    Restored: submissions with status, order, relations and history, the entities they concern,
    and from the tombstones what was destroyed. Not restored: link authorisations (to be decided
    and entered again), entities that never sent anything, and the list of builds.

    Returns:
        What was found.

    Raises:
        WorkplaceError: TIP-925 there is a registry already, TIP-926 a folder cannot be read (then
            nothing is made), TIP-920 no landing.
    """
    from tipstat.registry.migrate import create_registry

    landed = sorted(
        (_read(ws, name) for name in folders.landed_ids(ws)), key=lambda item: item.received_at
    )
    entities = _entities(landed)
    undecided = tuple(item.receipt["id"] for item in landed if item.status is None)

    def fill(session: Session) -> None:
        _add_entities(session, entities)
        session.add_all([_submission(item) for item in landed])
        session.flush()
        for item in landed:
            _add_status(session, item)
            session.add_all(purge_row(item.receipt["id"], stone) for stone in item.stones)
        _add_key(session, landed)
        details = {"submissions": len(landed), "undecided": list(undecided)}
        add_audit(session, None, "registry rebuilt", ws.settings.workspace_id, details)

    url = engines.resolve_url(ws.registry_url, ws.root)
    create_registry(url, ws.settings.workspace_id, fill)
    return Rebuilt(len(landed), len(entities), undecided)


def _read(ws: Workspace, submission_id: str) -> _Landed:
    folder = folders.final_folder(ws, submission_id)
    receipt = folders.read_json(folder / folders.SUBMISSION_FILE)
    path = folder / folders.STATUS_FILE
    status = folders.read_json(path) if path.exists() else None
    landed = _Landed(receipt, status, read_tombstones(folder))
    try:
        sound = receipt["id"] == submission_id and landed.received_at.tzinfo is not None
        _submission(landed)
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        raise _damaged(submission_id)
    return landed


def _damaged(submission_id: str) -> TipstatError:
    where = f"{submission_id}/{folders.SUBMISSION_FILE}"
    return refuse("TIP-926", WorkplaceError, where=where, found="another content")


def _entities(landed: list[_Landed]) -> dict[str, dict[str, Any]]:
    """The entities of all submissions; of several accounts of one the latest counts."""
    return {entity["id"]: entity for item in landed for entity in item.receipt["entities"]}


def _add_entities(session: Session, entities: dict[str, dict[str, Any]]) -> None:
    rows = {
        name: ReportingEntity(
            **(values | {"registered_at": datetime.fromisoformat(values["registered_at"])})
            | {"parent": None}
        )
        for name, values in entities.items()
    }
    session.add_all(rows.values())
    session.flush()
    # Parents only now: a child may come before its parent.
    for name, values in entities.items():
        rows[name].parent = values["parent"]
    session.flush()


def _submission(item: _Landed) -> Submission:
    receipt = item.receipt
    row = submission_row(
        header_from_json(receipt["header"]),
        LandedCounts(**receipt["counts"]),
        receipt["id"],
        item.received_at,
        _status_of(item),
        tipstat_version=receipt["tipstat_version"],
    )
    row.sequence = item.status["sequence"] if item.status else None
    known = {entity["id"] for entity in receipt["entities"]}
    row.coverage = [c for c in row.coverage if c.reporting_entity in known]
    return row


def _status_of(item: _Landed) -> str:
    """A purge may have died between the swap of the folder and its status file."""
    if is_destroyed(item.stones):
        return "purged"
    return str(item.status["status"]) if item.status else "received"


def _add_status(session: Session, item: _Landed) -> None:
    if item.status is None:
        return
    for relation in item.status["relations"]:
        session.add(
            SubmissionRelation(
                submission_id=item.receipt["id"],
                earlier_id=relation["earlier"],
                relation=relation["relation"],
                recorded_at=datetime.fromisoformat(relation["recorded_at"]),
            )
        )
    for event in item.status["history"]:
        session.add(
            AuditEvent(
                at=datetime.fromisoformat(event["at"]),
                actor=event["actor"],
                action=event["action"],
                subject=item.receipt["id"],
                details=event["details"],
            )
        )


def _add_key(session: Session, landed: list[_Landed]) -> None:
    """The key of the first submission that was ever accepted."""
    for item in landed:
        if item.status is not None and item.status["sequence"] is not None:
            fingerprint = item.receipt["header"]["key_fingerprint"]
            session.add(KeyInUse(fingerprint=fingerprint, first_used_at=item.received_at))
            return
