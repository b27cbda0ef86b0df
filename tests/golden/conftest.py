"""One workspace with the sample country and Peru, loaded and built once for all golden tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tipstat.cli import demo
from tipstat.workspace import Workspace


@pytest.fixture(scope="session")
def told() -> list[str]:
    """What the loading of the returns said, line by line."""
    return []


@pytest.fixture(scope="session")
def golden_workspace(tmp_path_factory: pytest.TempPathFactory, told: list[str]) -> Workspace:
    """The workspace of the demonstration, through load and build."""
    root: Path = tmp_path_factory.mktemp("golden") / "demo"
    with demo.own_registry_and_key():
        ws = demo.make_workspace(root)
        demo.load_returns(ws, told.append)
        demo.build(ws, told.append)
    return ws
