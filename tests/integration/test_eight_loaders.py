"""Eight processes load the same post at once: nothing is lost and nothing doubled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from cli_support import police_return, run, workspace
from registry_support import ENGINES, accepted, assert_consistent, make_workspace, registry_url

from tipstat.workspace import Workspace

DRIVER = Path(__file__).with_name("post_driver.py")
ROOT = DRIVER.parents[2]
MAIN = "from tipstat.cli.main import main; main()"
PROCESSES, RETURNS = 8, 4


@pytest.fixture(params=ENGINES)
def ws(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    with registry_url(request.param) as url:
        yield make_workspace(tmp_path / "office", url)


def start(*command: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(processes: list[subprocess.Popen[str]]) -> list[dict[str, Any]]:
    told = [process.communicate(timeout=250) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), told
    return [json.loads(out) for out, _ in told]


def test_eight_processes_lose_and_double_nothing(ws: Workspace) -> None:
    told = ended([start(DRIVER, ws.root, str(n), str(RETURNS)) for n in range(PROCESSES)])
    # Every process was given the same returns, and one that is its own.
    assert len(accepted(ws)) == RETURNS + PROCESSES
    shared = [{year: name for year, name in one["ids"].items() if year < "2100"} for one in told]
    assert shared == [shared[0]] * PROCESSES
    assert {name for one in told for name in one["ids"].values()} == set(accepted(ws))
    assert_consistent(ws)
    spent = [seconds for one in told for seconds in one["spent"]]
    assert len(spent) >= 4 * (RETURNS + PROCESSES)
    # How long each kept the other writers waiting, its commit included; at most 0.1 s is aimed at.
    print(f"{len(spent)} write transactions: median {median(spent):.4f} s, max {max(spent):.4f} s")


def test_eight_commands_load_one_folder_and_every_file_once(tmp_path: Path) -> None:
    office = workspace(tmp_path / "office")
    folder = tmp_path / "post"
    folder.mkdir()
    for year in (2021, 2022):
        days = {"period_start": f"{year}-01-01", "period_end": f"{year}-12-31"}
        police_return(folder / f"police_{year}.xlsx", {"event": [], "victim": []}, **days,
                      extraction_date="2025-02-01", nil_return="Y")  # fmt: skip
    command = ("-c", MAIN, "-w", office, "load", folder, "--format", "json")
    told = ended([start(*command) for _ in range(PROCESSES)])
    ids = [{row["file"]: row["submission"] for row in rows} for rows in told]
    assert all(one == ids[0] for one in ids)
    outcomes = sorted(str(row["outcome"]) for rows in told for row in rows)
    assert outcomes == ["accepted"] * 2 + ["known"] * (2 * PROCESSES - 2)
    listed = json.loads(run("-w", office, "submissions", "--format", "json").out)
    assert sorted(row["id"] for row in listed) == sorted(ids[0].values())
    assert {row["status"] for row in listed} == {"accepted"}
