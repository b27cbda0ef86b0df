"""Destroying records on a legal ground: what goes, what stays, and what a crash leaves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa
from build_support import SMALL_PROJECT, submissions_in, use_project
from cli_support import event, police_return, run, victim, workspace
from purge_driver import AFTER_THE_SWAP, BEFORE_THE_SWAP
from registry_support import ENGINES, registry_url

from tipstat import purge, warehouse
from tipstat.doctor import examine, repair
from tipstat.errors import UsageError
from tipstat.landing import PurgeRequest, rebuild_registry, sweep
from tipstat.landing.tombstones import tombstones_of
from tipstat.registry import engine as engines
from tipstat.registry import migrate
from tipstat.workspace import Workspace

DRIVER = Path(__file__).with_name("purge_driver.py")
NUMBERS = {"event": 10, "victim": 10}


def rows_of_return() -> dict[str, list[dict[str, object]]]:
    """Ten events and victims; the third victim alone has a sex that is no code."""
    victims = [victim(n) for n in range(1, 11)]
    victims[2] = victim(3, sex="femal")
    return {"event": [event(n) for n in range(1, 11)], "victim": victims}


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """A workspace with one landed police return."""
    folder = workspace(tmp_path / "office")
    loaded = run("-w", folder, "load", police_return(tmp_path / "p.xlsx", rows_of_return()))
    assert loaded.code in (0, 1), loaded.text
    return Workspace.open(folder)


def landed_id(ws: Workspace) -> str:
    (row,) = ws.registry().submissions()
    return row.id


def read(ws: Workspace, name: str, columns: str = "record_id") -> list[tuple[object, ...]]:
    path = ws.landing_dir / landed_id(ws) / f"{name}.parquet"
    return duckdb.sql(f"select {columns} from '{path}' order by all").fetchall()


def record_ids(ws: Workspace, name: str, *lines: int) -> tuple[str, ...]:
    rows = read(ws, name, "source_row, record_id")
    first = min(int(str(row)) for row, _ in rows)
    return tuple(str(record) for row, record in rows if int(str(row)) - first + 1 in lines)


def of_events(ws: Workspace, *lines: int) -> PurgeRequest:
    ids = record_ids(ws, "event", *lines)
    return PurgeRequest(landed_id(ws), "COURT_ORDER", "order 1", "event", ids)


def whole(ws: Workspace) -> PurgeRequest:
    return PurgeRequest(landed_id(ws), "RETENTION_EXPIRED", "art. 5")


def numbers(ws: Workspace) -> dict[str, int]:
    return {name: len(read(ws, name)) for name in NUMBERS}


def faults(ws: Workspace) -> list[str]:
    return [f"{c.check}: {c.detail}" for c in examine(ws) if c.state == "wrong"]


def hidden(ws: Workspace) -> list[str]:
    """Leftovers of a purge or load in the landing."""
    return sorted(p.name for p in ws.landing_dir.iterdir() if p.name.startswith((".p", ".t")))


def test_a_record_is_destroyed_with_what_hangs_on_it(ws: Workspace) -> None:
    gone = record_ids(ws, "event", 3)
    done = purge.purge(ws, of_events(ws, 3), actor="officer")
    assert done.purge.counts == {"event": 1, "victim": 1}
    assert numbers(ws) == {"event": 9, "victim": 9}
    assert gone[0] not in {record for (record,) in read(ws, "event")}
    row = ws.registry().submission(landed_id(ws))
    assert (row.status, row.records["event"], row.records["victim"]) == ("accepted", 9, 9)
    assert faults(ws) == []


def test_findings_and_mappings_of_the_destroyed_record_go_and_others_stay(ws: Workspace) -> None:
    before = read(ws, "mapping", "variable, value_as_sent, n")
    assert ("femal",) in read(ws, "findings", "value")
    assert ("sex", "femal", 1) in before
    purge.purge(ws, PurgeRequest(
        landed_id(ws), "COURT_ORDER", "order 1", "victim", record_ids(ws, "victim", 3)
    ))  # fmt: skip
    assert ("femal",) not in read(ws, "findings", "value")
    after = read(ws, "mapping", "variable, value_as_sent, n")
    assert ("sex", "femal", 1) not in after
    assert ("sex", "Female", 9) in before
    assert ("sex", "Female", 9) in after
    assert ("purpose", "Sexual exploitation", 9) in after
    assert len(before) == len(after) + 1
    files = [*(ws.landing_dir / landed_id(ws)).iterdir()]
    assert all(b"femal" not in path.read_bytes() for path in files)


def test_columns_and_order_of_the_files_stay(ws: Workspace) -> None:
    path = ws.landing_dir / landed_id(ws) / "victim.parquet"
    schema = duckdb.sql(f"describe select * from '{path}'").fetchall()
    rows = duckdb.sql(f"select source_row from '{path}'").fetchall()
    purge.purge(ws, of_events(ws, 4))
    assert duckdb.sql(f"describe select * from '{path}'").fetchall() == schema
    assert duckdb.sql(f"select source_row from '{path}'").fetchall() == rows[:3] + rows[4:]


def test_a_submission_is_destroyed_but_for_its_account(ws: Workspace) -> None:
    name = landed_id(ws)
    purge.purge(ws, whole(ws), actor="officer")
    left = sorted(path.name for path in (ws.landing_dir / name).iterdir())
    assert left == ["status.json", "submission.json", "tombstone.json"]
    row = ws.registry().submission(name)
    assert (row.status, sum(row.records.values()), row.findings) == ("purged", 0, {})
    assert ws.registry().current_submissions() == []
    assert faults(ws) == []


def test_the_tombstone_has_counts_and_ground_and_nothing_of_a_record(ws: Workspace) -> None:
    content = (ws.landing_dir / landed_id(ws) / "victim.parquet", record_ids(ws, "victim", 1)[0])
    purge.purge(ws, whole(ws), actor="officer")
    (stone,) = tombstones_of(ws, landed_id(ws))
    assert (stone.ground, stone.note, stone.actor) == ("RETENTION_EXPIRED", "art. 5", "officer")
    assert stone.counts == NUMBERS
    text = (ws.landing_dir / landed_id(ws) / "tombstone.json").read_text()
    assert content[1] not in text
    assert set(json.loads(text)) == {"format", "id", "purges"}


def test_everything_rewritten_is_for_its_owner_only(ws: Workspace) -> None:
    purge.purge(ws, of_events(ws, 1))
    folder = ws.landing_dir / landed_id(ws)
    modes = {path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert (folder.stat().st_mode & 0o777, modes) == (0o700, {0o600})


def test_purges_accumulate(ws: Workspace) -> None:
    purge.purge(ws, of_events(ws, 1))
    purge.purge(ws, of_events(ws, 1, 2))
    purge.purge(ws, whole(ws))
    assert [stone.scope for stone in tombstones_of(ws, landed_id(ws))] == [
        "RECORDS", "RECORDS", "SUBMISSION",
    ]  # fmt: skip
    assert [p.counts["event"] for p in ws.registry().purges()] == [1, 2, 7]
    assert faults(ws) == []


def test_what_cannot_be_destroyed_is_refused_and_nothing_changes(ws: Workspace) -> None:
    name, ids = landed_id(ws), record_ids(ws, "event", 1)
    refused = {
        "TIP-922": PurgeRequest("nobody", "OTHER", "x"),
        "TIP-933": PurgeRequest(name, "OTHER", "x", "event", (*ids, "0" * 32)),
        "TIP-934": PurgeRequest(name, "OTHER", "x", "event", record_ids(ws, "event", *range(11))),
    }
    for rule, request in refused.items():
        with pytest.raises(UsageError, match=rule):
            purge.purge(ws, request)
    for record_type in ("charge", "findings"):
        with pytest.raises(UsageError, match="TIP-933"):
            purge.purge(ws, PurgeRequest(name, "OTHER", "x", record_type, ids))
    assert (numbers(ws), ws.registry().purges(), hidden(ws)) == (NUMBERS, [], [])
    purge.purge(ws, whole(ws))
    with pytest.raises(UsageError, match="TIP-932"):
        purge.purge(ws, whole(ws))


@pytest.mark.parametrize("scope", ["records", "submission"])
def test_a_file_whose_records_were_destroyed_does_not_come_back(ws: Workspace, scope: str) -> None:
    purge.purge(ws, of_events(ws, 1) if scope == "records" else whole(ws))
    if scope == "records":
        ws.registry().set_status(landed_id(ws), "withdrawn", reason="wrong")
    again = run("-w", ws.root, "load", ws.root.parent / "p.xlsx")
    assert again.code == 1
    assert "TIP-553" in again.text
    assert [row.status for row in ws.registry().submissions() if row.status == "accepted"] == []


# ---- builds ------------------------------------------------------------------------------------


@pytest.fixture
def built(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The same with a small warehouse built of it."""
    use_project(monkeypatch, SMALL_PROJECT)
    warehouse.build(ws, actor="test")
    return ws


