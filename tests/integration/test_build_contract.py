"""A landing is read by a later contract, and tipstat's own dbt project builds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from build_support import SMALL_PROJECT, land_events, new_workspace, use_project

from tipstat import contract, warehouse
from tipstat.contract import load_contract
from tipstat.project import project_root
from tipstat.workspace import Workspace

ADDED = "police,event,added_later,code,yes_no,N,optional,,,,Added by a later contract,STATISTICS 2"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return new_workspace(tmp_path / "office")


@pytest.fixture
def later_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with tipstat's own landing macro and one more variable in its contract."""
    project = tmp_path / "later"
    shutil.copytree(SMALL_PROJECT, project)
    shutil.copytree(project_root() / "macros", project / "macros", dirs_exist_ok=True)
    base = "{{ landing('police', 'event') }}\n"
    (project / "models" / "base" / "base_police_event.sql").write_text(base)
    seeds = tmp_path / "seeds"
    shutil.copytree(project_root() / "seeds" / "catalogue", seeds / "catalogue")
    with (seeds / "catalogue" / "variables.csv").open("a", encoding="utf-8") as handle:
        handle.write(f"{ADDED},{load_contract().version + 1}\n")
    use_project(monkeypatch, project)
    yield seeds
    load_contract.cache_clear()


def test_a_landing_older_than_a_new_variable_is_read_with_the_variable_empty(
    ws: Workspace, later_contract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = land_events(ws, 2022, ["E1", "E2"])
    monkeypatch.setattr(contract, "seeds_dir", lambda: later_contract)
    load_contract.cache_clear()
    new = land_events(ws, 2023, ["E3"], added_later="Y")
    warehouse.build(ws, actor="test")
    with warehouse.reading(ws) as reader:
        rows = reader.sql(
            "select submission_id, event_status, added_later, count(*)"
            " from base_police_event group by all order by all"
        ).fetchall()
        types = dict(
            reader.sql(
                "select column_name, column_type from (describe base_police_event)"
            ).fetchall()
        )
    assert rows == sorted([(old, "RECORDED", None, 2), (new, "RECORDED", "Y", 1)])
    landed = load_contract().record_type("police", "event").landed_columns
    assert types == {name: kind.upper() for name, kind in landed}


def test_tipstats_own_project_builds_an_empty_workspace(ws: Workspace) -> None:
    result = warehouse.build(ws, actor="test")
    assert result.submissions == 0
    with warehouse.reading(ws) as reader:
        assert reader.sql("select count(*) from fct_event").fetchall() == [(0,)]


def test_tipstats_own_project_gives_equal_figures_twice_also_from_an_older_landing(
    ws: Workspace,
) -> None:
    land_events(ws, 2022, ["E1", "E2"], without=("means", "means_source"))
    land_events(ws, 2023, ["E3"])
    warehouse.build(ws, actor="test")
    first = warehouse.figures_digest(ws)
    warehouse.build(ws, actor="test")
    assert warehouse.figures_digest(ws) == first
    with warehouse.reading(ws) as reader:
        years = reader.sql(
            "select year(event_registration_date), count(*)"
            " from fct_event group by all order by all"
        ).fetchall()
    assert years == [(2022, 2), (2023, 1)]
