"""docs/returns.md is true: its files, edits and commands lead to what it prints."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from cli_support import Outcome, run

PAGE = Path(__file__).parents[2] / "docs" / "returns.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Commands of the page that end with findings, by what they are.
FINDINGS = ("layout check", "reconcile")


def blocks() -> list[tuple[str, str, str]]:
    """Language, name and content of every block, in the order of the page."""
    return BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def plain(text: str) -> list[str]:
    """Lines with single blanks, as the width of a column is no matter of truth."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def edit(path: Path, change: str) -> None:
    """Apply a change: each group of removed lines becomes the group of added ones behind it."""
    text = path.read_text(encoding="utf-8")
    for removed, added in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)*)", change, re.MULTILINE):
        before, after = (
            "".join(f"{line[1:]}\n" for line in part.splitlines()) for part in (removed, added)
        )
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


def called(line: str) -> Outcome:
    arguments = shlex.split(line.removeprefix("$ tipstat "))
    outcome = run(*arguments)
    expected = int(any(name in line for name in FINDINGS))
    assert outcome.code == expected, f"{line}\n{outcome.text}"
    return outcome


def test_the_walk_of_the_page_leads_to_what_it_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    printed: list[str] = []
    commands = 0
    for language, name, content in blocks():
        if language == "csv":
            (tmp_path / name).write_text(content, encoding="utf-8")
        elif language == "diff":
            edit(tmp_path / "office" / "layouts" / name, content)
        elif language == "console":
            outcomes = [called(line) for line in content.splitlines()]
            commands += len(outcomes)
            printed = [line for outcome in outcomes for line in plain(outcome.text)]
        else:
            assert [line for line in plain(content) if line not in printed] == []
    assert commands == 10


def test_every_step_of_the_page_is_among_its_commands() -> None:
    console = "".join(content for language, _, content in blocks() if language == "console")
    steps = ("layout new", "layout check", " check ", " load ", " build", "indicators", "reconcile")
    assert [step for step in steps if step not in console] == []