def test_builds_that_used_the_records_are_marked_and_their_warehouse_goes(built: Workspace) -> None:
    (before,) = built.registry().builds()
    done = purge.purge(built, of_events(built, 1))
    (after,) = built.registry().builds()
    assert (before.reproducible, after.reproducible) == (True, False)
    assert "COURT_ORDER" in str(after.not_reproducible_reason)
    assert f"{after.id}.duckdb" in done.forgotten.removed
    assert not list(built.warehouse_dir.glob("*.duckdb"))
    assert not (built.warehouse_dir / "CURRENT").exists()
    assert (built.vintages_dir / f"{after.id}.parquet").is_file()
    mark = json.loads((built.vintages_dir / f"{after.id}.json").read_text())
    assert mark["reproducible"] is False
    assert faults(built) == []


def test_a_build_after_the_purge_is_sound(built: Workspace) -> None:
    purge.purge(built, of_events(built, 1))
    warehouse.build(built, actor="test")
    assert submissions_in(built) == 1
    assert [b.reproducible for b in built.registry().builds()] == [False, True]
    purge.purge(built, whole(built))
    warehouse.build(built, actor="test")
    assert submissions_in(built) == 0
    assert [b.reproducible for b in built.registry().builds()] == [False, False, True]
    assert faults(built) == []


