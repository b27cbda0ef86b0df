from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from conftest import KINDS, VINTAGE

from reports.export import export
from reports.indicators import COLUMNS, Selection, parse_years, select, to_frame
from tipstat.cli.main import cli
from tipstat.errors import UsageError, WorkplaceError
from tipstat.formulas import neutral

PERU = Selection(reference_area=("PER",))


def test_without_named_breakdowns_only_totals_and_one_way_cells_are_shown(warehouse):
    rows = select(warehouse, Selection(indicator=("victims_registered",)))
    off_total = {
        sum(row[name] != "_T" for name in ("sex", "age", "form", "citizenship", "breakdown"))
        for row in rows
    }
    assert off_total == {0, 1}


def test_a_named_breakdown_holds_the_others_at_their_total(warehouse):
    rows = select(warehouse, Selection(indicator=("victims_registered",), sex=("F", "M")))
    assert {row["sex"] for row in rows} == {"F", "M"}
    assert {row["age"] for row in rows} == {"_T"}


def test_two_named_breakdowns_are_crossed(warehouse):
    rows = select(
        warehouse,
        Selection(indicator=("victims_registered",), sex=("F",), age=("Y0T17",), years=("2023",)),
    )
    assert [(row["sex"], row["age"]) for row in rows] == [("F", "Y0T17")] * 2


def test_years_are_single_or_ranges():
    assert parse_years(["2019", "2021:2022"]) == ("2019", "2021", "2022")


@pytest.mark.parametrize("text", ["19", "2022:2019", "2019-2022", "2019:2022; drop table x"])
def test_years_not_understood_are_refused(text):
    with pytest.raises(UsageError) as refusal:
        parse_years([text])
    assert refusal.value.rule == "TIP-702"


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ({"indicator": ("victims_registred",)}, "victims_registered"),
        ({"sex": ("femal",)}, '"female" → F'),
        ({"reference_area": ("Perou",)}, '"peru" → PER'),
        ({"source_type": ("polise",)}, "police"),
    ],
)
def test_an_unknown_value_is_refused_with_the_nearest(warehouse, given, nearest):
    with pytest.raises(UsageError) as refusal:
        select(warehouse, Selection(**given))
    assert refusal.value.rule == "TIP-701"
    assert refusal.value.nearest == nearest
    assert "found" in refusal.value.render()


def test_of_an_unknown_indicator_the_indicators_are_listed_and_nothing_else(warehouse):
    with pytest.raises(UsageError) as refusal:
        select(warehouse, Selection(indicator=("victms",)))
    listed = refusal.value.expected.split(", ")
    assert {"victims_registered", "persons_tried"} <= set(listed)
    assert not [code for code in listed if code.startswith("_") or code == "..."]
    assert refusal.value.where == "INDICATOR"


def test_a_code_may_be_written_in_any_case(warehouse):
    assert select(warehouse, Selection(reference_area=("per",), sex=("_t",)))


def test_a_known_code_without_figures_gives_no_rows(warehouse):
    assert select(warehouse, Selection(reference_area=("NLD",))) == []


def test_text_of_a_user_is_never_sql(warehouse):
    with pytest.raises(UsageError):
        select(warehouse, Selection(sex=("F') or true --",)))


def test_headline_leaves_only_the_authoritative_source(warehouse):
    rows = select(
        warehouse, Selection(indicator=("victims_registered",), headline=True, sex=("all",))
    )
    assert {row["source_type"] for row in rows} == {"police"}


def test_labels_stand_beside_codes_in_the_language_asked(warehouse):
    rows = select(warehouse, Selection(sex=("F",), years=("2023",)), "es")
    assert {row["sex_label"] for row in rows} == {"Femenino"}
    assert rows[0]["indicator_label"] != rows[0]["indicator"]


def test_a_frame_has_the_columns_of_an_export(warehouse):
    frame = to_frame(warehouse, PERU)
    assert tuple(frame.columns) == COLUMNS
    assert frame["value"].isna().sum() == 7


