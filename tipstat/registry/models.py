"""Tables of the registry: what cannot be computed again from anything else.

The migrations in ``migrations/versions`` make the same tables; a test holds the two together.
Instances that :class:`tipstat.registry.Registry` returns are detached and loaded in full.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    text,
    true,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

STATUSES = ("received", "checked", "accepted", "refused", "superseded", "withdrawn", "purged")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC: SQLite keeps no time zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC before writing; a naive time is a mistake of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times in the registry carry a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give every time read its zone, UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of the registry's tables; constraints have names so that SQLite can change them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy reads it as a class attribute
        datetime: UtcDateTime,
        date: Date,
        dict[str, int]: JSON,
        dict[str, str]: JSON,
        dict[str, Any]: JSON,
        list[str]: JSON,
    }


class WorkspaceIdentity(Base):
    """The one workspace that the registry belongs to."""

    __tablename__ = "workspace_identity"

    workspace_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    created_at: Mapped[datetime]


class ReportingEntity(Base):
    """An organisation unit that registers, identifies, assists or decides (STATISTICS 1)."""

    __tablename__ = "reporting_entity"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(300))
    entity_type: Mapped[str] = mapped_column(String(40))
    parent: Mapped[str | None] = mapped_column(ForeignKey("reporting_entity.id"))
    reference_area: Mapped[str] = mapped_column(String(10))
    mandate: Mapped[str | None] = mapped_column(String(300))
    agreement: Mapped[str | None] = mapped_column(String(300))
    confidential: Mapped[bool] = mapped_column(Boolean)
    registered_at: Mapped[datetime]


class Submission(Base):
    """One return received: what it declared, and what became of it."""

    __tablename__ = "submission"
    __table_args__ = (
        CheckConstraint(
            "status in ('received', 'checked', 'accepted', 'refused', 'superseded', 'withdrawn', "
            "'purged')",
            name="status",
        ),
        # One file under one layout stands in the figures once, whoever loads it at the same time.
        Index(
            "uq_submission_accepted_file",
            "file_sha256",
            "layout_sha256",
            unique=True,
            sqlite_where=text("status = 'accepted'"),
            postgresql_where=text("status = 'accepted'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(160), primary_key=True)
    status: Mapped[str] = mapped_column(String(20), index=True)
    sequence: Mapped[int | None] = mapped_column(Integer, unique=True)
    received_at: Mapped[datetime]
    sender: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(20))
    reference_area: Mapped[str] = mapped_column(String(10))
    period_start: Mapped[date | None]
    period_end: Mapped[date | None]
    file_sha256: Mapped[str] = mapped_column(String(64))
    file_format: Mapped[str] = mapped_column(String(20))
    layout_id: Mapped[str | None] = mapped_column(String(100))
    layout_sha256: Mapped[str] = mapped_column(String(64))
    contract_version: Mapped[int]
    key_fingerprint: Mapped[str] = mapped_column(String(64))
    maturity: Mapped[str] = mapped_column(String(40))
    intent: Mapped[str] = mapped_column(String(40))
    earlier_submission: Mapped[str | None] = mapped_column(String(700))
    legal_basis: Mapped[str] = mapped_column(String(40))
    agreement: Mapped[str] = mapped_column(String(300))
    confidentiality_class: Mapped[str] = mapped_column(String(40))
    destroy_by: Mapped[date | None]
    nil_return: Mapped[bool] = mapped_column(Boolean)
    return_metadata: Mapped[dict[str, str]]
    records: Mapped[dict[str, int]]
    held_out: Mapped[dict[str, int]]
    findings: Mapped[dict[str, int]]
    tipstat_version: Mapped[str] = mapped_column(String(40))

    coverage: Mapped[list[SubmissionCoverage]] = relationship(
        lazy="selectin",
        order_by="SubmissionCoverage.reporting_entity, SubmissionCoverage.scope",
    )
    relations: Mapped[list[SubmissionRelation]] = relationship(
        lazy="selectin",
        foreign_keys="SubmissionRelation.submission_id",
        order_by="SubmissionRelation.earlier_id",
    )


class SubmissionCoverage(Base):
    """A reporting entity, and for cells a measure, that a submission covers for its period."""

    __tablename__ = "submission_coverage"

    submission_id: Mapped[str] = mapped_column(ForeignKey("submission.id"), primary_key=True)
    reporting_entity: Mapped[str] = mapped_column(
        ForeignKey("reporting_entity.id"), primary_key=True, index=True
    )
    scope: Mapped[str] = mapped_column(String(60), primary_key=True)


class SubmissionRelation(Base):
    """A later submission that replaces or updates an earlier one."""

    __tablename__ = "submission_relation"
    __table_args__ = (
        CheckConstraint("relation in ('REPLACES', 'UPDATES')", name="relation"),
        CheckConstraint("submission_id <> earlier_id", name="two_submissions"),
    )

    submission_id: Mapped[str] = mapped_column(ForeignKey("submission.id"), primary_key=True)
    earlier_id: Mapped[str] = mapped_column(
        ForeignKey("submission.id"), primary_key=True, index=True
    )
    relation: Mapped[str] = mapped_column(String(20))
    recorded_at: Mapped[datetime]


class LoadIntent(Base):
    """A load under way, or how it ended: what the sweep may remove follows from it."""

    __tablename__ = "load_intent"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    submission_id: Mapped[str] = mapped_column(String(160), unique=True)
    host: Mapped[str] = mapped_column(String(300))
    pid: Mapped[int]
    process_started: Mapped[str] = mapped_column(String(80))
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(20))


class LinkAuthorisation(Base):
    """Permission in law to link the persons of two entities (STATISTICS section 6)."""

    __tablename__ = "link_authorisation"
    __table_args__ = (
        CheckConstraint("entity_a <> entity_b", name="pair"),
        CheckConstraint("valid_from <= expires_on", name="validity"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    entity_a: Mapped[str] = mapped_column(ForeignKey("reporting_entity.id"))
    entity_b: Mapped[str] = mapped_column(ForeignKey("reporting_entity.id"))
    purpose: Mapped[str] = mapped_column(String(500))
    legal_basis: Mapped[str] = mapped_column(String(500))
    valid_from: Mapped[date]
    expires_on: Mapped[date]
    registered_at: Mapped[datetime]


class ExpectedReturn(Base):
    """A return that an entity owes for each period: how often, by when, under which agreement.

    ``destroy_by`` is the day by which all that was received of it must be destroyed.
    """

    __tablename__ = "expected_return"
    __table_args__ = (
        CheckConstraint("frequency in ('YEAR', 'HALF_YEAR', 'QUARTER', 'MONTH')", name="frequency"),
        CheckConstraint("due_months >= 0 and due_days >= 0", name="due"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    reporting_entity: Mapped[str] = mapped_column(ForeignKey("reporting_entity.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    frequency: Mapped[str] = mapped_column(String(20))
    due_months: Mapped[int]
    due_days: Mapped[int]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    agreement: Mapped[str | None] = mapped_column(String(300))
    destroy_by: Mapped[date | None]
    registered_at: Mapped[datetime]


class AuditEvent(Base):
    """Who did what to which thing, and why; rows are only added."""

    __tablename__ = "audit_event"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(200), index=True)
    details: Mapped[dict[str, Any]]


class Build(Base):
    """A warehouse that was built and swapped in, with the submissions it was built from."""

    __tablename__ = "build"

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    built_at: Mapped[datetime]
    tipstat_version: Mapped[str] = mapped_column(String(40))
    seed_digest: Mapped[str] = mapped_column(String(64))
    warehouse_file: Mapped[str] = mapped_column(String(300))
    submissions: Mapped[list[str]]
    details: Mapped[dict[str, Any]]
    reproducible: Mapped[bool] = mapped_column(Boolean, server_default=true())
    not_reproducible_reason: Mapped[str | None] = mapped_column(String(500))


class Purge(Base):
    """Records that were destroyed on a legal ground: how many, why and by whom (STATISTICS 6).

    ``destroyed_at`` is set when the landing no longer holds them, ``finished_at`` when nothing is
    left to do; one that ended without the former was given up and destroyed nothing.
    """

    __tablename__ = "purge"
    __table_args__ = (CheckConstraint("scope in ('SUBMISSION', 'RECORDS')", name="scope"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    submission_id: Mapped[str] = mapped_column(ForeignKey("submission.id"), index=True)
    scope: Mapped[str] = mapped_column(String(20))
    ground: Mapped[str] = mapped_column(String(40))
    note: Mapped[str] = mapped_column(String(500))
    actor: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    counts: Mapped[dict[str, int]]


class KeyInUse(Base):
    """Fingerprint of the pseudonym key, fixed by the first submission that was accepted."""

    __tablename__ = "pseudonym_key"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    first_used_at: Mapped[datetime]
