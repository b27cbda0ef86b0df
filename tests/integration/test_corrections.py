"""Corrections by record: an update carries only what changed, of records sent before."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from cli_support import event, police_return, run, victim, workspace

from tipstat import warehouse
from tipstat.snapshot import current_inputs, write_snapshot
from tipstat.workspace import Workspace

Rows = Mapping[str, Sequence[Mapping[str, object]]]


def load(office: Path, path: Path) -> str:
    """Load a return that must be accepted whole; its id."""
    ran = run("-w", office, "load", path)
    found = re.search(r"accepted as (\S+): [\d,]+ records, 0 held out", ran.out)
    assert found, ran.text
    return found[1]


def found_in(office: Path, path: Path) -> list[str]:
    ran = run("-w", office, "check", path, "--format", "json")
    rules: list[dict[str, Any]] = json.loads(ran.out)["findings"]
    return sorted({row["rule_id"] for row in rules if row["severity"] not in ("note", "warning")})


def changed(path: Path, rows: Rows, **metadata: str) -> Path:
    """A return with only these rows."""
    return police_return(path, {"event": [], "victim": [], **rows}, **metadata)


@pytest.fixture
def office(tmp_path: Path) -> Path:
    return workspace(tmp_path / "office")


@pytest.fixture
def first(office: Path, tmp_path: Path) -> str:
    """Ten events with a victim each, sent for 2024."""
    return load(office, police_return(tmp_path / "first.xlsx"))


def test_an_update_may_name_events_that_were_sent_before(
    office: Path, first: str, tmp_path: Path
) -> None:
    rows = {"victim": [victim(3, age="17")]}
    path = changed(tmp_path / "u.xlsx", rows, intent="UPDATES", earlier_submission=first)
    assert found_in(office, path) == []
    load(office, path)


def test_so_may_the_return_of_a_later_period(office: Path, first: str, tmp_path: Path) -> None:
    later = {"period_start": "2025-01-01", "period_end": "2025-12-31"}
    new = victim(3, victim_ref="VI-NEW", registration_date="2025-02-01")
    path = changed(tmp_path / "n.xlsx", {"victim": [new]}, extraction_date="2026-01-31", **later)
    assert found_in(office, path) == []


def test_an_event_that_was_never_sent_is_still_missing(
    office: Path, first: str, tmp_path: Path
) -> None:
    rows = {"victim": [victim(3), victim(99)]}
    path = changed(tmp_path / "u.xlsx", rows, intent="UPDATES", earlier_submission=first)
    ran = json.loads(run("-w", office, "check", path, "--format", "json").out)
    assert ran["held_out"] == {"victim": 1}
    assert found_in(office, path) == ["TIP-421", "TIP-590"]


def test_an_event_of_another_entity_is_no_parent(office: Path, first: str, tmp_path: Path) -> None:
    added = run("-w", office, "entity", "add", "XXA-BORDER", "--name", "Border Guard",
                "--type", "POLICE", "--area", "XXA")  # fmt: skip
    assert added.code == 0, added.text
    rows = {"victim": [victim(3, reporting_entity="XXA-BORDER")]}
    path = changed(tmp_path / "u.xlsx", rows, intent="UPDATES", earlier_submission=first)
    assert "TIP-421" in found_in(office, path)


def test_what_a_replacement_replaces_holds_no_parents_for_it(
    office: Path, first: str, tmp_path: Path
) -> None:
    rows = {"victim": [victim(3)]}
    path = changed(tmp_path / "r.xlsx", rows, intent="REPLACES", earlier_submission=first)
    assert "TIP-421" in found_in(office, path)


def test_what_was_withdrawn_holds_no_parents(office: Path, first: str, tmp_path: Path) -> None:
    later = {"period_start": "2025-01-01", "period_end": "2025-12-31"}
    new = victim(3, victim_ref="VI-NEW", registration_date="2025-02-01")
    path = changed(tmp_path / "n.xlsx", {"victim": [new]}, extraction_date="2026-01-31", **later)
    assert run("-w", office, "withdraw", first, "--reason", "of another force").code == 0
    assert "TIP-421" in found_in(office, path)


def test_an_event_that_was_held_out_is_no_parent(office: Path, tmp_path: Path) -> None:
    held = [event(n) for n in range(1, 20)] + [event(20), event(20)]
    first = run("-w", office, "load", police_return(tmp_path / "f.xlsx", {"event": held}))
    name = re.search(r"accepted as (\S+): [\d,]+ records, 2 held out", first.out)
    assert name, first.text
    for number, rule in ((19, []), (20, ["TIP-421", "TIP-590"])):
        path = changed(tmp_path / f"u{number}.xlsx", {"victim": [victim(number)]},
                       intent="UPDATES", earlier_submission=name[1])  # fmt: skip
        assert found_in(office, path) == rule


ONLY_KEYS = ("reporting_entity", "event_ref", "victim_ref")


def only(row: Mapping[str, object], **sent: object) -> dict[str, object]:
    """A row of which nothing is sent but its key and these values."""
    return {name: row[name] for name in ONLY_KEYS if name in row} | sent


def completed(office: Path, update: str) -> dict[str, Any]:
    """The one record of an update as a build reads it."""
    ws = Workspace.open(office)
    registry = ws.registry()
    identity = warehouse.new_identity(ws)
    ws.building_dir.mkdir(parents=True, exist_ok=True)
    write_snapshot(ws, current_inputs(registry, identity.as_of), identity)
    listed = ws.building_dir / "inputs" / "landing_file.parquet"
    [(path,)] = duckdb.sql(
        f"select path from '{listed}' where submission_id = '{update}' and record_type = 'victim'"
    ).fetchall()
    relation = duckdb.sql(f"select * from '{path}'")
    (row,) = relation.fetchall()
    return dict(zip(relation.columns, row, strict=True))


def test_what_an_update_leaves_out_stays_as_it_was_sent(
    office: Path, first: str, tmp_path: Path
) -> None:
    rows = {"victim": [only(victim(3), age="17")]}
    path = changed(tmp_path / "u.xlsx", rows, intent="UPDATES", earlier_submission=first)
    update = load(office, path)
    row = completed(office, update)
    assert (row["age"], row["age_state"]) == (17, "value")
    assert (row["sex"], row["citizenship"], row["purpose"]) == ("F", "XXA", "SEX")
    assert row["registration_date"].isoformat() == "2024-03-02"
    assert row["submission_id"] == update
    # Status is history: nothing was said of it.
    assert row["victim_status_source"] is None


def test_an_update_of_an_update_builds_on_it(office: Path, first: str, tmp_path: Path) -> None:
    for number, sent in enumerate(({"age": "17"}, {"sex": "M"}, {"citizenship": "XXB"})):
        rows = {"victim": [only(victim(3), **sent)]}
        path = changed(tmp_path / f"u{number}.xlsx", rows, intent="UPDATES",
                       earlier_submission=first)  # fmt: skip
        update = load(office, path)
    row = completed(office, update)
    assert (row["age"], row["sex"], row["citizenship"], row["purpose"]) == (17, "M", "XXB", "SEX")


def test_not_known_is_a_value_and_is_not_filled_from_before(
    office: Path, first: str, tmp_path: Path
) -> None:
    rows = {"victim": [only(victim(3), sex="_U")]}
    path = changed(tmp_path / "u.xlsx", rows, intent="UPDATES", earlier_submission=first)
    row = completed(office, load(office, path))
    assert (row["sex"], row["citizenship"]) == ("_U", "XXA")


def test_nothing_of_a_withdrawn_submission_stays_in_an_update(
    office: Path, first: str, tmp_path: Path
) -> None:
    rows = {"victim": [only(victim(3), age="17")]}
    path = changed(tmp_path / "u.xlsx", rows, intent="UPDATES", earlier_submission=first)
    update = load(office, path)
    assert run("-w", office, "withdraw", first, "--reason", "of another force").code == 0
    row = completed(office, update)
    assert (row["age"], row["citizenship"] in ("_X", "_N")) == (17, True)


def test_a_purge_deletes_what_was_completed_from_the_destroyed_records(
    office: Path, first: str, tmp_path: Path
) -> None:
    rows = {"victim": [only(victim(3), age="17")]}
    path = changed(tmp_path / "u.xlsx", rows, intent="UPDATES", earlier_submission=first)
    completed(office, load(office, path))
    folder = Workspace.open(office).building_dir / "inputs" / "completed"
    assert len(list(folder.iterdir())) == 1
    purged = run("-w", office, "purge", "submission", first, "--ground", "COURT_ORDER",
                 "--note", "order 8", "--yes")  # fmt: skip
    assert purged.code == 0, purged.text
    assert list(folder.iterdir()) == []


def test_an_update_corrects_the_figures_and_doubles_nothing(
    office: Path, first: str, tmp_path: Path
) -> None:
    rows = {"victim": [only(victim(n), age="17") for n in (3, 4)]}
    path = changed(tmp_path / "u.xlsx", rows, intent="UPDATES", earlier_submission=first)
    load(office, path)
    expected = ("expected", "add", "XXA-POLICE", "police", "--due", "3m", "--from", "2024-01-01")
    assert run("-w", office, *expected).code == 0
    assert run("-w", office, "build").code == 0
    with warehouse.reading(Workspace.open(office)) as connection:
        figures = connection.execute(
            "select distinct age, value from fct_indicator_value where sex = 'F' "
            "and indicator = 'victims_registered' and form = '_T' and citizenship = '_T' "
            "and breakdown = '_T' and age in ('_T', 'Y0T17', 'Y_GE18') order by all"
        ).fetchall()
        timed = connection.execute(
            "select distinct due_date, n_days_late > 0 from dq_timeliness"
        ).fetchall()
        ((events, victims),) = connection.execute(
            "select (select count(*) from fct_event), (select count(*) from dim_victim)"
        ).fetchall()
    assert (events, victims) == (10, 10)
    assert timed == [(date(2025, 3, 31), True)]
    assert figures == [("Y0T17", 2), ("Y_GE18", 8), ("_T", 10)]


def test_a_replacement_names_the_updates_of_what_it_replaces_too(
    office: Path, first: str, tmp_path: Path
) -> None:
    rows = {"victim": [only(victim(3), age="17")]}
    path = changed(tmp_path / "u.xlsx", rows, intent="UPDATES", earlier_submission=first)
    update = load(office, path)
    again = police_return(tmp_path / "r.xlsx", intent="REPLACES", earlier_submission=first)
    assert found_in(office, again) == ["TIP-540"]
    both = f"{first}; {update}"
    load(office, police_return(tmp_path / "b.xlsx", intent="REPLACES", earlier_submission=both))
    listed = json.loads(run("-w", office, "submissions", "--format", "json").out)
    assert [row["status"] for row in listed] == ["superseded", "superseded", "accepted"]
