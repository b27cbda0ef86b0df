"""The copy of a sender's workbook: cells coloured and noted, everything else as it was sent.

The workbook is written here as Excel writes one, part by part: drop-downs in the extension form,
notes, a merged area, conditional formats, names of single sheets, a macro.
"""

from __future__ import annotations

import io
import random
import re
import shutil
import subprocess
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.package import Package
from loaders.reply import Reply
from loaders.reply_cells import CellColours, place_of, sparse
from loaders.reply_content import Account
from loaders.reply_copy import write_marked
from loaders.reply_mark import REPLY_MARK
from loaders.reply_sheets import Book
from loaders.reply_styles import COLOURS, Styles
from loaders.source import column_letter
from loaders.xml_edit import UnchangeableError, edited
from tipstat.limits import Limits

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'

DROP_DOWN = (
    '<extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}" '
    'xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main">'
    '<x14:dataValidations count="1" '
    'xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main">'
    '<x14:dataValidation type="list" allowBlank="1" showErrorMessage="1" '
    'xr:uid="{0A1B2C3D-0001-4000-8000-000000000001}">'
    "<x14:formula1><xm:f>Lists!$A$1:$A$2</xm:f></x14:formula1><xm:sqref>B2:B9</xm:sqref>"
    "</x14:dataValidation></x14:dataValidations></ext></extLst>"
)
VICTIMS = (
    f'{HEAD}<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'mc:Ignorable="x14ac xr" '
    'xmlns:x14ac="http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac" '
    'xmlns:xr="http://schemas.microsoft.com/office/spreadsheetml/2014/revision" '
    'xr:uid="{0A1B2C3D-0000-4000-8000-000000000001}"><dimension ref="A1:C7"/>'
    '<sheetViews><sheetView tabSelected="1" workbookViewId="0"/></sheetViews>'
    '<cols><col min="3" max="3" width="12" style="2" customWidth="1"/></cols><sheetData>'
    '<row r="1" spans="1:3" x14ac:dyDescent="0.25"><c r="A1" t="inlineStr"><is><t>ref</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>sex &gt; all</t></is></c></row>'
    '<row r="2"><c r="A2"><v>1</v></c><c r="B2" s="1" t="inlineStr"><is><t>femal</t></is></c></row>'
    '<row r="4" s="1" customFormat="1"/>'
    '<row r="5"><c r="A5"><v>4</v></c><c r="C5" s="2"><v>45000</v></c></row>'
    '</sheetData><mergeCells count="1"><mergeCell ref="A7:B8"/></mergeCells>'
    '<conditionalFormatting sqref="A2:A9"><cfRule type="cellIs" dxfId="0" priority="1" '
    'operator="equal"><formula>9</formula></cfRule></conditionalFormatting>'
    f'<pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/>'
    f'<legacyDrawing r:id="rId1"/>{DROP_DOWN}</worksheet>'
)
OTHER = (
    f'{HEAD}<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row><x:c><x:v>1</x:v></x:c>'
    "<x:c><x:v>2</x:v></x:c></x:row><x:row/></x:sheetData></x:worksheet>"
)
LISTS = (
    f'{HEAD}<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>female'
    "</t></is></c></row></sheetData></worksheet>"
)
STYLES = (
    f'{HEAD}<styleSheet xmlns="{MAIN}"><numFmts count="1"><numFmt numFmtId="164" '
    'formatCode="yyyy\\-mm\\-dd"/></numFmts><fonts count="1"><font><sz val="11"/>'
    '<name val="Calibri"/></font></fonts><fills count="3"><fill><patternFill patternType="none"/>'
    '</fill><fill><patternFill patternType="gray125"/></fill><fill><patternFill '
    'patternType="solid"><fgColor rgb="FF00FF00"/></patternFill></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="2" borderId="0" xfId="0" applyNumberFormat="1" '
    'applyProtection="1"><protection locked="0"/></xf>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '</cellXfs><dxfs count="1"><dxf><font><b/></font></dxf></dxfs></styleSheet>'
)
WORKBOOK = (
    f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><bookViews><workbookView xWindow="0" '
    'yWindow="0" windowWidth="100" windowHeight="100" activeTab="1"/></bookViews><sheets>'
    '<sheet name="Víctimas" sheetId="4" r:id="rId1"/><sheet name="It\'s" sheetId="7" r:id="rId2"/>'
    '<sheet name="Lists" sheetId="9" state="veryHidden" r:id="rId3"/></sheets><definedNames>'
    "<definedName name=\"_xlnm.Print_Titles\" localSheetId=\"1\">'It''s'!$1:$1</definedName>"
    '<definedName name="sexes">Lists!$A$1:$A$2</definedName></definedNames></workbook>'
)
COMMENTS = (
    f'{HEAD}<comments xmlns="{MAIN}"><authors><author>Ana</author></authors><commentList>'
    '<comment ref="A1" authorId="0"><text><t>ours since 2019</t></text></comment>'
    '<comment ref="B2" authorId="0"><text><t>please look</t></text></comment>'
    "</commentList></comments>"
)
DRAWING = (
    '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'
    ' xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit">'
    '<o:idmap v:ext="edit" data="1"/></o:shapelayout><v:shapetype id="_x0000_t202" '
    'coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe"></v:shapetype>'
    '<v:shape id="_x0000_s1025" type="#_x0000_t202"><x:ClientData ObjectType="Note">'
    "<x:Row>0</x:Row><x:Column>0</x:Column></x:ClientData></v:shape>"
    '<v:shape id="_x0000_s1026" type="#_x0000_t202"><x:ClientData ObjectType="Note">'
    "<x:Row>1</x:Row><x:Column>1</x:Column></x:ClientData></v:shape></xml>"
)
PARTS = {
    "[Content_Types].xml": f'{HEAD}<Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>'
    '<Default Extension="vml" '
    'ContentType="application/vnd.openxmlformats-officedocument.vmlDrawing"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/>'
    + "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{KIND}.worksheet+xml"/>'
        for n in (1, 2, 3)
    )
    + f'<Override PartName="/xl/styles.xml" ContentType="{KIND}.styles+xml"/>'
    f'<Override PartName="/xl/comments1.xml" ContentType="{KIND}.comments+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": WORKBOOK,
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    + "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in (1, 2, 3)
    )
    + f'<Relationship Id="rId4" Type="{OFFICE}/styles" Target="styles.xml"/>'
    '<Relationship Id="rId5" Type="http://schemas.microsoft.com/office/2006/relationships/'
    'vbaProject" Target="vbaProject.bin"/></Relationships>',
    "xl/styles.xml": STYLES,
    "xl/worksheets/sheet1.xml": VICTIMS,
    "xl/worksheets/sheet2.xml": OTHER,
    "xl/worksheets/sheet3.xml": LISTS,
    "xl/worksheets/_rels/sheet1.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/vmlDrawing" Target="../drawings/vmlDrawing1.vml"/>'
    f'<Relationship Id="rId2" Type="{OFFICE}/comments" Target="/xl/comments1.xml"/>'
    "</Relationships>",
    "xl/comments1.xml": COMMENTS,
    "xl/drawings/vmlDrawing1.vml": DRAWING,
    "xl/vbaProject.bin": "\x01\x02 macro, never run \x03",
    "customXml/item1.xml": "<kept xmlns:k='k' k:as='it is'/>",
}
ENTITIES = '<!DOCTYPE a [<!ENTITY b "c">]>'
COLUMNS = (
    "rule_id", "severity", "severity_rank", "record_type", "sheet", "cell", "row", "column_letter",
    "variable", "value", "expected", "nearest", "message", "count", "title", "fix", "place",
)  # fmt: skip


