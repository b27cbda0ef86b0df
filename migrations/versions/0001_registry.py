"""The registry of the first version.

Revision: 0001, the first.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_workspace_identity()
    _create_reporting_entity()
    _create_submission()
    _create_submission_coverage()
    _create_submission_relation()
    _create_load_intent()
    _create_link_authorisation()
    _create_audit_event()
    _create_build()
    _create_pseudonym_key()


def downgrade() -> None:
    for table in (
        "pseudonym_key",
        "build",
        "audit_event",
        "link_authorisation",
        "load_intent",
        "submission_relation",
        "submission_coverage",
        "submission",
        "reporting_entity",
        "workspace_identity",
    ):
        op.drop_table(table)


def _create_workspace_identity() -> None:
    op.create_table(
        "workspace_identity",
        sa.Column("workspace_id", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("pk_workspace_identity")),
    )


def _create_reporting_entity() -> None:
    op.create_table(
        "reporting_entity",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("entity_type", sa.String(length=40), nullable=False),
        sa.Column("parent", sa.String(length=32), nullable=True),
        sa.Column("reference_area", sa.String(length=10), nullable=False),
        sa.Column("mandate", sa.String(length=300), nullable=True),
        sa.Column("agreement", sa.String(length=300), nullable=True),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent"], ["reporting_entity.id"], name=op.f("fk_reporting_entity_parent")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reporting_entity")),
    )


def _create_submission() -> None:
    op.create_table(
        "submission",
        sa.Column("id", sa.String(length=160), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sender", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("reference_area", sa.String(length=10), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=True),
        sa.Column("period_end", sa.Date(), nullable=True),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("file_format", sa.String(length=20), nullable=False),
        sa.Column("layout_id", sa.String(length=100), nullable=True),
        sa.Column("layout_sha256", sa.String(length=64), nullable=False),
        sa.Column("contract_version", sa.Integer(), nullable=False),
        sa.Column("key_fingerprint", sa.String(length=64), nullable=False),
        sa.Column("maturity", sa.String(length=40), nullable=False),
        sa.Column("intent", sa.String(length=40), nullable=False),
        sa.Column("earlier_submission", sa.String(length=700), nullable=True),
        sa.Column("legal_basis", sa.String(length=40), nullable=False),
        sa.Column("agreement", sa.String(length=300), nullable=False),
        sa.Column("confidentiality_class", sa.String(length=40), nullable=False),
        sa.Column("destroy_by", sa.Date(), nullable=True),
        sa.Column("nil_return", sa.Boolean(), nullable=False),
        sa.Column("return_metadata", sa.JSON(), nullable=False),
        sa.Column("records", sa.JSON(), nullable=False),
        sa.Column("held_out", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("tipstat_version", sa.String(length=40), nullable=False),
        sa.CheckConstraint(
            "status in ('received', 'checked', 'accepted', 'refused', 'superseded', 'withdrawn')",
            name=op.f("ck_submission_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
        sa.UniqueConstraint("sequence", name=op.f("uq_submission_sequence")),
    )
    op.create_index(op.f("ix_submission_status"), "submission", ["status"], unique=False)
    op.create_index(
        "uq_submission_accepted_file",
        "submission",
        ["file_sha256", "layout_sha256"],
        unique=True,
        sqlite_where=sa.text("status = 'accepted'"),
        postgresql_where=sa.text("status = 'accepted'"),
    )


def _create_submission_coverage() -> None:
    op.create_table(
        "submission_coverage",
        sa.Column("submission_id", sa.String(length=160), nullable=False),
        sa.Column("reporting_entity", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["reporting_entity"],
            ["reporting_entity.id"],
            name=op.f("fk_submission_coverage_reporting_entity"),
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_submission_coverage_submission_id")
        ),
        sa.PrimaryKeyConstraint(
            "submission_id", "reporting_entity", "scope", name=op.f("pk_submission_coverage")
        ),
    )
    op.create_index(
        op.f("ix_submission_coverage_reporting_entity"),
        "submission_coverage",
        ["reporting_entity"],
        unique=False,
    )


def _create_submission_relation() -> None:
    op.create_table(
        "submission_relation",
        sa.Column("submission_id", sa.String(length=160), nullable=False),
        sa.Column("earlier_id", sa.String(length=160), nullable=False),
        sa.Column("relation", sa.String(length=20), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "relation in ('REPLACES', 'UPDATES')", name=op.f("ck_submission_relation_relation")
        ),
        sa.CheckConstraint(
            "submission_id <> earlier_id", name=op.f("ck_submission_relation_two_submissions")
        ),
        sa.ForeignKeyConstraint(
            ["earlier_id"], ["submission.id"], name=op.f("fk_submission_relation_earlier_id")
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_submission_relation_submission_id")
        ),
        sa.PrimaryKeyConstraint("submission_id", "earlier_id", name=op.f("pk_submission_relation")),
    )
    op.create_index(
        op.f("ix_submission_relation_earlier_id"),
        "submission_relation",
        ["earlier_id"],
        unique=False,
    )


def _create_load_intent() -> None:
    op.create_table(
        "load_intent",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("submission_id", sa.String(length=160), nullable=False),
        sa.Column("host", sa.String(length=300), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_started", sa.String(length=80), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_load_intent")),
        sa.UniqueConstraint("submission_id", name=op.f("uq_load_intent_submission_id")),
    )


def _create_link_authorisation() -> None:
    op.create_table(
        "link_authorisation",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("entity_a", sa.String(length=32), nullable=False),
        sa.Column("entity_b", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=500), nullable=False),
        sa.Column("legal_basis", sa.String(length=500), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("entity_a <> entity_b", name=op.f("ck_link_authorisation_pair")),
        sa.CheckConstraint("valid_from <= expires_on", name=op.f("ck_link_authorisation_validity")),
        sa.ForeignKeyConstraint(
            ["entity_a"], ["reporting_entity.id"], name=op.f("fk_link_authorisation_entity_a")
        ),
        sa.ForeignKeyConstraint(
            ["entity_b"], ["reporting_entity.id"], name=op.f("fk_link_authorisation_entity_b")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_authorisation")),
    )


def _create_audit_event() -> None:
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )
    op.create_index(op.f("ix_audit_event_subject"), "audit_event", ["subject"], unique=False)


def _create_build() -> None:
    op.create_table(
        "build",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tipstat_version", sa.String(length=40), nullable=False),
        sa.Column("seed_digest", sa.String(length=64), nullable=False),
        sa.Column("warehouse_file", sa.String(length=300), nullable=False),
        sa.Column("submissions", sa.JSON(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_build")),
    )


def _create_pseudonym_key() -> None:
    op.create_table(
        "pseudonym_key",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_pseudonym_key")),
    )
