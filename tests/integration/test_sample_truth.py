"""Generated returns through load and build: the warehouse gives the figures of the generator.

The generator counts its truth from its own arrays (tipstat/sample/truth.py); the door and the SQL
of the warehouse know nothing of it. Three seeds with different shares are loaded for years that do
not overlap, so that one build answers for all.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from loaders.check import check_file
from loaders.land import load_checked
from tipstat import warehouse
from tipstat.sample import Sample, figures, findings, links, make_plan, make_sample
from tipstat.sample.counting import Figure
from tipstat.sample.returns import KINDS, write_csv_return
from tipstat.workspace import Workspace

#: Events, seed, years, and the shares of mistakes, late decisions, unlinked and doubled persons.
PLANS = (
    (300, 11, "2015:2017", (0.08, 0.3, 0.2, 0.1)),
    (150, 12, "2018:2018", (0.0, 0.0, 0.0, 0.0)),
    (400, 13, "2022:2024", (0.04, 0.8, 0.6, 0.3)),
)
ENTITIES = (("XXA-POLICE", "POLICE"), ("XXA-COURT", "COURT"), ("XXA-SHELTER", "NGO"))
#: Columns that tell a figure from another in the truth.
KEY = Figure._fields[:-1]


@dataclass(frozen=True)
class Loaded:
    """The samples, the workspace in which they were built, and what the door found."""

    ws: Workspace
    samples: tuple[Sample, ...]
    found: dict[int, Counter[tuple[str, str, str]]]


def make_workspace(root: Path) -> Workspace:
    ws = Workspace.create(root, key="demo")
    registry = ws.registry()
    for entity_id, kind in ENTITIES:
        registry.add_entity(entity_id, name=kind, entity_type=kind, reference_area="XXA")
    registry.add_authorisation(
        "XXA-POLICE",
        "XXA-SHELTER",
        purpose="Test of linking",
        legal_basis="none: made-up persons",
        valid_from=date(2015, 1, 1),
        expires_on=date(2099, 12, 31),
    )
    return ws


def load(ws: Workspace, folder: Path) -> Counter[tuple[str, str, str]]:
    """Load a return; its findings that are no notes, by kind, record type and rule."""
    with closing(check_file(folder, ws)) as result:
        counted: Counter[tuple[str, str, str]] = Counter()
        for group in result.groups(100_000):
            if group["severity"] != "note":
                counted[result.kind, group["record_type"], group["rule_id"]] += group["n"]
        assert load_checked(result, ws).outcome == "accepted"
        return counted


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    root = tmp_path_factory.mktemp("sample")
    ws = make_workspace(root / "ws")
    samples: list[Sample] = []
    found: dict[int, Counter[tuple[str, str, str]]] = {}
    for events, seed, years, (mistakes, late, unlinked, doubled) in PLANS:
        plan = make_plan(
            "XXA",
            events,
            seed,
            years=years,
            mistakes=mistakes,
            late=late,
            unlinked=unlinked,
            doubled=doubled,
        )
        sample = make_sample(plan)
        samples.append(sample)
        found[seed] = Counter()
        for kind in KINDS:
            folder = root / str(seed) / kind
            write_csv_return(sample, kind, folder)
            found[seed] += load(ws, folder)
    warehouse.build(ws, actor="test")
    return Loaded(ws, tuple(samples), found)


def test_every_figure_of_the_warehouse_is_the_truth_of_the_generator(loaded: Loaded) -> None:
    expected = {figure[:-1]: figure.value for s in loaded.samples for figure in figures(s)}
    query = f"""
        select {", ".join(KEY)}, value::bigint from fct_indicator_value
        where value > 0 and list_contains($indicators, indicator)
            and list_contains($breakdowns, breakdown)
    """
    named = {
        "indicators": sorted({key[0] for key in expected}),
        "breakdowns": sorted({key[KEY.index("breakdown")] for key in expected}),
    }
    with warehouse.reading(loaded.ws) as connection:
        rows = connection.execute(query, named).fetchall()
    found = {row[:-1]: row[-1] for row in rows}
    differing = {
        key: (found.get(key), expected.get(key))
        for key in sorted(found.keys() | expected.keys())
        if found.get(key) != expected.get(key)
    }
    assert dict(list(differing.items())[:10]) == {}
    assert len(named["indicators"]) == 6
    assert len(expected) > 10_000


def test_the_truth_has_every_status_scope_population_basis_and_instance(loaded: Loaded) -> None:
    counted = [figure for sample in loaded.samples for figure in figures(sample)]
    assert {f.status_scope for f in counted} == {
        "_Z", "ALL", "REGISTERED", "IDENTIFIED", "FORMAL", "PRESUMED",
    }  # fmt: skip
    assert {f.population_scope for f in counted} == {"_Z", "DETECTED_HERE", "REPATRIATED"}
    assert {f.counting_basis for f in counted} == {"event", "offence", "registration", "person"}
    assert {f.instance for f in counted} == {"_Z", "FIRST", "LAST"}
    assert {f.form_classification for f in counted} == {"_T", "fine", "iccs", "unodc"}


def test_the_door_finds_every_mistake_and_nothing_else(loaded: Loaded) -> None:
    for sample in loaded.samples:
        rows = findings(sample)
        expected = {(r["kind"], r["record_type"], r["rule_id"]): r["findings"] for r in rows}
        assert loaded.found[sample.plan.seed] == expected


def test_records_are_held_out_as_the_generator_says(loaded: Loaded) -> None:
    with warehouse.reading(loaded.ws) as connection:
        rows = connection.execute(
            "select year(period_start), kind, record_type, held_out_rule, sum(n_records)::bigint"
            " from fct_held_out group by all"
        ).fetchall()
    expected = {
        (s.plan.first_year, r["kind"], r["record_type"], r["rule_id"]): r["held_out"]
        for s in loaded.samples
        for r in findings(s)
        if r["held_out"]
    }
    assert {row[:-1]: row[-1] for row in rows} == expected


def test_held_out_records_stand_beside_the_figures(loaded: Loaded) -> None:
    with warehouse.reading(loaded.ws) as connection:
        rows = connection.execute(
            "select distinct period::integer, n_held_out from fct_indicator_value"
            " where indicator = 'victims_registered' and source_type = 'police'"
        ).fetchall()
    held = {
        s.plan.first_year: sum(
            int(str(row["held_out"]))
            for row in findings(s)
            if (row["kind"], row["record_type"]) == ("police", "victim")
        )
        for s in loaded.samples
    }
    expected = {(year, held[s.plan.first_year]) for s in loaded.samples for year in s.plan.years}
    assert set(rows) == expected


def test_persons_and_cases_are_linked_as_the_generator_says(loaded: Loaded) -> None:
    with warehouse.reading(loaded.ws) as connection:
        persons = connection.execute(
            """
            select count(*) from (
                select person_id from dim_victim
                group by person_id having count(distinct reporting_entity) = 2
            )
            """
        ).fetchone()
        cases = connection.execute(
            "select count(distinct case_key) from bridge_case_event"
        ).fetchone()
    expected: Counter[str] = Counter()
    for sample in loaded.samples:
        for row in links(sample):
            expected[str(row["link"])] += int(str(row["n"]))
    assert persons == (expected["persons_of_police_and_shelter"],)
    assert cases == (expected["cases_with_an_event"],)