def workbook_bytes() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in PARTS.items():
            archive.writestr(name, text)
    return content.getvalue()


def workbook(path: Path, changed: Mapping[str, str] | None = None) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**PARTS, **(changed or {})}.items():
            archive.writestr(name, text)
    return path


def found(
    cell: str, severity: str = "error-value", sheet: str = "Víctimas", **more: object
) -> dict:
    ranks = ("refusal", "error-record", "error-value", "warning", "note")
    return {
        "rule_id": "TIP-201", "severity": severity, "severity_rank": ranks.index(severity),
        "record_type": "victim", "sheet": sheet, "cell": cell, "row": 1, "column_letter": "B",
        "variable": "sex", "value": "femal", "expected": "F or M", "nearest": "female → F",
        "message": "", "count": 1, "title": "unknown code", "fix": "correct the cell", **more,
    }  # fmt: skip


def reply(*findings: dict, language: str = "en") -> Reply:
    account = Account(
        "víctimas.xlsm", "police-x-20241231-0123abcd-ffff", "refused", "X", "police", "XXA",
        "2024-01-01", "2024-12-31", language, {"victim": 9}, {"victim": 2},
    )  # fmt: skip
    con = duckdb.connect()
    types = {"severity_rank": "int", "row": "int", "count": "bigint", "place": "bigint"}
    shape = ", ".join(f'"{name}" {types.get(name, "varchar")}' for name in COLUMNS)
    con.execute(f"create table reply ({shape})")
    rows = [[{**one, "place": n}[name] for name in COLUMNS] for n, one in enumerate(findings)]
    marks = ", ".join("?" for _ in COLUMNS)
    if rows:
        con.executemany(f"insert into reply values ({marks})", rows)
    return Reply(account, con)


