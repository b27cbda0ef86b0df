"""Two sources on common keys: levels, ages, forms, intervals, verdicts."""

from __future__ import annotations

import json
from collections.abc import Iterator

import duckdb
import pytest
from openpyxl import load_workbook

from reports.reconciliation import write_reconciliation
from tipstat.errors import TipstatError
from tipstat.reconcile import (
    CELL,
    OFFICE_ONLY,
    Reconciliation,
    Scope,
    figures_of_cells,
    indicators,
    reconcile,
)
from tipstat.reconcile_sources import connect, make_cells

TOTAL = {
    "reference_area": "XXA",
    "measure": "VICTIMS_REGISTERED",
    "unit_of_count": "VICTIM_REGISTRATION",
    "cell_nature": "FLOW",
    "period_start": "2023-01-01",
    "period_end": "2023-12-31",
    "area": "_T",
    "area_unit": "_T",
    "legal_article": "_T",
    "status_scope": "REGISTERED",
    "sex": "_T",
    "age_group": "_T",
    "form": "_T",
    "citizenship": "_T",
    "breakdown": "_T",
    "cell_kind": "VALUE",
    "value": None,
    "lower_bound": None,
    "upper_bound": None,
}


def cell(value: float | None, **other: object) -> dict[str, object]:
    return {**TOTAL, "value": value, **other}


def below(limit: int, **other: object) -> dict[str, object]:
    bounds = {"cell_kind": "WITHHELD_AT_SOURCE", "lower_bound": 0, "upper_bound": limit - 1}
    return cell(None, **bounds, **other)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as opened:
        yield opened


def compared(
    connection: duckdb.DuckDBPyConnection,
    a: list[dict[str, object]],
    b: list[dict[str, object]],
    scope: Scope | None = None,
) -> Reconciliation:
    scope = scope or Scope()
    kinds = {"period_start": "date", "period_end": "date"}
    kinds |= dict.fromkeys(("value", "lower_bound", "upper_bound"), "double")
    columns = ", ".join(f"{name} {kinds.get(name, 'varchar')}" for name in CELL)
    for side, rows in (("a", a), ("b", b)):
        connection.execute(f"create or replace temp table sent_{side} ({columns})")
        marks = ", ".join("?" for _ in CELL)
        connection.executemany(
            f"insert into sent_{side} values ({marks})",
            [[row[name] for name in CELL] for row in rows],
        )
        make_cells(connection, side, f"sent_{side}", "aggregate", "XXA")
        figures_of_cells(connection, side, scope)
    return reconcile(connection, scope)


def told(result: Reconciliation, *names: str) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in names) for row in result.rows]


def test_equal_numbers_agree_and_others_differ_with_their_difference(connection):
    a = [cell(7), cell(3, sex="F"), cell(4, sex="M")]
    b = [cell(7), cell(5, sex="F"), cell(4, sex="M")]
    result = compared(connection, a, b)
    assert told(result, "sex", "verdict", "a", "b", "difference") == [
        ("F", "differ", "3", "5", "2"),
        ("M", "agree", "4", "4", "0"),
        ("_T", "agree", "7", "7", "0"),
    ]
    assert result.differs
    assert {row["use"] for row in result.rows} == {OFFICE_ONLY}


@pytest.mark.parametrize(
    ("number", "verdict"), [(0, "compatible"), (4, "compatible"), (5, "differ")]
)
def test_a_number_withheld_at_source_is_an_interval(connection, number, verdict):
    result = compared(connection, [cell(number)], [below(5)])
    assert told(result, "verdict", "b", "difference") == [(verdict, "0 to 4", "")]


def test_intervals_are_added_with_their_bounds(connection):
    months = {"period_start": "2023-02-01", "period_end": "2023-02-28"}
    first = {"period_start": "2023-01-01", "period_end": "2023-01-31"}
    result = compared(connection, [below(5, **first), cell(10, **months)], [cell(12)])
    assert told(result, "verdict", "a") == [("compatible", "10 to 14")]


def test_a_sum_with_a_gap_has_no_upper_bound(connection):
    gap = cell(None, cell_kind="NOT_STATED", area="South")
    result = compared(connection, [cell(10, area="North"), gap], [cell(12)])
    assert told(result, "verdict", "a") == [("compatible", "10 or more")]
    result = compared(connection, [cell(10, area="North"), gap], [cell(9)])
    assert told(result, "verdict", "a") == [("differ", "10 or more")]


