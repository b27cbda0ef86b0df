"""The warehouse: built by dbt beside the one in use, swapped in whole, read by its name.

A build works on ``warehouse/.building/warehouse.duckdb``. Only when every model and invariant
holds is the file renamed to ``warehouse/<build>.duckdb`` and the one line of ``warehouse/CURRENT``
replaced. Whoever reads opens what CURRENT names, so a build that fails or is killed at any point
leaves the old warehouse or the new one, never a part of one; the next build mends the rest.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import duckdb

from tipstat import dbt_runner, project
from tipstat.contract import load_contract
from tipstat.dbt_runner import DbtOutcome, Failure
from tipstat.errors import ExitCode, TipstatError, WorkplaceError
from tipstat.rules import refuse

if TYPE_CHECKING:
    from tipstat.registry import Registry
    from tipstat.snapshot import BuildIdentity, Inputs, Snapshot
    from tipstat.workspace import Workspace

FIGURES = "fct_indicator_value"
#: So many failures are named in a message; all are in :attr:`BuildFailed.failures`.
SHOWN = 5
BUILD_ID = re.compile(r"b\d{8}T\d{6}-[0-9a-f]{4}")

#: What is under way: a step of the build, the thing it is at, and how far it is (0 of 0: unknown).
OnEvent = Callable[[str, str, int, int], None]


class BuildFailed(TipstatError):
    """The new warehouse was not swapped in; the one before stays in use.

    Attributes:
        failures: every node that failed, empty where dbt did not come so far.
    """

    exit_code = ExitCode.ENVIRONMENT
    failures: tuple[Failure, ...] = ()


class InvariantFailed(BuildFailed):
    """All models were built, but a figure that must hold does not."""

    exit_code = ExitCode.FINDINGS


@dataclass(frozen=True)
class BuildRecord:
    """What is known of a finished build; it stands beside the file and in the vintage."""

    build_id: str
    built_at: str
    tipstat_version: str
    seed_digest: str
    contract_version: int
    submissions: tuple[str, ...]
    models: int
    tests: int
    seconds: float


@dataclass(frozen=True)
class BuildResult:
    """A build that was swapped in.

    Attributes:
        path: the warehouse file that CURRENT now names.
        failures: tests that only warn.
        timings: seconds by step: snapshot, dbt, swap; and, within dbt, seed, model and test.
    """

    build_id: str
    path: Path
    seconds: float
    submissions: int
    models: int
    tests: int
    failures: tuple[Failure, ...]
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Forgotten:
    """What became of the builds that used records destroyed since.

    Attributes:
        removed: files deleted.
        held: files that another program holds.
        marked: builds that cannot be made again; their vintages stay.
    """

    removed: tuple[str, ...]
    held: tuple[str, ...]
    marked: tuple[str, ...]


def build(
    ws: Workspace,
    *,
    actor: str | None = None,
    tests: Literal["invariant", "all"] = "invariant",
    on_event: OnEvent | None = None,
) -> BuildResult:
    """Build a new warehouse from the accepted submissions and put it in place of the last one.

    Args:
        ws: the workspace.
        actor: who builds, for the audit trail; by default the operating system's user.
        tests: ``invariant`` runs what must hold on any data, ``all`` also the tests of our code.
        on_event: told of the steps.

    Returns:
        The build, its file and what it took.

    Raises:
        WorkplaceError: TIP-803 another build is running; TIP-805 the landing is not complete.
        InvariantFailed: TIP-801; the last warehouse stays in use.
        BuildFailed: TIP-802, TIP-804 or TIP-810; likewise.
    """
    from tipstat.snapshot import current_inputs

    clock = _Clock()
    tell = on_event or (lambda step, name, done, total: None)
    with build_lock(ws):
        registry = ws.registry()
        tell("snapshot", "", 0, 0)
        repair(ws, registry, actor)
        finish_purges(ws, registry)
        identity = new_identity(ws)
        inputs = current_inputs(registry, identity.as_of)
        snapshot, outcome = construct(ws, inputs, identity, tests=tests, tell=tell, lap=clock.lap)
        tell("swap", "", 0, 0)
        record = record_of(snapshot, outcome, clock.total)
        path = _swap(ws, record, outcome.core_tables)
        _finish(ws, registry, record, actor)
        clock.lap("swap")
    return BuildResult(
        build_id=record.build_id,
        path=path,
        seconds=clock.total,
        submissions=len(record.submissions),
        models=outcome.models,
        tests=outcome.tests,
        failures=outcome.failures,
        timings={**clock.laps, **outcome.seconds},
    )


class _Clock:
    def __init__(self) -> None:
        self.started = self.last = time.perf_counter()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name], self.last = now - self.last, now

    @property
    def total(self) -> float:
        return time.perf_counter() - self.started


# ---- one builder at a time ---------------------------------------------------------------------


@contextmanager
def build_lock(ws: Workspace) -> Iterator[None]:
    """Hold the right to build; the operating system releases it when the process dies.

    Raises:
        WorkplaceError: TIP-803, naming host and process of the builder.
    """
    ws.warehouse_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = ws.warehouse_dir / ".build.lock"
    with path.open("a+", encoding="utf-8") as handle:
        if not _try_lock(handle):
            handle.seek(0)
            raise refuse("TIP-803", WorkplaceError, where=str(ws.root), found=handle.read().strip())
        handle.truncate(0)
        handle.write(
            f"process {os.getpid()} on {socket.gethostname()}, since {_now():%Y-%m-%dT%H:%M:%SZ}\n"
        )
        handle.flush()
        yield


def _try_lock(handle: IO[str]) -> bool:
    """Lock the file for this process, or say that another one holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            # Far behind the text, as Windows would not let others read what is locked.
            handle.seek(1 << 30)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


