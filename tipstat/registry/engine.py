"""Database engines of the registry: SQLite in WAL mode, or PostgreSQL through psycopg."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError, OperationalError
from sqlalchemy.pool import NullPool

from tipstat.errors import TipstatError, WorkplaceError
from tipstat.rules import refuse

#: Milliseconds that a command waits for another one's write to end.
BUSY_TIMEOUT_MS = 10_000
#: Name of the advisory lock that serialises the writers of a PostgreSQL registry.
_WRITER_LOCK = 0x74697073
_LOCK_NOT_AVAILABLE = "55P03"
_WRITE = "tipstat_write"


def resolve_url(url: str, root: Path) -> URL:
    """The SQLAlchemy URL of a registry.

    Args:
        url: as in ``tipstat.toml``; ``postgresql://`` means the psycopg driver.
        root: the workspace, to which a relative SQLite path is relative.

    Raises:
        WorkplaceError: TIP-915 neither SQLite nor PostgreSQL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise refuse("TIP-915", WorkplaceError, found="text that is no URL") from error
    dialect = parsed.get_backend_name()
    if dialect == "sqlite" and parsed.database and parsed.database != ":memory:":
        return parsed.set(database=str(root / parsed.database))
    if dialect == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    raise refuse("TIP-915", WorkplaceError, found=f'"{parsed.drivername}"')


def is_sqlite(url: URL) -> bool:
    """Whether the registry is an SQLite file."""
    return url.get_backend_name() == "sqlite"


def sqlite_file(url: URL) -> Path:
    """The file of an SQLite registry."""
    return Path(url.database or "")


def shown(url: URL) -> str:
    """The URL as it may be printed: without a password, wherever it stood."""
    safe = url.difference_update_query(["password"])
    if is_sqlite(url):
        return safe.render_as_string(hide_password=True)
    return urlsplit(safe.render_as_string(hide_password=True))._replace(query="").geturl()


@lru_cache(maxsize=32)
def make_engine(url: URL, *, foreign_keys: bool = True) -> Engine:
    """An engine that holds no file or connection between two uses.

    It is kept with the statements that it has compiled, so that a write transaction compiles
    nothing that was asked before it, while others wait.

    Args:
        foreign_keys: off only while a migration rebuilds tables, which would otherwise delete
            the rows that refer to them.
    """
    if not is_sqlite(url):
        return create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 10})
    engine = create_engine(url, poolclass=NullPool)
    pragmas = (
        f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}",
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        # The driver's own transactions start too late for a write lock: we begin ourselves.
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def create_sqlite_file(path: Path) -> None:
    """Make an empty file that only its owner can read; SQLite gives its WAL the same mode."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def writing(engine: Engine) -> Engine:
    """The engine for transactions that write."""
    return engine.execution_options(**{_WRITE: True})


def take_writer_lock(connection: Connection) -> None:
    """Wait until no other transaction writes; SQLite has done so with ``BEGIN IMMEDIATE``."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"set local lock_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _WRITER_LOCK})


@contextmanager
def refusing(url: URL) -> Iterator[None]:
    """Turn what an engine raises into refusals, without the engine's text (it may quote values).

    A broken constraint is left to the caller: it is a mistake of ours or a race to be settled.
    """
    try:
        yield
    except IntegrityError:
        raise
    except DatabaseError as error:
        rule, found = _sqlite_fault(error) if is_sqlite(url) else _postgresql_fault(error)
        raise _refusal(rule, url, found) from None


#: Words of SQLite's messages, most telling first -> rule and what to say.
_SQLITE_FAULTS = (
    ("locked", "TIP-910", "another program is writing"),
    ("busy", "TIP-910", "another program is writing"),
    ("unable to open", "TIP-908", "a file that cannot be opened"),
    ("readonly", "TIP-928", "a file that cannot be written"),
    ("is full", "TIP-928", "a full disk"),
    ("not a database", "TIP-909", "not a database"),
)


def _sqlite_fault(error: DatabaseError) -> tuple[str, str]:
    message = str(error.orig)
    for words, rule, found in _SQLITE_FAULTS:
        if words in message:
            return rule, found
    return "TIP-909", "pages or tables that cannot be read"


def _postgresql_fault(error: DatabaseError) -> tuple[str, str]:
    state = getattr(error.orig, "sqlstate", None) or ""
    if state == _LOCK_NOT_AVAILABLE:
        return "TIP-910", "another program is writing"
    if isinstance(error, OperationalError):
        return "TIP-911", "no connection to the server"
    return "TIP-911", f"a server that refuses the query (SQLSTATE {state or 'unknown'})"


def damaged(url: URL) -> TipstatError:
    """The refusal of a registry whose pages or references do not hold."""
    return _refusal("TIP-909", url, "pages or references that do not hold")


def _refusal(rule: str, url: URL, found: str) -> TipstatError:
    where = str(sqlite_file(url)) if is_sqlite(url) else shown(url)
    return refuse(rule, WorkplaceError, where=where, found=found)
