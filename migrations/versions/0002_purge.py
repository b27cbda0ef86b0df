"""Destroyed records: the table of purges, the status ``purged``, builds that cannot be repeated.

Revision: 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BEFORE = "'received', 'checked', 'accepted', 'refused', 'superseded', 'withdrawn'"
_STATUS = "ck_submission_status"


def upgrade() -> None:
    _replace_status_check(f"status in ({_BEFORE}, 'purged')")
    _create_purge()
    with op.batch_alter_table("build", recreate=_recreate()) as table:
        table.add_column(
            sa.Column("reproducible", sa.Boolean(), server_default=sa.true(), nullable=False)
        )
        table.add_column(sa.Column("not_reproducible_reason", sa.String(500), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("build", recreate=_recreate()) as table:
        table.drop_column("not_reproducible_reason")
        table.drop_column("reproducible")
    op.drop_table("purge")
    # An older tipstat knows no such status; what it needs to know is: not in the figures.
    op.execute("update submission set status = 'withdrawn' where status = 'purged'")
    _replace_status_check(f"status in ({_BEFORE})")


def _recreate() -> str:
    """SQLite makes the table anew, so that it is the one that the models describe."""
    return "always" if op.get_bind().dialect.name == "sqlite" else "auto"


def _replace_status_check(condition: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("submission", recreate="always") as table:
            table.drop_constraint(op.f(_STATUS), type_="check")
            table.create_check_constraint(op.f(_STATUS), sa.text(condition))
        return
    op.drop_constraint(op.f(_STATUS), "submission", type_="check")
    op.create_check_constraint(op.f(_STATUS), "submission", sa.text(condition))


def _create_purge() -> None:
    op.create_table(
        "purge",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("submission_id", sa.String(length=160), nullable=False),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("ground", sa.String(length=40), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.CheckConstraint("scope in ('SUBMISSION', 'RECORDS')", name=op.f("ck_purge_scope")),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_purge_submission_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purge")),
    )
    op.create_index(op.f("ix_purge_submission_id"), "purge", ["submission_id"], unique=False)