def test_cells_that_were_not_collected_are_no_zero(connection):
    result = compared(
        connection,
        [cell(7), cell(None, cell_kind="NOT_COLLECTED", sex="F")],
        [cell(7), cell(5, sex="F")],
    )
    assert told(result, "sex", "verdict", "a") == [("F", "only_b", ""), ("_T", "agree", "7")]


def test_a_total_and_its_parts_are_never_added(connection):
    a = [
        cell(10),
        cell(6, area="North"),
        cell(4, area="South"),
        cell(10, area="_T", period_end="2023-06-30"),
        cell(3, legal_article="XXA-1"),
    ]
    assert told(compared(connection, a, [cell(10)]), "a", "verdict") == [("10", "agree")]


def test_parts_alone_are_added(connection):
    a = [cell(6, area="North", area_unit="one"), cell(4, area="South", area_unit="two")]
    assert told(compared(connection, a, [cell(10)]), "a", "verdict") == [("10", "agree")]


def test_stocks_rates_and_further_breakdowns_are_left_out(connection):
    a = [
        cell(10),
        cell(99, cell_nature="STOCK"),
        cell(1.5, unit_of_count="RATE"),
        cell(4, breakdown="means"),
    ]
    assert told(compared(connection, a, [cell(10)]), "a") == [("10",)]


def test_victims_of_two_status_scopes_or_units_are_never_added(connection):
    a = [cell(10), cell(6, status_scope="FORMAL"), cell(8, unit_of_count="VICTIM")]
    result = compared(connection, a, [cell(8)])
    assert told(result, "a", "verdict") == [("8", "agree")]
    result = compared(connection, a[:2], [cell(10)])
    assert told(result, "a", "verdict") == [("10", "agree")]


BANDS = ("Y0T5", "Y6T11", "Y12T17", "Y18T29", "Y30T59", "Y_GE60")


def test_ages_are_rolled_up_where_bands_nest(connection):
    a = [cell(number, age_group=band) for number, band in enumerate(BANDS, start=1)]
    b = [cell(6, age_group="Y0T17"), cell(15, age_group="Y_GE18")]
    result = compared(connection, a, b)
    assert told(result, "age_group", "verdict", "a", "b", "rolled_up") == [
        ("Y0T17", "agree", "6", "6", "a"),
        ("Y_GE18", "agree", "15", "15", "a"),
    ]


@pytest.mark.parametrize(
    "bands",
    [
        ("Y0T5", "Y12T17"),  # a gap between them
        ("Y0T5", "Y6T11"),  # the last years are missing
        ("Y0T8", "Y6T11", "Y12T17"),  # two of them overlap
    ],
)
def test_bands_that_leave_a_gap_or_overlap_are_not_added(connection, bands):
    a = [cell(1, age_group=band) for band in bands]
    result = compared(connection, a, [cell(3, age_group="Y0T17")])
    assert result.counts["agree"] == 0
    assert ("Y0T17", "only_b") in told(result, "age_group", "verdict")


def test_a_band_beside_its_own_parts_counts_once(connection):
    a = [cell(5, age_group="Y0T14"), cell(1, age_group="Y0T8"), cell(4, age_group="Y9T14")]
    a.append(cell(2, age_group="Y15T17"))
    result = compared(connection, a, [cell(7, age_group="Y0T17")])
    assert ("Y0T17", "agree", "7") in told(result, "age_group", "verdict", "a")


def test_forms_are_brought_together_by_the_map_of_the_country_first(connection):
    a = [cell(5, form="SEX_REMOTE"), cell(2, form="SEX_PRIVATE"), cell(3, form="LAB_NFS")]
    b = [cell(7, form="SEX"), cell(3, form="LAB")]
    general = compared(connection, a, b)
    assert told(general, "form", "verdict") == [("LAB", "agree"), ("SEX", "agree")]
    peru = [{**row, "reference_area": "PER"} for row in (*a, *b)]
    own = compared(connection, peru[:3], peru[3:])
    assert ("OTHER", "only_a") in told(own, "form", "verdict")
    fine = compared(connection, a, b, Scope(forms="fine"))
    assert fine.counts["agree"] == 0


