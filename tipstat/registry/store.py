"""The registry as the rest of tipstat sees it: short transactions around typed rows."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from tipstat.errors import UsageError, WorkplaceError
from tipstat.registry import engine as engines
from tipstat.registry.models import (
    AuditEvent,
    Build,
    ExpectedReturn,
    KeyInUse,
    LinkAuthorisation,
    LoadIntent,
    Purge,
    ReportingEntity,
    Submission,
)
from tipstat.registry.revision import check_revision, current_revision, owners
from tipstat.rules import refuse


def utc_now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def current_actor() -> str:
    """The operating system's name of who runs tipstat, for the audit trail."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return "unknown"


class Registry:
    """Entities, submissions, authorisations, builds and the audit trail.

    Rows that methods return are detached from the database and complete. Every method is a
    transaction of its own; :meth:`write` joins several steps into one.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.engine: Engine = engines.make_engine(url)

    @classmethod
    def open(cls, url: str, root: Path, workspace_id: str) -> Registry:
        """Open a registry that exists, has this tipstat's revision and is the workspace's own.

        Args:
            url: as in the settings.
            root: the workspace.
            workspace_id: the id that the registry must carry.

        Raises:
            WorkplaceError: TIP-908 to TIP-915: missing, damaged, locked, unreachable, older,
                newer, another workspace's, or no such URL.
        """
        registry = cls.connect(url, root)
        registry.check(workspace_id)
        return registry

    @classmethod
    def connect(cls, url: str, root: Path) -> Registry:
        """A registry whose revision and owner are not checked yet; TIP-908 where it is missing."""
        resolved = engines.resolve_url(url, root)
        if engines.is_sqlite(resolved) and not engines.sqlite_file(resolved).is_file():
            where = str(engines.sqlite_file(resolved))
            raise refuse("TIP-908", WorkplaceError, where=where, found="no such file")
        return cls(resolved)

    @property
    def where(self) -> str:
        """The file or URL, fit to be printed."""
        if engines.is_sqlite(self.url):
            return str(engines.sqlite_file(self.url))
        return engines.shown(self.url)

    def check(self, workspace_id: str) -> None:
        """Refuse a registry of another revision or of another workspace; see :meth:`open`."""
        with engines.refusing(self.url), self.engine.connect() as connection:
            check_revision(current_revision(connection), self.where)
            found = owners(connection)
        if not found:
            unfinished = "a registry that was never finished"
            raise refuse("TIP-908", WorkplaceError, where=self.where, found=unfinished)
        if found != [workspace_id]:
            raise refuse("TIP-914", WorkplaceError, where=self.where)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads."""
        with (
            engines.refusing(self.url),
            Session(self.engine, expire_on_commit=False) as session,
        ):
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that no other writer overlaps; committed unless an exception leaves it."""
        with (
            engines.refusing(self.url),
            Session(engines.writing(self.engine), expire_on_commit=False) as session,
            session.begin(),
        ):
            engines.take_writer_lock(session.connection())
            yield session

    def entities(self) -> list[ReportingEntity]:
        """The reporting entities, by id."""
        with self.read() as session:
            # Sorted here: databases order text by their own collations.
            return sorted(session.scalars(select(ReportingEntity)), key=lambda row: row.id)

    def entity(self, entity_id: str) -> ReportingEntity | None:
        """One reporting entity, or ``None``."""
        with self.read() as session:
            return session.get(ReportingEntity, entity_id)

    def add_entity(
        self,
        entity_id: str,
        *,
        name: str,
        entity_type: str,
        reference_area: str,
        parent: str | None = None,
        mandate: str | None = None,
        agreement: str | None = None,
        confidential: bool = False,
        actor: str | None = None,
    ) -> ReportingEntity:
        """Register a reporting entity, with an audit event.

        Args:
            entity_id: the id under which returns name it.
            entity_type: code of the list ``entity_type``.
            reference_area: ISO 3166-1 alpha-3 code.
            parent: id of a registered entity.

        Raises:
            UsageError: TIP-546 the id is in use, TIP-549 the parent is not registered.
        """
        row = ReportingEntity(
            id=entity_id,
            name=name,
            entity_type=entity_type,
            parent=parent,
            reference_area=reference_area,
            mandate=mandate,
            agreement=agreement,
            confidential=confidential,
            registered_at=utc_now(),
        )
        with self.write() as session:
            if session.get(ReportingEntity, entity_id) is not None:
                raise refuse("TIP-546", UsageError, where=entity_id)
            if parent is not None and session.get(ReportingEntity, parent) is None:
                raise refuse("TIP-549", UsageError, where=f"parent of {entity_id}")
            session.add(row)
            details = {"entity_type": entity_type, "confidential": confidential}
            add_audit(session, actor, "entity add", entity_id, details)
        return row

    def authorisations(self, on: date) -> list[LinkAuthorisation]:
        """The link authorisations in force on a day."""
        return [a for a in self.all_authorisations() if a.valid_from <= on <= a.expires_on]

    def all_authorisations(self) -> list[LinkAuthorisation]:
        """Every link authorisation, also those that expired."""
        with self.read() as session:
            return list(session.scalars(select(LinkAuthorisation).order_by(LinkAuthorisation.id)))

    def add_authorisation(
        self,
        entity_a: str,
        entity_b: str,
        *,
        purpose: str,
        legal_basis: str,
        expires_on: date,
        valid_from: date | None = None,
        actor: str | None = None,
    ) -> LinkAuthorisation:
        """Permit the linking of the persons of two entities (STATISTICS section 6).

        The pair has no order: it is kept with the lesser id first.

        Raises:
            UsageError: TIP-551 the same entity twice, TIP-552 it expires before it begins,
                TIP-549 an entity is not registered.
        """
        start = valid_from or utc_now().date()
        if entity_a == entity_b:
            raise refuse("TIP-551", UsageError, where=entity_a, found="one entity twice")
        if expires_on < start:
            found = f"{start.isoformat()} to {expires_on.isoformat()}"
            raise refuse("TIP-552", UsageError, where="--expires", found=found)
        first, second = sorted((entity_a, entity_b))
        row = LinkAuthorisation(
            entity_a=first,
            entity_b=second,
            purpose=purpose,
            legal_basis=legal_basis,
            valid_from=start,
            expires_on=expires_on,
            registered_at=utc_now(),
        )
        with self.write() as session:
            for name in (first, second):
                if session.get(ReportingEntity, name) is None:
                    raise refuse("TIP-549", UsageError, where=name)
            session.add(row)
            details = {"purpose": purpose, "expires_on": expires_on.isoformat()}
            add_audit(session, actor, "link authorised", f"{first} {second}", details)
        return row

    def expected_returns(self) -> list[ExpectedReturn]:
        """The returns that entities owe, also those that ended, by entity, kind and first day."""
        with self.read() as session:
            rows = list(session.scalars(select(ExpectedReturn)))
        return sorted(rows, key=lambda row: (row.reporting_entity, row.kind, row.valid_from))

    def submissions(self) -> list[Submission]:
        """Every submission, in the order in which they were received."""
        order = (Submission.received_at, Submission.id)
        with self.read() as session:
            return list(session.scalars(select(Submission).order_by(*order)))

    def current_submissions(self) -> list[Submission]:
        """The accepted submissions, those that figures are made from, in order of acceptance."""
        with self.read() as session:
            query = select(Submission).where(Submission.status == "accepted")
            return list(session.scalars(query.order_by(Submission.sequence)))

    def submission(self, submission_id: str) -> Submission:
        """One submission.

        Raises:
            UsageError: TIP-922 there is none of that id.
        """
        with self.read() as session:
            return get_submission(session, submission_id)

    def set_status(
        self, submission_id: str, status: str, *, reason: str, actor: str | None = None
    ) -> None:
        """Take an accepted submission out of the figures, with an audit event.

        Callers outside the registry use :func:`tipstat.landing.withdraw` and
        :func:`tipstat.landing.supersede`, which also write the landing's copy of the status.

        Raises:
            UsageError: TIP-922 no such submission, TIP-923 it is not accepted.
        """
        with self.write() as session:
            change_status(session, submission_id, status, reason=reason, actor=actor)

    def open_intents(self) -> list[LoadIntent]:
        """The loads that have not ended, or died."""
        with self.read() as session:
            query = select(LoadIntent).where(LoadIntent.outcome.is_(None))
            return list(session.scalars(query.order_by(LoadIntent.started_at)))

    def key_fingerprint(self) -> str | None:
        """Fingerprint of the key of the first load; ``None`` before it."""
        with self.read() as session:
            return session.scalars(select(KeyInUse.fingerprint)).first()

    def audit(
        self, actor: str | None, action: str, subject: str, details: Mapping[str, object]
    ) -> None:
        """Add an audit event; ``None`` as actor means the operating system's user."""
        with self.write() as session:
            add_audit(session, actor, action, subject, details)

    def audit_events(self, subject: str | None = None) -> list[AuditEvent]:
        """The audit events of one subject, or all of them, oldest first."""
        query = select(AuditEvent).order_by(AuditEvent.id)
        if subject is not None:
            query = query.where(AuditEvent.subject == subject)
        with self.read() as session:
            return list(session.scalars(query))

    def record_build(
        self,
        build_id: str,
        *,
        built_at: datetime,
        tipstat_version: str,
        seed_digest: str,
        warehouse_file: str,
        submissions: Sequence[str],
        details: Mapping[str, object] | None = None,
    ) -> None:
        """Record a warehouse that was swapped in.

        Args:
            built_at: with its time zone.
            warehouse_file: name of the file in ``warehouse/``.
            submissions: ids of the submissions it was built from.
            details: counts and durations, as JSON.
        """
        row = Build(
            id=build_id,
            built_at=built_at,
            tipstat_version=tipstat_version,
            seed_digest=seed_digest,
            warehouse_file=warehouse_file,
            submissions=list(submissions),
            details=dict(details or {}),
        )
        with self.write() as session:
            session.add(row)

    def builds(self) -> list[Build]:
        """The builds recorded, oldest first."""
        with self.read() as session:
            return list(session.scalars(select(Build).order_by(Build.built_at, Build.id)))

    def purges(self, submission_id: str | None = None) -> list[Purge]:
        """The purges recorded, oldest first: of one submission, or all; also those given up."""
        query = select(Purge).order_by(Purge.started_at, Purge.id)
        if submission_id is not None:
            query = query.where(Purge.submission_id == submission_id)
        with self.read() as session:
            return list(session.scalars(query))


def get_submission(session: Session, submission_id: str) -> Submission:
    """One submission within a transaction; TIP-922 where there is none."""
    row = session.get(Submission, submission_id)
    if row is None:
        raise refuse("TIP-922", UsageError, where=submission_id)
    return row


def change_status(
    session: Session, submission_id: str, status: str, *, reason: str, actor: str | None = None
) -> Submission:
    """Mark an accepted submission superseded or withdrawn within a transaction, audited.

    Raises:
        UsageError: TIP-922 no such submission, TIP-923 it is not accepted.
    """
    row = get_submission(session, submission_id)
    if row.status != "accepted":
        raise refuse("TIP-923", UsageError, where=submission_id, found=row.status)
    row.status = status
    add_audit(session, actor, status, submission_id, {"reason": reason})
    return row


def add_audit(
    session: Session,
    actor: str | None,
    action: str,
    subject: str,
    details: Mapping[str, object],
    *,
    at: datetime | None = None,
) -> None:
    """Add an audit event within a transaction; of a step that lies back, when it was."""
    session.add(
        AuditEvent(
            at=at or utc_now(),
            actor=actor or current_actor(),
            action=action,
            subject=subject,
            details=dict(details),
        )
    )
