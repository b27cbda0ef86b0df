"""What a submission changes against another: numbers of records and figures, never values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from build_support import SMALL_PROJECT, use_project
from cli_support import event, police_return, run, victim, workspace
from test_corrections import changed, load, only

from tipstat import warehouse
from tipstat.difference import figure_difference, record_differences
from tipstat.errors import UsageError
from tipstat.registry import Submission
from tipstat.workspace import Workspace


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    use_project(monkeypatch, SMALL_PROJECT)
    return workspace(tmp_path / "office")


@pytest.fixture
def first(office: Path, tmp_path: Path) -> str:
    return load(office, police_return(tmp_path / "first.xlsx"))


def replacement(office: Path, first: str, tmp_path: Path) -> str:
    """One event and its victim fewer, two more, and two victims of another age or sex."""
    rows = {
        "event": [event(n) for n in range(2, 13)],
        "victim": [
            victim(2, age="20"),
            victim(3, age="21", sex="M"),
            *(victim(n) for n in range(4, 13)),
        ],
    }
    path = police_return(tmp_path / "r.xlsx", rows, intent="REPLACES", earlier_submission=first)
    return load(office, path)


def differences(office: Path, *arguments: str) -> list[dict[str, Any]]:
    ran = run("-w", office, "submissions", "diff", *arguments, "--format", "json")
    assert ran.code == 0, ran.text
    rows: list[dict[str, Any]] = json.loads(ran.out)
    return rows


def test_records_added_gone_and_changed_are_counted_by_type_and_column(
    office: Path, first: str, tmp_path: Path
) -> None:
    later = replacement(office, first, tmp_path)
    events, victims = record_differences(Workspace.open(office), first, later)
    counted = (events.before, events.after, events.added, events.gone, events.changed)
    assert counted == (10, 11, 2, 1, 0)
    assert events.unchanged == 9
    assert (victims.added, victims.gone, victims.changed, victims.unchanged) == (2, 1, 2, 7)
    assert victims.columns == {"age": 2, "sex": 1}


def test_no_key_and_no_value_is_shown(office: Path, first: str, tmp_path: Path) -> None:
    later = replacement(office, first, tmp_path)
    ran = run("-w", office, "submissions", "diff", first, later)
    assert "victim.age" in ran.out
    for secret in ("EV-00", "VI-00", "XXA", "2024-03"):
        assert secret not in ran.text.replace(first, "").replace(later, "")


def test_an_update_changes_only_what_it_sends(office: Path, first: str, tmp_path: Path) -> None:
    rows = {"victim": [only(victim(3), age="17"), victim(3, victim_ref="VI-NEW")]}
    path = changed(tmp_path / "u.xlsx", rows, intent="UPDATES", earlier_submission=first)
    later = load(office, path)
    ws = Workspace.open(office)
    _, victims = record_differences(ws, first, later)
    assert (victims.added, victims.gone, victims.changed, victims.unchanged) == (1, 0, 1, 9)
    assert victims.columns == {"age": 1}
    _, replaced = record_differences(ws, first, later, replacing=True)
    assert (replaced.gone, replaced.changed) == (9, 1)
    assert "sex" in replaced.columns


def test_records_of_one_key_are_paired_one_to_one(
    office: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = Workspace.open(office)
    (office / "layouts" / "t.yml").write_text(LAYOUT)
    ids = []
    for number, lines in enumerate(("2023,A,5\n2023,B,7\n", "2023,A,6\n2023,B,7\n2023,C,1\n")):
        path = tmp_path / f"{number}.csv"
        path.write_text("Year,Place,Victims\n" + lines)
        extra = ["--set", "intent=REPLACES", "--set", f"earlier_submission={ids[0]}"] if ids else []
        ran = run("-w", office, "load", path, "--layout", "t", *extra)
        assert ran.code == 0, ran.text
        ids.append(ran.out.split("accepted as ")[1].split(":")[0])
    (cells,) = record_differences(ws, *ids)
    assert (cells.added, cells.gone, cells.changed, cells.unchanged) == (1, 0, 1, 1)
    assert cells.columns == {"value": 1}


LAYOUT = """
id: t
title: Victims by place
kind: aggregate
language: en
reference_area: XXA
file: {format: csv, header_row: 1}
metadata: {sender: XXA-POLICE, period_start: 2023-01-01, period_end: 2023-12-31,
  extraction_date: 2024-02-01, maturity: FINAL, intent: NEW, legal_basis: LAW}