# ---- crashes -----------------------------------------------------------------------------------


@pytest.fixture
def recorded(ws: Workspace) -> Workspace:
    """The same with a build that is recorded as if it had been made."""
    build_id, now = warehouse.new_build_id(datetime.now(UTC)), datetime.now(UTC)
    duckdb.connect(str(ws.warehouse_dir / f"{build_id}.duckdb")).close()
    account = {
        "build_id": build_id,
        "built_at": now.isoformat(),
        "tipstat_version": "0",
        "seed_digest": "0",
        "contract_version": 1,
        "submissions": [landed_id(ws)],
        "models": 0,
        "tests": 0,
        "seconds": 0.0,
    }
    (ws.warehouse_dir / f"{build_id}.json").write_text(json.dumps(account))
    (ws.warehouse_dir / "CURRENT").write_text(f"{build_id}\n")
    duckdb.sql(f"copy (select 1 as value) to '{ws.vintages_dir / build_id}.parquet'")
    ws.registry().record_build(
        build_id,
        built_at=now,
        tipstat_version="0",
        seed_digest="0",
        warehouse_file=f"{build_id}.duckdb",
        submissions=[landed_id(ws)],
    )
    return ws


def kill_at(ws: Workspace, step: str, *ids: str) -> None:
    ran = subprocess.run(
        [sys.executable, str(DRIVER), str(ws.root), landed_id(ws), step, *ids],
        env=os.environ | {"PYTHONPATH": str(DRIVER.parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr


@pytest.mark.parametrize("step", BEFORE_THE_SWAP)
def test_a_kill_before_the_swap_destroys_nothing_and_is_given_up(ws: Workspace, step: str) -> None:
    kill_at(ws, step, *record_ids(ws, "event", 1))
    assert numbers(ws) == NUMBERS
    assert any("the purge died" in fault for fault in faults(ws))
    sweep(ws)
    assert (numbers(ws), hidden(ws), faults(ws)) == (NUMBERS, [], [])
    (given_up,) = ws.registry().purges()
    assert (given_up.destroyed_at, given_up.finished_at is None) == (None, False)
    purge.purge(ws, of_events(ws, 1))
    assert numbers(ws) == {"event": 9, "victim": 9}


@pytest.mark.parametrize("scope", ["records", "submission"])
@pytest.mark.parametrize("step", AFTER_THE_SWAP)
def test_a_kill_after_the_swap_is_carried_to_the_end(
    recorded: Workspace, step: str, scope: str
) -> None:
    ids = record_ids(recorded, "event", 1) if scope == "records" else ()
    kill_at(recorded, step, *ids)
    assert faults(recorded) != []
    repair(recorded)
    assert (faults(recorded), hidden(recorded)) == ([], [])
    (done,) = recorded.registry().purges()
    assert done.counts == ({"event": 1, "victim": 1} if ids else NUMBERS)
    row = recorded.registry().submission(landed_id(recorded))
    assert row.status == ("accepted" if ids else "purged")
    assert sum(row.records.values()) == (18 if ids else 0)
    assert [b.reproducible for b in recorded.registry().builds()] == [False]
    assert not list(recorded.warehouse_dir.glob("*.duckdb"))
    audited = [e.action for e in recorded.registry().audit_events(landed_id(recorded))]
    assert audited.count("records purged" if ids else "purged") == 1


def test_a_build_right_after_a_kill_between_the_renames_ends_the_purge(built: Workspace) -> None:
    kill_at(built, "between the renames", *record_ids(built, "event", 1))
    assert not (built.landing_dir / landed_id(built)).exists()
    warehouse.build(built, actor="test")
    assert numbers(built) == {"event": 9, "victim": 9}
    assert faults(built) == []


# ---- registry ----------------------------------------------------------------------------------


def test_a_rebuilt_registry_knows_what_was_destroyed(ws: Workspace) -> None:
    purge.purge(ws, whole(ws), actor="officer")
    (ws.root / "registry.sqlite").unlink()
    rebuild_registry(ws)
    (row,) = ws.registry().submissions()
    (done,) = ws.registry().purges()
    assert (row.status, done.ground, done.actor, done.counts) == (
        "purged", "RETENTION_EXPIRED", "officer", NUMBERS,
    )  # fmt: skip
    assert faults(ws) == []


def test_a_registry_from_before_the_purge_learns_of_it(ws: Workspace) -> None:
    backup = ws.root.parent / "registry.backup"
    shutil.copyfile(ws.root / "registry.sqlite", backup)
    purge.purge(ws, whole(ws))
    for old in ws.root.glob("registry.sqlite*"):
        old.unlink()
    shutil.copyfile(backup, ws.root / "registry.sqlite")
    (ws.root / "registry.sqlite").chmod(0o600)
    assert any("a tombstone that the registry does not know" in fault for fault in faults(ws))
    repair(ws)
    assert (faults(ws), ws.registry().submission(landed_id(ws)).status) == ([], "purged")


def test_records_that_come_back_with_a_backup_are_seen_and_destroyed_again(ws: Workspace) -> None:
    folder = ws.landing_dir / landed_id(ws)
    shutil.copytree(folder, ws.root.parent / "backup")
    purge.purge(ws, whole(ws))
    shutil.rmtree(folder)
    shutil.copytree(ws.root.parent / "backup", folder)
    assert any("destroyed records are back" in fault for fault in faults(ws))
    purge.purge(ws, whole(ws))
    assert not list(folder.glob("*.parquet"))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_migration_goes_down_and_up_with_purges_in_the_tables(
    ws: Workspace, engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with registry_url(engine) as url:
        purge.purge(ws, whole(ws))
        monkeypatch.setenv("TIPSTAT_REGISTRY_URL", url)
        if engine != "sqlite":
            rebuild_registry(ws)
        address = engines.resolve_url(ws.registry_url, ws.root)
        migrate.migrate(address, "0001")
        with engines.make_engine(address).connect() as connection:
            assert connection.scalar(sa.text("select status from submission")) == "withdrawn"
            assert "purge" not in sa.inspect(connection).get_table_names()
        migrate.migrate(address, "head")
        assert ws.registry().purges() == []
        repair(ws)
        assert ws.registry().submission(landed_id(ws)).status == "purged"


# ---- commands ----------------------------------------------------------------------------------


def test_the_command_destroys_only_with_yes_and_says_what(ws: Workspace) -> None:
    command = ("-w", ws.root, "purge", "submission", landed_id(ws), "--note", "order 1")
    unsure = run(*command, "--ground", "court_order")
    assert (unsure.code, numbers(ws)) == (2, NUMBERS)
    assert "TIP-931" in unsure.err
    assert "victim" in unsure.out
    wrong = run(*command, "--ground", "COURT_ORDERS", "--yes")
    assert (wrong.code, "COURT_ORDER" in wrong.text, numbers(ws)) == (2, True, NUMBERS)
    done = run(*command, "--ground", "COURT_ORDER", "--yes", "--format", "json")
    assert done.code == 0, done.text
    assert json.loads(done.out)[0] == {"record_type": "event", "destroyed": 10, "remaining": 0}
    shown = run("-w", ws.root, "submissions", "show", landed_id(ws))
    assert "SUBMISSION by" in shown.out
    assert "COURT_ORDER: order 1 (event 10, victim 10)" in shown.out
    listed = run("-w", ws.root, "submissions", "--status", "purged", "--format", "csv")
    assert landed_id(ws) in listed.out


def test_records_are_named_on_the_command_line_or_in_a_file(ws: Workspace) -> None:
    listed = ws.root.parent / "ids.txt"
    listed.write_text(record_ids(ws, "event", 1)[0] + "\n\n")
    done = run(
        "-w", ws.root, "purge", "records", landed_id(ws), "--record-type", "event",
        "--file", listed, "--record-id", record_ids(ws, "event", 2)[0],
        "--ground", "CONSENT_WITHDRAWN", "--note", "letter 5", "--yes",
    )  # fmt: skip
    assert done.code == 0, done.text
    assert numbers(ws) == {"event": 8, "victim": 8}


def test_what_is_due_is_listed_until_it_is_destroyed(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "office")
    today = date.today()
    day = (today - timedelta(days=3)).isoformat()
    run("-w", folder, "load", police_return(tmp_path / "p.xlsx", destroy_by=day))
    due = run("-w", folder, "purge", "due", "--format", "json")
    assert due.code == 1
    (row,) = json.loads(due.out)
    assert (row["days_overdue"], row["records"]) == (3, 20)
    purge.purge(Workspace.open(folder), PurgeRequest(row["id"], "RETENTION_EXPIRED", "x"))
    assert run("-w", folder, "purge", "due").code == 0


def test_what_will_be_due_is_listed_within_the_days_given(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "office")
    day = (date.today() + timedelta(days=10)).isoformat()
    run("-w", folder, "load", police_return(tmp_path / "p.xlsx", destroy_by=day))
    assert json.loads(run("-w", folder, "purge", "due", "--format", "json").out) == []
    soon = run("-w", folder, "purge", "due", "--within", "30", "--format", "json")
    assert (soon.code, json.loads(soon.out)[0]["days_overdue"]) == (0, -10)


def test_a_purge_waits_for_no_build(built: Workspace) -> None:
    with warehouse.build_lock(built):
        refused = run(
            "-w", built.root, "purge", "submission", landed_id(built),
            "--ground", "OTHER", "--note", "x", "--yes",
        )  # fmt: skip
    assert (refused.code, "TIP-803" in refused.text) == (3, True)
    assert numbers(built) == NUMBERS


def test_a_load_is_refused_by_its_hash_only_where_something_was_destroyed(ws: Workspace) -> None:
    other = police_return(ws.root.parent / "q.xlsx", rows_of_return(), period_start="2024-01-02")
    purge.purge(ws, whole(ws))
    loaded = run("-w", ws.root, "load", other)
    assert "TIP-553" not in loaded.text
