"""Real kills in mid load: registry and landing stay consistent and nothing accepted is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from load_driver import STEPS
from registry_support import (
    ENGINES,
    accepted,
    assert_consistent,
    faults,
    header,
    landed,
    make_workspace,
    registry_url,
    write_events,
)

from tipstat.doctor import repair
from tipstat.landing import land, sweep
from tipstat.workspace import Workspace

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

DRIVER = Path(__file__).with_name("load_driver.py")
BEFORE_COMMIT = [step for step in STEPS if step != "after the commit"]
FILE, OTHER = "a" * 64, "b" * 64


@pytest.fixture(params=ENGINES)
def ws(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    with registry_url(request.param) as url:
        yield make_workspace(tmp_path / "office", url)


def start(ws: Workspace, step: str, signal_name: str, *args: str) -> subprocess.Popen[str]:
    root = DRIVER.parents[2]
    return subprocess.Popen(
        [sys.executable, str(DRIVER), str(ws.root), step, signal_name, *args],
        env=os.environ | {"PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_at(ws: Workspace, step: str, *args: str) -> None:
    process = start(ws, step, "SIGKILL", *args)
    out, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, err
    assert out == ""


def wait_until_stopped(process: subprocess.Popen[str]) -> None:
    for _ in range(600):
        state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "T":
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("the loader did not reach the step")


@pytest.mark.parametrize("step", BEFORE_COMMIT)
def test_a_kill_before_the_commit_leaves_nothing_after_the_sweep(ws: Workspace, step: str) -> None:
    kill_at(ws, step, FILE)
    assert accepted(ws) == []
    sweep(ws)
    assert landed(ws) == []
    assert_consistent(ws)


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_load_is_repeated_exactly_once(ws: Workspace, step: str) -> None:
    kill_at(ws, step, FILE)
    survived = accepted(ws)
    first = land(ws, header(), write_events)
    second = land(ws, header(), write_events)
    sweep(ws)
    assert accepted(ws) == [first] == [second]
    assert survived in ([], [first])
    assert_consistent(ws)


@pytest.mark.parametrize("step", STEPS)
def test_the_doctor_sees_a_load_that_died_and_mends_it(ws: Workspace, step: str) -> None:
    kill_at(ws, step, FILE)
    assert any(fault.endswith("the load died") for fault in faults(ws))
    repair(ws)
    assert_consistent(ws)


def test_a_kill_after_the_commit_loses_nothing(ws: Workspace) -> None:
    kill_at(ws, "after the commit", FILE)
    assert len(accepted(ws)) == 1
    assert sweep(ws) == []
    assert len(accepted(ws)) == 1
    assert_consistent(ws)


@pytest.mark.parametrize("step", BEFORE_COMMIT)
def test_a_replacement_killed_before_its_commit_replaces_nothing(ws: Workspace, step: str) -> None:
    earlier = land(ws, header(), write_events)
    kill_at(ws, step, OTHER, "REPLACES", earlier)
    sweep(ws)
    assert accepted(ws) == [earlier]
    assert_consistent(ws)


def test_a_replacement_killed_after_its_commit_has_replaced(ws: Workspace) -> None:
    earlier = land(ws, header(), write_events)
    kill_at(ws, "after the commit", OTHER, "REPLACES", earlier)
    sweep(ws)
    assert ws.registry().submission(earlier).status == "superseded"
    assert len(accepted(ws)) == 1
    assert_consistent(ws)


@pytest.mark.parametrize("step", ["after the Parquet", "after the rename"])
def test_a_second_loader_gets_through_while_the_first_hangs_and_dies(
    ws: Workspace, step: str
) -> None:
    first = start(ws, step, "SIGSTOP", FILE)
    wait_until_stopped(first)
    mine = land(ws, header(), write_events)
    first.kill()
    first.communicate(timeout=60)
    sweep(ws)
    assert accepted(ws) == [mine]
    assert_consistent(ws)


@pytest.mark.parametrize("step", ["after the Parquet", "after the rename"])
def test_a_loader_that_was_overtaken_gets_the_other_ones_id(ws: Workspace, step: str) -> None:
    first = start(ws, step, "SIGSTOP", FILE)
    wait_until_stopped(first)
    mine = land(ws, header(), write_events)
    first.send_signal(signal.SIGCONT)
    out, err = first.communicate(timeout=60)
    assert (first.returncode, out.strip()) == (0, mine), err
    assert accepted(ws) == [mine]
    assert_consistent(ws)


def test_the_sweep_leaves_a_load_alone_whose_process_lives(ws: Workspace) -> None:
    first = start(ws, "after the rename", "SIGSTOP", FILE)
    wait_until_stopped(first)
    assert sweep(ws) == []
    first.send_signal(signal.SIGCONT)
    out, err = first.communicate(timeout=60)
    assert first.returncode == 0, err
    assert accepted(ws) == [out.strip()]
    assert_consistent(ws)


def test_a_load_of_another_file_goes_on_beside_a_dead_one(ws: Workspace) -> None:
    kill_at(ws, "after the rename", OTHER)
    mine = land(ws, header(), write_events)
    assert accepted(ws) == [mine]
    assert_consistent(ws)


def test_of_loaders_of_one_file_at_the_same_time_one_is_accepted(ws: Workspace) -> None:
    loaders = [start(ws, "", "", FILE) for _ in range(4)]
    ends = [loader.communicate(timeout=120) for loader in loaders]
    assert [loader.returncode for loader in loaders] == [0] * 4, ends
    assert {out.strip() for out, _ in ends} == set(accepted(ws))
    assert len(accepted(ws)) == 1
    assert_consistent(ws)
