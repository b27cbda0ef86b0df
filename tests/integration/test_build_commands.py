"""``tipstat build`` and ``tipstat quality`` as a user calls them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from build_support import SMALL_PROJECT, land_events, new_workspace, use_project
from click.testing import CliRunner, Result

from tipstat.cli.main import cli
from tipstat.errors import TipstatError
from tipstat.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    project = tmp_path / "project"
    shutil.copytree(SMALL_PROJECT, project)
    (project / "models" / "quality").mkdir()
    held_out = "select submission_id, 0 as n_held_out from {{ ref('dim_submission') }}"
    (project / "models" / "quality" / "dq_held_out.sql").write_text(held_out)
    use_project(monkeypatch, project)
    return new_workspace(tmp_path / "office")


def run(ws: Workspace, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["-w", str(ws.root), *arguments])


def test_build_prints_what_it_built(ws: Workspace) -> None:
    land_events(ws, 2023, ["E1"])
    ran = run(ws, "build", "--format", "json")
    assert ran.exit_code == 0, ran.output
    (row,) = json.loads(ran.stdout)
    assert row["submissions"] == 1
    assert row["tests"] == 1
    assert Path(row["path"]).is_file()


def test_quality_lists_the_tables_and_prints_one_of_them(ws: Workspace) -> None:
    submission = land_events(ws, 2023, ["E1"])
    assert run(ws, "build").exit_code == 0
    listed = json.loads(run(ws, "quality", "--format", "json").stdout)
    assert listed == [{"table": "dq_held_out", "rows": 1}]
    for name in ("dq_held_out", "held_out"):
        shown = run(ws, "quality", name, "--format", "csv").stdout
        assert shown == f"submission_id,n_held_out\n{submission},0\n"


def test_an_unknown_quality_table_is_refused_with_the_nearest_one(ws: Workspace) -> None:
    assert run(ws, "build").exit_code == 0
    refusal = run(ws, "quality", "held_oot").exception
    assert isinstance(refusal, TipstatError)
    assert (refusal.rule, refusal.nearest, int(refusal.exit_code)) == ("TIP-809", "dq_held_out", 2)


def test_quality_before_any_build_is_refused(ws: Workspace) -> None:
    refusal = run(ws, "quality").exception
    assert isinstance(refusal, TipstatError)
    assert refusal.rule == "TIP-806"
