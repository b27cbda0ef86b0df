"""A layout fits its file in every format of its family, and says how dates and numbers stand."""

from __future__ import annotations

import copy
import zipfile
from pathlib import Path

import pytest
import yaml
from check_returns import CONTEXT
from odd_files import Page, ods, xls, xlsb
from test_layout import HEADER, ROWS, values
from test_layout_file import CELLS

from loaders.check import check_with
from loaders.layout import Layout, apply_layout, load_layout
from loaders.read import read_source
from loaders.returned import Returned
from tipstat.errors import TipstatError

SHEET = Page("Data", [HEADER, *[[value or None for value in row] for row in ROWS]])


def layout(folder: Path, **file: str) -> Layout:
    content = copy.deepcopy(CELLS)
    content["file"] = {**content["file"], **file}
    path = folder / "cells.yml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return load_layout(path)


def text(folder: Path, rows: list[list[str]]) -> Path:
    path = folder / "return.csv"
    path.write_text("".join(";".join(row) + "\n" for row in rows), encoding="utf-8")
    return path


def as_sent(returned: Returned) -> list[tuple[object, ...]]:
    return values(returned, "area", "value")


@pytest.mark.parametrize("writer", [xls, xlsb, ods])
def test_a_layout_of_a_workbook_fits_every_format_of_workbook(tmp_path, writer):
    chosen = layout(tmp_path, format="xlsx")
    source = read_source(writer(tmp_path / f"a.{writer.__name__}", SHEET))
    found = as_sent(apply_layout(chosen, source))
    expected = apply_layout(layout(tmp_path), read_source(text(tmp_path, [HEADER, *ROWS])))
    assert found == as_sent(expected)
    with pytest.raises(TipstatError, match="TIP-126"):
        apply_layout(layout(tmp_path, format="csv"), source)


def test_a_layout_of_a_table_fits_it_in_a_zip(tmp_path):
    path = text(tmp_path, [HEADER, *ROWS])
    with zipfile.ZipFile(tmp_path / "return.zip", "w") as archive:
        archive.write(path, "data/return.csv")
    chosen = layout(tmp_path)
    there, here = (read_source(one) for one in (tmp_path / "return.zip", path))
    assert as_sent(apply_layout(chosen, there)) == as_sent(apply_layout(chosen, here))


@pytest.mark.parametrize(("sign", "read"), [(",", 1234.0), (".", 1.23)])
def test_a_layout_says_the_decimal_sign(tmp_path, sign, read):
    rows = [["North", "2023", "T", "1.23" if sign == "." else "1.234", "x"]]
    source = read_source(text(tmp_path, [HEADER, *rows]))
    returned = apply_layout(layout(tmp_path, decimal_sign=sign), source)
    assert returned.decimal_sign == sign
    checked = check_with(returned, CONTEXT, "return.csv")
    found = checked.connection.execute('select value from "rec_cell"').fetchall()
    assert [float(value) for (value,) in found] == [read]
    assert "TIP-163" not in {finding.rule_id for finding in checked.findings()}


@pytest.mark.parametrize(("key", "value"), [("date_order", "ymd"), ("decimal_sign", ";")])
def test_another_order_or_sign_is_refused(tmp_path, key, value):
    with pytest.raises(TipstatError, match="TIP-120") as caught:
        layout(tmp_path, **{key: value})
    assert f"file.{key}" in str(caught.value)


def test_a_layout_says_the_order_of_dates(tmp_path):
    source = read_source(text(tmp_path, [HEADER, *ROWS]))
    assert apply_layout(layout(tmp_path, date_order="mdy"), source).date_order == "mdy"
