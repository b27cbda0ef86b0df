"""Reconciling from the command line, and the note on changes since the previous return."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from cli_support import METADATA, event, police_return, run, victim, workspace

from loaders.templates import write_template

CELL = {
    "reporting_entity": "XXA-POLICE",
    "measure": "VICTIMS_REGISTERED",
    "unit_of_count": "VICTIM_REGISTRATION",
    "status_scope": "REGISTERED",
}
LAYOUT = """
id: ngo
title: What a federation of shelters counted
kind: aggregate
language: en
reference_area: XXA
file: {format: csv}
metadata: {sender: XXA-NGO}
values:
  sex: {Women: F, Men: M, All: _T}
records:
  cell:
    columns: {Sex: sex, Number: value}
    constants: {measure: VICTIMS_REGISTERED, unit_of_count: VICTIM_REGISTRATION}
    period: {year: Year}
"""


def aggregate(path: Path, year: int, numbers: Mapping[str, int], **metadata: str) -> Path:
    """A return of one year, numbers by sex."""
    period = {"period_start": f"{year}-01-01", "period_end": f"{year}-12-31"}
    extracted = {"extraction_date": f"{year + 1}-02-01"}
    rows = [{**CELL, **period, "sex": sex, "value": str(n)} for sex, n in numbers.items()]
    write_template(
        "aggregate",
        "en",
        path,
        reference_area="XXA",
        rows={"cell": rows},
        metadata={**METADATA, **period, **extracted, **metadata},
    )
    return path


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a return of the police on 2023 and 2024, and a layout of its own."""
    root = workspace(tmp_path_factory.mktemp("reconcile") / "office")
    (root / "layouts" / "ngo.yml").write_text(LAYOUT, encoding="utf-8")
    for year, numbers in ((2023, {"_T": 50, "F": 40}), (2024, {"_T": 60, "F": 50})):
        loaded = run("-w", root, "load", aggregate(root / f"{year}.xlsx", year, numbers))
        assert "accepted" in loaded.text, loaded.text
    return root


def ids(root: Path) -> list[str]:
    rows = json.loads(run("-w", root, "submissions", "--format", "json").out)
    return [str(row["id"]) for row in rows if row["status"] == "accepted"]


