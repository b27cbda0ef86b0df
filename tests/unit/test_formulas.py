"""Nothing that tipstat writes is computed by a spreadsheet that opens it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import duckdb
import openpyxl
import pytest
from click.testing import CliRunner

from loaders.templates import write_template
from tipstat.cli.common import emit
from tipstat.formulas import neutral, neutral_sql

EVIL = ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1+1", "\r=1+1", "\n=1", "＝1+1")


@pytest.mark.parametrize("text", EVIL)
def test_a_text_that_would_be_a_formula_is_none_in_python_and_in_the_engine(text):
    assert neutral(text) == f"'{text}"
    with duckdb.connect() as con:
        found = con.execute(f"select {neutral_sql('sent')} from (select ? as sent)", [text])
        assert found.fetchall() == [(f"'{text}",)]


@pytest.mark.parametrize("text", ["", "F", "a=b", "12", "'=1", "2024-01-01"])
def test_any_other_text_stays(text):
    assert neutral(text) == text


def test_every_list_printed_as_csv_is_without_formulas_and_numbers_stay_numbers(capsys):
    emit(
        [{"name": "=1+1", "n": -5, "share": -0.5, "none": None}],
        ("name", "n", "share", "none"),
        "csv",
    )
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row == {"name": "'=1+1", "n": "-5", "share": "-0.5", "none": ""}


@pytest.mark.parametrize("text", EVIL[:4])
def test_a_text_in_a_standard_workbook_is_no_formula(tmp_path: Path, text):
    victim = {"event_ref": "1", "victim_ref": text, "sex": "F"}
    write_template("police", "en", tmp_path / "a.xlsx", rows={"victim": [victim]})
    cells = [
        cell
        for sheet in openpyxl.load_workbook(tmp_path / "a.xlsx")
        for line in sheet.iter_rows()
        for cell in line
        if cell.value == text
    ]
    assert cells
    assert {cell.data_type for cell in cells} == {"s"}


def test_the_findings_of_a_check_hold_no_formula(tmp_path: Path):
    from tipstat.cli.main import cli

    office = tmp_path / "office"
    runner = CliRunner()
    assert runner.invoke(cli, ["init", str(office), "--key", "demo"]).exit_code == 0
    folder = tmp_path / "return"
    folder.mkdir()
    (folder / "metadata.csv").write_text("variable,value\nkind,police\nmaturity,=1+1\n")
    (folder / "event.csv").write_text("event_ref,event_status\nE1,=cmd()\n")
    shown = runner.invoke(cli, ["-w", str(office), "check", str(folder), "--format", "csv"])
    rows = list(csv.DictReader(io.StringIO(shown.stdout)))
    assert {"'=cmd()"} <= {row["value"] for row in rows}
    assert not [v for row in rows for v in row.values() if v and v[0] in "=+-@"]
