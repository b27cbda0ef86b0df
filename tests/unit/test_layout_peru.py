"""The police file of Peru through its layout: golden sums, and what is wrong in it as published."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from loaders.layout import apply_layout, load_layout
from loaders.read import read_source
from loaders.returned import Returned
from tipstat.project import examples_dir, project_root

NAME = "DataSet_trata_personas_enero2017_septiembre2025.xlsx"
DATA = Path(os.environ.get("TIPSTAT_TEST_DATA", project_root().parent / "shared" / "data"))
PLACES = [examples_dir() / "per_pnp" / NAME, DATA / "per_pnp" / NAME]
FILE = next((place for place in PLACES if place.is_file()), None)

pytestmark = pytest.mark.skipif(FILE is None, reason=f"{NAME} is not there")


@pytest.fixture(scope="module")
def returned() -> Returned:
    return apply_layout(load_layout("per_pnp_2017"), read_source(FILE))


def figures(returned: Returned, where: str, *by: str) -> dict[tuple[object, ...], int]:
    """Sums of the cells that meet a condition, all dimensions not in ``by`` being total."""
    with duckdb.connect() as con:
        con.register("cell", returned.tables[0].table)
        keys = ", ".join(by)
        found = con.execute(
            f"select {keys}, sum(value::integer) from "
            "(select *, year(period_start::date) as year from cell) "
            f"where {where} group by {keys} order by {keys}"
        ).fetchall()
    return {row[:-1] if len(row) > 2 else row[0]: row[-1] for row in found}


ALL = "sex = '_T' and age_group = '_T' and breakdown = '_T'"


def test_per_t_all_victims_by_year(returned):
    years = figures(returned, f"{ALL} and form = '_T'", "year")
    assert [years[year] for year in range(2017, 2023)] == [725, 734, 509, 372, 535, 631]


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        (2018, [213, 442, 33, 46]),
        (2019, [165, 277, 37, 30]),
        (2020, [119, 201, 26, 26]),
        (2021, [103, 323, 43, 66]),
        (2022, [197, 341, 26, 67]),
    ],
)
def test_per_sa_sex_and_age(returned, year, expected):
    minors = "age_group in ('Y0T5', 'Y6T11', 'Y12T17')"
    where = f"year = {year} and age_group <> '_T'"
    sums = figures(returned, where, "sex", minors)
    assert [sums["F", True], sums["F", False], sums["M", True], sums["M", False]] == expected


def test_per_sx_sexual_exploitation(returned):
    years = figures(returned, "form = 'SEX'", "year")
    assert [years[year] for year in range(2018, 2023)] == [504, 335, 223, 327, 331]


def test_per_fl_forced_labour_alone(returned):
    years = figures(returned, "form = 'LAB_FORCED'", "year")
    assert [years[year] for year in range(2018, 2023)] == [9, 5, 2, 9, 12]


def test_no_two_cells_have_one_key(returned):
    keys = (
        "area, area_unit, period_start, period_end, sex, age_group, form, breakdown, breakdown_code"
    )
    with duckdb.connect() as con:
        con.register("cell", returned.tables[0].table)
        total, distinct = con.execute(
            f"select count(*), count(distinct ({keys})) from cell"
        ).fetchone()
    assert total == distinct == 75_508 - 9 * 878


def found(returned: Returned, rule: str, *texts: str) -> list[str]:
    return [
        finding.message
        for finding in returned.findings
        if finding.rule_id == rule and all(text in finding.message for text in texts)
    ]


@pytest.mark.parametrize(
    ("rule", "texts"),
    [
        ("TIP-650", ("2017", "EM_EF_TOTAL is 641", "parts give 725")),
        ("TIP-651", ("2017", "EM_EF_TOTAL is 641", "F1_TOTAL is 725")),
        ("TIP-650", ("2020", "D_TOTAL is 353", "parts give 372")),
        ("TIP-651", ("2020", "T_TOTAL is 295", "F1_TOTAL is 372")),
        ("TIP-651", ("2017", "F2_TOTAL is 552", "F1_TOTAL is 725")),
        ("TIP-651", ("2018", "F2_TOTAL is 378", "F1_TOTAL is 734")),
        ("TIP-651", ("2019", "F2_TOTAL is 281", "F1_TOTAL is 509")),
        ("TIP-650", ("2017", "P3_TOTAL is 167", "parts give 725")),
        ("TIP-650", ("2019", "P3_TOTAL is 469", "parts give 509")),
        ("TIP-650", ("2021", "P3_TOTAL is 346", "parts give 535")),
        ("TIP-652", ("1,032 values are NOT_STATED",)),
        ("TIP-652", ("1,656 values are NOT_COLLECTED", "2017")),
        ("TIP-653", ("2025 holds 9 of 12 months",)),
        ("TIP-653", ("2023 holds 1 of 12 months",)),
        ("TIP-134", ("1,892 rows", "2023")),
        ("TIP-654", ("PROVINCIA is blank in 1,892 of 1,892 rows of 2023",)),
        ("TIP-654", ("DISTRITO is blank in 9,202 of 9,202 rows of 2024",)),
        ("TIP-654", ("COMISARÍA is blank in 7,052 of 7,052 rows of 2025",)),
    ],
)
def test_what_is_wrong_in_the_file_is_found(returned, rule, texts):
    assert len(found(returned, rule, *texts)) == 1


def test_no_other_control_differs(returned):
    assert len(found(returned, "TIP-650")) == 5
    assert len(found(returned, "TIP-651")) == 9
    assert found(returned, "TIP-655") == []


def test_zeros_of_ages_that_nobody_asked_are_no_zeros(returned):
    with duckdb.connect() as con:
        con.register("cell", returned.tables[0].table)
        kinds = con.execute(
            "select cell_kind, count(*), count(value) from cell "
            "where age_group <> '_T' and period_start < '2018' group by 1"
        ).fetchall()
    assert kinds == [("NOT_COLLECTED", 1656, 0)]


def test_every_month_of_2023_is_covered_by_the_year(returned):
    with duckdb.connect() as con:
        con.register("cell", returned.tables[0].table)
        periods = con.execute(
            "select distinct period_start, period_end from cell where period_start >= '2023' "
            "and period_start < '2024'"
        ).fetchall()
    assert periods == [("2023-01-01", "2023-12-31")]


def test_a_known_wrong_total_points_at_the_first_unit_that_differs(returned):
    finding = next(f for f in returned.findings if "D_TOTAL is 353, the parts" in f.message)
    assert finding.column_letter == "J"
    assert finding.cell == f"J{finding.row}"