# ---- the steps of a build ----------------------------------------------------------------------


def new_build_id(now: datetime) -> str:
    """``b``, the time in UTC and four random hex digits, as in ``b20260131T170500-3f9a``."""
    return f"b{now.astimezone(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


def new_identity(ws: Workspace) -> BuildIdentity:
    """The identity of a build that starts now, of this tipstat and the workspace's own maps."""
    from tipstat.snapshot import identify

    now = _now()
    return identify(new_build_id(now), now, ws.correspondences_dir, ws.populations_dir)


def construct(
    ws: Workspace,
    inputs: Inputs,
    identity: BuildIdentity,
    *,
    tests: str,
    tell: OnEvent,
    lap: Callable[[str], None] = lambda name: None,
) -> tuple[Snapshot, DbtOutcome]:
    """Build a warehouse in the building folder; nothing is put in place.

    The caller holds the lock of the builds.

    Raises:
        WorkplaceError, BuildFailed: as :func:`build`.
    """
    snapshot = _prepare(ws, inputs, identity)
    lap("snapshot")
    outcome = _run_dbt(ws, tests, tell)
    lap("dbt")
    return snapshot, outcome


def _prepare(ws: Workspace, inputs: Inputs, identity: BuildIdentity) -> Snapshot:
    from tipstat.snapshot import write_snapshot

    ws.building_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for leftover in ws.building_dir.glob("warehouse.duckdb*"):
        leftover.unlink()
    return write_snapshot(ws, inputs, identity)


def _run_dbt(ws: Workspace, tests: str, tell: OnEvent) -> DbtOutcome:
    outcome = dbt_runner.run(project.project_root(), ws.building_dir, tests=tests, on_event=tell)
    if not outcome.ran:
        raise refuse("TIP-810", BuildFailed, where=str(ws.building_dir), found=outcome.message)
    blocking = tuple(f for f in outcome.failures if f.blocking)
    if blocking:
        raise _failed(blocking)
    return outcome


