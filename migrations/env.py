"""Alembic's environment: runs within the transaction that ``tipstat.registry.migrate`` opened."""

from __future__ import annotations

from alembic import context

from tipstat.registry.models import Base


def run() -> None:
    """Run the migrations on the connection of the caller."""
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise RuntimeError("run migrations with `tipstat upgrade`, not with alembic's own command")
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        transactional_ddl=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
