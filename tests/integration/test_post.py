"""A year's post: every return of a folder told apart, loaded, and accounted for in one table."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cli_support import Outcome, police_return, run, workspace

from loaders import post
from loaders.layout import load_layout
from tipstat.project import examples_dir
from tipstat.workspace import Workspace

LAYOUT = """
id: {id}
title: Victims by month, as the force tabulates them
kind: aggregate
language: en
reference_area: XXA
file:
  format: csv
{pattern}
  header_row: 1
metadata: {{sender: XXA-POLICE, period_start: 2023-01-01, period_end: 2023-12-31,
  extraction_date: 2024-02-01, maturity: FINAL, intent: NEW, legal_basis: LAW}}
records:
  cell:
    constants:
      measure: VICTIMS_REGISTERED
      unit_of_count: VICTIM_REGISTRATION
      cell_nature: FLOW
    period: {{year: Year}}
    columns: {{Victims: value}}
"""


def layout(folder: Path, name: str, pattern: str = "") -> Path:
    path = folder / f"{name}.yml"
    key = f"  name_pattern: {pattern}" if pattern else ""
    path.write_text(LAYOUT.format(id=name, pattern=key))
    return path


@pytest.fixture
def office(tmp_path: Path) -> Path:
    ws = workspace(tmp_path / "office")
    layout(ws / "layouts", "monthly")
    return ws


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """The post of a year, with all that is not a return beside what is."""
    folder = tmp_path / "post"
    (folder / "tables").mkdir(parents=True)
    police_return(folder / "a_police.xlsx")
    (folder / "b_broken.xlsx").write_bytes(b"PK\x03\x04 torn off")
    shutil.copy(folder / "a_police.xlsx", folder / "c_same_again.xlsx")
    (folder / "d_letter.pdf").write_bytes(b"%PDF-1.4 dear colleagues")
    (folder / "tables" / "victims.csv").write_text("Year,Victims\n2023,41\n")
    (folder / "tables" / "weather.csv").write_text("Day,Rain\n1,2\n")
    shutil.copytree(examples_dir() / "sample_country" / "court", folder / "court")
    (folder / "~$a_police.xlsx").write_bytes(b"lock")
    (folder / ".DS_Store").write_bytes(b"\0")
    (folder / "Thumbs.db").write_bytes(b"\0")
    return folder


def loaded(
    office: Path, folder: Path, *arguments: str, command: str = "load"
) -> tuple[Outcome, dict[str, Any]]:
    ran = run("-w", office, command, folder, "--format", "json", *arguments)
    rows: list[Mapping[str, Any]] = json.loads(ran.out)
    return ran, {row["file"]: row for row in rows}


def submissions(office: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(
        run("-w", office, "submissions", "--format", "json").out
    )
    return listed


def test_the_post_is_loaded_and_every_file_accounted_for(office: Path, letters: Path) -> None:
    ran, lines = loaded(office, letters, "--actor", "ana")
    assert {name: (row["outcome"], row["layout"], row["rule"]) for name, row in lines.items()} == {
        "a_police.xlsx": ("accepted", "", ""),
        "b_broken.xlsx": ("refused", "", "TIP-103"),
        "c_same_again.xlsx": ("known", "", ""),
        "court": ("refused", "", "TIP-511"),
        "d_letter.pdf": ("refused", "", "TIP-101"),
        "tables/victims.csv": ("accepted", "monthly", ""),
        "tables/weather.csv": ("refused", "", "TIP-150"),
    }
    assert ran.code == 1
    assert lines["a_police.xlsx"]["records"] == 20
    assert lines["c_same_again.xlsx"]["submission"] == lines["a_police.xlsx"]["submission"]
    accepted = [row["id"] for row in submissions(office) if row["status"] == "accepted"]
    assert sorted(accepted) == sorted(
        lines[name]["submission"] for name in ("a_police.xlsx", "tables/victims.csv")
    )
    assert "7 returns: 2 accepted, 1 known, 4 refused" in ran.err


def test_the_table_names_file_outcome_and_rule(office: Path, letters: Path) -> None:
    ran = run("-w", office, "load", letters)
    lines = ran.out.splitlines()
    assert lines[0].split() == [
        "file", "outcome", "submission", "records", "held_out", "findings", "layout", "rule",
        "message",
    ]  # fmt: skip
    assert [line.split()[:2] for line in lines[2:4]] == [
        ["a_police.xlsx", "accepted"],
        ["b_broken.xlsx", "refused"],
    ]


def test_the_same_post_again_loads_nothing_twice(office: Path, letters: Path) -> None:
    for name in ("b_broken.xlsx", "d_letter.pdf", "tables/weather.csv"):
        (letters / name).unlink()
    shutil.rmtree(letters / "court")
    first, _ = loaded(office, letters)
    before = submissions(office)
    again, lines = loaded(office, letters)
    assert (first.code, again.code) == (0, 0)
    assert {row["outcome"] for row in lines.values()} == {"known"}
    assert submissions(office) == before


def test_a_folder_of_standard_csv_files_is_still_one_return(office: Path) -> None:
    court = examples_dir() / "sample_country" / "court"
    assert not post.is_post(court)
    assert run("-w", office, "load", court).out.startswith("court: court return")


def test_a_folder_with_a_layout_is_still_one_return(office: Path, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "victims.csv").write_text("Year,Victims\n2023,41\n")
    ran = run("-w", office, "load", folder, "--layout", "monthly")
    assert "accepted as aggregate-xxa-police-20231231" in ran.out


def test_a_file_that_two_layouts_fit_is_refused_and_both_are_named(
    office: Path, tmp_path: Path
) -> None:
    layout(office / "layouts", "yearly")
    folder = tmp_path / "post"
    folder.mkdir()
    (folder / "victims.csv").write_text("Year,Victims\n2023,41\n")
    ran, lines = loaded(office, folder)
    row = lines["victims.csv"]
    assert (ran.code, row["outcome"], row["rule"]) == (1, "refused", "TIP-560")
    assert "monthly, yearly" in row["message"]
    assert submissions(office) == []


def test_of_two_layouts_the_one_that_names_the_file_is_taken(office: Path, tmp_path: Path) -> None:
    layout(office / "layouts", "yearly", "^victims_\\d{4}")
    folder = tmp_path / "post"
    folder.mkdir()
    (folder / "victims_2023.csv").write_text("Year,Victims\n2023,41\n")
    assert loaded(office, folder)[1]["victims_2023.csv"]["layout"] == "yearly"


def test_a_name_pattern_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    path = layout(tmp_path, "broken", "'['")
    with pytest.raises(Exception, match=r"file\.name_pattern"):
        load_layout(path)


def test_a_layout_that_is_not_valid_is_told_and_the_rest_goes_on(
    office: Path, tmp_path: Path
) -> None:
    (office / "layouts" / "draft.yml").write_text("id: draft\n")
    folder = tmp_path / "post"
    folder.mkdir()
    (folder / "victims.csv").write_text("Year,Victims\n2023,41\n")
    ran, lines = loaded(office, folder)
    assert lines["layouts/draft.yml"]["outcome"] == "failed"
    assert lines["victims.csv"]["outcome"] == "accepted"
    assert ran.code == 3


@pytest.fixture
def fragile(monkeypatch: pytest.MonkeyPatch) -> None:
    real = post.check_file

    def fails(path: Path, *args: Any, **kwargs: Any) -> Any:
        if path.name == "a_police.xlsx":
            raise MemoryError("a value of the file")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(post, "check_file", fails)


@pytest.mark.usefixtures("fragile")
def test_a_file_over_which_the_load_breaks_off_stops_no_other(office: Path, letters: Path) -> None:
    ran, lines = loaded(office, letters)
    row = lines["a_police.xlsx"]
    assert (row["outcome"], row["rule"], ran.code) == ("failed", "TIP-561", 3)
    assert "MemoryError" in row["message"]
    assert "a value of the file" not in ran.text
    assert lines["tables/victims.csv"]["outcome"] == "accepted"


def test_the_day_of_receipt_is_the_one_given(office: Path, letters: Path) -> None:
    loaded(office, letters, "--received", "2025-03-31")
    days = {row["received_at"][:10] for row in submissions(office) if row["status"] == "accepted"}
    registry = Workspace.open(office).registry()
    local = {row.received_at.astimezone().date() for row in registry.current_submissions()}
    assert local == {date(2025, 3, 31)}
    assert len(days) == 1


def test_a_day_of_receipt_to_come_is_refused(office: Path, tmp_path: Path) -> None:
    path = police_return(tmp_path / "p.xlsx")
    for known in (0, 1):
        for given in (path, tmp_path / "empty"):
            (tmp_path / "empty").mkdir(exist_ok=True)
            ran = run("-w", office, "load", given, "--received", "2999-01-01")
            assert (ran.code, "TIP-568" in ran.err) == (2, True)
        assert len(submissions(office)) == known
        run("-w", office, "load", path)


def test_the_post_is_checked_as_it_would_be_loaded_and_nothing_is_written(
    office: Path, letters: Path
) -> None:
    before = sorted(path.name for path in office.rglob("*"))
    assert "\nTIP-150 file without a layout\n" in run("-w", office, "check", letters).out
    ran, checked = loaded(office, letters, command="check")
    assert sorted(path.name for path in office.rglob("*")) == before
    assert submissions(office) == []
    assert ran.code == 1
    ran, lines = loaded(office, letters)
    twin = checked.pop("c_same_again.xlsx"), lines.pop("c_same_again.xlsx")
    assert [line["outcome"] for line in twin] == ["checked", "known"]
    for name, line in lines.items():
        outcome = "checked" if line["outcome"] == "accepted" else line["outcome"]
        assert checked[name] == {
            **line,
            "submission": checked[name]["submission"],
            "outcome": outcome,
        }
    _, again = loaded(office, letters, command="check")
    known = {name for name, line in lines.items() if line["outcome"] == "accepted"}
    assert {name for name, line in again.items() if line["outcome"] == "known"} - known == {
        "c_same_again.xlsx"
    }


@pytest.mark.parametrize("command", ["check", "load"])
def test_how_one_text_is_written_is_not_said_of_a_whole_post(
    office: Path, letters: Path, command: str
) -> None:
    ran = run("-w", office, command, letters, "--encoding", "cp1252")
    assert (ran.code, "are of one return" in ran.err) == (2, True)


def test_an_empty_folder_holds_no_return(office: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran, lines = loaded(office, tmp_path / "empty")
    assert (ran.code, lines) == (0, {})
    assert "no return in the folder" in ran.err