def _failed(blocking: tuple[Failure, ...]) -> BuildFailed:
    broken = [f for f in blocking if f.count is None]
    kind, rule_id = (BuildFailed, "TIP-802") if broken else (InvariantFailed, "TIP-801")
    failed = broken or list(blocking)
    lines = [describe(f) for f in failed[:SHOWN]]
    if len(failed) > SHOWN:
        lines.append(f"and {len(failed) - SHOWN} more")
    refusal = refuse(
        rule_id,
        kind,
        where=", ".join(f.name for f in failed[:SHOWN]),
        found="\n           ".join(lines),
    )
    refusal.failures = blocking
    return refusal


def describe(failure: Failure) -> str:
    """One line for a failure: its name, the number of rows and whose the first of them are."""
    if failure.count is None:
        return f"{failure.kind} {failure.name}: {failure.message}"
    rows = "; ".join(" ".join(f"{k}={v}" for k, v in row.items()) for row in failure.rows)
    return f"{failure.name}: {failure.count} rows" + (f", first {rows}" if rows else "")


def record_of(snapshot: Snapshot, outcome: DbtOutcome, seconds: float) -> BuildRecord:
    """What is to be known of a build that was constructed."""
    identity = snapshot.build
    return BuildRecord(
        build_id=identity.build_id,
        built_at=identity.built_at.isoformat(),
        tipstat_version=identity.tipstat_version,
        seed_digest=identity.seed_digest,
        contract_version=load_contract().version,
        submissions=snapshot.submissions,
        models=outcome.models,
        tests=outcome.tests,
        seconds=round(seconds, 3),
    )


def _swap(ws: Workspace, record: BuildRecord, core_tables: tuple[str, ...]) -> Path:
    """Put the finished database in place of the last one."""
    target = keep(ws, record, core_tables)
    _write_atomically(ws.warehouse_dir / "CURRENT", record.build_id + "\n")
    return target


def keep(ws: Workspace, record: BuildRecord, core_tables: tuple[str, ...]) -> Path:
    """Give the finished database the name of its build; CURRENT stays as it is.

    Raises:
        BuildFailed: TIP-804 it is not closed, or not complete.
    """
    database = ws.building_dir / "warehouse.duckdb"
    _verify(database, core_tables)
    target = warehouse_file(ws, record.build_id)
    _write_atomically(
        target.with_suffix(".json"), json.dumps(asdict(record), indent=2, sort_keys=True) + "\n"
    )
    _fsync(database)
    database.replace(target)
    _fsync_folder(ws.warehouse_dir)
    return target


def _verify(database: Path, core_tables: tuple[str, ...]) -> None:
    """Check that the engine has let go of the file and that it holds every core table."""
    if database.with_name(database.name + ".wal").exists():
        raise refuse("TIP-804", BuildFailed, where=database.name, found="a write-ahead log")
    try:
        with dbt_runner.attached(database) as connection:
            present = set(tables(connection))
            missing = sorted({*core_tables, FIGURES} - present)
            for name in sorted(present & {*core_tables, FIGURES}):
                connection.execute(f'select count(*) from "{name}"').fetchall()
    except duckdb.Error as error:
        found = f"a file that does not open again ({type(error).__name__})"
        raise refuse("TIP-804", BuildFailed, where=database.name, found=found) from None
    if missing:
        found = "no table " + ", ".join(missing)
        raise refuse("TIP-804", BuildFailed, where=database.name, found=found)


def _finish(ws: Workspace, registry: Registry, record: BuildRecord, actor: str | None) -> None:
    """What follows the swap; whatever of it a crash prevents, the next build does."""
    from tipstat.landing import sweep

    write_vintage(ws, record)
    _register(ws, registry, record, actor)
    prune(ws)
    sweep(ws)


