"""A load is one transaction (DESIGN section 1).

Intent committed, files written to a temporary folder and brought to the disk, folder moved into
place, acceptance committed. Acceptance in the registry is the truth: whatever a crash leaves
beside it is swept, and nothing that was accepted is ever removed.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from tipstat.errors import TipstatError
from tipstat.landing import acceptance, folders, processes, purging, receipts
from tipstat.landing.header import (
    LandedCounts,
    Passage,
    SubmissionHeader,
    new_submission_id,
)
from tipstat.registry import Registry
from tipstat.registry.models import LoadIntent, Submission
from tipstat.registry.store import utc_now
from tipstat.workspace import Workspace

#: Age at which a load is given up wherever it runs.
GIVEN_UP_AFTER = timedelta(days=1)
GIVEN_UP = "given up"
_MAY_BE_REFUSED = {"findings.parquet", "mapping.parquet"}

Writer = Callable[[Path, str], LandedCounts]
Decide = Callable[[Registry, SubmissionHeader, LandedCounts, LoadIntent, Passage], str]


def already_accepted(ws: Workspace, file_sha256: str, layout_sha256: str | None) -> str | None:
    """The accepted submission of the same file under the same layout.

    Returns:
        Its id, or ``None``. A file that was superseded, withdrawn or refused may come again.
    """
    with ws.registry().read() as session:
        return acceptance.accepted_twin(session, file_sha256, layout_sha256)


def check_acceptable(ws: Workspace, header: SubmissionHeader) -> str | None:
    """Refuse, before anything is written, what :func:`land` would refuse.

    Returns:
        The accepted submission of the same file under the same layout, or ``None``.

    Raises:
        WorkplaceError: TIP-919 another pseudonym key.
        ReturnRefused: TIP-540 to TIP-544: see :func:`tipstat.landing.acceptance.check_header`.
    """
    with ws.registry().read() as session:
        return acceptance.admit(session, header)


def land(
    ws: Workspace, header: SubmissionHeader, write: Writer, passage: Passage | None = None
) -> str:
    """Land a submission and accept it.

    Args:
        ws: the workspace.
        header: what the return declares.
        write: writes the Parquet files into the folder it is given, for the submission id it is
            given, and returns the counts.
        passage: when it was received and checked, and by whom; by default now.

    Returns:
        The id of the submission; that of the earlier one where the same file under the same
        layout is already accepted, also when another process was faster.

    Raises:
        TipstatError: as :func:`check_acceptable`, judged again inside the accepting transaction;
            TIP-920 the landing cannot be written, TIP-921 the load took over a day. Nothing of a
            refused load stays in the landing.
    """
    twin = check_acceptable(ws, header)
    return twin or _load(ws, header, write, accept, passage or passage_now())


def record_refusal(
    ws: Workspace,
    header: SubmissionHeader,
    write_findings: Callable[[Path], LandedCounts],
    passage: Passage | None = None,
) -> str:
    """Record a refused file: its row, hash, findings and counts, and no record.

    Args:
        ws: the workspace.
        header: what could be read of the return.
        write_findings: writes ``findings.parquet`` (and ``mapping.parquet``) into the folder.
        passage: as for :func:`land`.

    Returns:
        The id of the refused submission.

    Raises:
        ValueError: ``write_findings`` wrote anything else.
    """

    def write(folder: Path, _submission_id: str) -> LandedCounts:
        counts = write_findings(folder)
        if set(folders.file_sizes(folder)) - _MAY_BE_REFUSED:
            raise ValueError("a refused file leaves findings and no records")
        return counts

    return _load(ws, header, write, refuse_file, passage or passage_now())


def passage_now(actor: str | None = None) -> Passage:
    """The passage of a file that is received and checked at this moment."""
    now = utc_now()
    return Passage(now, now, actor)


def _load(
    ws: Workspace, header: SubmissionHeader, write: Writer, decide: Decide, passage: Passage
) -> str:
    folders.landing_of(ws)
    sweep(ws, wait=False)
    registry = ws.registry()
    intent = open_intent(registry, _unused_id(ws, registry, header))
    try:
        temporary = folders.make_temporary(ws, intent.submission_id)
        counts = write_files(
            registry,
            temporary,
            header,
            write,
            submission_id=intent.submission_id,
            received_at=passage.received_at,
        )
        folders.sync_folder(temporary)
        folders.publish_folder(temporary, folders.final_folder(ws, intent.submission_id))
        decided = decide(registry, header, counts, intent, passage)
    finally:
        # Whether the commit was reached is for the registry to say: a connection may be lost
        # after it. What cannot be settled now, the sweep of a later command settles.
        with suppress(TipstatError, OSError):
            settle(ws, registry, intent.submission_id)
    return decided


def _unused_id(ws: Workspace, registry: Registry, header: SubmissionHeader) -> str:
    """A submission id that no load, submission or folder has had."""
    while True:
        submission_id = new_submission_id(header)
        with registry.read() as session:
            used = _intent(session, submission_id) or session.get(Submission, submission_id)
        if used is None and not folders.final_folder(ws, submission_id).exists():
            return submission_id


def open_intent(registry: Registry, submission_id: str) -> LoadIntent:
    """Commit the intent: from here on the load's folders can be traced to their process."""
    intent = LoadIntent(
        id=uuid.uuid4().hex,
        submission_id=submission_id,
        host=processes.machine(),
        pid=os.getpid(),
        process_started=processes.process_start(os.getpid()),
        started_at=utc_now(),
    )
    with registry.write() as session:
        session.add(intent)
    return intent