def marked(path: Path, *findings: dict, limit: int = 100) -> dict[str, bytes]:
    """Mark the workbook and give the parts of the copy, which stands beside it."""
    copy = io.BytesIO()
    content = reply(*findings).content(limit)
    write_marked(path.name, path.read_bytes(), content, copy, Limits())
    path.with_name("copy.xlsm").write_bytes(copy.getvalue())
    with zipfile.ZipFile(copy) as archive:
        assert len(archive.namelist()) == len(set(archive.namelist()))
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    return workbook(tmp_path / "sent.xlsm")


def fills(path: Path, sheet: str) -> dict[str, str]:
    """Cells of a sheet that have one of the colours of a reply, with the severity."""
    severities = {colour: severity for severity, colour in COLOURS.items()}
    cells = [cell for row in openpyxl.load_workbook(path)[sheet].iter_rows() for cell in row]
    return {
        cell.coordinate: severities[cell.fill.fgColor.rgb]
        for cell in cells
        if cell.fill.fgColor.rgb in severities
    }


def notes(path: Path, sheet: str) -> dict[str, str]:
    cells = [cell for row in openpyxl.load_workbook(path)[sheet].iter_rows() for cell in row]
    return {cell.coordinate: cell.comment.text for cell in cells if cell.comment}


# ── what stays ────────────────────────────────────────────────────────────────────────────────


def test_what_is_not_touched_stays_to_the_byte(sent: Path) -> None:
    parts = marked(sent, found("B2"))
    with zipfile.ZipFile(sent) as archive:
        before = {name: archive.read(name) for name in archive.namelist()}
    touched = {
        "[Content_Types].xml",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/styles.xml",
        "xl/worksheets/sheet1.xml",
        "xl/comments1.xml",
    }
    assert {name for name in before if parts[name] != before[name]} == touched
    assert parts["xl/vbaProject.bin"] == before["xl/vbaProject.bin"]
    assert b"macroEnabled" in parts["[Content_Types].xml"]


