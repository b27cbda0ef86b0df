"""What must hold for a submission to be accepted, judged inside the transaction that accepts it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tipstat import __version__
from tipstat.errors import ReturnRefused, WorkplaceError
from tipstat.landing.header import LandedCounts, Passage, SubmissionHeader
from tipstat.registry.models import (
    KeyInUse,
    LoadIntent,
    Purge,
    ReportingEntity,
    Submission,
    SubmissionCoverage,
    SubmissionRelation,
)
from tipstat.registry.store import add_audit, change_status, utc_now
from tipstat.rules import refuse


def accepted_twin(session: Session, file_sha256: str, layout_sha256: str | None) -> str | None:
    """Id of the accepted submission of the same file under the same layout, or ``None``."""
    query = select(Submission.id).where(
        Submission.file_sha256 == file_sha256,
        Submission.layout_sha256 == (layout_sha256 or ""),
        Submission.status == "accepted",
    )
    return session.scalars(query).first()


def admit(session: Session, header: SubmissionHeader) -> str | None:
    """Judge a return against everything accepted before.

    Returns:
        The accepted submission of the same file, or ``None`` where this one may be accepted.

    Raises:
        TipstatError: see :func:`check_header`.
    """
    same = header.file_sha256, header.layout_sha256
    twin = accepted_twin(session, *same)
    if twin is not None:
        return twin
    try:
        check_header(session, header)
    except ReturnRefused:
        # Where every statement sees what was committed before it (PostgreSQL), another loader of
        # the same file may be accepted between the two questions: what is in its way is its twin.
        twin = accepted_twin(session, *same)
        if twin is None:
            raise
    return twin


def require_open_intent(session: Session, submission_id: str) -> None:
    """Refuse a load that the sweep gave up while it ran: its folder is gone.

    Raises:
        WorkplaceError: TIP-921.
    """
    query = select(LoadIntent.outcome).where(LoadIntent.submission_id == submission_id)
    rows = session.execute(query).all()
    if [row.outcome for row in rows] != [None]:
        raise refuse("TIP-921", WorkplaceError, where=submission_id)


def check_header(session: Session, header: SubmissionHeader) -> None:
    """Refuse what may not be accepted beside what was accepted before.

    Raises:
        WorkplaceError: TIP-919 another pseudonym key than that of the first load.
        ReturnRefused: TIP-543 an unregistered entity, TIP-544 no period, TIP-541 and TIP-542 an
            earlier submission that cannot be replaced or updated, TIP-540 an overlapping period,
            TIP-553 a file of which records were destroyed on a legal ground.
    """
    _check_key(session, header.key_fingerprint)
    _check_destroyed(session, header)
    _check_entities(session, header)
    start, end = _period(header)
    named = [_earlier(session, header, earlier_id) for earlier_id in _named(header)]
    if header.intent == "REPLACES":
        _check_containment(named, header, start, end)
    _check_overlap(session, header, start, end)


def _check_key(session: Session, fingerprint: str) -> None:
    fixed = session.scalars(select(KeyInUse.fingerprint)).first()
    if fixed is not None and fixed != fingerprint:
        raise refuse(
            "TIP-919",
            WorkplaceError,
            where="pseudonym key",
            found=f"a key with fingerprint {fingerprint}",
            expected=f"the key with fingerprint {fixed}, fixed by the first load",
        )


def _check_destroyed(session: Session, header: SubmissionHeader) -> None:
    """What was destroyed on a legal ground does not come back by its old file (STATISTICS 6)."""
    query = (
        select(Purge)
        .join(Submission, Purge.submission_id == Submission.id)
        .where(Submission.file_sha256 == header.file_sha256, Purge.destroyed_at.is_not(None))
        .order_by(Purge.destroyed_at)
    )
    purge = session.scalars(query).first()
    if purge is not None:
        found = f"records of {purge.submission_id} destroyed on {purge.destroyed_at:%Y-%m-%d}"
        where = f"{header.kind} return of {header.sender}"
        raise refuse("TIP-553", ReturnRefused, where=where, found=f"{found} ({purge.ground})")


def _check_entities(session: Session, header: SubmissionHeader) -> None:
    needed = {header.sender, *(entity for entity, _ in header.coverage)}
    missing = sorted(needed - set(session.scalars(select(ReportingEntity.id))))
    if missing:
        found = ", ".join(missing)
        raise refuse("TIP-543", ReturnRefused, where=f"{header.kind} return", found=found)


def _period(header: SubmissionHeader) -> tuple[date, date]:
    start, end = header.period_start, header.period_end
    if start is None or end is None or start > end:
        raise refuse("TIP-544", ReturnRefused, where=f"{header.kind} return of {header.sender}")
    return start, end


def _named(header: SubmissionHeader) -> tuple[str, ...]:
    if header.intent in ("REPLACES", "UPDATES") and not header.earlier_ids:
        raise refuse(
            "TIP-541", ReturnRefused, where="earlier_submission", found="no submission named"
        )
    return header.earlier_ids


def _earlier(session: Session, header: SubmissionHeader, earlier_id: str) -> Submission:
    row = session.get(Submission, earlier_id)
    if row is None:
        found = f"{earlier_id}, which is not in the registry"
    elif row.status != "accepted":
        found = f"{earlier_id}, which is {row.status}"
    elif row.kind != header.kind:
        found = f"{earlier_id}, a {row.kind} return"
    elif row.sender != header.sender and not _shared(row, header):
        found = f"{earlier_id}, of another sender and other entities"
    else:
        return row
    raise refuse("TIP-541", ReturnRefused, where="earlier_submission", found=found)


def _pairs(row: Submission) -> set[tuple[str, str]]:
    return {(c.reporting_entity, c.scope) for c in row.coverage}


def _shared(row: Submission, header: SubmissionHeader) -> list[tuple[str, str]]:
    """What both cover; a nil return that names no measure stands for every one."""
    mine, theirs = set(header.coverage), _pairs(row)
    shared = mine & theirs
    if header.nil_return:
        shared |= {(entity, scope) for entity, scope in theirs if (entity, "") in mine}
    if row.nil_return:
        shared |= {(entity, scope) for entity, scope in mine if (entity, "") in theirs}
    return sorted(shared)


def _check_containment(
    named: Iterable[Submission], header: SubmissionHeader, start: date, end: date
) -> None:
    """A replacement takes the whole earlier submission out: it must cover its whole period."""
    for row in named:
        first, last = row.period_start or start, row.period_end or end
        if first < start or last > end:
            raise refuse(
                "TIP-542",
                ReturnRefused,
                where=f"{header.kind} return of {header.sender}",
                found=f"{start} to {end}, but {row.id} covers {first} to {last}",
            )


def _check_overlap(session: Session, header: SubmissionHeader, start: date, end: date) -> None:
    """Refuse overlapping periods of one entity, kind and scope (STATISTICS section 2)."""
    allowed = _family(session, header)
    query = select(Submission).where(
        Submission.status == "accepted",
        Submission.kind == header.kind,
        Submission.period_start <= end,
        Submission.period_end >= start,
    )
    for row in session.scalars(query.order_by(Submission.sequence)):
        shared = _shared(row, header)
        if not shared or row.id in allowed:
            continue
        entity, scope = shared[0]
        about = f"{entity}, {scope}" if scope else entity
        raise refuse(
            "TIP-540",
            ReturnRefused,
            where=f"{header.kind} return of {header.sender}",
            found=f"{start} to {end} ({about}), but {row.id} covers "
            f"{row.period_start} to {row.period_end}",
        )


def _family(session: Session, header: SubmissionHeader) -> set[str]:
    """The submissions named and all that they replaced or updated in turn.

    To an update belong also the other updates of these: a return may be corrected twice. One that
    replaces must name them, since nothing would be left for them to correct.
    """
    relatives: dict[str, list[str]] = defaultdict(list)
    for row in session.scalars(select(SubmissionRelation)):
        relatives[row.submission_id].append(row.earlier_id)
        if header.intent == row.relation == "UPDATES":
            relatives[row.earlier_id].append(row.submission_id)
    family: set[str] = set()
    waiting = list(header.earlier_ids)
    while waiting:
        member = waiting.pop()
        if member not in family:
            family.add(member)
            waiting += relatives[member]
    return family


def record_accepted(
    session: Session,
    header: SubmissionHeader,
    counts: LandedCounts,
    submission_id: str,
    passage: Passage,
) -> None:
    """Enter an accepted submission, its relations and the key, and supersede what it replaces."""
    row = submission_row(header, counts, submission_id, passage.received_at, "accepted")
    row.sequence = (session.scalar(select(func.max(Submission.sequence))) or 0) + 1
    if session.scalars(select(KeyInUse.fingerprint)).first() is None:
        session.add(KeyInUse(fingerprint=header.key_fingerprint, first_used_at=utc_now()))
    session.add(row)
    session.flush()
    _audit_way(session, header, counts, submission_id, passage)
    for earlier_id in header.earlier_ids:
        _relate(session, header, submission_id, earlier_id, passage.actor)
    add_audit(session, passage.actor, "accepted", submission_id, {"sequence": row.sequence})


def _audit_way(
    session: Session,
    header: SubmissionHeader,
    counts: LandedCounts,
    submission_id: str,
    passage: Passage,
) -> None:
    """What came before the decision, entered with it: nothing is left of a load that dies."""
    received = {"file_sha256": header.file_sha256, "sender": header.sender}
    add_audit(session, passage.actor, "received", submission_id, received, at=passage.received_at)
    checked = {"findings": dict(counts.findings), "tipstat_version": __version__}
    add_audit(session, passage.actor, "checked", submission_id, checked, at=passage.checked_at)


def _relate(
    session: Session,
    header: SubmissionHeader,
    submission_id: str,
    earlier_id: str,
    actor: str | None,
) -> None:
    session.add(
        SubmissionRelation(
            submission_id=submission_id,
            earlier_id=earlier_id,
            relation=header.intent,
            recorded_at=utc_now(),
        )
    )
    if header.intent == "REPLACES":
        reason = f"replaced by {submission_id}"
        change_status(session, earlier_id, "superseded", reason=reason, actor=actor)


def record_refused(
    session: Session,
    header: SubmissionHeader,
    counts: LandedCounts,
    submission_id: str,
    passage: Passage,
) -> None:
    """Enter a refused file: its row, hash and counts; of its coverage what is registered."""
    known = set(session.scalars(select(ReportingEntity.id)))
    row = submission_row(header, counts, submission_id, passage.received_at, "refused")
    row.coverage = [c for c in row.coverage if c.reporting_entity in known]
    session.add(row)
    _audit_way(session, header, counts, submission_id, passage)
    add_audit(session, passage.actor, "refused", submission_id, {})


def submission_row(
    header: SubmissionHeader,
    counts: LandedCounts,
    submission_id: str,
    received_at: datetime,
    status: str,
    *,
    tipstat_version: str = __version__,
) -> Submission:
    """The registry's row of a submission, not yet in a session."""
    return Submission(
        id=submission_id,
        status=status,
        received_at=received_at,
        sender=header.sender,
        kind=header.kind,
        reference_area=header.reference_area,
        period_start=header.period_start,
        period_end=header.period_end,
        file_sha256=header.file_sha256,
        file_format=header.file_format,
        layout_id=header.layout_id,
        layout_sha256=header.layout_key,
        contract_version=header.contract_version,
        key_fingerprint=header.key_fingerprint,
        maturity=header.maturity,
        intent=header.intent,
        earlier_submission=header.earlier_submission,
        legal_basis=header.legal_basis,
        agreement=header.agreement,
        confidentiality_class=header.confidentiality_class,
        destroy_by=header.destroy_by,
        nil_return=header.nil_return,
        return_metadata=dict(header.metadata),
        records=dict(counts.records),
        held_out=dict(counts.held_out),
        findings=dict(counts.findings),
        tipstat_version=tipstat_version,
        coverage=[
            SubmissionCoverage(reporting_entity=entity, scope=scope)
            for entity, scope in dict.fromkeys(header.coverage)
        ],
    )
