"""The limits and maps of an office hold wherever a file is read, not only where it is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_support import run, workspace
from test_post import layout

#: A table of more than a megabyte.
TABLE = "Year,Victims\n" + "2023,41\n" * 150_000


@pytest.fixture
def strict_office(tmp_path: Path) -> Path:
    """An office that takes files of a megabyte at most."""
    office = workspace(tmp_path / "office")
    layout(office / "layouts", "monthly")
    settings = office / "tipstat.toml"
    told = settings.read_text(encoding="utf-8")
    assert "file_mb = 512" in told
    settings.write_text(told.replace("file_mb = 512", "file_mb = 1"), encoding="utf-8")
    return office


@pytest.mark.parametrize(
    "command",
    [
        ("check", "FILE", "--layout", "monthly"),
        ("load", "FILE", "--layout", "monthly"),
        ("load", "FOLDER"),
        ("layout", "check", "monthly", "FILE"),
        ("layout", "new", "FILE", "--area", "XXA"),
        ("reconcile", "FILE", "FILE", "--layout", "monthly", "--layout", "monthly"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_file_beyond_the_limits_of_the_office_is_refused(
    strict_office: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    folder = tmp_path / "post"
    folder.mkdir()
    (folder / "victims.csv").write_text(TABLE)
    places = {"FILE": folder / "victims.csv", "FOLDER": folder}
    ran = run("-w", strict_office, *(places.get(word, word) for word in command))
    assert ran.code == 1
    assert "TIP-105" in ran.text


@pytest.mark.parametrize("command", [("layout", "list"), ("layout", "check", "per_pnp_2017", "x")])
def test_a_workspace_whose_settings_are_broken_is_not_passed_over(
    strict_office: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    (strict_office / "tipstat.toml").write_text("this is no setting")
    monkeypatch.chdir(strict_office)
    ran = run(*command)
    assert (ran.code, "TIP-90" in ran.text) == (3, True)


def test_a_workspace_named_in_the_environment_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIPSTAT_WORKSPACE", str(tmp_path / "nowhere"))
    assert "TIP-901" in run("layout", "list").text
    monkeypatch.delenv("TIPSTAT_WORKSPACE")
    monkeypatch.chdir(tmp_path)
    assert run("layout", "list").code == 0