def test_a_marked_sheet_differs_in_its_marks_only(sent: Path) -> None:
    sheet = marked(sent, found("B2"))["xl/worksheets/sheet1.xml"].decode()
    plain = re.sub(r'<c r="B2" s="\d+"', '<c r="B2" s="1"', sheet)
    assert plain == VICTIMS.replace('tabSelected="1"', 'tabSelected="0"')


def test_drop_downs_of_the_extension_form_survive(sent: Path) -> None:
    sheet = marked(sent, found("B2"), found("C9"))["xl/worksheets/sheet1.xml"].decode()
    assert DROP_DOWN in sheet
    assert 'mc:Ignorable="x14ac xr"' in sheet
    assert 'xr:uid="{0A1B2C3D-0000-4000-8000-000000000001}"' in sheet
    assert '<conditionalFormatting sqref="A2:A9">' in sheet


def test_every_part_stays_well_formed(sent: Path) -> None:
    parts = marked(sent, found("B2"), found("A1", sheet="It's"), found("C40"))
    names = {name for name in parts if name.endswith((".xml", ".rels", ".vml"))}
    assert len(names - PARTS.keys()) >= 5, "two sheets, and notes on a sheet that had none"
    assert names == {name for name in names if ElementTree.fromstring(parts[name]) is not None}


def test_the_original_is_not_changed(sent: Path) -> None:
    before = sent.read_bytes()
    marked(sent, found("B2"))
    assert sent.read_bytes() == before


# ── marks ─────────────────────────────────────────────────────────────────────────────────────


def test_each_cell_gets_the_colour_of_its_worst_finding(sent: Path) -> None:
    marked(sent, found("B2", "note"), found("B2", "error-record"), found("C5", "warning"))
    assert fills(sent.with_name("copy.xlsm"), "Víctimas") == {"B2": "error-record", "C5": "warning"}


def test_a_coloured_cell_keeps_its_number_format_and_protection(sent: Path) -> None:
    marked(sent, found("B2"), found("C5"), found("C9"))
    sheet = openpyxl.load_workbook(sent.with_name("copy.xlsm"))["Víctimas"]
    assert (sheet["B2"].number_format, sheet["B2"].protection.locked) == ("@", False)
    assert sheet["C5"].number_format == "yyyy\\-mm\\-dd"
    assert sheet["C9"].number_format == "yyyy\\-mm\\-dd", "a new cell takes its column's format"


def test_cells_and_rows_that_are_not_there_are_put_in_their_order(sent: Path) -> None:
    cells = ("B1", "C1", "A3", "B4", "A4", "B5", "D5", "C6", "A12", "B12")
    parts = marked(sent, *map(found, cells))
    assert set(fills(sent.with_name("copy.xlsm"), "Víctimas")) == set(cells)
    tree = ElementTree.fromstring(parts["xl/worksheets/sheet1.xml"])
    rows = [int(row.get("r", "0")) for row in tree.iter(f"{{{MAIN}}}row")]
    assert rows == sorted(set(rows))
    for row in tree.iter(f"{{{MAIN}}}row"):
        letters = [str(cell.get("r"))[0] for cell in row]
        assert letters == sorted(set(letters))


def test_a_sheet_with_prefixes_and_without_addresses_is_marked_too(sent: Path) -> None:
    marked(sent, *(found(cell, sheet="It's") for cell in ("B1", "C1", "A2", "B5")))
    path = sent.with_name("copy.xlsm")
    assert set(fills(path, "It's")) == {"B1", "C1", "A2", "B5"}
    assert openpyxl.load_workbook(path)["It's"]["B1"].value == 2
    assert set(notes(path, "It's")) == {"B1", "C1", "A2", "B5"}


