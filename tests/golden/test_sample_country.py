"""The sample country through load, build and figures: every figure that can be worked out by hand.

``sample_country.csv`` and ``sample_country_justice.csv`` were counted from the block tables of
``examples/sample_country/README.md``,
``sample_country_assistance.csv`` in plain Python from the service provider's tables there; neither
comes from the warehouse. An empty ``population_scope`` there stands for any.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from tipstat.warehouse import reading
from tipstat.workspace import Workspace

GOLDEN = sorted(str(path) for path in Path(__file__).parent.glob("sample_country*.csv"))
INDICATORS = {
    "events_recorded",
    "offences_recorded",
    "victims_registered",
    "persons_suspected",
    "persons_charged",
    "persons_tried",
    "persons_acquitted",
    "persons_convicted",
    "justice_decisions",
    "sanctions_imposed",
    "justice_ratio",
    "sdg_16_2_2_number",
    "sdg_16_2_2_rate",
    "victims_assisted",
    "services_provided",
    "referrals",
    "status_decisions",
    "contacts_received",
}
_DIFFERENCES = """
    with expected as (
        select * from read_csv($golden, all_varchar = true)
    ),
    figures as (
        select * from fct_indicator_value where reference_area = 'XXA'
    )
    select expected.*, figures.value as found, figures.cell_kind
    from expected
    left join figures
        using (indicator, period, sex, age, form_classification, form, citizenship, breakdown,
            breakdown_code, source_type, status_scope, counting_basis, instance)
    where coalesce(expected.population_scope, '') in ('', coalesce(figures.population_scope, ''))
        and (
            figures.value is distinct from expected.value::double
            or (expected.value = '0') <> (figures.cell_kind = 'TRUE_ZERO')
        )
    order by all
"""
_UNEXPECTED = """
    select figures.*
    from fct_indicator_value as figures
    anti join read_csv($golden, all_varchar = true) as expected
        using (indicator, period, sex, age, form_classification, form, citizenship, breakdown,
            breakdown_code, source_type, status_scope, counting_basis, instance)
    where reference_area = 'XXA'
        and value > 0
        and (status_scope in ('_Z', 'REGISTERED') or indicator = 'victims_assisted')
        and population_scope <> 'REPATRIATED'
        and counting_basis <> 'person'
        and (sex <> '_T')::int + (age <> '_T')::int + (form <> '_T')::int
            + (citizenship <> '_T')::int + (breakdown <> '_T')::int <= 1
        and (indicator <> 'victims_registered' or breakdown <> 'victim_status')
    order by all
