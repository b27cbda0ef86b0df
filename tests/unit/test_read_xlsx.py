"""Reading workbooks: every value as it was sent, and clear refusals of what is no workbook."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders import archive
from loaders.read import Source, read_source
from loaders.read_xlsx import scan_xlsx
from loaders.source import column_letter, column_number
from tipstat.errors import ReturnRefused, UsageError
from tipstat.limits import Limits

#: Read in this process, where a test may change what the reader does.
HERE = Limits(child_process=False)

#: The part of a workbook that holds its first sheet.
SHEET = "xl/worksheets/sheet1.xml"

#: Every example of a property writes over the same file.
SHARED_FOLDER = [HealthCheck.function_scoped_fixture]

#: Text that a workbook can hold: no surrogates, no characters that XML forbids.
CELL = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\ufffe\uffff"),
    min_size=1,
    max_size=30,
).filter(lambda text: all(ord(char) >= 32 for char in text))


def workbook(path: Path, rows: list[list[object]], *, first: tuple[int, int] = (0, 0)) -> Path:
    book = xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("Data")
    for index, row in enumerate(rows):
        for column, value in enumerate(row):
            place = (index + first[0], column + first[1])
            if isinstance(value, str):
                sheet.write_string(*place, value)
            elif value is not None:
                sheet.write(*place, value)
    book.close()
    return path


def rewritten(path: Path, part: str, old: bytes, new: bytes) -> Path:
    """Change the XML of one part, as no program that writes proper workbooks would."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def column(source: Source, name: str, sheet: int = 0) -> list[str | None]:
    return source.sheets[sheet].table.column(name).to_pylist()


def refusal(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(ReturnRefused) as caught:
        read_source(path, limits=limits)
    return caught.value.rule


def test_text_keeps_leading_zeros_long_numbers_and_blanks(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["00123"], ["123456789012345678"], [" x "], ["1.0"]])
    assert column(read_source(path), "c1") == ["00123", "123456789012345678", " x ", "1.0"]


def test_numbers_become_text_without_needless_decimals(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [[1], [2.0], [0.1], [-3], [1 / 3], [2**53]])
    expected = ["1", "2", "0.1", "-3", repr(1 / 3), str(2**53)]
    assert column(read_source(path), "c1") == expected


def test_text_beside_numbers_in_one_column_stays_text(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [[5], ["05"], [None], [7.5]])
    assert column(read_source(path), "c1") == ["5", "05", None, "7.5"]


def test_a_number_longer_than_a_double_keeps_its_last_digit(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["no"], [1234567], ["x"]])
    sheet = "xl/worksheets/sheet1.xml"
    rewritten(path, sheet, b"<v>1234567</v>", b"<v>12345678901234567</v>")
    assert column(read_source(path), "c1") == ["no", "12345678901234567", "x"]


def test_dates_become_iso_text_and_logical_values_capitals(tmp_path):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    for value in (dt.date(2020, 1, 31), dt.datetime(2020, 1, 31, 14, 5), True, False):
        book.active.append([value])
    book.save(path)
    expected = ["2020-01-31", "2020-01-31T14:05:00", "TRUE", "FALSE"]
    assert column(read_source(path), "c1") == expected


def test_a_used_range_that_begins_elsewhere_keeps_its_rows_and_column_letters(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["h", "i"], ["x", None]], first=(4, 2))
    table = read_source(path).sheets[0].table
    assert table.column_names == ["c1", "c2", "c3", "c4", "_row"]
    assert table.column("_row").to_pylist() == [5, 6]
    assert table.column("c3").to_pylist() == ["h", "x"]
    assert table.column("c1").to_pylist() == [None, None]


def test_a_wrong_dimension_tag_hides_no_rows(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["a", "b"], ["1", "2"], ["3", "4"]])
    rewritten(path, "xl/worksheets/sheet1.xml", b'ref="A1:B3"', b'ref="A1:A1"')
    source = read_source(path)
    assert column(source, "c2") == ["b", "2", "4"]
    assert [note.message for note in source.notes if note.rule_id == "TIP-166"] == [
        "the sheet says that it is A1:A1; read to row 3"
    ]


def test_a_right_dimension_tag_is_not_told(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["a", "b"], ["1", "2"], ["", ""]])
    assert read_source(path).notes == ()


def test_blank_rows_inside_stay_and_blank_rows_and_columns_at_the_end_go(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["a", ""], [None, None], ["b", ""], ["", ""]])
    source = read_source(path)
    assert source.sheets[0].table.column_names == ["c1", "_row"]
    assert column(source, "c1") == ["a", None, "b"]
    assert source.notes == ()