def test_parts_with_a_byte_order_mark_are_edited_at_the_right_places(tmp_path: Path) -> None:
    names = ("xl/workbook.xml", "xl/styles.xml", "xl/worksheets/sheet1.xml", "xl/comments1.xml")
    path = workbook(tmp_path / "sent.xlsm", {name: f"\ufeff{PARTS[name]}" for name in names})
    parts = marked(path, found("B2"), found("A9"))
    assert all(parts[name].startswith(b"\xef\xbb\xbf<?xml") for name in names)
    assert set(fills(path.with_name("copy.xlsm"), "Víctimas")) == {"B2", "A9"}
    assert set(notes(path.with_name("copy.xlsm"), "Víctimas")) == {"A1", "B2", "A9"}


def test_in_a_merged_area_the_first_cell_is_marked(sent: Path) -> None:
    marked(sent, found("B8", "error-record"), found("B7", "warning"))
    path = sent.with_name("copy.xlsm")
    assert fills(path, "Víctimas") == {"A7": "error-record"}
    assert notes(path, "Víctimas")["A7"].count("(TIP-201)") == 2


def test_a_note_says_rule_value_expectation_and_what_to_do(sent: Path) -> None:
    marked(sent, found("C5"))
    assert notes(sent.with_name("copy.xlsm"), "Víctimas")["C5"] == (
        "tipstat:\n"
        "invalid value: unknown code (TIP-201)\n"
        'Found: "femal"\n'
        "Expected: F or M\n"
        "Nearest accepted: female → F\n"
        "What to do: correct the cell"
    )


def test_notes_that_were_there_stay_and_ours_is_added_to_them(sent: Path) -> None:
    parts = marked(sent, found("B2"), found("C5"))
    texts = notes(sent.with_name("copy.xlsm"), "Víctimas")
    assert texts["A1"] == "ours since 2019"
    assert texts["B2"].startswith("please look")
    assert "unknown code" in texts["B2"]
    drawing = parts["xl/drawings/vmlDrawing1.vml"].decode()
    assert drawing.count("<v:shape ") == 3, "the note on B2 has its shape already"
    ids = re.findall(r'id="(_x0000_s\d+)"', drawing)
    assert len(ids) == len(set(ids)) == 3


