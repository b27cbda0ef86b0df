"""Destroying records on a legal ground: the landing is rewritten, a tombstone stays.

Written to a new folder, brought to the disk, then swapped for the old one by two renames
(STATISTICS section 6). A process that dies before the swap has destroyed nothing and is given up;
from the first rename on the purge is carried to its end by whoever comes next.
"""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

import duckdb
from sqlalchemy import select
from sqlalchemy.orm import Session

from tipstat.errors import UsageError, WorkplaceError
from tipstat.landing import folders, receipts
from tipstat.landing.destruction import Doomed, doomed_records, write_without
from tipstat.landing.tombstones import (
    RECORDS,
    WHOLE,
    Tombstone,
    is_destroyed,
    read_tombstones,
    tombstones_of,
    write_tombstones,
)
from tipstat.registry import Registry
from tipstat.registry.models import Build, Purge, Submission
from tipstat.registry.store import add_audit, current_actor, utc_now
from tipstat.rules import refuse
from tipstat.workspace import Workspace

_NEW, _OLD = ".purge-", ".purged-"


@dataclass(frozen=True)
class PurgeRequest:
    """What is to be destroyed, and on which ground.

    Attributes:
        ground: code of the list ``legal_ground``.
        note: what the ground rests on: the number of the order, the clause of the agreement.
        record_type: record type of the records; ``None`` means the whole submission.
        record_ids: landed ids of the records.
    """

    submission_id: str
    ground: str
    note: str
    record_type: str | None = None
    record_ids: tuple[str, ...] = ()

    @property
    def scope(self) -> str:
        """``SUBMISSION`` or ``RECORDS``."""
        return WHOLE if self.record_type is None else RECORDS


def plan(ws: Workspace, request: PurgeRequest) -> Doomed:
    """Count what a purge would destroy; nothing is changed.

    Raises:
        UsageError: TIP-922, TIP-932, TIP-933 and TIP-934 as :func:`destroy`.
    """
    row = ws.registry().submission(request.submission_id)
    folder = _folder(ws, row)
    with doomed_records(folder, row.kind, request.record_type, request.record_ids) as (_, doomed):
        _refuse_emptying(request, doomed)
    return doomed


def _folder(ws: Workspace, row: Submission) -> Path:
    folder = folders.final_folder(ws, row.id)
    if not folder.is_dir():
        raise refuse("TIP-926", WorkplaceError, where=row.id, found="no such folder")
    if is_destroyed(read_tombstones(folder)):
        raise refuse("TIP-932", UsageError, where=row.id, found=row.status)
    return folder


def _refuse_emptying(request: PurgeRequest, doomed: Doomed) -> None:
    """A submission without any record left would count as a received zero."""
    if request.record_type is not None and not any(doomed.remaining.values()):
        raise refuse("TIP-934", UsageError, where=request.submission_id, found="no record left")


def destroy(ws: Workspace, request: PurgeRequest, *, actor: str | None = None) -> Purge:
    """Destroy records of a submission, or all of them.

    The caller holds the lock of the builds: no build may read the landing meanwhile.

    Returns:
        The purge as the registry holds it.

    Raises:
        UsageError: TIP-922 no such submission, TIP-932 it is destroyed already, TIP-933 no such
            records, TIP-934 no record would be left.
        WorkplaceError: TIP-926 the landing of the submission cannot be read.
    """
    registry = ws.registry()
    with folders.sweep_lock(ws, wait=True):
        finish_open(ws, registry)
        row = registry.submission(request.submission_id)
        folder = _folder(ws, row)
        with doomed_records(folder, row.kind, request.record_type, request.record_ids) as found:
            connection, doomed = found
            _refuse_emptying(request, doomed)
            purge = _open(registry, request, doomed, actor)
            try:
                _write(connection, folder, _make(ws, row.id), purge)
                swap(ws, row.id)
            finally:
                finish_open(ws, registry)
    return next(entry for entry in registry.purges(row.id) if entry.id == purge.id)


def _open(registry: Registry, request: PurgeRequest, doomed: Doomed, actor: str | None) -> Purge:
    """Commit the intention, so that whoever comes next can tell what the folders are."""
    purge = Purge(
        id=uuid.uuid4().hex,
        submission_id=request.submission_id,
        scope=request.scope,
        ground=request.ground,
        note=request.note,
        actor=actor or current_actor(),
        started_at=utc_now(),
        counts=dict(doomed.destroyed),
    )
    with registry.write() as session:
        session.add(purge)
    return purge


def _new(ws: Workspace, submission_id: str) -> Path:
    return ws.landing_dir / f"{_NEW}{submission_id}"


def _old(ws: Workspace, submission_id: str) -> Path:
    return ws.landing_dir / f"{_OLD}{submission_id}"


def _make(ws: Workspace, submission_id: str) -> Path:
    folder = _new(ws, submission_id)
    folder.mkdir(mode=0o700)
    return folder


def _write(connection: duckdb.DuckDBPyConnection, folder: Path, target: Path, purge: Purge) -> None:
    """Write what stays and the tombstone, and bring both to the disk."""
    counts = write_without(connection, folder, target, whole=purge.scope == WHOLE)
    stone = Tombstone(
        purge_id=purge.id,
        scope=purge.scope,
        ground=purge.ground,
        note=purge.note,
        actor=purge.actor,
        at=utc_now(),
        counts=purge.counts,
    )
    write_tombstones(target, purge.submission_id, (*read_tombstones(folder), stone))
    receipts.recount(target, counts)
    folders.sync_folder(target)


