"""Real workbooks come back marked, and otherwise as their authors saved them in Excel."""

from __future__ import annotations

import csv
import io
import os
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import openpyxl
import pytest

from loaders.check import check_file
from loaders.feedback import reply_to_check, write_reply
from loaders.mark_apart import mark_apart
from loaders.package import Package
from loaders.reply import Reply
from loaders.reply_content import Account
from loaders.reply_sheets import Book
from tipstat.limits import Limits
from tipstat.project import project_root
from tipstat.workspace import Workspace

DATA = Path(os.environ.get("TIPSTAT_TEST_DATA", project_root().parent / "shared" / "data"))
WORKBOOKS = sorted(DATA.glob("*/*.xlsx")) if DATA.is_dir() else []
PERU = DATA / "per_pnp" / "DataSet_trata_personas_enero2017_septiembre2025.xlsx"
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
CELLS = ("A1", "B3", "C40", "ZZ7")

pytestmark = pytest.mark.skipif(not WORKBOOKS, reason=f"{DATA} is not there")


def reply_on(path: Path) -> Reply:
    """A reply that has a finding in some cells of every sheet, filled or not."""
    with zipfile.ZipFile(path) as archive:
        names = list(Book(Package(archive)).paths)
    con = duckdb.connect()
    con.execute(
        "create table reply as select 'TIP-201' as rule_id, 'error-value' as severity, "
        "2 as severity_rank, '' as record_type, sheet, cell, null::int as \"row\", "
        "'' as column_letter, '' as variable, 'x' as value, '' as expected, '' as nearest, "
        "'' as message, 1 as count, 'unknown code' as title, 'correct the cell' as fix, "
        "row_number() over () as place from (select unnest($names) as sheet), "
        "(select unnest($cells) as cell)",
        {"names": names, "cells": list(CELLS)},
    )
    return Reply(Account(path.name, "", "checked", "", "", "", "", "", "en", {}, {}), con)


def marked_copy(path: Path) -> tuple[int, io.BytesIO]:
    """How many cells are marked, and the copy."""
    content = reply_on(path).content(1000)
    marked, copy = mark_apart(path.name, path.read_bytes(), content, Limits())
    return marked, io.BytesIO(copy)


@pytest.mark.parametrize(
    "path", [p for p in WORKBOOKS if p != PERU], ids=lambda path: path.name[:30]
)
def test_a_real_workbook_is_marked_and_keeps_all_else(path: Path) -> None:
    marked, copy = marked_copy(path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy) as new:
        sheets = Book(Package(old)).paths.values()
        assert marked == len(CELLS) * len(sheets)
        for name in old.namelist():
            before, after = old.read(name), new.read(name)
            if name in sheets:
                assert content(after) == content(before), name
            elif not name.endswith((".rels", "styles.xml", "workbook.xml", "[Content_Types].xml")):
                assert after == before, name


def content(sheet: bytes) -> list[tuple[str, tuple[tuple[str, str], ...], str]]:
    """Every element of a sheet but for what marking adds or changes."""
    root = ElementTree.fromstring(sheet)
    for row in list(root.iter(f"{MAIN}row")):
        for cell in [cell for cell in row if cell.get("r") in CELLS and not len(cell)]:
            row.remove(cell)
        for cell in row:
            cell.attrib.pop("s", None)
    listed = []
    for element in root.iter():
        empty = element.tag == f"{MAIN}row" and not len(element)
        if not empty and element.tag != f"{MAIN}legacyDrawing":
            element.attrib.pop("tabSelected", None)
            listed.append((element.tag, tuple(sorted(element.attrib.items())), element.text or ""))
    return listed


def test_the_drop_downs_of_the_htcds_workbook_survive() -> None:
    """IOM's workbook keeps its drop-downs in the extension form of Excel."""
    path = next(p for p in WORKBOOKS if p.name.startswith("HTCDS") and "validation" in p.name)
    _, copy = marked_copy(path)
    pattern = re.compile(rb"<extLst>.*</extLst>", re.S)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy) as new:
        before = pattern.search(old.read("xl/worksheets/sheet1.xml"))
        after = pattern.search(new.read("xl/worksheets/sheet1.xml"))
    assert before is not None
    assert after is not None
    assert before[0] == after[0]
    assert after[0].count(b"<x14:dataValidation ") > 5


@pytest.mark.skipif(not PERU.is_file(), reason=f"{PERU.name} is not there")
def test_the_police_of_peru_reads_what_is_wrong_in_its_own_file(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "office", reference_area="PER", key="demo")
    ws.registry().add_entity("PER-PNP", name="PNP", entity_type="POLICE", reference_area="PER")
    result = check_file(PERU, ws, layout="per_pnp_2017", metadata={"sender": "PER-PNP"})
    written = write_reply(reply_to_check(result, ws), tmp_path / "reply.xlsx", PERU)
    result.close()
    with written.csv.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    said = {row["rule_id"]: row for row in rows}
    assert said["TIP-653"]["title"] == "un año sin todos sus meses"
    assert any(
        row["message"].startswith("both sexes, AÑO 2017: EM_EF_TOTAL es 641, las partes dan 725")
        for row in rows
    )
    sheet = openpyxl.load_workbook(written.workbook, read_only=True).worksheets[2]
    assert sheet.title == "BD_CONSOLIDADO_TRATA"
    assert written.marked == written.cells == len({row["cell"] for row in rows if row["cell"]})