def test_marks_are_capped_and_every_rule_has_its_turn(sent: Path) -> None:
    many = [found(f"A{n}") for n in range(2, 60)]
    marked(sent, *many, found("B2", "note", rule_id="TIP-113"), limit=5)
    path = sent.with_name("copy.xlsm")
    assert len(fills(path, "Víctimas")) == 5
    assert fills(path, "Víctimas")["B2"] == "note"
    summary = openpyxl.load_workbook(path)["Feedback"].iter_rows(values_only=True)
    assert any(row[0] and str(row[0]).startswith("and 54 more cells") for row in summary)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_the_sheet_exactly_the_wanted_cells_are_coloured(data: st.DataObject) -> None:
    """Rows and cells with addresses or without, empty or not, with a prefix or without."""
    x = data.draw(st.sampled_from(["", "x:"]), "prefix")
    addressed = data.draw(st.booleans(), "addressed")
    numbers = st.lists(st.integers(1, 12), unique=True).map(sorted)
    there = {row: data.draw(numbers) for row in data.draw(numbers)}
    if not addressed:
        there = {n: list(range(1, len(v) + 1)) for n, v in enumerate(there.values(), start=1)}

    def cell(row: int, column: int) -> str:
        place = f' r="{column_letter(column)}{row}"' if addressed else ""
        return f'<{x}c{place} s="{(row + column) % 3}"><{x}v>{row * column}</{x}v></{x}c>'

    def line(row: int, columns: list[int]) -> str:
        place = f' r="{row}"' if addressed else ""
        cells = "".join(cell(row, column) for column in columns)
        return f"<{x}row{place}>{cells}</{x}row>" if columns else f"<{x}row{place}/>"

    rows = "".join(line(row, columns) for row, columns in there.items())
    body = f"<{x}sheetData>{rows}</{x}sheetData>" if rows else f"<{x}sheetData/>"
    name = f'xmlns{":x" if x else ""}="{MAIN}"'
    sheet = f"<{x}worksheet {name}>{body}<{x}pageMargins/></{x}worksheet>".encode()
    places = st.tuples(st.integers(1, 14), st.integers(1, 14))
    severities = data.draw(st.dictionaries(places, st.sampled_from(sorted(COLOURS))))
    size = data.draw(st.integers(1, 300), "bytes at a time")
    pieces = [sheet[at : at + size] for at in range(0, len(sheet), size)]
    with zipfile.ZipFile(io.BytesIO(workbook_bytes())) as archive:
        styles = Styles(Package(archive))
        edits = CellColours(severities, styles).run(pieces).edits
    copy = ElementTree.fromstring(b"".join(edited(pieces, edits)))
    found_there: dict[tuple[int, int], tuple[int, str | None]] = {}
    row_number = 0
    for row in copy.iter(f"{{{MAIN}}}row"):
        row_number, column = int(row.get("r", row_number + 1)), 0
        for one in row:
            address = place_of(one.get("r", ""))
            assert address is None or address[0] == row_number
            assert address is None or address[1] > column, "cells stand in their order"
            column = address[1] if address else column + 1
            found_there[row_number, column] = (int(one.get("s", "0")), one.findtext("{*}v"))
    wanted = {(row, column) for row, columns in there.items() for column in columns}
    assert set(found_there) == wanted | set(severities)
    for (row, column), (style, value) in found_there.items():
        before = (row + column) % 3 if (row, column) in wanted else 0
        colour = severities.get((row, column))
        assert style == (styles.coloured(before, colour) if colour else before)
        assert value == (str(row * column) if (row, column) in wanted else None)


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_rows_that_are_not_looked_at_are_blanks_of_the_same_length(size: int) -> None:
    sheet = VICTIMS.encode()
    pieces = [sheet[at : at + size] for at in range(0, len(sheet), size)]
    blank = b"".join(sparse(pieces, {5}))
    assert len(blank) == len(sheet)
    assert blank.count(b"<row ") == sheet.count(b"<row ")
    assert re.findall(rb'<c r="(\w+)"', blank) == [b"A5", b"C5"]
    for tag in (b"<row ", b"</row>", b"<c r=", b"<mergeCells", b"<extLst"):
        assert blank.rfind(tag) == sheet.rfind(tag)


def test_a_sheet_with_comments_in_its_xml_is_gone_over_as_it_is(tmp_path: Path) -> None:
    odd = VICTIMS.replace('<row r="5">', '<!-- <row r="9"><c r="A9"/> --><row r="5">')
    path = workbook(tmp_path / "sent.xlsm", {"xl/worksheets/sheet1.xml": odd})
    assert b"".join(sparse([odd.encode()], {2})) == odd.encode()
    marked(path, found("A5"), found("B2"), found("C9"))
    assert set(fills(path.with_name("copy.xlsm"), "Víctimas")) == {"A5", "B2", "C9"}


# ── the first sheet ───────────────────────────────────────────────────────────────────────────


def test_the_workbook_opens_on_the_summary_alone(sent: Path) -> None:
    parts = marked(sent, found("B2"))
    book = openpyxl.load_workbook(sent.with_name("copy.xlsm"))
    assert book.sheetnames == ["Feedback", "Findings", "Víctimas", "It's", "Lists"]
    assert book.active.title == "Feedback"
    selected = [n for n, part in parts.items() if b'tabSelected="1"' in part]
    assert len(selected) == 1
    assert book["Lists"].sheet_state == "veryHidden"


def test_names_of_single_sheets_still_mean_their_sheet(sent: Path) -> None:
    book = parts = marked(sent, found("B2"))
    assert b'localSheetId="3"' in parts["xl/workbook.xml"]
    book = openpyxl.load_workbook(sent.with_name("copy.xlsm"))
    assert book["It's"].print_title_rows == "$1:$1"
    assert "sexes" in book.defined_names


