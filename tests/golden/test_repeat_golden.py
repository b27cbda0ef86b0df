"""The build of the sample country and Peru, made again: every figure is the same."""

from __future__ import annotations

from tipstat import warehouse
from tipstat.cli import demo
from tipstat.repeat import repeat
from tipstat.workspace import Workspace


def test_a_real_build_is_repeated_figure_by_figure(golden_workspace: Workspace) -> None:
    with demo.own_registry_and_key():
        past = golden_workspace.registry().builds()[-1]
        in_use = warehouse.current_warehouse(golden_workspace)
        done = repeat(golden_workspace, past.id)
        assert done.repeats == past.id
        assert done.compared
        assert done.figures > 1000
        assert warehouse.current_warehouse(golden_workspace) == in_use
        done.path.unlink()
        done.path.with_suffix(".json").unlink()
