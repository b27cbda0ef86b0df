"""What is measured, each in a process of its own: ``python -m benchmarks.tasks <task> <JSON>``.

A task prepares, measures its own work without imports, and prints JSON with ``seconds``. The
bare ones are what tipstat is compared with.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from loaders.reader import readers
from tipstat.workspace import Workspace

Told = dict[str, Any]


class _Clock:
    seconds = 0.0


@contextmanager
def _timed() -> Iterator[_Clock]:
    clock, started = _Clock(), time.perf_counter()
    yield clock
    clock.seconds = time.perf_counter() - started


# ── the files ─────────────────────────────────────────────────────────────────────────────────


def make_csv(path: str, layout: str, rows: int, references: str, seed: int) -> Told:
    """Generate a CSV and its layout."""
    from benchmarks import returns

    named = returns.THREE_REFERENCES if references == "three" else returns.KEY
    columns = returns.columns_of(named)
    with _timed() as clock:
        returns.write_csv(Path(path), rows, columns, seed)
    returns.write_layout(Path(layout), columns)
    return {"seconds": clock.seconds, "columns": len(columns)}


def make_sheet(path: str, layout: str, rows: int, width: int, seed: int) -> Told:
    """Generate a workbook of one sheet and its layout."""
    from benchmarks import returns

    columns = returns.columns_of(returns.THREE_REFERENCES, width)
    with _timed() as clock:
        returns.write_sheet(Path(path), rows, columns, seed)
    returns.write_layout(Path(layout), columns, "xlsx")
    return {"seconds": clock.seconds, "columns": len(columns)}


def make_workbook(path: str, rows: int, seed: int) -> Told:
    """Generate a standard workbook."""
    from benchmarks import returns

    with _timed() as clock:
        returns.write_standard_workbook(Path(path), rows, seed)
    return {"seconds": clock.seconds}


def make_rules(path: str, references: str) -> Told:
    """Write the rules of the CSV for other validators."""
    from benchmarks import returns
    from benchmarks.rules import write_rules

    named = returns.THREE_REFERENCES if references == "three" else returns.KEY
    with _timed() as clock:
        write_rules(Path(path), returns.columns_of(named))
    return {"seconds": clock.seconds}


def make_office(path: str) -> Told:
    """Make a workspace that knows the sender of the generated returns."""
    from benchmarks import returns

    with _timed() as clock:
        ws = Workspace.create(Path(path), reference_area=returns.AREA, key="demo")
        ws.registry().add_entity(
            returns.SENDER,
            name="A service",
            entity_type="NGO",
            reference_area=returns.AREA,
            actor="benchmark",
        )
    return {"seconds": clock.seconds}


def make_country(path: str, victims: int, submissions: int, seed: int) -> Told:
    """Build an empty workspace, as dbt reads its project once, and land a generated country."""
    from benchmarks import country
    from tipstat import warehouse

    ws = Workspace.create(Path(path), reference_area=country.AREA, key="demo")
    warehouse.build(ws, actor="benchmark")
    with _timed() as clock:
        country.land_country(ws, victims, submissions, seed)
    return {"seconds": clock.seconds}


# ── the door ──────────────────────────────────────────────────────────────────────────────────


def check_land(path: str, layout: str, office: str) -> Told:
    """Check a file and land it, in this process."""
    from loaders.check import check_file
    from loaders.land import load_checked

    ws = Workspace.find(office)
    _warm(ws)
    with _timed() as clock:
        result = check_file(Path(path), ws, layout=layout)
        with _timed() as landing:
            loaded = load_checked(result, ws)
    result.close()
    if loaded.outcome != "accepted":
        raise RuntimeError(f"the return was {loaded.outcome}: {dict(result.severities)}")
    ws.registry().set_status(loaded.submission_id, "withdrawn", reason="benchmark")
    told = {"land": landing.seconds, "records": sum(result.records.values())}
    return {"seconds": clock.seconds, **told}


def check(path: str, layout: str, office: str) -> Told:
    """Check a file without landing it."""
    from loaders.check import check_file

    ws = Workspace.find(office)
    _warm(ws)
    with _timed() as clock:
        result = check_file(Path(path), ws, layout=layout)
    result.close()
    found = sum(result.severities.get(s, 0) for s in ("error-record", "error-value", "warning"))
    return {"seconds": clock.seconds, "found": found}


def _warm(ws: Workspace) -> None:
    """Import what the door imports at its first file, and read contract and code lists once.

    The process that reads the file imports too, from the first line of a command on.
    """
    readers.prepare()
    for name in ("loaders.layout", "loaders.read", "loaders.templates"):
        import_module(name)
    from loaders.check import context_of
    from tipstat.classification import labels

    context_of(ws)
    for language in ("en", "es", "fr"):
        labels(language)


def bare_csv(path: str, target: str) -> Told:
    """DuckDB alone: CSV to Parquet, all columns text, nothing checked."""
    import duckdb

    connection = duckdb.connect()
    with _timed() as clock:
        connection.execute(
            f"copy (select * from read_csv('{path}', all_varchar = true, header = true)) "
            f"to '{target}' (format parquet)"
        )
    return {"seconds": clock.seconds}


def bare_xlsx(path: str) -> Told:
    """python-calamine alone: every row of the sheet."""
    from python_calamine import CalamineWorkbook

    with _timed() as clock:
        workbook = CalamineWorkbook.from_path(path)
        rows = sum(1 for _ in workbook.get_sheet_by_index(0).iter_rows())
    return {"seconds": clock.seconds, "rows": rows}


# ── the warehouse ─────────────────────────────────────────────────────────────────────────────


def build(office: str) -> Told:
    """Build a workspace as an office does."""
    from tipstat import warehouse

    ws = Workspace.find(office)
    with _timed() as clock:
        result = warehouse.build(ws, actor="benchmark")
    return {
        "seconds": clock.seconds,
        "models": result.models,
        "tests": result.tests,
        "seeds": _seeds(ws),
        "timings": dict(result.timings),
    }


def _seeds(ws: Workspace) -> int:
    manifest = _manifest(ws)
    return sum(1 for node in manifest["nodes"].values() if node["resource_type"] == "seed")


def _manifest(ws: Workspace) -> dict[str, Any]:
    path = ws.building_dir / "target" / "manifest.json"
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def bare_build(office: str, target: str) -> Told:
    """The compiled SQL of the last build in bare DuckDB, in the order of the manifest.

    Seeds are loaded before the clock starts, tests are not run, contracts are not enforced: it is
    the least that the engine needs for the same tables.
    """
    import duckdb

    ws = Workspace.find(office)
    nodes = _manifest(ws)["nodes"]
    settings = {"temp_directory": f"{target}.tmp", "memory_limit": "1200MB"}
    connection = duckdb.connect(
        target, config={**settings, "preserve_insertion_order": False, "threads": 2}
    )
    _load_seeds(connection, nodes)
    models = _in_order({k: n for k, n in nodes.items() if n["resource_type"] == "model"})
    with _timed() as clock:
        for node in models:
            kind = "view" if node["config"]["materialized"] == "view" else "table"
            query = _compiled(ws, node)
            connection.execute(f'create {kind} "{node["alias"]}" as {query}')
        connection.close()
    return {"seconds": clock.seconds, "models": len(models)}


def _load_seeds(connection: Any, nodes: dict[str, Any]) -> None:  # noqa: ANN401  # duckdb's own
    from tipstat.project import project_root

    for node in nodes.values():
        if node["resource_type"] == "seed":
            path = (project_root() / node["original_file_path"]).as_posix()
            connection.execute(
                f'create table "{node["alias"]}" as select * from '
                f"read_csv('{path}', all_varchar = true, header = true)"
            )


def _in_order(models: dict[str, Any]) -> list[dict[str, Any]]:
    """Models after those that they read."""
    done: dict[str, dict[str, Any]] = {}
    waiting = dict(models)
    while waiting:
        ready = [
            key
            for key, node in waiting.items()
            if all(other in done or other not in models for other in node["depends_on"]["nodes"])
        ]
        for key in sorted(ready):
            done[key] = waiting.pop(key)
    return list(done.values())


def _compiled(ws: Workspace, node: dict[str, Any]) -> str:
    """The compiled query of a model, with its tables in the database at hand."""
    folder = ws.building_dir / "target" / "compiled" / node["package_name"]
    query = (folder / node["original_file_path"]).read_text(encoding="utf-8")
    return str(query).replace('"warehouse"."main".', "")


def main() -> None:
    """Run one task and print what it told."""
    tasks: dict[str, Callable[..., Told]] = {
        work.__name__: work
        for work in (
            make_csv,
            make_sheet,
            make_workbook,
            make_rules,
            make_office,
            make_country,
            check_land,
            check,
            bare_csv,
            bare_xlsx,
            build,
            bare_build,
        )
    }
    name, arguments = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps(tasks[name](**arguments)))


if __name__ == "__main__":
    main()