def test_a_form_beside_the_one_it_is_part_of_counts_once(connection):
    a = [cell(7, form="SEX"), cell(5, form="SEX_REMOTE")]
    assert told(compared(connection, a, [cell(7, form="SEX")]), "a", "verdict") == [("7", "agree")]


def test_articles_of_other_law_are_taken_only_where_asked_for(connection):
    a = [cell(9, legal_article="ITPA", measure="PERSONS_CONVICTED", unit_of_count="PERSON")]
    b = [cell(9, measure="PERSONS_CONVICTED", unit_of_count="PERSON")]
    with pytest.raises(TipstatError) as raised:
        compared(connection, a, b)
    assert raised.value.rule == "TIP-742"
    result = compared(connection, a, b, Scope(articles=("ITPA",)))
    assert told(result, "indicator", "verdict") == [("persons_convicted", "agree")]


def test_what_only_one_side_covers_is_counted_and_not_compared(connection):
    b = [cell(7), cell(3, reference_area="XXB"), cell(2, measure="OFFENCES_RECORDED")]
    result = compared(connection, [cell(7)], b)
    assert told(result, "verdict") == [("agree",)]
    assert result.outside == (0, 2)


def test_a_selection_of_areas_and_years_holds_for_both_sides(connection):
    later = {"period_start": "2024-01-01", "period_end": "2024-12-31"}
    a, b = [cell(7), cell(9, **later)], [cell(7), cell(8, **later)]
    assert compared(connection, a, b).counts["differ"] == 1
    assert compared(connection, a, b, Scope(years=(2023, 2023))).counts["differ"] == 0
    with pytest.raises(TipstatError):
        compared(connection, a, b, Scope(areas=("XXB",)))


def test_a_national_measure_counts_as_the_indicator_only_without_the_indicators_own(connection):
    arrested = {"measure": "PERSONS_ARRESTED", "unit_of_count": "PERSON"}
    suspected = {"measure": "PERSONS_SUSPECTED", "unit_of_count": "PERSON"}
    assert indicators()["PERSONS_ARRESTED"] == indicators()["PERSONS_SUSPECTED"]
    both = compared(connection, [cell(5, **arrested), cell(8, **suspected)], [cell(8, **suspected)])
    assert told(both, "a", "verdict") == [("8", "agree")]
    alone = compared(connection, [cell(5, **arrested)], [cell(8, **suspected)])
    assert told(alone, "a", "verdict") == [("5", "differ")]


def test_victims_of_records_are_counted_by_year_sex_and_child_or_adult(connection):
    connection.execute(
        "create temp table victims as select * from (values "
        "('P', 'v1', date '2023-02-01', 'F', 12, null), "
        "('P', 'v1', date '2023-05-01', 'F', 12, null), "
        "('P', 'v2', date '2023-03-01', 'M', 40, null), "
        "('P', 'v3', date '2023-03-01', 'F', null, 'Y0T17')) "
        "as t (reporting_entity, victim_ref, registration_date, sex, age, age_group)"
    )
    make_cells(connection, "a", "victims", "police", "XXA")
    figures_of_cells(connection, "a", Scope())
    rows = connection.execute("select sex, age_group, lower from figures_a order by all").fetchall()
    assert ("_T", "_T", 3.0) in rows
    assert ("F", "_T", 2.0) in rows
    assert ("_T", "Y0T17", 2.0) in rows
    assert ("M", "Y_GE18", 1.0) in rows


@pytest.mark.parametrize("ending", [".csv", ".json", ".xlsx"])
def test_files_hold_every_cell_and_say_that_they_are_for_the_office(connection, tmp_path, ending):
    result = compared(connection, [cell(7)], [cell(8)])
    path = tmp_path / f"compared{ending}"
    write_reconciliation(result, ["one", "two"], path)
    if ending == ".xlsx":
        book = load_workbook(path)
        text = str([row for sheet in book for row in sheet.iter_rows(values_only=True)])
    else:
        text = path.read_text(encoding="utf-8")
    assert OFFICE_ONLY in text
    assert "differ" in text
    if ending == ".json":
        assert json.loads(text)["counts"]["differ"] == 1


def test_a_file_of_another_ending_is_refused(connection, tmp_path):
    result = compared(connection, [cell(7)], [cell(7)])
    with pytest.raises(TipstatError) as raised:
        write_reconciliation(result, ["one", "two"], tmp_path / "compared.pdf")
    assert raised.value.rule == "TIP-703"