def _register(ws: Workspace, registry: Registry, record: BuildRecord, actor: str | None) -> None:
    counts = {"models": record.models, "tests": record.tests, "seconds": record.seconds}
    registry.record_build(
        record.build_id,
        built_at=datetime.fromisoformat(record.built_at),
        tipstat_version=record.tipstat_version,
        seed_digest=record.seed_digest,
        warehouse_file=warehouse_file(ws, record.build_id).name,
        submissions=record.submissions,
        details={**counts, "contract_version": record.contract_version},
    )
    registry.audit(actor, "build", record.build_id, counts)


def write_vintage(ws: Workspace, record: BuildRecord) -> Path:
    """Keep the figures of a build for good, with what they were made from.

    Args:
        ws: the workspace.
        record: the build; its fields become key-value metadata of the file.

    Returns:
        ``vintages/<build>.parquet``: every row of the figures, in a fixed order.
    """
    ws.vintages_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = ws.vintages_dir / f"{record.build_id}.parquet"
    partial = path.with_suffix(".parquet.part")
    metadata = {name: _as_text(value) for name, value in asdict(record).items()}
    pairs = ", ".join(f"{name}: {_literal(value)}" for name, value in metadata.items())
    with dbt_runner.attached(warehouse_file(ws, record.build_id)) as connection:
        connection.execute(
            f"copy (select * from {FIGURES} order by all) to {_literal(partial.as_posix())} "
            f"(format parquet, compression zstd, kv_metadata {{{pairs}}})"
        )
    _fsync(partial)
    partial.replace(path)
    _fsync_folder(ws.vintages_dir)
    return path


def repair(ws: Workspace, registry: Registry, actor: str | None) -> None:
    """Undo what a killed build left half done, and do what it left undone.

    A warehouse that CURRENT does not name and that has no vintage was never in use: it goes. The
    one that CURRENT names gets the vintage and the registry entry that are missing.
    """
    for partial in [*ws.warehouse_dir.glob("*.part"), *ws.vintages_dir.glob("*.part")]:
        partial.unlink()
    with suppress(TipstatError, duckdb.Error, FileNotFoundError):
        record = read_record(ws, _current_id(ws))
        if not vintage_file(ws, record.build_id).is_file():
            write_vintage(ws, record)
        if record.build_id not in {known.id for known in registry.builds()}:
            _register(ws, registry, record, actor)
    prune(ws)


def finish_purges(ws: Workspace, registry: Registry) -> None:
    """Purges whose process died end before the landing is read; what they leave here goes."""
    from tipstat.landing import sweep

    sweep(ws)
    forget_destroyed(ws, registry)


def forget_destroyed(ws: Workspace, registry: Registry) -> Forgotten:
    """Delete the warehouse files that hold destroyed records, and mark the vintages made of them.

    A vintage holds figures only and stays; ``vintages/<build>.json`` says that it cannot be made
    again. The caller holds the lock of the builds.

    Returns:
        Files removed, and those that another program holds (Windows).
    """
    removed, held = [], []
    stale = stale_builds(ws, registry)
    with suppress(TipstatError):
        if stale and _current_id(ws) in stale:
            (ws.warehouse_dir / "CURRENT").unlink()
    files = [warehouse_file(ws, build_id) for build_id in stale]
    done = [purge for purge in registry.purges() if purge.destroyed_at is not None]
    if done:
        files += sorted(ws.building_dir.glob("warehouse.duckdb*"))
        files += sorted((ws.building_dir / "inputs").glob("completed/*.parquet"))
    for path in files:
        try:
            path.unlink(missing_ok=True)
        except PermissionError:
            held.append(path.name)
            continue
        path.with_suffix(".json").unlink(missing_ok=True)
        removed.append(path.name)
    marked = [build for build in registry.builds() if not build.reproducible]
    for build in marked:
        reason = {"reproducible": False, "reason": build.not_reproducible_reason}
        path = vintage_file(ws, build.id).with_suffix(".json")
        if vintage_file(ws, build.id).is_file() and not path.is_file():
            _write_atomically(path, json.dumps(reason, indent=2) + "\n")
    return Forgotten(tuple(removed), tuple(held), tuple(build.id for build in marked))