def federation(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([["Year", "Sex", "Number"], *rows])
    return path


def test_a_submission_agrees_with_itself(office):
    one = ids(office)[0]
    same = run("-w", office, "reconcile", one, one, "--show", "both", "--format", "json")
    assert same.code == 0, same.text
    assert [(row["sex"], row["verdict"]) for row in json.loads(same.out)] == [
        ("F", "agree"),
        ("_T", "agree"),
    ]


def test_a_file_is_compared_with_a_submission_and_a_difference_sets_the_exit_code(office, tmp_path):
    rows = [["2024", "All", "60"], ["2024", "Women", "47"], ["2024", "Men", "13"]]
    path = federation(tmp_path / "ngo.csv", rows)
    latest = ids(office)[-1]
    found = run("-w", office, "reconcile", latest, path, "--layout", "ngo")
    assert found.code == 1, found.text
    assert f"A: submission {latest} of XXA-POLICE" in found.out
    assert "B: ngo.csv, as ngo reads it" in found.out
    assert "differ" in found.out
    assert "for the office only" in found.out
    listed = run("-w", office, "reconcile", latest, path, "--layout", "ngo", "--format", "json")
    [row] = json.loads(listed.out)
    assert (row["sex"], row["a"], row["b"], row["difference"]) == ("F", "50", "47", "-3")
    assert row["use"] == "for the office only"


def test_every_cell_is_written_to_a_file(office, tmp_path):
    path = federation(tmp_path / "ngo.csv", [["2024", "All", "60"], ["2024", "Men", "10"]])
    target = tmp_path / "compared.csv"
    outcome = run(
        "-w", office, "reconcile", ids(office)[-1], path, "--layout", "ngo", "-o", target
    )  # fmt: skip
    assert outcome.code == 0, outcome.text
    with target.open(encoding="utf-8", newline="") as handle:
        rows = {row["sex"]: row["verdict"] for row in csv.DictReader(handle)}
    assert rows == {"F": "only_a", "M": "only_b", "_T": "agree"}


def test_a_name_of_nothing_and_a_file_without_layout_are_refused(office, tmp_path):
    path = federation(tmp_path / "ngo.csv", [["2024", "All", "60"]])
    for arguments in (("nobody", "nothing"), (ids(office)[0], path)):
        refused = run("-w", office, "reconcile", *arguments)
        assert refused.code == 2
        assert "TIP-741" in refused.err


def test_records_of_victims_are_counted_and_other_records_refused(office, tmp_path):
    root = workspace(tmp_path / "records")
    (root / "layouts" / "ngo.yml").write_text(LAYOUT, encoding="utf-8")
    run("-w", root, "load", police_return(tmp_path / "police.xlsx"))
    path = federation(tmp_path / "ngo.csv", [["2024", "All", "10"], ["2024", "Women", "9"]])
    found = run("-w", root, "reconcile", ids(root)[0], path, "--layout", "ngo", "--format", "json")
    assert [(row["sex"], row["a"], row["b"]) for row in json.loads(found.out)] == [("F", "10", "9")]
    court = tmp_path / "court.xlsx"
    rows = {"case": [{"reporting_entity": "XXA-POLICE", "case_ref": "C-1",
                      "case_opened_date": "2024-02-01", "case_status": "OPEN"}]}  # fmt: skip
    write_template("court", "en", court, reference_area="XXA", rows=rows, metadata=METADATA)
    run("-w", root, "load", court)
    refused = run("-w", root, "reconcile", ids(root)[-1], path, "--layout", "ngo")
    assert "TIP-743" in refused.err, refused.text


def notes(root: Path, path: Path) -> list[str]:
    findings = json.loads(run("-w", root, "check", path, "--format", "json").out)["findings"]
    return [one["message"] for one in findings if one["rule_id"] == "TIP-740"]


def test_a_change_beyond_the_ratio_is_noted_against_the_senders_previous_return(office, tmp_path):
    told = notes(office, aggregate(tmp_path / "a.xlsx", 2025, {"_T": 150, "F": 60}))
    assert len(told) == 1
    assert told[0].startswith("XXA victims_registered: 12.5 a month, 5.0 a month in the previous")
    assert ids(office)[-1] in told[0]


def test_small_numbers_and_small_changes_are_left_alone(office, tmp_path):
    assert notes(office, aggregate(tmp_path / "a.xlsx", 2025, {"_T": 70, "F": 60, "M": 9})) == []


def test_a_return_without_a_previous_one_has_nothing_to_be_compared_with(tmp_path):
    root = workspace(tmp_path / "new")
    assert notes(root, aggregate(tmp_path / "a.xlsx", 2025, {"_T": 900})) == []


def test_the_ratio_is_a_setting_and_0_turns_the_note_off(tmp_path):
    root = workspace(tmp_path / "office")
    run("-w", root, "load", aggregate(tmp_path / "one.xlsx", 2024, {"_T": 50}))
    later = aggregate(tmp_path / "two.xlsx", 2025, {"_T": 150})
    settings = root / "tipstat.toml"
    text = settings.read_text(encoding="utf-8")
    assert len(notes(root, later)) == 1
    for ratio in ("4.0", "0"):
        settings.write_text(text.replace("change_ratio = 2.0", f"change_ratio = {ratio}"))
        assert notes(root, later) == []
    settings.write_text(text.replace("change_ratio = 2.0", "change_ratio = 0.5"))
    assert "TIP-905" in run("-w", root, "check", later).err


def test_a_return_that_replaces_another_is_compared_with_it_year_by_year(office, tmp_path):
    path = aggregate(
        tmp_path / "a.xlsx",
        2024,
        {"_T": 20, "F": 50},
        intent="REPLACES",
        earlier_submission=ids(office)[-1],
    )
    told = notes(office, path)
    assert len(told) == 1
    assert told[0].startswith("XXA victims_registered 2024: 20.0, 60.0 in the previous return")


def test_records_are_compared_by_their_number_for_a_month(tmp_path):
    root = workspace(tmp_path / "office")
    rows = {"victim": [victim(n % 10 + 1, victim_ref=f"V-{n}") for n in range(40)]}
    assert run("-w", root, "load", police_return(tmp_path / "one.xlsx", rows)).code == 0
    period = {
        "period_start": "2025-01-01",
        "period_end": "2025-12-31",
        "extraction_date": "2026-02-01",
    }
    later_rows = {
        "event": [event(n, event_registration_date="2025-03-01") for n in range(1, 11)],
        "victim": [victim(n, registration_date="2025-03-02") for n in range(1, 11)],
    }
    later = police_return(tmp_path / "two.xlsx", later_rows, **period)
    told = notes(root, later)
    assert [text.partition(":")[0] for text in told] == ["records of victim"]


def rated(root: Path, path: Path, rate: str, **other: str) -> list[dict[str, object]]:
    """Findings on the rate of a return with 60 victims, the population being 3 million."""
    population = root / "populations" / "XXA.csv"
    header = "year,sex,age_from,age_to,population,source,vintage"
    population.write_text(f"{header}\n2024,_T,,,3000000,census,2024\n", encoding="utf-8")
    period = {"period_start": "2024-01-01", "period_end": "2024-12-31"}
    count = {**CELL, **period, "value": "60", **other}
    rows = [count, {**count, "unit_of_count": "RATE", "value": rate}]
    metadata = {**METADATA, **period}
    write_template(
        "aggregate", "en", path, reference_area="XXA", rows={"cell": rows}, metadata=metadata
    )
    findings = json.loads(run("-w", root, "check", path, "--format", "json").out)["findings"]
    return [one for one in findings if one["rule_id"] == "TIP-744"]


def test_a_rate_is_count_divided_by_population(tmp_path):
    root = workspace(tmp_path / "office")
    assert rated(root, tmp_path / "a.xlsx", "2.00") == []
    assert rated(root, tmp_path / "b.xlsx", "2.03") == []
    [wrong] = rated(root, tmp_path / "c.xlsx", "2.60")
    assert wrong["message"] == "XXA 2024: 2.60 per 100,000, where 60 of 3,000,000 give 2.00"
    assert str(wrong["cell"]).endswith("4")
    assert (wrong["value"], wrong["expected"]) == ("2.60", "2.00")


def test_a_rate_of_fewer_decimals_may_differ_by_its_rounding(tmp_path):
    root = workspace(tmp_path / "office")
    assert rated(root, tmp_path / "a.xlsx", "2.0", value="61") == []
    assert rated(root, tmp_path / "b.xlsx", "2.1", value="64") == []
    assert len(rated(root, tmp_path / "c.xlsx", "2.19", value="64")) == 1


def test_rates_by_sex_are_not_divided_by_the_whole_population(tmp_path):
    root = workspace(tmp_path / "office")
    assert rated(root, tmp_path / "a.xlsx", "4.10", sex="F") == []
