"""The revision of a registry, read without Alembic (which only init and upgrade import)."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, select, text

from tipstat.errors import WorkplaceError
from tipstat.project import migrations_dir
from tipstat.registry.models import WorkspaceIdentity
from tipstat.rules import refuse


def known_revisions() -> tuple[str, ...]:
    """The revisions of this tipstat, oldest first: the numbers of the migration files."""
    files = (migrations_dir() / "versions").glob("[0-9][0-9][0-9][0-9]_*.py")
    return tuple(sorted(path.name[:4] for path in files))


def head_revision() -> str:
    """The revision that this tipstat works with."""
    return known_revisions()[-1]


def current_revision(connection: Connection) -> str | None:
    """The revision of a registry; ``None`` where the database holds no registry."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.execute(text("select version_num from alembic_version")).scalar()
    return None if revision is None else str(revision)


def owners(connection: Connection) -> list[str]:
    """Ids of the workspaces that the registry says it belongs to: one, or none if unfinished."""
    return list(connection.execute(select(WorkspaceIdentity.workspace_id)).scalars())


def check_revision(found: str | None, where: str) -> None:
    """Refuse a registry of another version of tipstat.

    Raises:
        WorkplaceError: TIP-908 no registry in the database, TIP-912 an older one, TIP-913 a
            newer one (a revision that this tipstat does not know).
    """
    head = head_revision()
    if found == head:
        return
    if found is None:
        raise refuse("TIP-908", WorkplaceError, where=where, found="a database without a registry")
    rule = "TIP-912" if found in known_revisions() else "TIP-913"
    raise refuse(rule, WorkplaceError, where=where, found=found, expected=f"revision {head}")
