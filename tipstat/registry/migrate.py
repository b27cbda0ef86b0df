"""Making and upgrading a registry with Alembic: for ``init``, ``upgrade`` and ``doctor`` only."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from tipstat.errors import WorkplaceError
from tipstat.project import migrations_dir
from tipstat.registry import engine as engines
from tipstat.registry.models import WorkspaceIdentity
from tipstat.registry.revision import (
    check_revision,
    current_revision,
    head_revision,
    known_revisions,
    owners,
)
from tipstat.registry.store import Registry, utc_now
from tipstat.rules import refuse


def create_registry(
    url: URL, workspace_id: str, fill: Callable[[Session], None] | None = None
) -> None:
    """Make the tables of a new registry, fill them, and write down which workspace owns it.

    The owner and what ``fill`` adds are one transaction: a registry without an owner was never
    finished, and making it is begun again.

    Args:
        url: a SQLite file that does not exist or is empty, or a PostgreSQL database or schema
            without a registry.
        fill: adds the first rows.

    Raises:
        WorkplaceError: TIP-925 the database already holds a registry; TIP-911 no connection.
    """
    if engines.is_sqlite(url) and not engines.sqlite_file(url).exists():
        engines.create_sqlite_file(engines.sqlite_file(url))
    engine = engines.make_engine(url)
    with engines.refusing(url):
        with engine.connect() as connection:
            if current_revision(connection) is not None and owners(connection):
                raise refuse("TIP-925", WorkplaceError, where=engines.shown(url))
        migrate(url, "head")
        with Session(engines.writing(engine)) as session, session.begin():
            engines.take_writer_lock(session.connection())
            session.add(WorkspaceIdentity(workspace_id=workspace_id, created_at=utc_now()))
            if fill is not None:
                fill(session)


def migrate(url: URL, revision: str) -> None:
    """Bring the registry up or down to a revision, in one transaction.

    On SQLite foreign keys are off meanwhile and checked before the commit: with them on, the
    rebuilding of a parent table silently deletes its children.

    Raises:
        WorkplaceError: TIP-927 the rows would no longer refer to each other; nothing is changed.
    """
    engine = engines.writing(engines.make_engine(url, foreign_keys=False))
    with engines.refusing(url), engine.connect() as connection:
        before = current_revision(connection) or ""
        connection.rollback()
        config = _config(connection)
        with connection.begin():
            engines.take_writer_lock(connection)
            if _is_downward(before, revision):
                command.downgrade(config, revision)
            else:
                command.upgrade(config, revision)
            _check_references(connection)


def _is_downward(before: str, revision: str) -> bool:
    return revision == "base" or (revision != "head" and revision < before)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_dir()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _check_references(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        tables = ", ".join(sorted({str(row[0]) for row in broken}))
        raise refuse("TIP-927", WorkplaceError, where=tables, found=f"{len(broken)} rows")


def back_up(url: URL) -> Path:
    """Copy an SQLite registry beside itself with SQLite's backup API.

    Returns:
        The copy: ``<name>.<UTC time>.backup``, readable by its owner only.
    """
    source = engines.sqlite_file(url)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    target = source.with_name(f"{source.name}.{stamp}.backup")
    engines.create_sqlite_file(target)
    with (
        contextlib.closing(sqlite3.connect(source)) as reader,
        contextlib.closing(sqlite3.connect(target)) as writer,
    ):
        reader.backup(writer)
    return target


@dataclass(frozen=True)
class Upgraded:
    """Revisions before and after an upgrade, and the backup that was made, if any."""

    before: str
    after: str
    backup: Path | None


def upgrade_registry(url: str, root: Path, *, backed_up: bool) -> Upgraded:
    """Bring an older registry to this tipstat's revision, after a backup.

    Args:
        url: as in the settings.
        root: the workspace.
        backed_up: the office has made a backup of its PostgreSQL registry.

    Raises:
        WorkplaceError: TIP-908 no registry, TIP-913 a newer one, TIP-924 PostgreSQL without
            ``backed_up``, TIP-927 broken references (nothing is changed).
    """
    registry = Registry.connect(url, root)
    with engines.refusing(registry.url), registry.engine.connect() as connection:
        before = current_revision(connection)
    head = head_revision()
    if before == head:
        return Upgraded(head, head, None)
    if before not in known_revisions():
        check_revision(before, registry.where)
    backup = None
    if engines.is_sqlite(registry.url):
        backup = back_up(registry.url)
    elif not backed_up:
        raise refuse("TIP-924", WorkplaceError, where=registry.where, found="no --backed-up")
    migrate(registry.url, "head")
    registry.audit(None, "registry upgraded", head, {"from": before})
    return Upgraded(str(before), head, backup)