"""


def _golden() -> duckdb.DuckDBPyRelation:
    return duckdb.read_csv(GOLDEN, all_varchar=True)


def test_the_expected_figures_cover_every_indicator_and_breakdown() -> None:
    table = _golden()
    assert len(table) >= 120
    assert {row[0] for row in table.select("indicator").distinct().fetchall()} == INDICATORS
    for column in ("sex", "age", "form", "citizenship", "breakdown"):
        assert len(table.filter(f"{column} <> '_T'")) > 0
    assert len(table.filter("value = '0'")) > 0


def test_every_figure_is_as_worked_out_by_hand(golden_workspace: Workspace) -> None:
    with reading(golden_workspace) as connection:
        found = connection.execute(_DIFFERENCES, {"golden": GOLDEN})
        names = [column[0] for column in found.description or []]
        differences = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert differences == []


def test_no_figure_of_the_sample_country_is_in_excess(golden_workspace: Workspace) -> None:
    """Every total and one-way figure above zero is among those worked out by hand."""
    with reading(golden_workspace) as connection:
        rows = connection.execute(_UNEXPECTED, {"golden": GOLDEN}).fetchall()
    assert rows == []


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            "police_en.xlsx",
            {
                "TIP-201": 1,
                "TIP-303": 1,
                "TIP-320": 1,
                "TIP-403": 2,
                "TIP-411": 2,
                "TIP-421": 1,
                "TIP-520": 1,
            },
        ),
        ("court_es.xlsx", {}),
        ("service_fr.xlsx", {"TIP-530": 1}),
    ],
)
def test_the_door_finds_the_deliberate_mistakes_and_nothing_else(
    golden_workspace: Workspace, told: list[str], file: str, expected: dict[str, int]
) -> None:
    start = next(i for i, line in enumerate(told) if file in line)
    assert told[start].startswith("accepted")
    found = {}
    for line in told[start + 2 :]:
        match = re.match(r"\s+(TIP-\d+) .* \(([\d,]+)\): ", line)
        if match is None:
            break
        found[match[1]] = int(match[2].replace(",", ""))
    assert found == expected


def test_records_held_out_are_counted_beside_the_figures(golden_workspace: Workspace) -> None:
    """An offence, a perpetrator and two victims of the police, and a victim of the shelter.

    What is derived from a figure says how many are held out of the figures behind it.
    """
    with reading(golden_workspace) as connection:
        held = connection.execute(
            """
            select distinct indicator, source_type, n_held_out from fct_indicator_value
            where reference_area = 'XXA' and n_held_out > 0 order by all
            """
        ).fetchall()
        listed = connection.execute(
            "select held_out_rule, n_records from dq_held_out"
            " where reference_area = 'XXA' order by all"
        ).fetchall()
    assert held == [
        ("justice_ratio", "court", 1),
        ("offences_recorded", "police", 1),
        ("persons_suspected", "police", 1),
        ("sdg_16_2_2_number", "police", 2),
        ("sdg_16_2_2_rate", "police", 2),
        ("victims_assisted", "service", 1),
        ("victims_registered", "police", 2),
        ("victims_registered", "service", 1),
    ]
    assert listed == [("TIP-403", 2), ("TIP-421", 1), ("TIP-520", 1), ("TIP-530", 1)]


def test_every_victim_known_to_police_and_shelter_is_one_person(
    golden_workspace: Workspace,
) -> None:
    with reading(golden_workspace) as connection:
        both = connection.execute(
            """
            select count(*) from (
                select person_id from dim_victim where reference_area = 'XXA'
                group by person_id having count(distinct reporting_entity) = 2
            )
            """
        ).fetchone()
    assert both == (32,)


def test_cases_meet_the_events_that_share_their_reference(golden_workspace: Workspace) -> None:
    """C01 20, C02 8, C03 10, C04 6 and C10 2 cases came from a police event each."""
    with reading(golden_workspace) as connection:
        linked = connection.execute("select count(distinct case_key) from bridge_case_event")
        assert linked.fetchone() == (46,)


def test_completeness_counts_the_records_without_a_value(golden_workspace: Workspace) -> None:
    """Of a variable that is in the returns, and of one of contract 2 that nobody sends."""
    with reading(golden_workspace) as connection:
        told = connection.execute(
            "select source_type, variable, sum(n_records)::bigint, sum(n_missing)::bigint"
            " from dq_completeness where reference_area = 'XXA' and record_type = 'victim'"
            " and variable in ('citizenship', 'gender') group by all order by all"
        ).fetchall()
        victims = dict(
            connection.execute(
                "select source_type, count(*) from dim_victim join dim_reporting_entity"
                " using (reporting_entity) where dim_victim.reference_area = 'XXA' group by all"
            ).fetchall()
        )
        unknown = dict(
            connection.execute(
                "select source_type, count(*) from dim_victim join dim_reporting_entity"
                " using (reporting_entity) where dim_victim.reference_area = 'XXA'"
                " and citizenship in ('_U', '_X', '_N', '_Z', '_I') group by all"
            ).fetchall()
        )
    assert set(victims) == {"police", "service"}
    assert told == [
        row
        for source in ("police", "service")
        for row in (
            (source, "citizenship", victims[source], unknown.get(source, 0)),
            (source, "gender", victims[source], victims[source]),
        )
    ]
