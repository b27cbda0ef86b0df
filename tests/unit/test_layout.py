"""Applying a layout: what does not fit is refused and listed, what fits comes out by variable."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import pytest
import xlsxwriter
import yaml
from click.testing import CliRunner
from test_layout_file import CELLS

from loaders.layout import apply_layout, load_layout
from loaders.read import read_source
from loaders.returned import Returned
from tipstat.cli.layout import layout as command
from tipstat.errors import ReturnRefused

HEADER = ["Area", "Year", "Name", "Number", "Remarks"]
ROWS = [
    ["North", "2023", "T", "5", "x"],
    ["North", "2023", "S", "5", "x"],
    ["North", "2023", "ALL", "7", "x"],
    ["South", "2024", "T", "0", ""],
    ["South", "2024", "S", "", ""],
    ["South", "2024", "ALL", "0", ""],
]


def layout_file(tmp_path: Path, **record: object) -> Path:
    content = copy.deepcopy(CELLS)
    content["records"]["cell"].update(record)
    path = tmp_path / "cells.yml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def return_file(tmp_path: Path, rows: list[list[str]]) -> Path:
    path = tmp_path / "return.csv"
    path.write_text("".join(",".join(row) + "\n" for row in rows), encoding="utf-8")
    return path


def applied(tmp_path: Path, rows: list[list[str]], **record: object) -> Returned:
    layout = load_layout(layout_file(tmp_path, **record))
    return apply_layout(layout, read_source(return_file(tmp_path, rows)))


def refusal(tmp_path: Path, rows: list[list[str]], **record: object) -> ReturnRefused:
    with pytest.raises(ReturnRefused) as caught:
        applied(tmp_path, rows, **record)
    return caught.value


def values(returned: Returned, *names: str) -> list[tuple[object, ...]]:
    table = returned.tables[0].table
    return list(zip(*(table.column(name).to_pylist() for name in names), strict=True))


def messages(returned: Returned, rule: str) -> list[str]:
    return [finding.message for finding in returned.findings if finding.rule_id == rule]


def test_a_long_file_becomes_cells_with_their_dimensions(tmp_path):
    returned = applied(tmp_path, [HEADER, *ROWS])
    assert values(returned, "area", "form", "value", "cell_kind", "_row", "_pivot") == [
        ("North", "_T", "5", "VALUE", 2, 0),
        ("North", "SEX", "5", "VALUE", 3, 0),
        ("South", "_T", "0", "TRUE_ZERO", 5, 0),
        ("South", "SEX", None, None, 6, 0),
    ]
    assert values(returned, "period_start", "period_end", "measure", "_sheet")[0] == (
        "2023-01-01",
        "2023-12-31",
        "VICTIMS_REGISTERED",
        "return",
    )
    assert returned.tables[0].columns == {
        "area": "A",
        "period_start": "B",
        "period_end": "B",
        "form": "C",
        "value": "D",
        "cell_kind": "D",
    }


def test_the_callers_metadata_go_before_the_layouts(tmp_path):
    layout = load_layout(layout_file(tmp_path))
    source = read_source(return_file(tmp_path, [HEADER, *ROWS]))
    returned = apply_layout(layout, source, {"sender": "XXA-OTHER"})
    assert returned.metadata["sender"] == "XXA-OTHER"
    assert returned.metadata["reference_area"] == "XXA"
    assert returned.layout_sha256 == layout.sha256


def test_unknown_columns_are_refused_with_their_nearest_names(tmp_path):
    error = refusal(tmp_path, [[*HEADER, "Aera", ""], *[[*row, "1", "2"] for row in ROWS]])
    assert error.rule == "TIP-128"
    assert error.found == "Aera, column G without a header"
    assert error.nearest == "Aera → Area"


def test_missing_columns_are_refused_with_what_might_be_meant(tmp_path):
    header = ["Area", "Yeer", "Nam", "Number", "Remarks"]
    error = refusal(tmp_path, [header, *ROWS])
    assert (error.rule, error.found) == ("TIP-127", "no column Name, Year")
    assert error.nearest == "Name → Nam; Year → Yeer"


def test_a_doubled_column_is_refused(tmp_path):
    error = refusal(tmp_path, [[*HEADER, " Area "], *[[*row, "x"] for row in ROWS]])
    assert (error.rule, error.found) == ("TIP-129", "Area")


def test_headers_are_compared_without_line_breaks_and_doubled_blanks(tmp_path):
    path = tmp_path / "return.csv"
    path.write_text('"Reporting\n  area",Year,Name,Number,Remarks\nN,2024,T,1,\n', "utf-8")
    layout = load_layout(layout_file(tmp_path, columns={"Reporting area": "area"}))
    assert values(apply_layout(layout, read_source(path)), "area") == [("N",)]


def test_a_header_below_a_title_and_a_footer_are_found(tmp_path):
    rows = [["Title"], [""], HEADER, ROWS[0], ["Source: police"], ["North", "2023", "T", "9", ""]]
    record = {"header_row": 3, "footer": {"where": {"Area": {"matches": "^Source"}}}}
    returned = applied(tmp_path, rows, **record)
    assert values(returned, "value", "_row") == [("5", 4)]
    assert [f.rule_id for f in returned.findings if f.severity == "refusal"] == []


def test_a_ragged_row_inside_the_table_remains_a_refusal(tmp_path):
    returned = applied(tmp_path, [HEADER, *ROWS, ["North", "2024", "T", "1"]])
    assert [f.row for f in returned.findings if f.rule_id == "TIP-110"] == [8]


def test_a_header_row_that_is_not_there_is_refused(tmp_path):
    assert refusal(tmp_path, [HEADER, *ROWS], header_row="40").rule == "TIP-126"


def test_a_file_of_another_format_is_refused(tmp_path):
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    book.add_worksheet().write(0, 0, "x")
    book.close()
    with pytest.raises(ReturnRefused, match="TIP-126"):
        apply_layout(load_layout(layout_file(tmp_path)), read_source(tmp_path / "a.xlsx"))


def test_a_sheet_that_is_not_there_names_those_that_are(tmp_path):
    error = refusal(tmp_path, [HEADER, *ROWS], sheet="retrun")
    assert (error.rule, error.nearest) == ("TIP-126", "return")


def test_rows_can_be_skipped_with_a_reason_and_are_counted(tmp_path):
    skip = [{"where": {"Area": ["North"], "Name": {"except": ["T"]}}, "reason": "twice sent"}]
    returned = applied(tmp_path, [HEADER, *ROWS], skip=skip)
    assert "2 rows left out: twice sent" in messages(returned, "TIP-131")
    assert len(values(returned, "_row")) == 3


def test_rows_can_refuse_the_whole_file(tmp_path):
    bad = [{"where": {"Number": [""]}, "reason": "a number is lacking"}]
    error = refusal(tmp_path, [HEADER, *ROWS], refuse=bad)
    assert error.rule == "TIP-130"
    assert "row 6" in error.where


def test_unknown_variables_of_a_long_file_are_listed_and_no_records(tmp_path):
    odd = [["North", "2023", "TT", "9", ""], ["North", "2023", "", "9", ""]]
    returned = applied(tmp_path, [HEADER, *ROWS, *odd])
    found = [f for f in returned.findings if f.rule_id == "TIP-132"]
    assert [(f.value, f.cell, f.severity, f.nearest) for f in found] == [
        ("TT", "C8", "refusal", "T"),
        ("", "C9", "refusal", ""),
    ]
    assert len(values(returned, "_row")) == 4


@pytest.mark.parametrize(
    ("year", "month", "start", "end"),
    [
        ("2024", "2", "2024-02-01", "2024-02-29"),
        ("2023", "12", "2023-12-01", "2023-12-31"),
        ("2024", "13", "2024-13", "2024-13"),
        ("x", "1", "x-1", "x-1"),
        ("", "", None, None),
    ],
)
def test_year_and_month_make_a_period_and_nonsense_stays_as_sent(tmp_path, year, month, start, end):
    period = {"year": "Year", "month": "Remarks"}
    rows = [["North", year, "T", "1", month]]
    returned = applied(tmp_path, [HEADER, *rows], period=period, ignore=[])
    assert values(returned, "period_start", "period_end") == [(start, end)]


def test_a_month_can_stand_for_its_year_with_a_note(tmp_path):
    whole = [{"where": {"Year": "2023"}, "reason": "sent by year"}]
    period = {"year": "Year", "month": "Remarks", "whole_year": whole}
    rows = [["N", "2023", "T", "1", "1"], ["N", "2024", "T", "1", "1"]]
    returned = applied(tmp_path, [HEADER, *rows], period=period, ignore=[])
    assert values(returned, "period_end") == [("2023-12-31",), ("2024-01-31",)]
    assert len(messages(returned, "TIP-134")) == 1


def test_several_columns_make_one_variable_without_their_blanks(tmp_path):
    joined = {"area_unit": {"columns": ["Remarks", "Area"], "separator": " / "}}
    returned = applied(tmp_path, [HEADER, *ROWS], columns={}, joined=joined, ignore=[])
    assert values(returned, "area_unit")[1:3] == [("x / North",), ("South",)]


def test_a_state_empties_the_value_and_says_why(tmp_path):
    state = {"values": ["0"], "cell_kind": "NOT_COLLECTED", "reason": "not asked"}
    returned = applied(
        tmp_path, [HEADER, *ROWS], states=[{**state, "variables": ["T"], "where": {"Year": "2024"}}]
    )
    assert values(returned, "value", "cell_kind")[2] == (None, "NOT_COLLECTED")
    assert messages(returned, "TIP-652") == ["1 values are NOT_COLLECTED: not asked"]


def control(**changes: object) -> list[dict[str, object]]:
    plain = {"id": "a", "title": "all", "total": "ALL", "parts": ["S"], "by": ["Year"]}
    return [{**plain, **changes}]


def test_a_total_that_its_parts_do_not_give_is_a_warning_with_both_numbers(tmp_path):
    returned = applied(tmp_path, [HEADER, *ROWS], controls=control(equals="T"))
    expected = "all, Year 2023: ALL is 7, the parts give 5, difference -2 (in 1 of 1 units)"
    assert messages(returned, "TIP-650") == [expected]
    assert len(messages(returned, "TIP-651")) == 1
    found = next(f for f in returned.findings if f.rule_id == "TIP-650")
    assert (found.cell, found.severity, found.value, found.expected) == ("D4", "warning", "7", "5")


def test_a_difference_within_the_tolerance_is_accepted(tmp_path):
    returned = applied(tmp_path, [HEADER, *ROWS], controls=control(tolerance="2"))
    assert messages(returned, "TIP-650") == []


def test_differences_that_cancel_out_are_found_in_the_units(tmp_path):
    rows = [
        [area, "2023", name, number, ""]
        for area, name, number in (
            ("North", "ALL", "3"),
            ("North", "S", "2"),
            ("South", "ALL", "2"),
            ("South", "S", "3"),
        )
    ]
    returned = applied(tmp_path, [HEADER, *rows], controls=control(units=["Area"]))
    assert messages(returned, "TIP-650") == []
    assert messages(returned, "TIP-655") == [
        "all: 2 units differ although the sums agree in Year 2023"
    ]


def test_a_part_that_is_absent_counts_as_a_difference_and_a_blank_one_does_not(tmp_path):
    rows = [
        ["N", "2023", "ALL", "3", ""],
        ["N", "2024", "ALL", "3", ""],
        ["N", "2024", "S", "", ""],
    ]
    returned = applied(tmp_path, [HEADER, *rows], controls=control())
    assert [m.split(":")[0] for m in messages(returned, "TIP-650")] == ["all, Year 2023"]


def test_years_without_all_months_and_blank_columns_are_told(tmp_path):
    coverage = {"year": "Year", "month": "Number", "filled": ["Remarks"]}
    rows = [["N", "2023", "T", str(month), "x"] for month in range(1, 13)]
    rows += [["N", "2024", "T", "1", ""], ["N", "2024", "T", "2", "x"]]
    returned = applied(tmp_path, [HEADER, *rows], coverage=coverage, ignore=[])
    assert messages(returned, "TIP-653") == ["2024 holds 2 of 12 months: 1, 2"]
    assert messages(returned, "TIP-654") == ["Remarks is blank in 1 of 2 rows of 2024"]


def test_controls_of_a_wide_table_compare_columns(tmp_path):
    content = copy.deepcopy(CELLS)
    content["records"]["cell"] = {
        "columns": {"Area": "area", "Total": "value"},
        "period": {"year": "Year"},
        "ignore": ["Women", "Men"],
        "constants": {"measure": "VICTIMS_REGISTERED"},
    }
    record = content["records"]["cell"]
    record["controls"] = [
        {"id": "a", "title": "sexes", "total": "Total", "parts": ["Women", "Men"], "by": "Year"}
    ]
    record["ignore"] = []
    path = tmp_path / "cells.yml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    rows = [["Area", "Year", "Total", "Women", "Men"], ["N", "2023", "5", "3", "3"]]
    returned = apply_layout(load_layout(path), read_source(return_file(tmp_path, rows)))
    assert messages(returned, "TIP-650")[0].startswith("sexes, Year 2023: Total is 5, the parts")


def test_value_maps_take_the_code_valid_at_the_end_of_the_period(tmp_path):
    content = copy.deepcopy(CELLS)
    old = {"code": "LAB_SERVITUDE", "valid_to": "2020-12-31"}
    new = {"code": "LAB_NFS", "valid_from": "2021-01-01"}
    content["values"] = {"form": {"Servitude": [old, new], "Sex": "SEX"}}
    path = tmp_path / "cells.yml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    source = read_source(return_file(tmp_path, [HEADER, *ROWS]))
    layout = load_layout(path)
    late = apply_layout(layout, source).value_maps["form"]
    early = apply_layout(layout, source, {"period_end": "2019-12-31"}).value_maps["form"]
    assert late == {"Servitude": "LAB_NFS", "Sex": "SEX"}
    assert early == {"Servitude": "LAB_SERVITUDE", "Sex": "SEX"}


def test_a_return_outside_the_validity_of_the_layout_is_a_warning(tmp_path):
    content = {**copy.deepcopy(CELLS), "valid_to": "2023-12-31"}
    path = tmp_path / "cells.yml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    source = read_source(return_file(tmp_path, [HEADER, *ROWS]))
    assert len(messages(apply_layout(load_layout(path), source), "TIP-133")) == 1


def test_quotation_marks_in_names_and_values_are_no_code(tmp_path):
    name = 'x"; drop table body; --'
    rows = [[f'"{name.replace(chr(34), chr(34) * 2)}"', *HEADER[1:]], ["O'Higgins", *ROWS[0][1:]]]
    skip = [{"where": {name: ["' or 1=1 --"]}, "reason": "none"}]
    returned = applied(tmp_path, rows, columns={name: "area"}, skip=skip)
    assert values(returned, "area") == [("O'Higgins",)]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(arguments), obj=None)
    return result.exit_code, result.output


def test_layout_list_shows_the_shipped_layouts():
    code, output = run("list", "--format", "json")
    assert code == 0
    assert {row["id"]: row["area"] for row in json.loads(output)}["per_pnp_2017"] == "PER"


def test_layout_check_prints_counts_controls_findings_and_first_rows(tmp_path):
    layout = layout_file(tmp_path, controls=control())
    code, output = run("check", str(layout), str(return_file(tmp_path, [HEADER, *ROWS])))
    assert code == 1
    assert "controls: 1, differences: 1" in output
    assert "TIP-650 D4" in output
    assert "first records of cell" in output


def test_layout_check_of_a_clean_file_ends_with_zero(tmp_path):
    clean = [row for row in ROWS if row[1] == "2023"]
    path = return_file(tmp_path, [HEADER, *clean])
    constants = {"measure": "VICTIMS_REGISTERED", "unit_of_count": "VICTIM_REGISTRATION"}
    assert run("check", str(layout_file(tmp_path, constants=constants)), str(path))[0] == 0


def test_layout_check_shows_what_would_be_loaded(tmp_path):
    layout = layout_file(tmp_path, columns={"Area": "area", "Remarks": "unit_of_count"}, ignore=[])
    rows = [[*row[:4], "VICTIM"] for row in ROWS] + [["North", "2023", "T", "4", "heads"]]
    output = run("check", str(layout), str(return_file(tmp_path, [HEADER, *rows])))[1]
    assert "period: 2023-01-01 to 2024-12-31" in output
    assert "entities: XXA-POLICE (5)" in output
    assert "still to be told (--set, or metadata of the layout): extraction_date" in output
    assert re.search(r"^E +Remarks +unit_of_count +5$", output, re.MULTILINE)
    assert re.search(r"^unit_of_count +1 +4 +1 +1 +heads \(1\)$", output, re.MULTILINE)
    assert "TIP-201" in output


def test_layout_check_says_what_the_rules_would_hold_out(tmp_path):
    layout = layout_file(tmp_path, constants={"measure": "VICTIMS_REGISTERED"})
    code, output = run("check", str(layout), str(return_file(tmp_path, [HEADER, *ROWS])))
    assert code == 1
    assert "TIP-141 refusal" in output


def test_layout_check_never_shows_records_of_persons(tmp_path):
    content = {
        "id": "victims",
        "title": "Victims",
        "kind": "police",
        "language": "en",
        "reference_area": "XXA",
        "file": {"format": "csv"},
        "records": {"victim": {"columns": {"Ref": "victim_ref"}}},
    }
    layout = tmp_path / "victims.yml"
    layout.write_text(yaml.safe_dump(content), encoding="utf-8")
    path = return_file(tmp_path, [["Ref"], ["SECRET-17"]])
    for fmt in ("table", "json"):
        assert "SECRET-17" not in run("check", str(layout), str(path), "--format", fmt)[1]
