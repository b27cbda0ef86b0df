"""Running dbt in this process, and reading what it left: the only module that imports dbt.

The import stands inside :func:`run`, because it takes a second that no other command should pay.
dbt's results are read from its files, ``run_results.json`` and ``manifest.json``, whose form is
documented, and not from its Python objects, whose form is not.
"""

from __future__ import annotations

import gc
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from dbt_common.events.base_types import EventMsg

#: What dbt wrote as JSON: a node of its manifest or a result.
Json = Mapping[str, Any]

#: Name under which the database is attached: the views in it name their tables by it.
CATALOG = "warehouse"

#: The only columns of a failing row that are shown: whose row it is, never what it says.
IDENTITY_COLUMNS = (
    "submission_id",
    "reporting_entity",
    "record_type",
    "source_sheet",
    "source_row",
    "sheet",
    "row",
    "indicator",
    "reference_area",
    "period",
)
SHOWN_ROWS = 5

#: Everything but the tests of our own code. ``empty`` stops dbt from adding every test that hangs
#: on a selected model.
INVARIANT_SELECTION = (
    "--select",
    "resource_type:seed",
    "resource_type:model",
    "tag:invariant",
    "--indirect-selection=empty",
    "--exclude-resource-type",
    "unit_test",
)

#: A step of the build and, within it, the node that is done, its number, and how many there are.
OnEvent = Callable[[str, str, int, int], None]


@dataclass(frozen=True)
class Failure:
    """A seed, model or test that did not come out as it must.

    Attributes:
        kind: ``seed``, ``model`` or ``test``.
        name: the name of the node; of a test without its hash.
        blocking: whether the warehouse must not be swapped in.
        count: failing rows of a test; ``None`` where the node could not be run at all.
        rows: identity of the first failing rows, see :data:`IDENTITY_COLUMNS`.
        message: what the engine said, without any value of a record.
    """

    kind: str
    name: str
    blocking: bool
    count: int | None
    rows: tuple[Mapping[str, str], ...]
    message: str