def test_hidden_sheets_are_read_flagged_and_noted(tmp_path):
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    book.add_worksheet("seen").write(0, 0, "x")
    hidden = book.add_worksheet("lists")
    hidden.write(0, 0, "y")
    hidden.hide()
    book.close()
    source = read_source(tmp_path / "a.xlsx")
    assert [(sheet.name, sheet.hidden) for sheet in source.sheets] == [
        ("seen", False),
        ("lists", True),
    ]
    assert [(note.rule_id, note.sheet) for note in source.notes] == [("TIP-113", "lists")]


@pytest.mark.parametrize("error", ["#REF!", "#N/A", "#DIV/0!", "#NAME?", "#VALUE!"])
def test_an_error_cell_is_a_finding_and_no_blank(tmp_path, error):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    book.active.title = "A & B"
    book.active.append(["x", "y"])
    book.active.append(["1", error])
    book.save(path)
    source = read_source(path)
    assert [(e.sheet, e.cell, e.text) for e in source.error_cells] == [("A & B", "B2", error)]
    assert column(source, "c2") == ["y", error]
    assert [(n.rule_id, n.cell, n.row) for n in source.notes] == [("TIP-107", "B2", 2)]


def test_the_cached_error_of_a_formula_is_found(tmp_path):
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    sheet = book.add_worksheet("S")
    sheet.write(0, 0, "x")
    sheet.write_formula(27, 27, "=1/0", None, "#DIV/0!")
    book.close()
    source = read_source(tmp_path / "a.xlsx")
    assert [(e.cell, e.text) for e in source.error_cells] == [("AB28", "#DIV/0!")]


def test_a_formula_whose_value_was_not_saved_is_told(tmp_path):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["x", "=1+1"])
    book.save(path)
    assert [(e.cell, e.text) for e in read_source(path).error_cells] == [
        ("B1", "formula without a saved value")
    ]


def test_an_error_cell_cut_by_the_reading_window_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "CHUNK", 97)
    monkeypatch.setattr(archive, "OVERLAP", 96)
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    for row in range(40):
        book.active.append([row, "#REF!" if row == 17 else "text"])
    book.save(path)
    assert [e.cell for e in read_source(path, limits=HERE).error_cells] == ["B18"]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=5))
def test_any_text_survives_a_workbook_unchanged(tmp_path, rows):
    source = read_source(workbook(tmp_path / "any.xlsx", rows), limits=HERE)
    for index in range(3):
        assert column(source, f"c{index + 1}") == [row[index] for row in rows]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
def test_any_number_is_read_back_as_the_same_number(tmp_path, values):
    book = openpyxl.Workbook()
    for value in values:
        book.active.append([value])
    book.save(tmp_path / "any.xlsx")
    source = read_source(tmp_path / "any.xlsx", limits=HERE)
    assert list(map(float, column(source, "c1"))) == [
        float(f"{value:.16g}")
        for value in values  # as the writer keeps it
    ]


def test_an_empty_workbook_is_refused(tmp_path):
    assert refusal(workbook(tmp_path / "a.xlsx", [])) == "TIP-102"


def test_a_cut_off_workbook_is_refused_as_damaged(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["x"] * 50] * 50)
    path.write_bytes(path.read_bytes()[:3000])
    assert refusal(path) == "TIP-103"


def test_a_workbook_whose_bytes_changed_on_the_way_is_refused_as_damaged(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [[f"value {n}"] for n in range(500)])
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("xl/worksheets/sheet1.xml")
    data = bytearray(path.read_bytes())
    place = info.header_offset + 30 + len(info.filename) + 100
    data[place : place + 8] = b"\x00" * 8
    path.write_bytes(data)
    assert refusal(path) == "TIP-103"


def test_a_document_type_declaration_is_refused(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["x"]])
    bomb = b'<!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet'
    rewritten(path, "xl/worksheets/sheet1.xml", b"<worksheet", bomb)
    assert refusal(path) == "TIP-103"


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_parsing(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["x"]])
    with zipfile.ZipFile(path, "a") as parts:
        parts.writestr("xl/media/image1.png", b"\0" * 2**20)
    assert refusal(path, Limits(unpacked_mb=1)) == "TIP-105"


def test_a_workbook_of_extreme_ratio_is_refused_before_parsing(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "RATIO_FROM", 1_000_000)
    path = workbook(tmp_path / "a.xlsx", [["x"]])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/worksheets/sheet2.xml", b" " * 20_000_000)
    assert refusal(path, Limits(child_process=False)) == "TIP-105"


def test_two_cells_at_opposite_ends_of_a_sheet_are_refused_before_parsing(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["x"]])
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    rewritten(path, "xl/worksheets/sheet1.xml", b"</sheetData>", far)
    assert refusal(path) == "TIP-105"


