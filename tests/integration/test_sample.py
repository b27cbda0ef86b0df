"""The generator of samples: the same bytes for a seed, overlapping returns, every mistake."""

from __future__ import annotations

import csv
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from cli_support import run

from loaders.check import check_with
from loaders.inspection import Context
from loaders.read import read_source
from loaders.templates import recognise, returned
from tipstat.cli.sample import write_workbook
from tipstat.contract import load_contract
from tipstat.errors import UsageError
from tipstat.sample import Sample, figures, findings, make_plan, make_sample
from tipstat.sample.mistakes import MISTAKES
from tipstat.sample.returns import KINDS, write_csv_return


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample(make_plan("XXA", 600, 5, mistakes=0.1, doubled=0.1))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for folder, seed in (("one", 5), ("again", 5), ("other", 6)):
        ran = run("sample", "--events", "50", "--seed", str(seed), "-o", tmp_path / folder)
        assert ran.code == 0, ran.text
    names = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.csv"))
    assert len(names) == 21
    one, again, other = (
        [(tmp_path / folder / name).read_bytes() for name in names]
        for folder in ("one", "again", "other")
    )
    assert one == again
    assert sum(mine != theirs for mine, theirs in zip(one, other, strict=True)) >= 18


def test_the_columns_are_variables_of_the_contract_and_hold_all_core_ones(sample: Sample) -> None:
    for kind in KINDS:
        for records in sample.records(kind):
            record_type = load_contract().record_type(kind, records.name)
            known = {v.name for v in record_type.variables}
            core = {
                v.name
                for v in record_type.variables
                if v.obligation == "core" and not v.default_value
            }
            assert core <= records.columns.keys() <= known


def test_every_kind_of_mistake_is_made(sample: Sample) -> None:
    listed = {(row["kind"], row["record_type"], row["rule_id"]) for row in findings(sample)}
    assert {(*m.where.split("."), m.rule_id) for m in MISTAKES} <= listed


def test_a_sample_without_mistakes_has_no_findings() -> None:
    assert findings(make_sample(make_plan("XXA", 200, 5, mistakes=0))) == []


def test_victims_of_the_police_are_met_again_at_the_shelter(sample: Sample) -> None:
    assert len(np.intersect1d(sample.police.person, sample.service.person)) > 100
    assert (sample.court.of_event >= 0).sum() > 50


def test_doubled_victims_stand_in_a_register_under_two_references(sample: Sample) -> None:
    references = sample.police.victim.numbers("victim_ref").values
    pairs = np.unique(np.stack([sample.police.person, references]), axis=1)
    assert (np.unique(pairs[0], return_counts=True)[1] == 2).sum() > 20
    none = make_sample(make_plan("XXA", 600, 5, doubled=0, mistakes=0)).police
    pairs = np.unique(np.stack([none.person, none.victim.numbers("victim_ref").values]), axis=1)
    assert len(np.unique(pairs[0])) == pairs.shape[1]


def test_nobody_is_linked_where_all_are_unlinked() -> None:
    made = make_sample(make_plan("XXA", 200, 5, unlinked=1))
    assert not made.police.victim.numbers("person_id").known.any()
    assert {figure.counting_basis for figure in figures(made)} == {
        "event", "offence", "registration",
    }  # fmt: skip


def test_late_decisions_fall_more_than_a_year_after_the_charge() -> None:
    def share(late: float) -> float:
        decision = make_sample(make_plan("XXA", 3000, 5, late=late, mistakes=0)).court.decision
        opened = decision.parents["defendant_ref"][0].numbers("registration_date").values
        lag = (
            decision.numbers("decision_date").values - opened[decision.parents["defendant_ref"][1]]
        )
        return float((lag > 366).mean())

    assert share(0.0) < 0.3
    assert share(1.0) > 0.9


def test_totals_are_the_sums_of_what_was_written(sample: Sample, tmp_path: Path) -> None:
    """Counted here from the files, by hand: events of status recorded that are not held out."""
    write_csv_return(sample, "police", tmp_path)
    events = rows_of(tmp_path / "event.csv")
    times = {e["event_ref"]: sum(o["event_ref"] == e["event_ref"] for o in events) for e in events}
    recorded = [e for e in events if e["event_status"] == "RECORDED" and times[e["event_ref"]] == 1]
    totals = [
        f.value
        for f in figures(sample)
        if f.indicator == "events_recorded" and (f.form, f.breakdown) == ("_T", "_T")
    ]
    assert sum(totals) == len(recorded)


def test_a_sample_of_one_event_can_be_written(tmp_path: Path) -> None:
    ran = run("sample", "--events", "1", "--seed", "4", "--years", "2023", "-o", tmp_path / "one")
    assert ran.code == 0, ran.text
    assert len(rows_of(tmp_path / "one" / "police" / "event.csv")) == 1


def test_the_law_of_another_country_can_be_used(tmp_path: Path) -> None:
    ran = run(
        "sample",
        "--country",
        "PER",
        "--events",
        "40",
        "--years",
        "2023:2024",
        "-o",
        tmp_path / "per",
    )
    assert ran.code == 0, ran.text
    truth = rows_of(tmp_path / "per" / "truth.csv")
    assert {row["indicator"] for row in truth} >= {"events_recorded", "offences_recorded"}


@pytest.mark.parametrize(
    "options",
    [
        ("--country", "FRA"),
        ("--country", "QQQ"),
        ("--years", "2024:2022"),
        ("--years", "2020:2999"),
        ("--events", "0"),
        ("--mistakes", "0.5"),
    ],
    ids=" ".join,
)
def test_an_option_that_cannot_be_followed_is_refused(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    ran = run("sample", *options, "-o", tmp_path / "out")
    assert ran.code == 2
    assert ran.err.startswith("TIP-973")
    assert options[1] in ran.err
    assert not (tmp_path / "out").exists()


def test_a_share_is_checked_outside_the_command_line_too() -> None:
    with pytest.raises(UsageError, match="TIP-973"):
        make_plan("XXA", 10, 1, unlinked=1.5)


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    ran = run("sample", "--events", "5", "-o", tmp_path)
    assert ran.code == 2
    assert ran.err.startswith("TIP-975")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_workbook_that_no_sheet_could_hold_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tipstat.cli.sample.SHEET_LIMIT", 20)
    ran = run("sample", "--events", "50", "--format", "xlsx", "-o", tmp_path / "out")
    assert ran.code == 2
    assert ran.err.startswith("TIP-974")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_the_door_finds_the_same_mistakes_in_a_workbook(kind: str, tmp_path: Path) -> None:
    sample = make_sample(make_plan("XXA", 80, 9, mistakes=0.1))
    path = tmp_path / f"{kind}.xlsx"
    write_workbook(sample, kind, path)
    source = read_source(path)
    info = recognise(source)
    assert info is not None
    entities = ("XXA-POLICE", "XXA-COURT", "XXA-SHELTER")
    with closing(check_with(returned(source, info), Context(entities), path.name)) as result:
        found = Counter[tuple[str, str]]()
        for group in result.groups(10_000):
            if group["severity"] != "note":
                found[group["record_type"], group["rule_id"]] += group["n"]
    rows = [row for row in findings(sample) if row["kind"] == kind]
    assert found == {(row["record_type"], row["rule_id"]): row["findings"] for row in rows}