@dataclass(frozen=True)
class DbtOutcome:
    """What a run of dbt did.

    Attributes:
        ran: whether dbt came as far as running nodes.
        seconds: time by kind of node, as dbt measured it.
        tables: the tables that must be in the database, by layer.
        message: why dbt did not start, without any value of a record.
    """

    ran: bool
    models: int = 0
    seeds: int = 0
    tests: int = 0
    failures: tuple[Failure, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    core_tables: tuple[str, ...] = ()
    message: str = ""


def run(project: Path, building: Path, *, tests: str, on_event: OnEvent) -> DbtOutcome:
    """Build seeds, models and tests into the database of the building folder.

    Args:
        project: folder of ``dbt_project.yml`` and ``profiles.yml``.
        building: folder of the inputs, the database, dbt's target and its parsed project. It
            always has the same path, as another one would cost a parse of the whole project.
        tests: ``invariant`` for the tests tagged so, ``all`` for every data and unit test.
        on_event: called when a node is done.

    Returns:
        The outcome, after every connection of dbt to the database has been closed.
    """
    target = building / "target"
    (target / "run_results.json").unlink(missing_ok=True)
    with _environment(building), _rare_collections():
        error = _invoke(_arguments(project, building, tests), on_event)
    results = target / "run_results.json"
    if not results.is_file():
        return DbtOutcome(ran=False, message=error or "dbt stopped before it ran any model")
    try:
        return _outcome(
            json.loads(results.read_text(encoding="utf-8")),
            json.loads((target / "manifest.json").read_text(encoding="utf-8")),
            building / "warehouse.duckdb",
        )
    finally:
        # The engine's own messages in it may quote values.
        results.unlink()


def _arguments(project: Path, building: Path, tests: str) -> list[str]:
    selection = INVARIANT_SELECTION if tests == "invariant" else ()
    return [
        "--quiet",
        "--no-print",
        "--log-level=none",
        "--log-level-file=none",
        "--no-version-check",
        "--no-send-anonymous-usage-stats",
        "--no-use-colors",
        "--partial-parse",
        "build",
        f"--project-dir={project.resolve()}",
        f"--profiles-dir={project.resolve()}",
        f"--target-path={(building / 'target').resolve()}",
        f"--log-path={(building / 'logs').resolve()}",
        *selection,
    ]


def _invoke(arguments: list[str], on_event: OnEvent) -> str:
    from dbt.cli.main import dbtRunner

    total = done = 0

    def listen(event: EventMsg) -> None:
        nonlocal total, done
        if event.info.name == "ConcurrencyLine":
            total = int(event.data.node_count)
        elif event.info.name == "NodeFinished":
            done += 1
            on_event(
                str(event.data.node_info.resource_type), event.data.node_info.node_name, done, total
            )

    try:
        outcome = dbtRunner(callbacks=[listen]).invoke(arguments)
    finally:
        close_connections()
    if isinstance(outcome.exception, KeyboardInterrupt | SystemExit):
        raise outcome.exception
    return "" if outcome.exception is None else type(outcome.exception).__name__


def close_connections() -> None:
    """Close dbt's connections for good, also after a failed build.

    dbt-duckdb keeps its environment, and with it the database, open until the process ends
    (``keep_open``); its own ``close_all_connections`` only forgets it. What is not closed has its
    last tables in the write-ahead log, and a rename would lose them.
    """
    from dbt.adapters import factory
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    manager: Any = DuckDBConnectionManager
    adapters: Any = factory
    adapters.reset_adapters()
    environment = manager._ENV
    manager.close_all_connections()
    if environment is not None:
        environment.close()


@contextmanager
def _environment(building: Path) -> Iterator[None]:
    """Tell the project where its inputs are; put variables and folder back afterwards."""
    before = os.environ.get("TIPSTAT_BUILD_DIR")
    folder = Path.cwd()
    os.environ["TIPSTAT_BUILD_DIR"] = building.resolve().as_posix()
    try:
        yield
    finally:
        os.chdir(folder)
        if before is None:
            del os.environ["TIPSTAT_BUILD_DIR"]
        else:
            os.environ["TIPSTAT_BUILD_DIR"] = before


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for unreachable objects rarely: dbt keeps a million, and every look sees them all."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _outcome(results: Json, manifest: Json, database: Path) -> DbtOutcome:
    nodes = {**manifest["nodes"], **manifest.get("unit_tests", {})}
    seconds: dict[str, float] = {}
    counted: dict[str, int] = {}
    for result in results["results"]:
        kind = _kind(nodes[result["unique_id"]])
        counted[kind] = counted.get(kind, 0) + 1
        seconds[kind] = seconds.get(kind, 0.0) + float(result["execution_time"])
    bad = [r for r in results["results"] if r["status"] in ("error", "fail", "warn")]
    return DbtOutcome(
        ran=True,
        models=counted.get("model", 0),
        seeds=counted.get("seed", 0),
        tests=counted.get("test", 0),
        failures=tuple(_failures(bad, nodes, database)),
        seconds=seconds,
        core_tables=_core_tables(nodes.values()),
    )


def _kind(node: Json) -> str:
    return "test" if node["resource_type"] == "unit_test" else str(node["resource_type"])


def _core_tables(nodes: Iterable[Json]) -> tuple[str, ...]:
    """The models of core and indicators that are tables: what a reader may count on."""
    return tuple(
        sorted(
            node["alias"]
            for node in nodes
            if node["resource_type"] == "model"
            and node["config"]["materialized"] in ("table", "incremental")
            and node["path"].replace("\\", "/").startswith(("core/", "indicators/"))
        )
    )


def _failures(results: Sequence[Json], nodes: Json, database: Path) -> Iterator[Failure]:
    names = {node["name"] for node in nodes.values()}
    names |= {column for node in nodes.values() for column in node.get("columns", {})}
    for result in results:
        node = nodes[result["unique_id"]]
        ran = result["status"] in ("fail", "warn") and node["resource_type"] == "test"
        yield Failure(
            kind=_kind(node),
            name=_short_name(node),
            blocking=result["status"] != "warn",
            count=result["failures"] if ran else None,
            rows=failing_rows(database, result.get("compiled_code") or "") if ran else (),
            message="" if ran else without_values(result["message"] or "", names),
        )


def _short_name(node: Json) -> str:
    """The name of a generic test is its full one, not the hashed alias dbt makes of long names."""
    return str(node["name"])


def failing_rows(database: Path, query: str) -> tuple[Mapping[str, str], ...]:
    """Whose the first failing rows of a test are.

    Args:
        database: the database that was built, closed.
        query: the compiled query of the test, which returns its failing rows.

    Returns:
        Up to five rows with those of :data:`IDENTITY_COLUMNS` that the query has; none where it
        has none of them.
    """
    if not query:
        return ()
    with attached(database) as connection:
        # The line breaks matter: a query may end in a comment.
        relation = connection.sql(f"select * from (\n{query}\n) as failing")
        shown = [name for name in IDENTITY_COLUMNS if name in relation.columns]
        if not shown:
            return ()
        columns = ", ".join(shown)
        rows = relation.select(*shown).distinct().order(columns).limit(SHOWN_ROWS).fetchall()
    return tuple(
        {name: str(value) for name, value in zip(shown, row, strict=True) if value is not None}
        for row in rows
    )


def without_values(message: str, names: set[str]) -> str:
    """An engine message without anything that may be a value of a record.

    Args:
        message: what dbt reports of a node that could not be run.
        names: names of models and columns, which may stay.

    Returns:
        The line with the engine's error, quoted text and numbers replaced by an ellipsis.
    """
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    line = next((text for text in lines if re.match(r"[A-Z]\w+( \w+)* Error: ", text)), "")
    if not line and lines and lines[0].startswith("Compilation Error"):
        line = " ".join(lines[:2])
    if not line:
        return "the engine gave no reason that can be shown"

    def quoted(match: re.Match[str]) -> str:
        return match[0] if match[2] in names else "…"

    line = re.sub(r"(['\"`])(.*?)\1", quoted, line)
    return re.sub(r"(?<![\w])[-+]?\d[\d.,:-]*", "…", line)


@contextmanager
def attached(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a database file, under the name its views know it by."""
    connection = connect_read_only(database)
    try:
        yield connection
    finally:
        connection.close()


def connect_read_only(database: Path) -> duckdb.DuckDBPyConnection:
    """Attach a database file read-only as :data:`CATALOG` and make it the default.

    The file is renamed after the build, and DuckDB names a database by its file: opened directly,
    its views would look for a catalog that is not there. Nothing spills to the disk, no
    extension is fetched.

    Raises:
        duckdb.Error: the file is missing, damaged or locked.
    """
    connection = duckdb.connect(
        config={
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    try:
        path = database.as_posix().replace("'", "''")
        connection.execute(f"attach '{path}' as {CATALOG} (read_only)")
        connection.execute(f"use {CATALOG}")
    except BaseException:
        connection.close()
        raise
    return connection