records:
  cell:
    constants: {measure: VICTIMS_REGISTERED, unit_of_count: VICTIM_REGISTRATION, cell_nature: FLOW}
    period: {year: Year}
    columns: {Place: area, Victims: value}
"""


def test_figures_come_from_vintages_of_exactly_these_submissions(
    office: Path, first: str, tmp_path: Path
) -> None:
    ws = Workspace.open(office)
    before = warehouse.build(ws)
    later = replacement(office, first, tmp_path)
    told = figure_difference(ws, first, later)
    assert (told.before, told.known) == (before.build_id, False)
    after = warehouse.build(ws)
    told = figure_difference(ws, first, later)
    assert (told.before, told.after) == (before.build_id, after.build_id)
    assert (told.totals, told.cells) == ((), 0)


def test_a_trial_build_gives_the_figures_and_puts_nothing_in_place(
    office: Path, first: str, tmp_path: Path
) -> None:
    ws = Workspace.open(office)
    current = warehouse.build(ws)
    rows = {"victim": [victim(3, age="17")]}
    path = changed(tmp_path / "u.xlsx", rows, intent="UPDATES", earlier_submission=first)
    later = load(office, path)
    files = sorted(ws.vintages_dir.iterdir())
    told = figure_difference(ws, first, later, trial=True)
    # The figures of the small project count the submissions: the update stands beside the first.
    assert (told.before, told.after) == (current.build_id, "trial")
    assert told.totals == (("submissions XXA", 1.0, 2.0),)
    assert told.cells == 1
    assert warehouse.current_warehouse(ws) == current.path
    assert sorted(ws.vintages_dir.iterdir()) == files
    assert [build.id for build in ws.registry().builds()] == [current.build_id]
    shown = differences(office, first, later, "--figures")[-2:]
    assert [(r["name"], r["before"], r["after"], r["changed"]) for r in shown] == [
        ("submissions XXA", 1.0, 2.0, None),
        (f"all figures, of {current.build_id} and trial", None, None, 1),
    ]


def test_supersede_shows_the_difference_before_it_acts(
    office: Path, first: str, tmp_path: Path
) -> None:
    rows = {"victim": [victim(3, age="17")]}
    path = changed(tmp_path / "u.xlsx", rows, intent="UPDATES", earlier_submission=first)
    later = load(office, path)
    asked = ("-w", office, "supersede", first, later, "--reason", "holds all")
    tried = run(*asked, "--dry-run")
    assert "nothing was changed" in tried.out
    assert "not built: --figures builds them" in tried.out
    assert status(office, first) == "accepted"
    done = run(*asked, "--actor", "ana")
    assert done.out.index("records") < done.out.index("superseded by")
    assert status(office, first) == "superseded"
    registry = Workspace.open(office).registry()
    assert registry.audit_events(first)[-1].actor == "ana"
    # Afterwards the difference is still there to be seen.
    victims = [row for row in differences(office, first, later) if row["name"] == "victim"]
    assert victims[0]["changed"] == 1


def test_the_load_of_a_replacement_says_how_to_see_what_it_changes(
    office: Path, first: str, tmp_path: Path
) -> None:
    path = police_return(tmp_path / "r.xlsx", intent="REPLACES", earlier_submission=first)
    ran = run("-w", office, "load", path)
    later = ran.out.split("accepted as ")[1].split(":")[0]
    assert f"what it changes: tipstat submissions diff {first} {later}\n" in ran.out


def status(office: Path, submission_id: str) -> str:
    row: Submission = Workspace.open(office).registry().submission(submission_id)
    return row.status


def test_what_has_no_records_cannot_be_compared(office: Path, first: str, tmp_path: Path) -> None:
    ws = Workspace.open(office)
    with pytest.raises(UsageError, match="TIP-567"):
        record_differences(ws, first, first)
    overlap = police_return(tmp_path / "o.xlsx", {"event": [event(77)], "victim": []})
    ran = run("-w", office, "load", overlap)
    refused = ran.out.split("recorded as ")[1].split()[0]
    with pytest.raises(UsageError, match=r"TIP-567(?s:.*)is refused"):
        record_differences(ws, first, refused)
    with pytest.raises(UsageError, match="TIP-922"):
        record_differences(ws, first, "no-such")
