"""A build: what it reads, what it leaves, what stops it."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from build_support import (
    SMALL_PROJECT,
    build_in_process,
    land_events,
    new_workspace,
    submissions_in,
    use_project,
)

from tipstat import dbt_runner, warehouse
from tipstat.contract import load_contract
from tipstat.errors import ExitCode, TipstatError, WorkplaceError
from tipstat.snapshot import current_inputs, identify, seed_digest, write_snapshot
from tipstat.warehouse import BuildFailed, InvariantFailed
from tipstat.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    use_project(monkeypatch, SMALL_PROJECT)
    return new_workspace(tmp_path / "office")


def build(ws: Workspace, **options: object) -> warehouse.BuildResult:
    return warehouse.build(ws, actor="test", **options)


def test_an_empty_workspace_gives_a_warehouse_of_zero_submissions(ws: Workspace) -> None:
    result = build(ws)
    assert submissions_in(ws) == 0
    assert warehouse.current_warehouse(ws) == result.path
    assert result.path.name == f"{result.build_id}.duckdb"
    assert not list(ws.warehouse_dir.rglob("*.wal"))
    assert not (ws.building_dir / "warehouse.duckdb").exists()


def test_a_build_is_recorded_in_registry_and_vintage(ws: Workspace) -> None:
    submission = land_events(ws, 2023, ["E1"])
    result = build(ws)
    (recorded,) = ws.registry().builds()
    assert (recorded.id, recorded.submissions) == (result.build_id, [submission])
    vintage = pq.read_table(ws.vintages_dir / f"{result.build_id}.parquet")
    assert vintage.column("value").to_pylist() == [1.0]
    metadata = vintage.schema.metadata
    assert metadata[b"submissions"].decode() == submission
    assert metadata[b"seed_digest"].decode() == seed_digest()


def test_two_builds_of_the_same_submissions_give_equal_figures(ws: Workspace) -> None:
    land_events(ws, 2023, ["E1"])
    build(ws)
    first = warehouse.figures_digest(ws)
    build(ws)
    assert warehouse.figures_digest(ws) == first
    land_events(ws, 2022, ["E1"])
    build(ws)
    assert warehouse.figures_digest(ws) != first


def test_a_withdrawn_submission_leaves_the_figures_at_the_next_build(ws: Workspace) -> None:
    submission = land_events(ws, 2023, ["E1"])
    build(ws)
    ws.registry().set_status(submission, "withdrawn", reason="test")
    assert submissions_in(ws) == 1
    build(ws)
    assert submissions_in(ws) == 0


def test_the_warehouse_in_use_and_the_one_before_are_kept(ws: Workspace) -> None:
    built = [build(ws).build_id for _ in range(3)]
    kept = {path.stem for path in ws.warehouse_dir.glob("*.duckdb")}
    assert kept == set(sorted(built)[-2:]) | {built[-1]}
    assert len(list(ws.vintages_dir.glob("*.parquet"))) == 3


def test_a_reader_keeps_its_file_while_another_build_is_swapped_in(ws: Workspace) -> None:
    build(ws)
    with warehouse.reading(ws) as reader:
        land_events(ws, 2023, ["E1"])
        build(ws)
        build(ws)
        assert reader.sql("select value from fct_indicator_value").fetchall() == [(0.0,)]
    assert submissions_in(ws) == 1


def test_the_views_of_a_renamed_warehouse_still_find_their_tables(ws: Workspace) -> None:
    build(ws)
    with warehouse.reading(ws) as reader:
        assert reader.sql("select count(*) from base_build").fetchall() == [(1,)]


def test_a_reader_cannot_write(ws: Workspace) -> None:
    build(ws)
    with warehouse.reading(ws) as reader, pytest.raises(duckdb.InvalidInputException):
        reader.execute("create table warehouse.main.mine as select 1 as one")


# ---- what stops a build ------------------------------------------------------------------------


def test_an_invariant_that_fails_stops_the_swap_and_says_whose_the_rows_are(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = build(ws)
    submission = land_events(ws, 2023, ["E1"])
    monkeypatch.setenv("TIPSTAT_TEST_LIMIT", "-1")
    with pytest.raises(InvariantFailed) as caught:
        build(ws)
    assert (caught.value.rule, caught.value.exit_code) == ("TIP-801", ExitCode.FINDINGS)
    (failure,) = caught.value.failures
    assert (failure.name, failure.count) == ("assert_few_submissions", 1)
    assert failure.rows == ({"submission_id": submission},)
    assert "XXA-POL" not in str(caught.value)
    assert warehouse.current_warehouse(ws) == before.path
    assert submissions_in(ws) == 0
    monkeypatch.delenv("TIPSTAT_TEST_LIMIT")
    build(ws)
    assert submissions_in(ws) == 1


def test_a_model_that_fails_stops_the_swap_without_quoting_a_value(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = build(ws)
    monkeypatch.setenv("TIPSTAT_TEST_BROKEN", "Maria Lopez 4711")
    with pytest.raises(BuildFailed) as caught:
        build(ws)
    assert (caught.value.rule, caught.value.exit_code) == ("TIP-802", ExitCode.ENVIRONMENT)
    assert "slow_or_broken" in str(caught.value)
    assert "Conversion Error" in str(caught.value)
    assert "Lopez" not in str(caught.value)
    assert "4711" not in str(caught.value)
    assert not (ws.building_dir / "target" / "run_results.json").exists()
    assert warehouse.current_warehouse(ws) == before.path
    monkeypatch.delenv("TIPSTAT_TEST_BROKEN")
    build(ws)


def test_tests_of_our_own_code_run_only_on_demand(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIPSTAT_TEST_OWN", "1")
    assert build(ws).tests == 1
    with pytest.raises(InvariantFailed, match="assert_of_our_code"):
        build(ws, tests="all")


def test_a_project_that_cannot_be_parsed_is_a_refusal(
    ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(SMALL_PROJECT, broken)
    (broken / "models" / "core" / "dim_build.sql").write_text("select * from {{ ref('nothing') }}")
    use_project(monkeypatch, broken)
    with pytest.raises(BuildFailed) as caught:
        build(ws)
    assert caught.value.rule == "TIP-810"


def test_a_database_without_its_core_tables_is_not_swapped_in(ws: Workspace) -> None:
    ws.building_dir.mkdir(exist_ok=True)
    database = ws.building_dir / "warehouse.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create table dim_build as select 1 as one")
    with pytest.raises(BuildFailed, match="fct_indicator_value"):
        warehouse._verify(database, ("dim_build",))


def test_a_missing_landing_folder_is_a_refusal(ws: Workspace) -> None:
    submission = land_events(ws, 2023, ["E1"])
    shutil.rmtree(ws.landing_dir / submission)
    with pytest.raises(WorkplaceError) as caught:
        build(ws)
    assert caught.value.rule == "TIP-805"


# ---- refusals of readers -----------------------------------------------------------------------


def refused(ws: Workspace) -> TipstatError:
    with pytest.raises(WorkplaceError) as caught:
        warehouse.open_warehouse(ws)
    refusal = caught.value
    assert refusal.found or refusal.rule == "TIP-806"
    assert refusal.expected
    assert refusal.do
    return refusal


def test_reading_before_any_build_is_a_refusal(ws: Workspace) -> None:
    assert refused(ws).rule == "TIP-806"


def test_a_warehouse_file_that_is_gone_is_a_refusal(ws: Workspace) -> None:
    build(ws).path.unlink()
    assert refused(ws).rule == "TIP-807"


@pytest.mark.parametrize("damage", ["overwritten", "cut", "empty", "foreign"])
def test_a_damaged_warehouse_file_is_a_refusal_and_a_build_mends_it(
    ws: Workspace, damage: str
) -> None:
    path = build(ws).path
    content = path.read_bytes()
    path.write_bytes(
        {
            "overwritten": b"\0" * len(content),
            "cut": content[: len(content) // 3],
            "empty": b"",
            "foreign": b"not a database at all",
        }[damage]
    )
    assert refused(ws).rule == "TIP-807"
    build(ws)
    assert submissions_in(ws) == 0


def test_damage_that_shows_only_while_reading_is_a_refusal_too(ws: Workspace) -> None:
    build(ws)
    with pytest.raises(WorkplaceError) as caught, warehouse.reading(ws):
        raise duckdb.IOException("IO Error: Corrupt database file: computed checksum differs")
    assert caught.value.rule == "TIP-807"


def test_a_current_file_that_names_no_build_is_a_refusal(ws: Workspace) -> None:
    build(ws)
    (ws.warehouse_dir / "CURRENT").write_text("../../elsewhere\n")
    assert refused(ws).rule == "TIP-807"


def test_a_warehouse_that_another_program_writes_to_is_a_refusal(ws: Workspace) -> None:
    import subprocess
    import sys

    path = build(ws).path
    program = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    writer = subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "1\n"
    try:
        assert refused(ws).rule == "TIP-808"
    finally:
        writer.communicate("\n")
    assert submissions_in(ws) == 0


# ---- real kills --------------------------------------------------------------------------------

POINTS = {
    "during_dbt": 0,
    "before_rename": 0,
    "before_current": 0,
    "before_vintage": 1,
    "before_registry": 1,
}


@pytest.mark.parametrize(("point", "seen"), POINTS.items())
def test_a_killed_build_leaves_a_complete_warehouse_and_the_next_one_mends_the_rest(
    ws: Workspace, point: str, seen: int
) -> None:
    first = build(ws)
    land_events(ws, 2023, ["E1"])
    killed = build_in_process(ws, point)
    _, errors = killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL, errors

    assert submissions_in(ws) == seen
    in_use = warehouse.current_warehouse(ws).stem
    assert (in_use == first.build_id) == (seen == 0)

    last = build(ws)
    assert submissions_in(ws) == 1
    finished = {first.build_id, in_use, last.build_id}
    assert {path.stem for path in ws.vintages_dir.glob("*.parquet")} == finished
    assert {recorded.id for recorded in ws.registry().builds()} == finished
    assert {p.stem for p in ws.warehouse_dir.glob("*.duckdb")} == {in_use, last.build_id}
    assert not [*ws.warehouse_dir.rglob("*.part"), *ws.vintages_dir.rglob("*.part")]


def test_a_second_builder_is_refused_until_the_first_one_dies(ws: Workspace) -> None:
    first = build_in_process(ws, "hold")
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "holding\n"
        with pytest.raises(WorkplaceError) as caught:
            build(ws)
        assert caught.value.rule == "TIP-803"
        assert f"process {first.pid} on " in caught.value.found
    finally:
        first.kill()
        first.communicate()
    build(ws)
    assert submissions_in(ws) == 0


# ---- the snapshot ------------------------------------------------------------------------------


def test_the_snapshot_of_an_empty_registry_is_typed(ws: Workspace) -> None:
    from datetime import UTC, datetime

    build_identity = identify("b20240101T000000-0000", datetime(2024, 1, 1, tzinfo=UTC))
    write_snapshot(ws, current_inputs(ws.registry(), build_identity.as_of), build_identity)
    inputs = ws.building_dir / "inputs"
    types = {
        name: dict(
            duckdb.sql(f"select column_name, column_type from (describe '{path}')").fetchall()
        )
        for path in inputs.rglob("*.parquet")
        for name in [path.stem]
    }
    assert types["submission"]["period_start"] == "DATE"
    assert types["submission"]["sequence"] == "BIGINT"
    assert types["link_authorisation"]["expires_on"] == "DATE"
    assert list(types["landing_file"]) == ["kind", "record_type", "submission_id", "path"]
    for (kind, name), record_type in load_contract().record_types.items():
        if kind != "any":
            landed = {column: kind_.upper() for column, kind_ in record_type.landed_columns}
            assert types[f"{kind}_{name}"] == landed


def test_an_engine_message_loses_its_values_and_keeps_its_names() -> None:
    message = (
        "Runtime Error in model dim_victim (models/core/dim_victim.sql)\n"
        "  Conversion Error: Could not convert string 'Ana 1980' to INT64 in \"age\", row 17\n"
        "  LINE 3: cast(x)"
    )
    shown = dbt_runner.without_values(message, {"age"})
    assert shown == 'Conversion Error: Could not convert string … to INT64 in "age", row …'