def write_files(
    registry: Registry,
    temporary: Path,
    header: SubmissionHeader,
    write: Writer,
    *,
    submission_id: str,
    received_at: datetime,
) -> LandedCounts:
    """Let the caller write its Parquet files, then add ``submission.json``."""
    counts = write(temporary, submission_id)
    receipts.write_receipt(
        temporary,
        header,
        counts,
        submission_id=submission_id,
        received_at=received_at,
        entities=receipts.entities_concerned(registry.entities(), header),
    )
    return counts


def accept(
    registry: Registry,
    header: SubmissionHeader,
    counts: LandedCounts,
    intent: LoadIntent,
    passage: Passage,
) -> str:
    """Accept a submission, or find that another process accepted the same file meanwhile.

    Returns:
        The id accepted: the load's own or the other's.
    """
    with registry.write() as session:
        acceptance.require_open_intent(session, intent.submission_id)
        twin = acceptance.admit(session, header)
        if twin is not None:
            return twin
        acceptance.record_accepted(session, header, counts, intent.submission_id, passage)
    return intent.submission_id


def refuse_file(
    registry: Registry,
    header: SubmissionHeader,
    counts: LandedCounts,
    intent: LoadIntent,
    passage: Passage,
) -> str:
    """Enter a refused file in the registry."""
    with registry.write() as session:
        acceptance.require_open_intent(session, intent.submission_id)
        acceptance.record_refused(session, header, counts, intent.submission_id, passage)
    return intent.submission_id


def settle(ws: Workspace, registry: Registry, submission_id: str) -> bool:
    """End a load by what the registry says of it.

    A submission that is in the registry gets its status file. Of any other the intent is first
    given up, so that it can no longer be accepted, and then its folders are removed.

    Returns:
        Whether the submission is in the registry.
    """
    with registry.write() as session:
        decided = session.get(Submission, submission_id) is not None
        if not decided:
            _close(_intent(session, submission_id), GIVEN_UP)
    if not decided:
        folders.remove_folders(ws, submission_id)
        return False
    receipts.write_status_files(ws, registry, submission_id)
    with registry.write() as session:
        _close(_intent(session, submission_id), "decided")
    return True


def _intent(session: Session, submission_id: str) -> LoadIntent | None:
    query = select(LoadIntent).where(LoadIntent.submission_id == submission_id)
    return session.scalars(query).first()


def _close(intent: LoadIntent | None, outcome: str) -> None:
    if intent is not None and intent.outcome is None:
        intent.outcome, intent.finished_at = outcome, utc_now()


def sweep(ws: Workspace, *, wait: bool = True) -> list[str]:
    """Settle the loads and purges that died, and remove what they left.

    Runs under an exclusive lock, which a purge holds from beginning to end. Touches only loads
    whose intent is a day old, or whose process on this machine is dead; a folder without an
    intent is never removed.

    Args:
        ws: the workspace.
        wait: wait for another sweep to end; otherwise leave the work to it.

    Returns:
        The ids of the loads that were given up.
    """
    registry = ws.registry()
    swept: list[str] = []
    with folders.sweep_lock(ws, wait=wait) as held:
        if not held:
            return swept
        purging.finish_open(ws, registry)
        for intent in registry.open_intents():
            if is_abandoned(intent, utc_now()) and not settle(ws, registry, intent.submission_id):
                swept.append(intent.submission_id)
        for submission_id in _given_up_on_disk(ws, registry):
            folders.remove_folders(ws, submission_id)
            swept.append(submission_id)
    return swept


def is_abandoned(intent: LoadIntent, now: datetime) -> bool:
    """Whether a load is a day old, or its process on this machine is dead."""
    if now - intent.started_at >= GIVEN_UP_AFTER:
        return True
    if intent.host != processes.machine():
        return False
    return not processes.is_running(intent.pid, intent.process_started)


def _given_up_on_disk(ws: Workspace, registry: Registry) -> list[str]:
    """Loads that were given up while the removal of their folders did not end."""
    on_disk = {*folders.landed_ids(ws), *folders.temporary_ids(ws)}
    query = select(LoadIntent.submission_id).where(LoadIntent.outcome == GIVEN_UP)
    with registry.read() as session:
        return sorted(on_disk & set(session.scalars(query)))