def _kinds_in(path: Path) -> dict[str, object]:
    if path.suffix == ".json":
        rows = json.loads(path.read_text(encoding="utf-8"))["figures"]
    elif path.suffix == ".parquet":
        rows = pq.read_table(path).to_pylist()
    elif path.suffix == ".xlsx":
        sheet = openpyxl.load_workbook(path).worksheets[0]
        head, *body = sheet.iter_rows(values_only=True)
        rows = [dict(zip(head, row, strict=True)) for row in body]
    else:
        import csv

        with path.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
    return {row["cell_kind"]: row for row in rows if row["form"] != "_T"}


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet", ".xlsx"])
def test_the_nine_kinds_of_cell_survive_every_format(warehouse, tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    assert export(warehouse, PERU, path) == 10
    found = _kinds_in(path)
    assert set(found) == set(KINDS)
    with_number = {kind for kind, row in found.items() if row["value"] not in (None, "")}
    assert with_number == {"VALUE", "TRUE_ZERO"}
    withheld = found["WITHHELD_AT_SOURCE"]
    assert [float(withheld[end]) for end in ("lower_bound", "upper_bound")] == [0.0, 4.0]
    assert found["VALUE"]["confidentiality_status"] == "N"


def test_equal_input_gives_equal_bytes_of_csv(warehouse, tmp_path):
    for name in ("a.csv", "b.csv"):
        export(warehouse, Selection(), tmp_path / name)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_counts_in_csv_have_no_decimals(warehouse, tmp_path):
    export(warehouse, PERU, tmp_path / "a.csv")
    assert ",900," in (tmp_path / "a.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_a_text_that_looks_like_a_formula_is_neutralised(start):
    assert neutral(f"{start}1") == f"'{start}1"
    assert neutral("1") == "1"


def test_no_cell_of_a_csv_begins_like_a_formula(warehouse, tmp_path):
    export(warehouse, PERU, tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_text(encoding="utf-8")
    assert "'=HYPERLINK(0)" in text
    assert ",=HYPERLINK" not in text


def test_an_xlsx_export_holds_formula_like_text_as_text(warehouse, tmp_path):
    export(warehouse, PERU, tmp_path / "a.xlsx")
    cells = [c for row in openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0] for c in row]
    assert not [cell for cell in cells if cell.data_type == "f"]


def test_another_ending_is_refused(warehouse, tmp_path):
    with pytest.raises(UsageError) as refusal:
        export(warehouse, PERU, tmp_path / "a.ods")
    assert refusal.value.rule == "TIP-703"


def test_an_output_that_cannot_be_written_is_refused_and_leaves_nothing(warehouse, tmp_path):
    (tmp_path / "taken.csv").mkdir()
    with pytest.raises(WorkplaceError) as refusal:
        export(warehouse, PERU, tmp_path / "taken.csv")
    assert refusal.value.rule == "TIP-704"
    assert [path.name for path in tmp_path.iterdir()] == ["taken.csv"]


def test_the_command_ends_with_vintage_and_restricted_use(ws):
    done = CliRunner().invoke(cli, ["-w", str(ws.root), "indicators", "--area", "PER"])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == (
        f"Vintage {VINTAGE}: unprotected figures, restricted use"
    )
    assert "Return not received" in done.output


def test_ratios_are_printed_with_two_decimals_under_ten_and_one_above(ws):
    done = CliRunner().invoke(
        cli, ["-w", str(ws.root), "indicators", "justice_ratio", "--breakdown", "RATIO"]
    )
    assert done.exit_code == 0, done.output
    assert {"12.3", "1.00"} <= set(done.output.split())
    assert "12.345" not in done.output


def test_a_breakdown_that_is_known_but_has_no_figures_gives_no_rows(warehouse):
    assert select(warehouse, Selection(breakdown=("isic",))) == []
    with pytest.raises(UsageError) as refusal:
        select(warehouse, Selection(breakdown=("outcomes",)))
    assert refusal.value.nearest == "outcome"


def test_the_command_writes_csv_that_a_machine_can_read(ws):
    done = CliRunner().invoke(
        cli, ["-w", str(ws.root), "indicators", "--area", "PER,XXA", "--format", "csv"]
    )
    lines = done.stdout.splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert "restricted use" not in done.stdout
    assert "restricted use" in done.stderr


@pytest.mark.parametrize("fmt", ["table", "csv", "json"])
def test_printing_imports_neither_pandas_nor_dbt_nor_alembic(ws, fmt):
    program = (
        "import sys; from tipstat.cli.main import cli; "
        f"cli.main(['-w', {str(ws.root)!r}, 'indicators', '--format', {fmt!r}], "
        "standalone_mode=False); "
        "sys.exit(','.join(sorted({'pandas', 'dbt', 'alembic'} & set(sys.modules))) or None)"
    )
    done = subprocess.run(  # a fresh interpreter: others have imported what this must not
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-300:]