def test_links_lead_to_the_cells(sent: Path) -> None:
    marked(sent, found("B2"), found("A1", sheet="It's", rule_id="TIP-401"))
    sheet = openpyxl.load_workbook(sent.with_name("copy.xlsm"))["Feedback"]
    links = {cell.value: cell.hyperlink.location for row in sheet.iter_rows() for cell in row
             if cell.hyperlink}  # fmt: skip
    assert links == {"B2": "'Víctimas'!B2", "A1": "'It''s'!A1"}


def test_the_summary_takes_another_name_where_its_own_is_taken(tmp_path: Path) -> None:
    taken = WORKBOOK.replace('name="Lists"', 'name="FEEDBACK"').replace("Lists!", "FEEDBACK!")
    path = workbook(tmp_path / "sent.xlsm", {"xl/workbook.xml": taken})
    marked(path, found("B2"))
    names = openpyxl.load_workbook(path.with_name("copy.xlsm")).sheetnames
    assert names[:2] == ["Feedback (2)", "Findings"]


def test_nothing_that_is_written_can_be_taken_for_a_formula(sent: Path) -> None:
    parts = marked(sent, found("B2", value="=1+cmd|'/c calc'!A1", message="@sum", expected="+1"))
    book = openpyxl.load_workbook(sent.with_name("copy.xlsm"))
    texts = [
        cell.value
        for name in ("Feedback", "Findings")
        for row in book[name].iter_rows()
        for cell in row
        if isinstance(cell.value, str)
    ]
    assert "'=1+cmd|'/c calc'!A1" in texts
    assert [text for text in texts if text.startswith(("=", "+", "-", "@"))] == []
    new = [part for name, part in parts.items() if name not in PARTS]
    assert not any(b"<f>" in part for part in new)


def test_signs_that_xml_cannot_hold_do_no_harm(sent: Path) -> None:
    parts = marked(
        sent, found("B2", value='a\x00\x1b<b>&"\ud800'.encode("utf-8", "ignore").decode())
    )
    texts = [note.text for note in ElementTree.fromstring(parts["xl/comments1.xml"]).iter()]
    assert any(text and '"a<b>&""' in text for text in texts)


# ── a copy that comes back ────────────────────────────────────────────────────────────────────


def as_it_is(copy: Path) -> Path:
    return copy


def saved_by_openpyxl(copy: Path) -> Path:
    """Saved by a program that writes the workbook anew, with shared texts."""
    book = openpyxl.load_workbook(copy, keep_vba=True)
    book.save(copy.with_name("saved.xlsm"))
    return copy.with_name("saved.xlsm")


