"""Every format of workbook gives the same text, and what its values hide is a finding."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from odd_files import Day, Error, Page, compound, ods, xls, xlsb

from loaders.read import Source, read_source
from tipstat.errors import ReturnRefused
from tipstat.limits import Limits

WRITERS: dict[str, Callable[..., Path]] = {"xls": xls, "xlsb": xlsb, "ods": ods}
HERE = Limits(child_process=False)


@pytest.fixture(params=WRITERS)
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Path]:
    return lambda *pages, **more: WRITERS[request.param](
        tmp_path / f"return.{request.param}", *pages, **more
    )


def rows(source: Source, sheet: int = 0) -> list[list[str | None]]:
    table = source.sheets[sheet].table.drop_columns(["_row"])
    return [list(row) for row in zip(*(c.to_pylist() for c in table.columns), strict=True)]


def told(source: Source, rule_id: str) -> list[str]:
    return [note.message for note in source.notes if note.rule_id == rule_id]


def refusal(path: Path, limits: Limits | None = None) -> ReturnRefused:
    with pytest.raises(ReturnRefused) as caught:
        read_source(path, limits=limits)
    return caught.value


def test_text_numbers_and_logical_values_are_read_as_they_are(write):
    source = read_source(
        write(Page("Données", [["00123", 1.5, True], ["NA", 2, None], ["é", -3, False]]))
    )
    assert rows(source) == [["00123", "1.5", "TRUE"], ["NA", "2", None], ["é", "-3", "FALSE"]]
    assert [sheet.name for sheet in source.sheets] == ["Données"]
    assert source.format in source.path.suffix
    assert source.notes == ()


@pytest.mark.parametrize("formula", [False, True])
@pytest.mark.parametrize("error", ["#REF!", "#N/A", "#DIV/0!", "#NAME?", "#VALUE!", "#NUM!"])
def test_an_error_cell_is_a_finding_and_no_blank(tmp_path, error, formula):
    for name, writer in WRITERS.items():
        page = Page("S", [["a", "b"], ["x", Error(error, formula)]])
        source = read_source(writer(tmp_path / f"a.{name}", page), limits=HERE)
        assert rows(source)[1] == ["x", error], name
        assert [(e.sheet, e.cell, e.text) for e in source.error_cells] == [("S", "B2", error)]
        assert told(source, "TIP-107") == [f"B2 holds {error}"]


def test_hidden_sheets_rows_and_columns_are_read_and_told(write):
    page = Page("S", [["a", "b", "c"], ["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"]],
                hidden_rows=frozenset({1, 2}), hidden_columns=frozenset({1}))  # fmt: skip
    source = read_source(write(page, Page("lists", [["x"]], hidden=True)))
    assert len(rows(source)) == 4
    assert rows(source)[1] == ["1", "2", "3"]
    assert told(source, "TIP-154") == ["rows 2 to 3, column B: hidden, and read"]
    assert [sheet.hidden for sheet in source.sheets] == [False, True]
    assert told(source, "TIP-113") == ["sheet lists is hidden"]


def test_merged_cells_are_told_because_their_value_stands_in_the_first_alone(write):
    page = Page(
        "S", [["Police", None], ["x", "1"], [None, "2"]], merged=[(0, 0, 0, 1), (1, 0, 2, 0)]
    )
    (finding,) = [n for n in read_source(write(page)).notes if n.rule_id == "TIP-155"]
    assert finding.message == "merged: A1:B1, A2:A3; the value counts for the first cell alone"
    assert (finding.cell, finding.count, finding.severity) == ("A1", 2, "warning")


def test_a_number_longer_than_a_spreadsheet_keeps_is_told(write):
    source = read_source(write(Page("S", [["id"], [1234567890123456], [12]])))
    assert rows(source)[1:] == [["1234567890123456"], ["12"]]
    assert told(source, "TIP-156") == ["column A: 1 numbers of more than fifteen digits"]


@pytest.mark.parametrize("writer", [xls, xlsb])
@pytest.mark.parametrize(("date_1904", "day"), [(False, "2020-01-31"), (True, "2024-02-01")])
def test_days_are_read_by_the_date_system_of_the_workbook(tmp_path, writer, date_1904, day):
    path = writer(
        tmp_path / f"a.{writer.__name__}", Page("S", [[Day(43861)], [43861]]), date_1904=date_1904
    )
    source = read_source(path)
    assert rows(source) == [[day], ["43861"]]
    assert source.date_1904 is date_1904
    assert f"days counted from {1904 if date_1904 else 1900}" in source.read_as


@pytest.mark.parametrize("epoch", [1900, 1904])
def test_days_of_an_xlsx_are_read_by_its_date_system(tmp_path, epoch):
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"), {"date_1904": epoch == 1904})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    book.add_worksheet().write_number(0, 0, 43861, day)
    book.close()
    source = read_source(tmp_path / "a.xlsx")
    assert rows(source) == [["2020-01-31" if epoch == 1900 else "2024-02-01"]]
    assert source.date_1904 is (epoch == 1904)


@pytest.mark.parametrize("writer", [xls, xlsb])
@pytest.mark.parametrize("dimension", [(1, 1), (60_000, 200)])
def test_a_wrong_dimension_hides_no_rows(tmp_path, writer, dimension):
    page = Page("S", [["a", "b"], ["1", "2"], ["3", "4"]], dimension=dimension)
    source = read_source(writer(tmp_path / f"a.{writer.__name__}", page))
    assert rows(source) == [["a", "b"], ["1", "2"], ["3", "4"]]


@pytest.mark.parametrize("writer", [xls, xlsb])
def test_a_used_range_that_begins_elsewhere_keeps_rows_and_letters(tmp_path, writer):
    page = Page("S", [["h"], [Error("#N/A")]], first=(4, 2))
    source = read_source(writer(tmp_path / f"a.{writer.__name__}", page))
    table = source.sheets[0].table
    assert table.column_names == ["c1", "c2", "c3", "_row"]
    assert table["_row"].to_pylist() == [5, 6]
    assert table["c3"].to_pylist() == ["h", "#N/A"]


def test_hidden_rows_and_columns_and_merged_cells_of_an_xlsx_are_told(tmp_path):
    book = openpyxl.Workbook()
    for row in (["a", "b", "c"], ["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"]):
        book.active.append(row)
    book.active.row_dimensions[3].hidden = True
    book.active.column_dimensions["C"].hidden = True
    book.active.merge_cells("A2:B2")
    book.save(tmp_path / "a.xlsx")
    source = read_source(tmp_path / "a.xlsx")
    assert rows(source)[2] == ["4", "5", "6"]
    assert told(source, "TIP-154") == ["row 3, column C: hidden, and read"]
    assert told(source, "TIP-155") == ["merged: A2:B2; the value counts for the first cell alone"]


def test_leading_zeros_that_only_a_format_shows_are_kept(tmp_path):
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    five = book.add_format({"num_format": "00000"})
    sheet = book.add_worksheet("S")
    sheet.write(0, 0, "code")
    sheet.write_number(1, 0, 123, five)
    sheet.write_number(2, 0, 123456, five)
    sheet.write_number(3, 0, 7)
    book.close()
    source = read_source(tmp_path / "a.xlsx")
    assert rows(source) == [["code"], ["00123"], ["123456"], ["7"]]
    assert told(source, "TIP-169") == ["read as shown, with leading zeros: A2"]


def test_macros_and_links_are_told_and_never_followed(tmp_path):
    path = tmp_path / "a.xlsm"
    book = openpyxl.Workbook()
    book.active.append(["x"])
    book.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macros")
        archive.writestr("xl/externalLinks/externalLink1.xml", b"<externalLink/>")
    source = read_source(path)
    assert rows(source) == [["x"]]
    assert told(source, "TIP-157") == [
        "macros, links to other workbooks: neither run nor followed; values are read as saved"
    ]


def test_a_repeated_error_of_an_opendocument_file_is_told_at_each_of_its_cells(tmp_path):
    page = Page("S", [[Error("#REF!")]], extra={"row": ' table:number-rows-repeated="1500"'})
    source = read_source(ods(tmp_path / "a.ods", page))
    assert rows(source) == [["#REF!"]] * 1500
    assert [e.cell for e in source.error_cells][::1499] == ["A1", "A1500"]


def test_a_formula_of_an_opendocument_file_whose_value_was_not_saved_is_told(tmp_path):
    path = ods(tmp_path / "a.ods", Page("S", [["x", None]]))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    blank, formula = b"<table:table-cell/>", b'<table:table-cell table:formula="of:=1+1"/>'
    assert blank in parts["content.xml"]
    parts["content.xml"] = parts["content.xml"].replace(blank, formula)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert told(read_source(path), "TIP-107") == ["B1 holds formula without a saved value"]


# ── refused ───────────────────────────────────────────────────────────────────────────────────


def test_a_workbook_with_a_password_is_refused(tmp_path):
    assert refusal(xls(tmp_path / "a.xls", Page("S", [["x"]]), password=True)).rule == "TIP-104"


def test_an_encrypted_opendocument_file_is_refused(tmp_path):
    path = ods(tmp_path / "a.ods", Page("S", [["x"]]))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<m><manifest:encryption-data/></m>")
        archive.writestr("content.xml", os.urandom(300))
    assert refusal(path).rule == "TIP-104"


def test_an_opendocument_text_is_no_spreadsheet(tmp_path):
    path = ods(tmp_path / "a.ods", Page("S", [["x"]]), kind="text")
    assert refusal(path).rule == "TIP-101"


def test_other_compound_files_are_named(tmp_path):
    (tmp_path / "a.xls").write_bytes(compound({"WordDocument": b"x"}))
    assert "Word document" in refusal(tmp_path / "a.xls").found


def test_an_entity_bomb_in_an_opendocument_file_is_refused(tmp_path):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
    path = ods(tmp_path / "a.ods", Page("S", [["x"]]), head=bomb)
    assert "document type" in refusal(path).found


def test_a_cell_repeated_to_fill_the_memory_is_refused_before_it_is_parsed(tmp_path):
    page = Page("S", [["x"] * 200], extra={"row": ' table:number-rows-repeated="1048576"'})
    refused = refusal(ods(tmp_path / "a.ods", page))
    assert refused.rule == "TIP-105"
    assert "1,048,576 rows" in refused.found


def test_cells_far_apart_in_a_binary_workbook_are_refused_before_it_is_parsed(tmp_path):
    page = Page("S", [["x", *[None] * 16_000, "y"]], first=(1_000_000, 0))
    assert refusal(xlsb(tmp_path / "a.xlsb", page)).rule == "TIP-105"


@pytest.mark.parametrize("name", WRITERS)
def test_a_cut_off_workbook_is_refused(tmp_path, name):
    page = Page("S", [[f"value {n}-{m}" for m in range(20)] for n in range(200)])
    path = WRITERS[name](tmp_path / f"a.{name}", page)
    data = path.read_bytes()
    for share in (0.1, 0.5, 0.9):
        path.write_bytes(data[: int(len(data) * share)])
        assert refusal(path, HERE).rule in ("TIP-103", "TIP-102")
