"""National files against UNODC's: equal in every cell that is known to be, and where they are not.

``data/README.md`` of the test data names the figures (PER-T, PER-SA, PER-SX, PER-FL, IND-CONV,
DEU).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from loaders.check import check_file
from loaders.comparable import cells_of_file
from loaders.layout import layout_paths
from tipstat.cli import demo
from tipstat.project import project_root
from tipstat.reconcile import Reconciliation, Scope, figures_of_cells, reconcile
from tipstat.reconcile_sources import cells_of_submission, connect, figures_of_warehouse
from tipstat.workspace import Workspace

DATA = Path(os.environ.get("TIPSTAT_TEST_DATA", project_root().parent / "shared" / "data"))
UNODC = DATA / "glotip" / "data_glotip_2025-04-14.xlsx"


@pytest.fixture(scope="module")
def beside_unodc() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that holds UNODC's file as side B, read once."""
    if not UNODC.is_file():
        pytest.skip("the file of UNODC is not here (TIPSTAT_TEST_DATA)")
    if "unodc_glotip" not in layout_paths():
        pytest.skip("the layout of UNODC's file is not here")
    with connect() as connection:
        cells_of_file(connection, "b", UNODC, "unodc_glotip")
        yield connection


def against(
    connection: duckdb.DuckDBPyConnection, path: str, layout: str, scope: Scope
) -> Reconciliation:
    cells_of_file(connection, "a", DATA / path, layout)
    for side in ("a", "b"):
        figures_of_cells(connection, side, scope)
    return reconcile(connection, scope)


@pytest.fixture(scope="module")
def peru(beside_unodc: duckdb.DuckDBPyConnection) -> Reconciliation:
    name = "per_pnp/DataSet_trata_personas_enero2017_septiembre2025.xlsx"
    scope = Scope(areas=("PER",), years=(2017, 2022))
    return against(beside_unodc, name, "per_pnp_2017", scope)


def cells(result: Reconciliation, **key: object) -> list[tuple[object, object, object]]:
    """Year, number of A and verdict of the cells of a key; what is not named is the total."""
    wanted = {"sex": "_T", "age_group": "_T", "form": "_T", "citizenship": "_T", **key}
    return [
        (row["year"], row["a"], row["verdict"])
        for row in result.rows
        if all(row[name] == code for name, code in wanted.items()) and row["verdict"] != "only_b"
    ]


def test_per_t_the_totals_of_peru_are_unodcs(peru):
    totals = ("725", "734", "509", "372", "535", "631")
    expected = [(year, number, "agree") for year, number in enumerate(totals, start=2017)]
    assert cells(peru) == expected


@pytest.mark.parametrize(
    ("sex", "age_group", "numbers"),
    [
        ("F", "Y0T17", ("213", "165", "119", "103", "197")),
        ("F", "Y_GE18", ("442", "277", "201", "323", "341")),
        ("M", "Y0T17", ("33", "37", "26", "43", "26")),
        ("M", "Y_GE18", ("46", "30", "26", "66", "67")),
    ],
)
def test_per_sa_ages_rolled_up_are_unodcs(peru, sex, age_group, numbers):
    expected = [(year, number, "agree") for year, number in enumerate(numbers, start=2018)]
    assert cells(peru, sex=sex, age_group=age_group) == expected


def test_per_sx_sexual_exploitation_differs_in_2020_alone(peru):
    assert cells(peru, form="SEX")[1:] == [
        (2018, "504", "agree"),
        (2019, "335", "agree"),
        (2020, "223", "differ"),
        (2021, "327", "agree"),
        (2022, "331", "agree"),
    ]
    [row] = [row for row in peru.rows if row["verdict"] == "differ" and row["year"] == 2020]
    assert (row["a"], row["b"], row["difference"]) == ("223", "245", "22")


def test_per_fl_forced_labour_is_unodcs_and_within_its_interval_in_2020(peru):
    assert cells(peru, form="LAB")[1:] == [
        (2018, "9", "agree"),
        (2019, "5", "agree"),
        (2020, "2", "compatible"),
        (2021, "9", "agree"),
        (2022, "12", "agree"),
    ]


def test_ind_conv_convictions_under_the_proxy_law_are_unodcs_until_2006(beside_unodc):
    name = "ind_ncrb/43_Arrests_under_crime_against_women.csv"
    scope = Scope(articles=("ITPA",), indicators=("persons_convicted",))
    found = cells(against(beside_unodc, name, "ind_ncrb_arrests_2001_2010", scope))
    assert [one for one in found if 2003 <= int(str(one[0])) <= 2006] == [
        (2003, "6202", "agree"),
        (2004, "6341", "agree"),
        (2005, "7075", "agree"),
        (2006, "5201", "agree"),
    ]


def test_deu_totals_are_unodcs_and_its_total_of_2022_contradicts_its_parts(beside_unodc):
    if "sdg1622_deu" not in layout_paths():
        pytest.skip("the layout of Germany's file is not here")
    name = "sdg1622/deu_destatis/en_data_16-2-2.csv"
    found = cells(against(beside_unodc, name, "sdg1622_deu", Scope(years=(2010, 2022))))
    totals = ["651", "671", "626", "603", "583", "470", "536", "669", "493", "470", "479", "564"]
    expected = [(year, number, "agree") for year, number in enumerate(totals, start=2010)]
    assert found == [*expected, (2022, "1495", "differ")]


def test_bih_rates_contradict_the_totals_of_2012_and_2014_alone(tmp_path):
    path = DATA / "sdg1622" / "bih_bhas" / "data_indicator_16-2-2.csv"
    if "sdg1622_bih" not in layout_paths() or not path.is_file():
        pytest.skip("the layout of Bosnia's file, or the file, is not here")
    with demo.own_registry_and_key():
        ws = Workspace.create(tmp_path / "office", key="demo")
        ws.registry().add_entity(
            "BIH-BHAS", name="Agency for Statistics", entity_type="OTHER", reference_area="BIH"
        )
        with closing(check_file(path, ws, layout="sdg1622_bih")) as result:
            told = [one.message for one in result.findings() if one.rule_id == "TIP-744"]
    assert [message.partition(",")[0] for message in told] == [
        "BIH 2012: 1.06 per 100",
        "BIH 2014: 1.37 per 100",
    ]


def test_a_submission_gives_the_figures_of_the_warehouse(golden_workspace: Workspace):
    [peru] = [
        row.id
        for row in golden_workspace.registry().current_submissions()
        if row.reference_area == "PER"
    ]
    scope = Scope(areas=("PER",), indicators=("victims_registered",), forms="fine")
    with connect() as connection:
        cells_of_submission(connection, "a", golden_workspace, peru)
        figures_of_cells(connection, "a", scope)
        figures_of_warehouse(connection, "b", golden_workspace, "police")
        result = reconcile(connection, scope)
    assert result.counts["differ"] == 0
    assert result.counts["agree"] > 100
