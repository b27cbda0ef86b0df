"""SDMX-CSV is an aggregate return: concepts are variables of cells, unknown ones are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from check_returns import CONTEXT, METADATA

from loaders.check import check_with
from loaders.read import read_source
from loaders.returned import Returned
from loaders.sdmx_csv import is_sdmx_csv, sdmx_returned
from tipstat.errors import ReturnRefused

ONE = (
    "DATAFLOW,REF_AREA,MEASURE,UNIT_OF_COUNT,SEX,AGE,TIME_PERIOD,OBS_VALUE,OBS_STATUS\n"
    "XX:TIP(1.0),XXA,VICTIMS_REGISTERED,VICTIM_REGISTRATION,F,_T,2022,12,A\n"
    "XX:TIP(1.0),XXA,VICTIMS_REGISTERED,VICTIM_REGISTRATION,M,_T,2022,,Q\n"
    "XX:TIP(1.0),XXA,VICTIMS_REGISTERED,VICTIM_REGISTRATION,_T,_T,2023-Q2,0,A\n"
)
TWO = (
    "STRUCTURE,STRUCTURE_ID,ACTION,REF_AREA: Area,MEASURE: Measure,SEX: Sex,TIME_PERIOD: Time,"
    "OBS_VALUE,CONF_STATUS\n"
    "dataflow,XX:TIP(1.0),I,XXA: Country A,VICTIMS_REGISTERED: Victims,F: Female,2022-07,12,F\n"
    "dataflow,XX:TIP(1.0),I,XXA: Country A,VICTIMS_REGISTERED: Victims,M: Male,2022-07,,C\n"
)


def read(folder: Path, text: str) -> Returned:
    path = folder / "cells.csv"
    path.write_text(text, encoding="utf-8")
    source = read_source(path)
    assert is_sdmx_csv(source)
    return sdmx_returned(source)


def column(result: Returned, name: str) -> list[str | None]:
    return result.tables[0].table.column(name).to_pylist()


def test_version_1_is_read_as_cells_with_their_periods(tmp_path):
    result = read(tmp_path, ONE)
    assert column(result, "sex") == ["F", "M", "_T"]
    assert column(result, "period_start") == ["2022-01-01", "2022-01-01", "2023-04-01"]
    assert column(result, "period_end") == ["2022-12-31", "2022-12-31", "2023-06-30"]
    assert column(result, "value") == ["12", None, "0"]
    assert column(result, "cell_kind") == [None, "WITHHELD_AT_SOURCE", None]
    assert result.kind == "aggregate"
    assert result.metadata == {
        "reference_area": "XXA", "period_start": "2022-01-01", "period_end": "2023-06-30",
    }  # fmt: skip


def test_version_2_with_labels_is_read_as_codes(tmp_path):
    result = read(tmp_path, TWO)
    assert column(result, "sex") == ["F", "M"]
    assert column(result, "measure") == ["VICTIMS_REGISTERED"] * 2
    assert column(result, "period_end") == ["2022-07-31"] * 2
    assert column(result, "cell_kind") == [None, "WITHHELD_AT_SOURCE"]


def test_cells_point_at_their_columns(tmp_path):
    record = read(tmp_path, ONE).tables[0]
    assert record.columns["sex"] == "E"
    assert record.columns["period_start"] == record.columns["period_end"] == "G"
    assert record.table["_row"].to_pylist() == [2, 3, 4]


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        ("2024", "2024-01-01", "2024-12-31"), ("2024-A1", "2024-01-01", "2024-12-31"),
        ("2024-S2", "2024-07-01", "2024-12-31"), ("2024-T3", "2024-09-01", "2024-12-31"),
        ("2024-Q1", "2024-01-01", "2024-03-31"), ("2024-02", "2024-02-01", "2024-02-29"),
        ("2024-M12", "2024-12-01", "2024-12-31"), ("2024-05-06", "2024-05-06", "2024-05-06"),
        ("2024-05-01/2025-04-30", "2024-05-01", "2025-04-30"), ("soon", "soon", "soon"),
    ],
)  # fmt: skip
def test_periods_are_their_first_and_last_day(tmp_path, period, start, end):
    result = read(tmp_path, ONE.replace("2022", period))
    assert (column(result, "period_start")[0], column(result, "period_end")[0]) == (start, end)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("SEX", "SHOE_SIZE", "columns SHOE_SIZE"),
        ("AGE", "AGE_GROUP,AGE", "columns AGE"),
        ("OBS_VALUE", "OBS_NOTHING", "OBS_NOTHING"),
        ("TIME_PERIOD", "FREQ", "no column TIME_PERIOD"),
    ],
)
def test_a_column_that_is_no_variable_of_a_cell_is_refused_and_listed(tmp_path, old, new, says):
    with pytest.raises(ReturnRefused, match="TIP-165") as caught:
        read(tmp_path, ONE.replace(old, new))
    assert says in caught.value.found


@pytest.mark.parametrize(("old", "new"), [(",I,", ",D,"), ("ACTION", "UNIT_MULT")])
def test_rows_that_delete_or_are_multiples_are_refused(tmp_path, old, new):
    text = TWO.replace(old, new)
    text = text.replace(",I,", ",3,") if new == "UNIT_MULT" else text
    with pytest.raises(ReturnRefused, match="TIP-165"):
        read(tmp_path, text)


def test_a_sound_table_breaks_no_rule(tmp_path):
    result = read(tmp_path, ONE.replace("2023-Q2", "2022"))
    result.metadata.update(METADATA, period_start="2022-01-01", period_end="2022-12-31",
                           extraction_date="2023-02-01")  # fmt: skip
    with_findings = check_with(result, CONTEXT, "cells.csv")
    assert [f.rule_id for f in with_findings.findings() if f.severity != "note"] == []
    assert with_findings.records == {"cell": 3}


def test_any_other_text_is_no_sdmx_csv(tmp_path):
    (tmp_path / "a.csv").write_text("sex,age\nF,1\n")
    assert not is_sdmx_csv(read_source(tmp_path / "a.csv"))
