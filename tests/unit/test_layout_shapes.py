"""Layouts of foreign shapes: counted rows, repeated groups, breakdowns in one column, odd periods.

Small made files; the real ones stand in the golden tests.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from loaders.check import CheckResult, check_file, check_with
from loaders.findings import Finding
from loaders.inspection import Context
from loaders.layout import apply_layout, load_layout
from loaders.read import read_source
from loaders.returned import Returned
from tipstat.cli import demo
from tipstat.errors import ReturnRefused, TipstatError, UsageError
from tipstat.workspace import Workspace

CELL: dict[str, Any] = {
    "constants": {"measure": "VICTIMS_REGISTERED", "unit_of_count": "VICTIM"},
    "period": {"year": "Year"},
}
METADATA = {
    "sender": "XXA-POLICE",
    "period_start": "2000-01-01",
    "period_end": "2024-12-31",
    "extraction_date": "2025-02-01",
    "maturity": "FINAL",
    "intent": "NEW",
    "legal_basis": "LAW",
}


def laid_out(
    folder: Path, text: str, record: dict[str, Any], *, kind: str = "aggregate", **top: Any
) -> Returned:
    """A CSV with a layout of one record type."""
    name = {"aggregate": "cell", "service": "referral"}[kind]
    content = {
        "id": "shape",
        "title": "A shape",
        "kind": kind,
        "language": "en",
        "reference_area": "XXA",
        "file": {"format": "csv", "delimiter": ","},
        "metadata": METADATA,
        **top,
        "records": {name: record},
    }
    path = folder / "shape.yml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    layout = load_layout(path)
    file = folder / "return.csv"
    file.write_text(text, encoding="utf-8")
    return apply_layout(layout, read_source(file, delimiter=","))


def columns(returned: Returned, *names: str) -> list[tuple[Any, ...]]:
    table = returned.tables[0].table
    return list(zip(*(table.column(name).to_pylist() for name in names), strict=True))


def told(findings: tuple[Finding, ...] | list[Finding], rule: str) -> list[str]:
    return [finding.message for finding in findings if finding.rule_id == rule]


def checked(returned: Returned) -> CheckResult:
    return check_with(returned, Context(entities=("XXA-POLICE",)), "return.csv")


CASE = {"matches": "f", "code": "F"}
LONG = {"variable": "Series", "value": "Value", "variables": {"Victims": {"cell_nature": "FLOW"}}}


# ── one column, several variables ─────────────────────────────────────────────────────────────


def by_group(folder: Path, *rows: str, **more: Any) -> Returned:
    record = {
        **CELL,
        "long": LONG,
        "dimensions": {
            "Group": {
                "": {"sex": "_T"},
                "Girls": {"sex": "F", "age_group": "Y0T17"},
                "Women and girls": {"sex": "F"},
            }
        },
        **more,
    }
    lines = ["Year,Series,Group,Value", *rows]
    return laid_out(folder, "".join(f"{line}\n" for line in lines), record)


def test_a_text_of_one_column_fills_several_variables(tmp_path: Path) -> None:
    returned = by_group(
        tmp_path, "2023,Victims,,9", "2023,Victims,Girls,2", "2023,Victims, women  AND girls,5"
    )
    assert columns(returned, "sex", "age_group", "value") == [
        ("_T", "_T", "9"),
        ("F", "Y0T17", "2"),
        ("F", "_T", "5"),
    ]
    assert returned.tables[0].columns["sex"] == "C"


def test_a_text_that_the_layout_does_not_know_refuses_the_file(tmp_path: Path) -> None:
    returned = by_group(tmp_path, "2023,Victims,Girl,2", "2023,Victims,,9")
    assert told(returned.findings, "TIP-132") == ["1 rows with Group Girl"]


# ── periods ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("year", "period", "expected"),
    [
        ("2023", {}, ("2023-01-01", "2023-12-31")),
        ("2005-2013", {}, ("2005-01-01", "2013-12-31")),
        ("2013-2005", {}, ("2013-2005", "2013-2005")),
        ("2012-13", {}, ("2012-13", "2012-13")),
        ("2012-13", {"starts": "04-01"}, ("2012-04-01", "2013-03-31")),
        ("2012/2013", {"starts": "07-01"}, ("2012-07-01", "2013-06-30")),
        ("2012", {"starts": "10-01"}, ("2012-10-01", "2013-09-30")),
        ("1999/00", {"starts": "04-01"}, ("1999-04-01", "2000-03-31")),
        ("2012-15", {"starts": "04-01"}, ("2012-15", "2012-15")),
    ],
)
def test_years_of_every_kind_become_a_period_and_nothing_is_guessed(
    tmp_path: Path, year: str, period: dict[str, str], expected: tuple[str, str]
) -> None:
    record = {**CELL, "long": LONG, "period": {"year": "Year", **period}}
    returned = laid_out(tmp_path, f"Year,Series,Value\n{year},Victims,3\n", record)
    assert columns(returned, "period_start", "period_end") == [expected]


def test_rows_of_a_part_of_a_year_say_so(tmp_path: Path) -> None:
    partial = {"where": {"Year": "2023"}, "first": "01-01", "last": "09-30", "reason": "to date"}
    record = {**CELL, "long": LONG, "period": {"year": "Year", "partial": [partial]}}
    text = "Year,Series,Value\n2022,Victims,3\n2023,Victims,2\n"
    returned = laid_out(tmp_path, text, record)
    assert columns(returned, "period_end") == [("2022-12-31",), ("2023-09-30",)]
    assert told(returned.findings, "TIP-674") == [
        "1 rows cover 01-01 to 09-30 of their year: to date"
    ]


def test_columns_of_months_take_their_year_from_the_row(tmp_path: Path) -> None:
    wide = {"columns": {"Feb": {"month": "2"}, "Mar": {"month": "3"}, "Year total": {}}}
    returned = laid_out(tmp_path, "Year,Feb,Mar,Year total\n2024,1,2,9\n", {**CELL, "wide": wide})
    assert columns(returned, "period_start", "period_end", "value") == [
        ("2024-02-01", "2024-02-29", "1"),
        ("2024-03-01", "2024-03-31", "2"),
        ("2024-01-01", "2024-12-31", "9"),
    ]


def test_two_columns_of_one_month_are_one_cell_and_refused(tmp_path: Path) -> None:
    wide = {"columns": {"Feb": {"month": "2"}, "February": {"month": "2"}}}
    with pytest.raises(UsageError) as caught:
        laid_out(tmp_path, "Year,Feb,February\n2024,1,2\n", {**CELL, "wide": wide})
    assert caught.value.rule == "TIP-119"


# ── numbers ───────────────────────────────────────────────────────────────────────────────────


def test_numbers_are_read_as_the_layout_says_they_are_written(tmp_path: Path) -> None:
    values = ["46.000", "1.234,5", "7", "1.23", "<5"]
    record = {**CELL, "long": LONG, "numbers": {"thousands": ".", "decimal": ","}}
    rows = "".join(f'{2000 + i},Victims,"{value}"\n' for i, value in enumerate(values))
    returned = laid_out(tmp_path, "Year,Series,Value\n" + rows, record)
    assert columns(returned, "value") == [("46000",), ("1234.5",), ("7",), ("1.23",), ("<5",)]


# ── several records in a row ──────────────────────────────────────────────────────────────────


REFERRALS = {
    "columns": {"Case": "victim_ref"},
    "numbered": {"referral_no": {"by": ["Case"]}},
    "groups": [
        {"columns": {"In": "referral_date"}, "constants": {"referral_direction": "INCOMING"}},
        {
            "columns": {"Out 1": "referral_date", "Why 1": "referral_reason"},
            "constants": {"referral_direction": "OUTGOING"},
        },
        {
            "columns": {"Out 2": "referral_date", "Why 2": "referral_reason"},
            "constants": {"referral_direction": "OUTGOING"},
        },
    ],
}


def test_three_referrals_in_one_row_are_three_records_and_blank_ones_none(tmp_path: Path) -> None:
    text = (
        "Case,In,Out 1,Why 1,Out 2,Why 2\n"
        "A,2024-01-05,2024-02-01,Other,2024-03-01,Other\n"
        "B,2024-01-07,,,,\n"
    )
    returned = laid_out(tmp_path, text, REFERRALS, kind="service")
    names = ("victim_ref", "referral_no", "referral_date", "referral_direction", "_letter")
    assert columns(returned, *names) == [
        ("A", "1", "2024-01-05", "INCOMING", "B"),
        ("A", "2", "2024-02-01", "OUTGOING", "C"),
        ("A", "3", "2024-03-01", "OUTGOING", "E"),
        ("B", "1", "2024-01-07", "INCOMING", "B"),
    ]


TWO_HEADERS = {
    "header_row": 2,
    "field_names": {
        "row": 1,
        "names": {"When": "ref_Date", "Why": "ref_Reason"},
        "reason": "known to be wrong",
    },
    "columns": {"When": "referral_date", "Why": "referral_reason"},
    "joined": {"victim_ref": {"columns": ["column A"], "with_period": "yes"}},
    "numbered": {"referral_no": {"by": ["column A"]}},
    "constants": {"referral_direction": "INCOMING"},
}
NUMBERED = ",ref_Reason,ref_Reason\n,When,Why\n1,2024-01-05,Other\n2,,\n3,2024-01-07,\n4,,\n"


def test_a_column_without_a_header_is_named_by_its_letter_and_makes_no_record_alone(
    tmp_path: Path,
) -> None:
    returned = laid_out(tmp_path, NUMBERED, TWO_HEADERS, kind="service")
    assert columns(returned, "victim_ref", "referral_date") == [
        ("2000-01-01/2024-12-31/1", "2024-01-05"),
        ("2000-01-01/2024-12-31/3", "2024-01-07"),
    ]
    assert told(returned.findings, "TIP-131") == [
        "2 rows left out: they hold nothing but what stands in column A"
    ]


def test_a_second_header_that_disagrees_is_told_by_column(tmp_path: Path) -> None:
    returned = laid_out(tmp_path, NUMBERED, TWO_HEADERS, kind="service")
    assert told(returned.findings, "TIP-669") == [
        "row 1 disagrees with the header in 1 columns, and the header is read; known to be wrong "
        "(B When: ref_Reason instead of ref_Date)"
    ]


def test_a_column_without_a_header_that_the_layout_does_not_name_is_refused(
    tmp_path: Path,
) -> None:
    record = {**TWO_HEADERS, "joined": {}, "columns": {"Why": "victim_ref"}, "ignore": ["When"]}
    record["numbered"] = {"referral_no": {"by": ["Why"]}}
    with pytest.raises(ReturnRefused) as caught:
        laid_out(tmp_path, NUMBERED, record, kind="service")
    assert (caught.value.rule, caught.value.found) == (
        "TIP-128",
        "column A without a header",
    )


def test_records_of_persons_have_one_country(tmp_path: Path) -> None:
    returned = laid_out(tmp_path, NUMBERED, TWO_HEADERS, kind="service", reference_area="_Z")
    assert "TIP-664" in {finding.rule_id for finding in checked(returned).findings()}


# ── counted rows ──────────────────────────────────────────────────────────────────────────────


COUNTED = {
    "columns": {"Gender": "sex", "Country": "reference_area"},
    "constants": {"measure": "PUBLISHED_RECORDS", "unit_of_count": "RECORD"},
    "period": {"year": "Year"},
    "count": [
        {"by": ["Year", "Gender", "Country"]},
        {
            "cells": [
                {"where": {"Labour": "1"}, "form": "LAB"},
                {"where": {"Sex": "1"}, "form": "SEX"},
            ]
        },
    ],
}
PERSONS = "Year,Gender,Country,Labour,Sex\n" + "".join(
    f"{row}\n"
    for row in ("2020,F,PHL,1,", "2020,F,PHL,1,1", "2021,M,NA,,1", ",M,UKR,,1", "2020,F,PHL,1,")
)


def test_rows_are_counted_in_cells_and_all_years_stand_together_where_no_year_is_counted_by(
    tmp_path: Path,
) -> None:
    top = {"reference_area": "_Z", "values": {"country": {"NA": "NAM"}}}
    returned = laid_out(tmp_path, PERSONS, COUNTED, **top)
    with_year = ("period_start", "period_end", "sex", "reference_area", "form", "value")
    assert sorted(columns(returned, *with_year), key=str) == [
        ("2000-01-01", "2024-12-31", "_T", "_T", "LAB", "3"),
        ("2000-01-01", "2024-12-31", "_T", "_T", "SEX", "3"),
        ("2020-01-01", "2020-12-31", "F", "PHL", "_T", "3"),
        ("2021-01-01", "2021-12-31", "M", "NA", "_T", "1"),
    ]
    assert told(returned.findings, "TIP-671") == [
        "5 rows are counted in 4 cells; none of them is loaded as a record"
    ]
    assert told(returned.findings, "TIP-670") == [
        "1 rows without Year are counted only where all years stand together"
    ]
    result = checked(returned)
    [(namibia,)] = result.connection.execute(
        "select reference_area::varchar from rec_cell where sex = 'M'"
    ).fetchall()
    assert namibia == "NAM"
    assert not result.refused
    assert result.held_out == {"cell": 0}


def test_a_table_is_counted_only_by_columns_that_fill_a_variable(tmp_path: Path) -> None:
    record = {**COUNTED, "count": [{"by": ["Labour"]}]}
    with pytest.raises(TipstatError) as caught:
        laid_out(tmp_path, PERSONS, record)
    assert caught.value.rule == "TIP-123"


# ── rows that are one cell ────────────────────────────────────────────────────────────────────


def merged(folder: Path, *rows: str) -> Returned:
    record = {
        **CELL,
        "columns": {"Form": "form"},
        "long": LONG,
        "merge": {"reason": "sub-forms in one"},
    }
    lines = ["Year,Series,Form,Value", *rows]
    top = {"values": {"form": {"Work": "LAB", "Labour": "LAB", "Other": "OTHER"}}}
    return laid_out(folder, "".join(f"{line}\n" for line in lines), record, **top)


def test_rows_that_are_one_cell_once_coded_are_added_with_their_intervals(tmp_path: Path) -> None:
    rows = ("2020,Victims,Work,7", "2020,Victims,labour,<5", "2020,Victims,Other,2")
    returned = merged(tmp_path, *rows, "2020,Victims,Other,3", "2021,Victims,Other,<5")
    assert columns(returned, "form", "value", "lower_bound", "upper_bound", "cell_kind") == [
        ("Work", None, "7", "11", "WITHHELD_AT_SOURCE"),
        ("Other", "5", None, None, "VALUE"),
        ("Other", "<5", None, None, None),
    ]
    assert told(returned.findings, "TIP-668") == [
        "2 cells stand in 4 rows, whose numbers are added: sub-forms in one"
    ]
    result = checked(returned)
    bounds = result.connection.execute(
        "select lower_bound::integer, upper_bound::integer, cell_kind::varchar from rec_cell "
        "order by _i"
    ).fetchall()
    assert bounds == [
        (7, 11, "WITHHELD_AT_SOURCE"),
        (None, None, "VALUE"),
        (0, 4, "WITHHELD_AT_SOURCE"),
    ]


@pytest.mark.parametrize(
    ("one", "other", "bounds"),
    [("<5", "<=5", ("0", "9")), ("5-9", "3", ("8", "12")), ("≤ 3", "10 – 19", ("10", "22"))],
)
def test_intervals_are_added_at_both_ends(
    tmp_path: Path, one: str, other: str, bounds: tuple[str, str]
) -> None:
    returned = merged(tmp_path, f"2020,Victims,Work,{one}", f"2020,Victims,Labour,{other}")
    assert columns(returned, "lower_bound", "upper_bound") == [bounds]


def test_a_sum_with_an_unknown_part_is_not_known(tmp_path: Path) -> None:
    returned = merged(tmp_path, "2020,Victims,Work,7", "2020,Victims,Labour,_U")
    assert columns(returned, "value", "lower_bound") == [("_U", None)]


# ── totals, parts and codes above codes ───────────────────────────────────────────────────────


def compared(folder: Path, *rows: str, **one: str) -> CheckResult:
    record = {
        **CELL,
        "columns": {"Sex": "sex", "Form": "form"},
        "long": LONG,
        "sums": [{"id": "sex", "title": "by sex", "dimension": "sex", **one}],
    }
    lines = ["Year,Series,Sex,Form,Value", *rows]
    return checked(laid_out(folder, "".join(f"{line}\n" for line in lines), record))


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        (("9", "5", "4"), None),
        (("9", "6", "4"), "TIP-665"),
        (("9", "5", "3"), "TIP-666"),
        (("<5", "6", "4"), "TIP-665"),
        (("9", "6", "<5"), None),
        (("9", "4", "<5"), "TIP-666"),
        (("<5", "<5", "<5"), None),
        (("9", "5", ":"), None),
        (("9", "11", ":"), "TIP-665"),
    ],
)
def test_a_total_and_its_parts_are_compared_as_intervals(
    tmp_path: Path, values: tuple[str, str, str], rule: str | None
) -> None:
    cells = zip(("_T", "F", "M"), values, strict=True)
    found = compared(tmp_path, *(f"2020,Victims,{sex},_T,{value}" for sex, value in cells))
    assert {f.rule_id for f in found.findings() if "by sex" in f.message} == (
        {rule} if rule else set()
    )


def test_parts_that_may_overlap_are_a_note_with_the_reason(tmp_path: Path) -> None:
    rows = ("2020,Victims,_T,_T,3", "2020,Victims,F,_T,2", "2020,Victims,M,_T,2")
    found = compared(tmp_path, *rows, overlapping="counted twice").findings()
    assert told(found, "TIP-666") == [
        "by sex, XXA, 2020-01-01, VICTIMS_REGISTERED: the parts give 4, more than the total of 3; "
        "counted twice"
    ]


def test_a_code_beside_the_codes_under_it_is_told(tmp_path: Path) -> None:
    rows = ("2020,Victims,_T,LAB,5", "2020,Victims,_T,LAB_DOMESTIC,3", "2021,Victims,_T,LAB,5")
    assert told(compared(tmp_path, *rows).findings(), "TIP-667") == [
        "form: LAB_DOMESTIC beside LAB in 1 cells, which hold them already"
    ]


def test_a_band_across_the_age_of_18_is_kept_and_told(tmp_path: Path) -> None:
    record = {**CELL, "columns": {"Age": "age_group"}, "long": LONG}
    text = "Year,Series,Age,Value\n2020,Victims,Y15T29,5\n2020,Victims,Y0T14,1\n"
    result = checked(laid_out(tmp_path, text, record))
    assert told(result.findings(), "TIP-672") == ["Y15T29 in 1 cells, kept as sent"]
    assert result.held_out == {"cell": 0}


# ── reference areas of cells ──────────────────────────────────────────────────────────────────


def of_areas(folder: Path, area: str, *cells: str) -> CheckResult:
    record = {**CELL, "columns": {"Country": "reference_area"}, "long": LONG}
    rows = "".join(f"{2000 + i},Victims,{cell},3\n" for i, cell in enumerate(cells))
    text = "Year,Series,Country,Value\n" + rows
    return checked(laid_out(folder, text, record, reference_area=area))


def test_cells_carry_their_own_area_where_the_return_covers_several(tmp_path: Path) -> None:
    result = of_areas(tmp_path, "_Z", "DEU", "PER", "_U", "_T")
    areas = result.connection.execute(
        "select reference_area::varchar from rec_cell order by _i"
    ).fetchall()
    assert areas == [("DEU",), ("PER",), ("_U",), ("_T",)]
    assert result.held_out == {"cell": 0}


def test_a_cell_of_no_country_in_such_a_return_is_held_out(tmp_path: Path) -> None:
    cells = ["DEU"] * 9
    result = of_areas(tmp_path, "_Z", *cells, "")
    assert [f.rule_id for f in result.findings() if f.severity == "error-record"] == ["TIP-662"]


def test_a_cell_of_another_country_than_its_return_is_held_out(tmp_path: Path) -> None:
    result = of_areas(tmp_path, "XXA", *["XXA"] * 8, "", "DEU")
    assert [f.rule_id for f in result.findings() if f.severity == "error-record"] == ["TIP-663"]
    areas = result.connection.execute("select distinct reference_area::varchar from rec_cell")
    assert sorted(areas.fetchall()) == [("DEU",), ("XXA",)]


# ── what is known of a file ───────────────────────────────────────────────────────────────────


def test_a_remark_counts_its_rows_and_changes_nothing(tmp_path: Path) -> None:
    remarks = [{"where": {"Value": {"matches": "^0$"}}, "reason": "a zero that is a gap"}]
    record = {**CELL, "long": LONG, "remarks": remarks}
    returned = laid_out(tmp_path, "Year,Series,Value\n2020,Victims,0\n2021,Victims,1\n", record)
    assert told(returned.findings, "TIP-673") == ["1 rows: a zero that is a gap"]
    assert columns(returned, "value") == [("0",), ("1",)]


def test_hidden_values_may_be_a_pattern(tmp_path: Path) -> None:
    hidden = [{"column": "Value", "matches": "^[0-9]{7,}$", "code": "_U", "reason": "ids of cells"}]
    record = {**CELL, "long": LONG, "hidden": hidden}
    text = "Year,Series,Value\n2020,Victims,61102019\n2021,Victims,12\n"
    returned = laid_out(tmp_path, text, record)
    assert columns(returned, "value") == [("_U",), ("12",)]


@pytest.mark.parametrize(
    "record",
    [
        {"period": {"year": "Year", "starts": "13-01"}},
        {"period": {"year": "Year", "month": "M", "starts": "04-01"}},
        {"numbers": {"thousands": ".", "decimal": "."}},
        {"hidden": [{"column": "Value", "reason": "neither"}]},
        {"dimensions": {"Group": {"F": "female"}}},
        {"sums": [{"id": "x", "title": "x", "dimension": "value"}]},
        {"separators": {"nothing": " "}},
        {"groups": [{"columns": {"Value": "value"}, "constants": {"sex": "X"}}]},
        {"wide": {"columns": {"A": {"month": "13"}}}},
        {"wide": {"columns": {"A": {"month": "1"}}}, "period": {"year": "Year", "starts": "04-01"}},
        {"count": [{"by": ["Year"], "cells": {}}]},
        {"count": [{"by": ["Year"]}], "recode": {"sex": {"column": "S", "cases": [CASE]}}},
        {"count": [{"by": ["Year"]}], "long": LONG},
        {"merge": {"reason": "of nothing"}},
        {"groups": [{"columns": {"S": "sex"}}], "long": LONG},
    ],
)
def test_a_key_that_cannot_be_is_refused_with_its_place(
    tmp_path: Path, record: dict[str, Any]
) -> None:
    with pytest.raises(UsageError) as caught:
        laid_out(tmp_path, "Year,Value\n2020,1\n", {**CELL, **record})
    assert "records.cell" in caught.value.where


def test_what_stands_above_the_header_of_a_layout_is_no_finding(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Office", "#REF!"], ["Year", "Series", "Value"], [2020, "Victims", 3]):
        sheet.append(row)
    sheet["B1"].data_type = "e"
    path = tmp_path / "return.xlsx"
    book.save(path)
    content = {
        "id": "shape",
        "title": "A shape",
        "kind": "aggregate",
        "language": "en",
        "reference_area": "XXA",
        "file": {"format": "xlsx", "header_row": 2},
        "metadata": METADATA,
        "records": {"cell": {**CELL, "long": LONG}},
    }
    layout = tmp_path / "shape.yml"
    layout.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    with demo.own_registry_and_key():
        ws = Workspace.create(tmp_path / "office", key="demo")
        ws.registry().add_entity(
            "XXA-POLICE", name="Police", entity_type="POLICE", reference_area="XXA"
        )
        with closing(check_file(path, ws, layout=str(layout))) as result:
            assert (result.records, result.findings()) == ({"cell": 1}, [])
