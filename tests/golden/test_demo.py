"""What ``tipstat demo`` leaves alone, makes anew and writes."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from tipstat.cli import demo
from tipstat.errors import UsageError
from tipstat.workspace import Workspace


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("chapter one", encoding="utf-8")
    for force in (False, True):
        with pytest.raises(UsageError, match="TIP-961"):
            demo.make_workspace(tmp_path, force=force)
    assert (tmp_path / "thesis.txt").is_file()


def test_an_office_workspace_is_never_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIPSTAT_KEY_FILE", str(tmp_path / "office.key"))
    ws = Workspace.create(tmp_path / "office")
    with pytest.raises(UsageError, match="TIP-961"):
        demo.make_workspace(ws.root, force=True)
    assert ws.registry().entities() == []


def test_an_earlier_demo_is_made_anew_only_when_forced(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    with demo.own_registry_and_key():
        first = demo.make_workspace(root)
        with pytest.raises(UsageError, match="an earlier demo"):
            demo.make_workspace(root)
        second = demo.make_workspace(root, force=True)
    assert first.settings.workspace_id != second.settings.workspace_id


def test_the_registry_that_the_environment_names_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = tmp_path / "office.sqlite"
    monkeypatch.setenv("TIPSTAT_REGISTRY_URL", f"sqlite:///{office}")
    with demo.own_registry_and_key():
        demo.make_workspace(tmp_path / "demo")
    assert not office.exists()


@pytest.mark.parametrize(("kind", "language"), demo.RETURNS)
def test_a_return_is_filled_in_alike_each_time(kind: str, language: str, tmp_path: Path) -> None:
    files = [tmp_path / "first.xlsx", tmp_path / "second.xlsx"]
    for file in files:
        demo.fill_return(kind, language, file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_workbook_and_reports_of_both_countries_are_written(golden_workspace: Workspace) -> None:
    paths = demo.write_reports(golden_workspace)
    assert [path.name for path in paths] == ["indicators.xlsx", "iccs_XXA.xlsx", "iccs_PER.xlsx"]
    for path in paths:
        assert len(openpyxl.load_workbook(path, read_only=True).sheetnames) > 3
