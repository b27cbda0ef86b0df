"""Decisions, sanctions and SDG 16.2.2, each worked out a second time outside the warehouse."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping

import pytest

from tipstat import population
from tipstat.classification import LANGUAGES, code_list, fold, label
from tipstat.project import examples_dir
from tipstat.warehouse import reading
from tipstat.workspace import Workspace

#: Victims registered by the police of Peru, as UNODC has them, and the World Bank's population.
PERU = {
    "2017": (725, 31324637),
    "2018": (734, 31897584),
    "2019": (509, 32449303),
    "2020": (372, 32838579),
}
Row = Mapping[str, str]


def court(record_type: str) -> list[dict[str, str]]:
    path = examples_dir() / "sample_country" / "court" / f"{record_type}.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def coded(list_name: str, text: str) -> str:
    """The code of a value as sent: a code or a label in any language."""
    for code in code_list(list_name).codes:
        names = {fold(code.code), *(fold(label(list_name, code.code, lg)) for lg in LANGUAGES)}
        if fold(text.strip()) in names:
            return code.code
    raise AssertionError(text)


def trafficked() -> set[tuple[str, str]]:
    """Natural persons charged with an article of trafficking, by case and defendant."""
    natural = {(r["case_ref"], r["defendant_ref"]) for r in court("defendant") if is_natural(r)}
    articles = ("PC-231", "PC-233")
    charged = {
        (r["case_ref"], r["defendant_ref"])
        for r in court("charge")
        if r["legal_article"].startswith(articles)
    }
    return natural & charged


def is_natural(row: Row) -> bool:
    return coded("legal_status", row["legal_status"]) == "NATURAL"


def decisions() -> Iterable[tuple[Row, str, str, str]]:
    """Decisions on them: the record, its year, instance and outcome."""
    for row in court("decision"):
        if (row["case_ref"], row["defendant_ref"]) in trafficked():
            instance = coded("instance", row["instance"])
            yield row, row["decision_date"][:4], instance, coded("outcome", row["outcome"])


def figures(ws: Workspace, indicator: str, breakdown: str) -> dict[tuple[str, str, str], int]:
    """The warehouse's figures of the sample country above zero, by year, instance and code."""
    with reading(ws) as connection:
        rows = connection.execute(
            "select period, instance, breakdown_code, value::integer from fct_indicator_value"
            " where reference_area = 'XXA' and indicator = $indicator and breakdown = $breakdown"
            " and sex = '_T' and age = '_T' and form = '_T' and citizenship = '_T'"
            " and source_type = 'court' and counting_basis <> 'person' and value > 0",
            {"indicator": indicator, "breakdown": breakdown},
        ).fetchall()
    return {(period, instance, code): value for period, instance, code, value in rows}


def test_decisions_by_outcome_and_instance_are_those_of_the_tables(
    golden_workspace: Workspace,
) -> None:
    expected = Counter((year, instance, outcome) for _, year, instance, outcome in decisions())
    assert figures(golden_workspace, "justice_decisions", "outcome") == expected


def test_persons_tried_and_acquitted_are_those_of_the_tables(golden_workspace: Workspace) -> None:
    """Each defendant of the sample stands in one case and has one decision of each instance."""
    tried = Counter((year, "FIRST", "_T") for _, year, inst, _ in decisions() if inst == "FIRST")
    acquitted = Counter(
        (year, "FIRST", "_T")
        for _, year, instance, outcome in decisions()
        if (instance, outcome) == ("FIRST", "ACQUITTED")
    )
    acquitted.update(
        (year, "LAST", "_T")
        for row, year, _, outcome in decisions()
        if row["final"] == "Y" and outcome == "ACQUITTED"
    )
    assert figures(golden_workspace, "persons_tried", "_T") == tried
    assert figures(golden_workspace, "persons_acquitted", "_T") == acquitted


def test_sanctions_are_those_of_the_convictions_that_count(golden_workspace: Workspace) -> None:
    months = {
        (r["case_ref"], r["defendant_ref"], r["decision_no"]): int(r["sanction_months"] or -1)
        for r in court("sanction")
    }
    expected: Counter[tuple[str, str, str]] = Counter()
    for row, year, instance, outcome in decisions():
        if outcome != "CONVICTED_TIP":
            continue
        years = months[row["case_ref"], row["defendant_ref"], row["decision_no"]] / 12
        length = "Y5TO10" if 5 <= years < 10 else "GE10Y"
        expected[year, "FIRST", length] += instance == "FIRST"
        expected[year, "LAST", length] += row["final"] == "Y"
    found = figures(golden_workspace, "sanctions_imposed", "sanction_length")
    assert found == {key: n for key, n in expected.items() if n}


@pytest.mark.parametrize(("year", "expected"), PERU.items())
def test_the_rate_of_peru_is_its_count_by_the_population_of_the_world_bank(
    golden_workspace: Workspace, year: str, expected: tuple[int, int]
) -> None:
    count, people = expected
    with reading(golden_workspace) as connection:
        found = connection.execute(
            "select value, numerator, denominator, cell_kind, observation_status, comment"
            " from fct_indicator_value where indicator = 'sdg_16_2_2_rate' and period = $year"
            " and reference_area = 'PER' and sex = '_T' and age = '_T' and breakdown = '_T'",
            {"year": year},
        ).fetchall()
    note = "series VC_HTF_DETVR; population World Bank SP.POP.TOTL, vintage 1960-2024 (estimate)"
    assert found == [(count * 100000 / people, count, people, "VALUE", "A", note)]


def test_sexes_and_ages_of_peru_are_interpolated_and_flagged(golden_workspace: Workspace) -> None:
    """2018: three fifths of the way from 2015 to 2020; three fifths of ages 15 to 19 are minors."""
    rows = [r for r in population.reference({"PER"}) if r.sex == "F" and r.year in (2015, 2020)]
    girls: dict[int, float] = dict.fromkeys((2015, 2020), 0.0)
    for row in rows:
        assert row.age_from is not None
        girls[row.year] += row.population * max(0, min(1, (18 - row.age_from) / 5))
    people = round(girls[2015] + (girls[2020] - girls[2015]) * 3 / 5)
    with reading(golden_workspace) as connection:
        found = connection.execute(
            "select value, denominator, observation_status from fct_indicator_value"
            " where indicator = 'sdg_16_2_2_rate' and period = '2018' and reference_area = 'PER'"
            " and sex = 'F' and age = 'Y0T17'"
        ).fetchall()
    assert found == [(213 * 100000 / people, people, "E")]


def test_no_figure_of_victims_stands_under_the_series_of_the_sdg(
    golden_workspace: Workspace,
) -> None:
    with reading(golden_workspace) as connection:
        classes = connection.execute(
            "select distinct form_classification from fct_indicator_value order by 1"
        ).fetchall()
    assert classes == [("_T",), ("fine",), ("iccs",), ("unodc",)]


def test_a_ratio_is_never_above_a_missing_denominator(golden_workspace: Workspace) -> None:
    with reading(golden_workspace) as connection:
        wrong = connection.execute(
            "select * from fct_indicator_value where unit_of_count in ('RATIO', 'RATE')"
            " and value is not null and coalesce(denominator, 0) = 0"
        ).fetchall()
    assert wrong == []