def saved_by_libreoffice(copy: Path) -> Path:
    """Saved by LibreOffice, which numbers every format, text and note anew."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    plain = copy.with_name("plain.xlsx")
    book = openpyxl.load_workbook(copy)
    book.save(plain)
    home = copy.with_name("home")
    folder = copy.with_name("saved")
    subprocess.run(
        [office, f"-env:UserInstallation=file://{home}", "--headless", "--convert-to", "xlsx",
         "--outdir", str(folder), str(plain)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return folder / "plain.xlsx"


@pytest.mark.parametrize("saved", [as_it_is, saved_by_openpyxl, saved_by_libreoffice])
def test_the_marks_of_the_reply_before_make_way_for_those_of_the_new_one(
    saved: Callable[[Path], Path], sent: Path
) -> None:
    marked(sent, found("B2"), found("C5"), found("B1", sheet="It's"), found("A3"))
    back = saved(sent.with_name("copy.xlsm"))
    (again := sent.parent / "again").mkdir()
    path = back.rename(again / back.name)
    marked(path, found("C5", "warning"))
    copy = path.with_name("copy.xlsm")
    assert fills(copy, "Víctimas") == {"C5": "warning"}
    assert fills(copy, "It's") == {}
    texts = notes(copy, "Víctimas")
    assert set(texts) == {"A1", "B2", "C5"}
    assert "ours since 2019" in texts["A1"]
    assert "please look" in texts["B2"]
    assert texts["C5"].count("TIP-201") == 1
    assert notes(copy, "It's") == {}
    book = openpyxl.load_workbook(copy)
    assert book.sheetnames == ["Feedback", "Findings", "Víctimas", "It's", "Lists"]
    assert book.active.title == "Feedback"
    assert book["Víctimas"]["B2"].number_format == "@"


def test_the_mark_is_found_among_many_shared_texts_wherever_a_piece_ends(tmp_path: Path) -> None:
    texts = "".join(f"<x:si><x:t>text {n}</x:t></x:si>" for n in range(120_000))
    marks = f"<x:si><x:t>{REPLY_MARK}</x:t></x:si><x:si><x:t>after</x:t></x:si>"
    head = f'{HEAD}<x:sst xmlns:x="{MAIN}">'
    for shift in (0, 5, 11, 17, 23):
        shared = f"{head}{' ' * shift}{texts}{marks}</x:sst>"
        sheet = LISTS.replace('t="inlineStr"><is><t>female</t></is>', 't="s"><v>120000</v>')
        parts = {"xl/sharedStrings.xml": shared, "xl/worksheets/sheet2.xml": sheet}
        path = workbook(tmp_path / f"{shift}.xlsm", parts)
        with zipfile.ZipFile(path) as archive:
            book = Book(Package(archive))
        assert list(book.replies) == ["It's"]
        assert list(book.paths) == ["Víctimas", "Lists"]


# ── what is not edited ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("xl/worksheets/sheet1.xml", VICTIMS.replace(HEAD, f"{HEAD}{ENTITIES}")),
        ("xl/worksheets/sheet1.xml", VICTIMS.replace("UTF-8", "ISO-8859-1")),
        ("xl/worksheets/sheet1.xml", VICTIMS[:-30]),
        ("xl/styles.xml", f'<styleSheet xmlns="{MAIN}"/>'),
        ("xl/comments1.xml", COMMENTS.replace("<commentList>", "<commentList/><other>").replace(
            "</commentList>", "</other>")),
        ("xl/drawings/vmlDrawing1.vml", DRAWING.replace("</xml>", "")),
    ],
    ids=["entities", "encoding", "broken", "no styles", "no comments", "no drawing"],
)  # fmt: skip
def test_a_workbook_of_another_form_is_left_alone(part: str, content: str, tmp_path: Path) -> None:
    path = workbook(tmp_path / "sent.xlsm", {part: content})
    with pytest.raises(UnchangeableError):
        marked(path, found("B2"), found("C5"))


def test_a_damaged_workbook_is_marked_or_left_alone_whatever_the_damage(tmp_path: Path) -> None:
    """Bytes of its parts are changed, taken out and doubled at random, with a fixed seed."""
    dice = random.Random(20261122)
    outcomes: Counter[bool] = Counter()
    names = [name for name in PARTS if name.endswith((".xml", ".rels", ".vml"))]
    cells = (found("B2"), found("C5"), found("A9"), found("B1", sheet="It's"))
    answer = reply(*cells).content(100)
    for _ in range(250):
        name = dice.choice(names)
        part = PARTS[name]
        at = dice.randrange(len(part))
        new = dice.choice(["", part[at : at + 40] * 2, dice.choice("<>\"'&/9 xé"), "\x00"])
        parts = {name: part[:at] + new + part[at + dice.randrange(4) :]}
        path = workbook(tmp_path / "sent.xlsm", parts)
        try:
            write_marked("sent.xlsm", path.read_bytes(), answer, io.BytesIO(), Limits())
        except UnchangeableError:
            outcomes[False] += 1
        else:
            outcomes[True] += 1
    assert min(outcomes[True], outcomes[False]) > 40