@pytest.mark.parametrize(
    "row",
    [
        b'<row r="7"',
        b"<row r='7'",
        b'<row spans="1:2" r="7"',
        b'<row  r="7"',
        b'<row r="0000000007"',
        b'<x:row r="7"',
    ],
)
def test_the_last_row_is_told_however_its_tag_is_written(tmp_path, row):
    path = workbook(tmp_path / "a.xlsx", [["a", "row"], ["b", "<row r="]])
    rewritten(path, SHEET, b'<row r="2"', row)
    assert scan_xlsx("a.xlsx", path.read_bytes(), HERE).sheets["Data"].rows == 7


@pytest.mark.parametrize(
    ("cell", "columns"),
    [(b'<c r="A2"', 26), (b'<c r="AB2"', 26**2), (b"<c r='AB2'", 26**2), (b'<c r="XFD2"', 26**3)],
)
def test_the_width_of_a_sheet_is_told_by_the_letters_of_its_columns(tmp_path, cell, columns):
    path = workbook(tmp_path / "a.xlsx", [["a", "b"], ["c", "d"]])
    rewritten(path, SHEET, b'<c r="A2"', cell)
    assert scan_xlsx("a.xlsx", path.read_bytes(), HERE).sheets["Data"].columns == columns


def test_hidden_rows_and_columns_are_those_whose_tags_say_so(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["a"], ['hidden="1"'], ["c"], ["d"]])
    rewritten(path, SHEET, b'<row r="3"', b'<row r="3" ht="0" hidden="1"')
    rewritten(path, SHEET, b'<row r="4"', b"<row hidden='true' r='4'")
    columns = b'<cols><col min="2" max="4" width="9" hidden="1"/></cols><sheetData>'
    rewritten(path, SHEET, b"<sheetData>", columns)
    scan = scan_xlsx("a.xlsx", path.read_bytes(), HERE).sheets["Data"]
    assert (scan.hidden_rows, scan.hidden_columns) == ({3, 4}, {(2, 4)})


def test_a_list_of_a_drop_down_is_no_formula(tmp_path):
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("Data")
    sheet.write_column(0, 0, ["a", "b"])
    sheet.data_validation("A1:A9", {"validate": "list", "source": "=$B$1:$B$2"})
    book.close()
    assert b"<formula1>" in zipfile.ZipFile(path).read(SHEET)
    assert scan_xlsx("a.xlsx", path.read_bytes(), HERE).sheets["Data"].errors == {}


def test_an_encrypted_workbook_is_refused_as_password_protected(tmp_path):
    path = tmp_path / "a.xlsx"
    mark = "EncryptedPackage".encode("utf-16-le")
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + mark + b"\0" * 600)
    assert refusal(path) == "TIP-104"


def test_an_old_file_whose_parts_do_not_add_up_is_refused_whatever_its_name(tmp_path):
    for name in ("a.xls", "a.xlsx", "a.csv"):
        path = tmp_path / name
        path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1200)
        assert refusal(path) == "TIP-103"


def archive_with(*members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member in members:
            archive.writestr(member, "x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.pdf", b"%PDF-1.7 ...", "PDF"),
        ("a.csv", b"%PDF-1.7 ...", "PDF"),
        ("a.xlsx", b"<html><table><tr><td>1</td></tr></table></html>", "web page"),
        ("a.csv", b'  {"a": 1}', "JSON"),
        ("a.docx", archive_with("word/document.xml"), "Word"),
        ("a.csv", archive_with("xl/workbook.bin"), "binary workbook"),
        ("a.csv", archive_with("data.csv"), "zip archive"),
        ("a.xls", b"sex\tage\nF\t12\n", "delimited text"),
        ("a.xlsx", b"sex;age\nF;12\n", "delimited text"),
        ("a.csv", archive_with("xl/workbook.xml"), "Excel workbook"),
    ],
)
def test_other_files_are_recognised_by_their_content(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ReturnRefused, match=says) as caught:
        read_source(path)
    assert caught.value.rule == "TIP-101"


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\r\n\r\n  \n"])
def test_an_empty_file_is_refused(tmp_path, content):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert refusal(path) == "TIP-102"


def test_a_file_that_is_not_there_is_a_wrong_use(tmp_path):
    with pytest.raises(UsageError, match="TIP-106"):
        read_source(tmp_path / "none.xlsx")


def test_a_file_over_the_limit_is_not_opened(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a,b\n" * 2**18 + b"1")
    assert refusal(tmp_path / "a.csv", Limits(file_mb=1)) == "TIP-105"


@given(st.integers(1, 16384))
def test_column_letters_and_numbers_are_inverse(number):
    assert column_number(column_letter(number)) == number


def test_reading_imports_no_pandas(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["x", 1, 0.5], ["", 2, 1.5]])
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3\n\n", encoding="utf-8")
    code = (
        "import sys; from loaders.read import read_source\n"
        f"read_source({str(path)!r}); read_source({str(tmp_path / 'a.csv')!r})\n"
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
