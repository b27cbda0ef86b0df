"""The register of expected returns: who owes which return how often, and by when.

Revision: 0003, after 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "expected_return",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("reporting_entity", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("frequency", sa.String(length=20), nullable=False),
        sa.Column("due_months", sa.Integer(), nullable=False),
        sa.Column("due_days", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("agreement", sa.String(length=300), nullable=True),
        sa.Column("destroy_by", sa.Date(), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "frequency in ('YEAR', 'HALF_YEAR', 'QUARTER', 'MONTH')",
            name=op.f("ck_expected_return_frequency"),
        ),
        sa.CheckConstraint(
            "due_months >= 0 and due_days >= 0", name=op.f("ck_expected_return_due")
        ),
        sa.ForeignKeyConstraint(
            ["reporting_entity"],
            ["reporting_entity.id"],
            name=op.f("fk_expected_return_reporting_entity"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expected_return")),
    )
    op.create_index(
        op.f("ix_expected_return_reporting_entity"),
        "expected_return",
        ["reporting_entity"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_expected_return_reporting_entity"), table_name="expected_return")
    op.drop_table("expected_return")