def swap(ws: Workspace, submission_id: str) -> None:
    """Put the new folder in place of the old one; from the first rename on there is no way back."""
    final, old, new = (
        folders.final_folder(ws, submission_id),
        _old(ws, submission_id),
        _new(ws, submission_id),
    )
    if final.is_dir():
        final.rename(old)
    folders.publish_folder(new, final)


def finish_open(ws: Workspace, registry: Registry) -> list[str]:
    """Carry the purges whose process died to their end, or give them up.

    The caller holds the lock of the sweep, as a purge does from its beginning to its end: a purge
    that is open then has no process any more.

    Returns:
        Submissions of the purges that were given up: nothing of them was destroyed.
    """
    given_up = []
    for purge in registry.purges():
        if purge.finished_at is None:
            _complete_swap(ws, purge.submission_id)
            enter_tombstones(ws, registry, purge.submission_id)
            if not _settle(ws, registry, purge):
                given_up.append(purge.submission_id)
    return given_up


def _complete_swap(ws: Workspace, submission_id: str) -> None:
    if _old(ws, submission_id).is_dir() and _new(ws, submission_id).is_dir():
        swap(ws, submission_id)


def _settle(ws: Workspace, registry: Registry, purge: Purge) -> bool:
    """End a purge: its old folder goes, or what it had written; whether it has destroyed."""
    known = {stone.purge_id for stone in tombstones_of(ws, purge.submission_id)}
    destroyed = purge.id in known
    if destroyed:
        receipts.write_status_files(ws, registry, purge.submission_id)
    for leftover in (_old(ws, purge.submission_id), _new(ws, purge.submission_id)):
        if leftover.is_dir():
            shutil.rmtree(leftover)
    folders.sync_directory(ws.landing_dir)
    with registry.write() as session:
        row = session.get(Purge, purge.id)
        if row is not None:
            row.finished_at = utc_now()
        if not destroyed:
            details = {"purge": purge.id, "ground": purge.ground}
            add_audit(session, None, "purge given up", purge.submission_id, details)
    return destroyed


def enter_tombstones(ws: Workspace, registry: Registry, submission_id: str) -> list[str]:
    """Let the registry say what the tombstones of a submission say.

    Returns:
        The purges that it did not know as done: after a crash, or a backup put back.
    """
    stones = tombstones_of(ws, submission_id)
    entered = []
    with registry.write() as session:
        for stone in stones:
            row = session.get(Purge, stone.purge_id) or purge_row(submission_id, stone)
            if row.destroyed_at is None or row not in session:
                row.destroyed_at = stone.at
                session.add(row)
                entered.append(stone.purge_id)
                _mark_builds(session, submission_id, stone)
                _audit(session, submission_id, stone)
        submission = session.get(Submission, submission_id)
        if entered and submission is not None:
            _take_counts(ws, submission, whole=is_destroyed(stones))
    return entered


def purge_row(submission_id: str, stone: Tombstone) -> Purge:
    """The registry's row of a purge that only the landing tells of."""
    return Purge(
        id=stone.purge_id,
        submission_id=submission_id,
        scope=stone.scope,
        ground=stone.ground,
        note=stone.note,
        actor=stone.actor,
        started_at=stone.at,
        destroyed_at=stone.at,
        finished_at=stone.at,
        counts=dict(stone.counts),
    )


def _take_counts(ws: Workspace, row: Submission, *, whole: bool) -> None:
    counts = receipts.landed_counts(folders.final_folder(ws, row.id))
    row.records, row.held_out, row.findings = counts.records, counts.held_out, counts.findings
    if whole:
        row.status = "purged"


def _mark_builds(session: Session, submission_id: str, stone: Tombstone) -> None:
    """Builds that used the records cannot be made again."""
    reason = f"records of {submission_id} destroyed on {stone.at:%Y-%m-%d} ({stone.ground})"
    for build in session.scalars(select(Build)):
        if submission_id in build.submissions and build.built_at < stone.at and build.reproducible:
            build.reproducible, build.not_reproducible_reason = False, reason


def _audit(session: Session, submission_id: str, stone: Tombstone) -> None:
    action = "purged" if stone.scope == WHOLE else "records purged"
    details = {
        "reason": f"{stone.ground}: {stone.note}",
        "purge": stone.purge_id,
        "counts": stone.counts,
    }
    add_audit(session, stone.actor, action, submission_id, details)


def unknown_tombstones(ws: Workspace, registry: Registry) -> list[str]:
    """Submissions of which a tombstone is not in the registry as done."""
    done = {purge.id for purge in registry.purges() if purge.destroyed_at is not None}
    known = {row.id for row in registry.submissions()}
    return [
        name
        for name in folders.landed_ids(ws)
        if name in known and any(stone.purge_id not in done for stone in tombstones_of(ws, name))
    ]


def undone(ws: Workspace, registry: Registry) -> list[str]:
    """Submissions whose destroyed records are back: a landing folder from an older backup."""
    landed = set(folders.landed_ids(ws))
    return sorted(
        {
            purge.submission_id
            for purge in registry.purges()
            if purge.destroyed_at is not None
            and purge.submission_id in landed
            and purge.id not in {s.purge_id for s in tombstones_of(ws, purge.submission_id)}
        }
    )