def stale_builds(ws: Workspace, registry: Registry) -> list[str]:
    """Builds of which a file is there that was made with records destroyed since, oldest first."""
    done = [
        (purge.submission_id, purge.destroyed_at)
        for purge in registry.purges()
        if purge.destroyed_at is not None
    ]
    marked = {build.id for build in registry.builds() if not build.reproducible}
    return [b for b in _build_ids(ws) if b in marked or _holds_destroyed(ws, b, done)]


def _holds_destroyed(ws: Workspace, build_id: str, done: list[tuple[str, datetime]]) -> bool:
    try:
        record = read_record(ws, build_id)
    except (OSError, ValueError, KeyError, TypeError):
        # Without its account a file older than a purge may hold anything; it can be built again.
        return any(build_id[1:16] < f"{at:%Y%m%dT%H%M%S}" for _, at in done)
    built_at = datetime.fromisoformat(record.built_at)
    return any(name in record.submissions and built_at < at for name, at in done)


def prune(ws: Workspace) -> None:
    """Delete warehouse files but the one in use, the one before it, and those that are open."""
    with suppress(TipstatError):
        current = _current_id(ws)
        finished = [b for b in _build_ids(ws) if vintage_file(ws, b).is_file() and b < current]
        keep = {current, *finished[-1:]}
        for build_id in set(_build_ids(ws)) - keep:
            path = warehouse_file(ws, build_id)
            if path.is_file() and _is_open(path):
                continue
            # Windows does not delete an open file; the next build tries again.
            with suppress(PermissionError):
                path.unlink(missing_ok=True)
                path.with_suffix(".json").unlink(missing_ok=True)


def _is_open(path: Path) -> bool:
    """Whether a reader holds the file: DuckDB then refuses to open it for writing."""
    try:
        duckdb.connect(str(path)).close()
    except duckdb.ConnectionException:
        return True
    except duckdb.Error as error:
        return _is_lock(error)
    return False


# ---- readers -----------------------------------------------------------------------------------


def warehouse_file(ws: Workspace, build_id: str) -> Path:
    """The file of a build, whether it exists or not."""
    return ws.warehouse_dir / f"{build_id}.duckdb"


def current_warehouse(ws: Workspace) -> Path:
    """The warehouse file in use.

    Raises:
        WorkplaceError: TIP-806 none was built yet; TIP-807 CURRENT names a file that is not there.
    """
    path = warehouse_file(ws, _current_id(ws))
    if not path.is_file():
        raise refuse("TIP-807", WorkplaceError, where=str(path), found="no such file")
    return path


def open_warehouse(ws: Workspace) -> duckdb.DuckDBPyConnection:
    """Open the warehouse in use for reading.

    A build that is swapped in meanwhile does not disturb the connection: it keeps its file.

    Returns:
        A read-only connection, to be closed by the caller; :func:`reading` does so by itself.

    Raises:
        WorkplaceError: TIP-806 to TIP-808: not built, damaged or missing, locked.
    """
    path = current_warehouse(ws)
    try:
        connection = dbt_runner.connect_read_only(path)
    except duckdb.Error as error:
        if current_warehouse(ws) != path:  # a build was swapped in and deleted the file meanwhile
            return open_warehouse(ws)
        raise _unreadable(path, error) from None
    try:
        _refuse_incomplete(connection, path)
    except duckdb.Error as error:
        connection.close()
        raise _unreadable(path, error) from None
    except TipstatError:
        connection.close()
        raise
    return connection


