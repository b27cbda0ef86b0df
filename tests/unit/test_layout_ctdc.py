"""The four schemas of CTDC's public files, on files made for each: columns, codes, what is missing.

The published files that are at hand stand in the golden tests.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from loaders.check import CheckResult, check_with
from loaders.inspection import Context
from loaders.layout import apply_layout, load_layout
from loaders.read import read_source
from tipstat.errors import ReturnRefused

#: Layout -> number of columns of its file, and a row: what is not named is blank.
SCHEMAS = {
    "ctdc_kanon_2021": (
        63,
        {
            "yearOfRegistration": "2019",
            "gender": "Female",
            "ageBroad": "9--17",
            "citizenship": "NA",
            "CountryOfExploitation": "US",
            "isForcedLabour": "1",
            "meansOfControlThreats": "1",
        },
    ),
    "ctdc_synthetic_2021": (
        37,
        {
            "yearOfRegistration": "2019",
            "gender": "Female",
            "ageBroad": "09--17",
            "citizenship": "NAM",
            "CountryOfExploitation": "USA",
            "isForcedLabour": "1",
            "meansOfControlThreats": "1",
        },
    ),
    "ctdc_synthetic_2024": (
        27,
        {
            "yearOfRegistration": "2019",
            "gender": "Woman",
            "ageBroad": "09--17",
            "citizenship": "NAM",
            "CountryOfExploitation": "USA",
            "isForcedLabour": "1",
            "meansThreats": "1",
        },
    ),
    "ctdc_synthetic_2026": (
        27,
        {
            "yearOfRegistration": "2019",
            "gender": "Woman",
            "ageBroad": "09--17",
            "citizenship": "NAM",
            "CountryOfExploitation": "USA",
            "isForcedLabour": "1",
            "meansThreats": "1",
        },
    ),
}
FIVE = "reference_area::varchar <> '_T'"


def columns_of(name: str) -> list[str]:
    [record] = load_layout(name).records
    return [*record.used_columns, *record.ignore]


def checked(folder: Path, name: str, *rows: dict[str, str], without: str = "") -> CheckResult:
    layout = load_layout(name)
    columns = [column for column in columns_of(name) if column != without]
    sign = layout.delimiter or ","
    lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    path = folder / "public.csv"
    path.write_text("".join(sign.join(line) + "\n" for line in lines), encoding="utf-8")
    source = read_source(path, delimiter=layout.delimiter)
    entities = (layout.metadata["sender"],)
    return check_with(apply_layout(layout, source), Context(entities=entities), path.name)


def cells(result: CheckResult, where: str, *columns: str) -> list[tuple[object, ...]]:
    listed = ", ".join(f"{column}::varchar" for column in columns)
    sql = f"select {listed}, value::integer from rec_cell where {where} order by all"
    return result.connection.execute(sql).fetchall()


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_layout_has_the_columns_of_its_schema(name: str) -> None:
    columns = columns_of(name)
    assert len(columns) == len(set(columns)) == SCHEMAS[name][0]


@pytest.mark.parametrize("name", SCHEMAS)
def test_one_row_of_each_schema_means_the_same(tmp_path: Path, name: str) -> None:
    row = SCHEMAS[name][1]
    result = checked(tmp_path, name, row, row, {**row, "yearOfRegistration": "", "ageBroad": ""})
    assert not result.refused
    assert result.held_out == {"cell": 0}
    names = ("period_start", "reference_area", "sex", "age_group", "citizenship")
    assert cells(result, FIVE, *names) == [("2019-01-01", "USA", "F", "Y9T17", "NAM", 2)]
    whole = "year(period_start) < year(period_end)"
    forms = cells(result, f"{whole} and breakdown::varchar = '_T'", "form")
    assert forms == [("LAB", 3), ("_T", 3)]
    control = f"{whole} and breakdown::varchar = 'control'"
    assert cells(result, control, "breakdown_code") == [("THREATS", 3)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_missing_is_unknown_and_told_whether_blank_or_minus_99(
    tmp_path: Path, name: str
) -> None:
    blank = {"yearOfRegistration": "2019"}
    coded = {**blank, "gender": "-99", "ageBroad": "-99", "CountryOfExploitation": "-99"}
    result = checked(tmp_path, name, blank, coded)
    assert cells(result, FIVE, "reference_area", "sex", "age_group", "citizenship") == [
        ("_U", "_U", "_U", "_U", 2)
    ]
    assert [f.count for f in result.findings() if f.rule_id == "TIP-660"] == [2, 2, 2, 2]
    assert cells(result, "form::varchar = '_U'", "form") == [("_U", 2), ("_U", 2)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_file_of_another_schema_is_refused_with_the_column_that_is_missing(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(ReturnRefused) as caught:
        checked(tmp_path, name, SCHEMAS[name][1], without="gender")
    assert (caught.value.rule, caught.value.found) == ("TIP-127", "no column gender")


def test_merged_means_of_control_stay_merged(tmp_path: Path) -> None:
    row = {"yearOfRegistration": "2020", "meansAbusePsyPhySex": "1", "meansDenyBasicNeeds": "1"}
    result = checked(tmp_path, "ctdc_synthetic_2024", row)
    by_year = "breakdown::varchar = 'control' and year(period_end) = 2020"
    assert cells(result, by_year, "breakdown_code") == [("ABUSE", 1), ("DENIES_BASIC_NEEDS", 1)]