def _refuse_incomplete(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse a file that was cut off, which DuckDB opens all the same, or that holds no figures."""
    ((size,),) = connection.execute(
        "select block_size * total_blocks from pragma_database_size() where database_name = ?",
        [dbt_runner.CATALOG],
    ).fetchall()
    if path.stat().st_size < size:
        raise refuse("TIP-807", WorkplaceError, where=str(path), found="a file that was cut off")
    if FIGURES not in tables(connection):
        raise refuse("TIP-807", WorkplaceError, where=str(path), found=f"no table {FIGURES}")


@contextmanager
def reading(ws: Workspace) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse in use, close it afterwards; damage found on the way is a refusal too."""
    connection = open_warehouse(ws)
    try:
        yield connection
    except (duckdb.IOException, duckdb.FatalException, duckdb.InternalException) as error:
        raise _unreadable(current_warehouse(ws), error) from None
    finally:
        connection.close()


def tables(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Names of the tables and views of a warehouse, in order."""
    rows = connection.execute(
        "select table_name from information_schema.tables where table_catalog = ? order by 1",
        [dbt_runner.CATALOG],
    ).fetchall()
    return tuple(str(name) for (name,) in rows)


def figures_digest(ws: Workspace) -> str:
    """SHA-256 over the figures of the warehouse in use, without the name of the build.

    Returns:
        64 hex characters, equal for any two builds of the same submissions.
    """
    with reading(ws) as connection:
        ((digest,),) = connection.execute(
            "select sha256(coalesce(string_agg(line, '' order by line), '')) from ("
            f"select sha256(cast(figure as varchar)) as line from "
            f"(select * exclude (vintage) from {FIGURES}) as figure)"
        ).fetchall()
    return str(digest)


def read_record(ws: Workspace, build_id: str) -> BuildRecord:
    """What is known of a build whose file is still there."""
    text = warehouse_file(ws, build_id).with_suffix(".json").read_text(encoding="utf-8")
    values = json.loads(text)
    return BuildRecord(**{**values, "submissions": tuple(values["submissions"])})


def _unreadable(path: Path, error: duckdb.Error) -> WorkplaceError:
    rule_id = "TIP-808" if _is_lock(error) else "TIP-807"
    return refuse(rule_id, WorkplaceError, where=str(path), found=_reason(rule_id))


def _reason(rule_id: str) -> str:
    return (
        "a lock on the file"
        if rule_id == "TIP-808"
        else "a file that is no complete DuckDB database"
    )


def _is_lock(error: duckdb.Error) -> bool:
    return isinstance(error, duckdb.IOException) and "lock" in str(error).lower().split("\n")[0]


def _current_id(ws: Workspace) -> str:
    path = ws.warehouse_dir / "CURRENT"
    if not path.is_file():
        raise refuse("TIP-806", WorkplaceError, where=str(ws.root))
    build_id = path.read_text(encoding="utf-8", errors="replace").strip()
    if not BUILD_ID.fullmatch(build_id):
        raise refuse("TIP-807", WorkplaceError, where=str(path), found="no name of a build")
    return build_id


def _build_ids(ws: Workspace) -> list[str]:
    """Builds of which a file is there, oldest first."""
    stems = {path.stem for path in ws.warehouse_dir.glob("b*") if path.is_file()}
    return sorted(stem for stem in stems if BUILD_ID.fullmatch(stem))


def vintage_file(ws: Workspace, build_id: str) -> Path:
    """The file with the figures of a build, whether it exists or not."""
    return ws.vintages_dir / f"{build_id}.parquet"


# ---- files that survive a crash ----------------------------------------------------------------


def _write_atomically(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".part")
    with partial.open("w", encoding="utf-8") as handle:
        handle.write(text)
    _fsync(partial)
    partial.replace(path)
    _fsync_folder(path.parent)


def _fsync(path: Path) -> None:
    """Bring a file to the disk that only its owner may read."""
    path.chmod(0o600)
    with path.open("rb+") as handle:
        os.fsync(handle.fileno())


def _fsync_folder(folder: Path) -> None:
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _now() -> datetime:
    return datetime.now(UTC)


def _as_text(value: object) -> str:
    return ";".join(value) if isinstance(value, tuple) else str(value)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
