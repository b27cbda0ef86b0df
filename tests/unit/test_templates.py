"""The standard workbooks: written, looked at, filled in, spoilt, and read back."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.workbook import Workbook

from loaders.read import read_source
from loaders.returned import Returned
from loaders.template_texts import record_type_label, texts
from loaders.template_workbook import (
    OFFERED_MISSING,
    list_of,
    missing_words,
    shown_values,
)
from loaders.templates import TEMPLATE_VERSION, recognise, returned, write_template
from tipstat.cli.template import template
from tipstat.contract import RecordType, load_contract
from tipstat.project import examples_dir
from tipstat.rules import all_rules

KINDS = ("police", "court", "service", "aggregate")
LANGUAGES = ("en", "es", "fr")
Spoil = Callable[[Workbook], None]


def read_back(path: Path) -> Returned:
    source = read_source(path)
    info = recognise(source)
    assert info is not None
    return returned(source, info)


def refusals(result: Returned) -> list[str]:
    return [f.rule_id for f in result.findings if f.severity == "refusal"]


def as_codes(record_type: RecordType, language: str, row: dict[str, object]) -> dict[str, str]:
    """Labels of a row turned back into codes, blanks left out."""
    found = {}
    for variable in record_type.variables:
        value = row.get(variable.name)
        if value in (None, ""):
            continue
        name = list_of(variable, "XXA")
        shown = {}
        if variable.type == "code" and name:
            codes = {**shown_values(name, language), **missing_words(language)}
            shown = {label: code for code, label in codes.items()}
        parts = str(value).split(";") if variable.multi else [str(value)]
        kept = [part.strip() for part in parts] if variable.type == "code" else parts
        found[variable.name] = ";".join(shown.get(part, part) for part in kept)
    return found


def records(result: Returned, record_type: RecordType) -> list[dict[str, str]]:
    tables = [t for t in result.tables if t.record_type == record_type.name]
    rows = tables[0].table.to_pylist() if tables else []
    return [as_codes(record_type, result.language, row) for row in rows]


@pytest.fixture
def spoilt(tmp_path: Path) -> Callable[[Spoil], Returned]:
    """A police workbook with one victim, changed by hand and read back."""

    def make(change: Spoil) -> Returned:
        path = tmp_path / "return.xlsx"
        victim = {"event_ref": "1", "victim_ref": "007", "sex": "F", "age": "17"}
        write_template("police", "en", path, rows={"victim": [victim]})
        book = openpyxl.load_workbook(path)
        change(book)
        book.save(path)
        return read_back(path)

    return make


# ── what is written ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_workbook_reads_back_without_records_and_without_refusal(
    kind: str, language: str, tmp_path: Path
) -> None:
    path = tmp_path / "empty.xlsx"
    write_template(kind, language, path, reference_area="XXA")
    result = read_back(path)
    assert (result.kind, result.language, result.tables) == (kind, language, ())
    assert result.findings == ()
    assert list(result.metadata) == ["reference_area"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_coded_column_has_a_drop_down_with_labels_of_the_language(
    kind: str, language: str, tmp_path: Path
) -> None:
    path = tmp_path / "empty.xlsx"
    write_template(kind, language, path, reference_area="XXA")
    book = openpyxl.load_workbook(path)
    for record_type in load_contract().of_kind(kind):
        sheet = book[record_type_label(record_type.name, language)]
        offered = {
            str(r).split(":")[0]: rule
            for rule in sheet.data_validations.dataValidation
            for r in rule.sqref.ranges
        }
        for number, variable in enumerate(record_type.variables, start=1):
            name = list_of(variable, "XXA")
            if variable.type == "code" and name:
                rule = offered[sheet.cell(3, number).coordinate]
                assert rule.formula1 == f"list_{name}"
                assert rule.showErrorMessage is not variable.multi
                place = book.defined_names[f"list_{name}"].attr_text.split("!")[1]
                values = [row[0].value for row in book["_lists"][place.replace("$", "")]]
                expected = {**shown_values(name, language), **missing_words(language)}
                assert values == list(expected.values())


def test_the_sheets_are_ready_to_fill_in(tmp_path: Path) -> None:
    path = tmp_path / "police.xlsx"
    write_template("police", "en", path)
    book = openpyxl.load_workbook(path)
    sheet = book["Victim"]
    headings = {sheet.cell(1, n).value: sheet.cell(2, n) for n in range(1, sheet.max_column + 1)}
    assert sheet.row_dimensions[1].hidden
    assert sheet.freeze_panes == "A3"
    assert headings["sex"].value == "Sex *"
    assert headings["birth_date"].value.endswith("(optional)")
    assert "Sex of the victim" in headings["sex"].comment.text
    assert sheet.column_dimensions["B"].width > 10
    assert book["_lists"].sheet_state == "hidden"
    assert book["_tipstat"].sheet_state == "veryHidden"


def test_sheet_names_are_short_and_distinct_in_every_language() -> None:
    for kind in KINDS:
        names = ["metadata", *(rt.name for rt in load_contract().of_kind(kind))]
        for language in LANGUAGES:
            labels = [record_type_label(name, language) for name in names]
            labels.append(texts(language)["sheet"])
            assert len({label.casefold() for label in labels}) == len(labels)
            assert all(0 < len(label) <= 31 for label in labels)


def test_a_label_names_one_record_type_of_a_kind_whatever_its_language() -> None:
    for kind in KINDS:
        meant: dict[str, str] = {}
        for name in ("metadata", *(rt.name for rt in load_contract().of_kind(kind))):
            for language in LANGUAGES:
                label = record_type_label(name, language).casefold()
                assert meant.setdefault(label, name) == name


def test_every_text_and_definition_is_there_in_every_language() -> None:
    english = texts("en").keys()
    definitions = {
        v.definition for rt in load_contract().record_types.values() for v in rt.variables
    }
    for language in ("es", "fr"):
        assert not english - texts(language).keys()
        assert not definitions - texts(language).keys()
        assert all(texts(language).values())


# ── what is filled in ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["police", "court", "service"])
def test_the_sample_country_comes_back_record_by_record(
    kind: str, language: str, tmp_path: Path
) -> None:
    folder = examples_dir() / "sample_country" / kind
    rows = {}
    for record_type in load_contract().of_kind(kind):
        with (folder / f"{record_type.name}.csv").open(encoding="utf-8", newline="") as handle:
            rows[record_type.name] = list(csv.DictReader(handle))
    path = tmp_path / "filled.xlsx"
    write_template(kind, language, path, reference_area="XXA", rows=rows)
    result = read_back(path)
    assert result.findings == ()
    for record_type in load_contract().of_kind(kind):
        sent = [as_codes(record_type, language, dict(row)) for row in rows[record_type.name]]
        assert records(result, record_type) == sent


def _values(record_type: RecordType) -> st.SearchStrategy[dict[str, str]]:
    """Records of a type: codes of its lists, dates, numbers, and any text in references."""
    printable = st.characters(exclude_categories=("C", "Z"), exclude_characters=";_")
    text = st.text(printable, min_size=1, max_size=12) | st.from_regex(
        r"0[0-9]{3,9}", fullmatch=True
    )
    day = st.dates(dt.date(1900, 3, 2), dt.date(2099, 12, 31)).map(dt.date.isoformat)
    number = st.integers(0, 10**9).map(str)
    strategies: dict[str, st.SearchStrategy[str]] = {}
    for variable in record_type.variables:
        name = list_of(variable, "XXA")
        if variable.type == "code" and name:
            codes = st.sampled_from([*shown_values(name, "en"), *OFFERED_MISSING])
            several = st.lists(codes, min_size=1, max_size=3, unique=True).map(";".join)
            strategies[variable.name] = several if variable.multi else codes
        elif variable.type in ("date", "birth_date"):
            strategies[variable.name] = day
        elif variable.type in ("integer", "decimal"):
            strategies[variable.name] = number
        else:
            strategies[variable.name] = text
    return st.fixed_dictionaries({}, optional=strategies).filter(bool)


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_whatever_is_written_is_what_is_read(
    language: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    record_type = data.draw(st.sampled_from(load_contract().of_kind(kind)))
    rows = data.draw(st.lists(_values(record_type), min_size=1, max_size=4))
    path = tmp_path_factory.mktemp("filled") / "filled.xlsx"
    write_template(kind, language, path, reference_area="XXA", rows={record_type.name: rows})
    assert records(read_back(path), record_type) == rows


def test_a_column_in_which_nothing_is_written_counts_as_not_sent(
    spoilt: Callable[[Spoil], Returned],
) -> None:
    (table,) = spoilt(lambda book: None).tables
    assert {"victim_ref", "sex", "citizenship"} <= set(table.columns)
    assert "age_basis" not in table.columns
    assert table.columns["victim_ref"] == "C"
    assert table.table.column("victim_ref").to_pylist() == ["007"]
    assert table.table.column("_row").to_pylist() == [3]


def test_metadata_comes_back_with_its_cells(tmp_path: Path) -> None:
    path = tmp_path / "court.xlsx"
    values = {"sender": "XXA-COURT", "period_start": "2024-01-01", "maturity": "FINAL"}
    write_template("court", "fr", path, metadata=values)
    result = read_back(path)
    assert result.metadata["sender"] == "XXA-COURT"
    assert result.metadata["period_start"] == "2024-01-01"
    assert result.metadata["maturity"] == shown_values("maturity", "fr")["FINAL"]
    assert result.metadata_cells["sender"] == ("Métadonnées", "B2")
    assert result.metadata_cells["reference_area"] == ("Métadonnées", "B3")
    assert "reference_area" not in result.metadata, "a blank item has its cell"


# ── what goes wrong ───────────────────────────────────────────────────────────────────────────


def test_without_the_hidden_row_the_labels_are_enough(
    spoilt: Callable[[Spoil], Returned],
) -> None:
    result = spoilt(lambda book: book["Victim"].delete_rows(1))
    (table,) = result.tables
    assert table.table.column("victim_ref").to_pylist() == ["007"]
    assert refusals(result) == []


def test_a_renamed_sheet_is_known_by_its_hidden_row(
    spoilt: Callable[[Spoil], Returned],
) -> None:
    def rename(book: Workbook) -> None:
        book["Victim"].title = "Hoja 4"

    (table,) = spoilt(rename).tables
    assert table.record_type == "victim"


def test_an_added_column_is_refused_by_its_heading(
    spoilt: Callable[[Spoil], Returned],
) -> None:
    def add(book: Workbook) -> None:
        sheet = book["Victim"]
        sheet.cell(2, sheet.max_column + 1).value = "Shoe size"

    result = spoilt(add)
    assert refusals(result) == ["TIP-140"]
    assert "Shoe size" in result.findings[0].message
    assert result.findings[0].cell == f"{result.findings[0].column_letter}2"


def test_a_doubled_column_is_refused(spoilt: Callable[[Spoil], Returned]) -> None:
    def double(book: Workbook) -> None:
        sheet = book["Victim"]
        sheet.cell(1, sheet.max_column + 1).value = "sex"

    result = spoilt(double)
    assert refusals(result) == ["TIP-143"]
    assert result.findings[0].variable == "sex"


def test_a_missing_sheet_is_noted_and_an_extra_one_ignored(
    spoilt: Callable[[Spoil], Returned],
) -> None:
    def change(book: Workbook) -> None:
        del book["Relationship"]
        book.create_sheet("Notes to self")["A1"] = "call back"

    result = spoilt(change)
    assert [(f.rule_id, f.severity) for f in result.findings] == [
        ("TIP-958", "note"),
        ("TIP-959", "note"),
    ]


def test_rows_that_are_only_formatted_are_no_records(
    spoilt: Callable[[Spoil], Returned],
) -> None:
    def paint(book: Workbook) -> None:
        for line in range(4, 60):
            book["Victim"].cell(line, 2).font = openpyxl.styles.Font(bold=True)
            book["Victim"].cell(line, 3).value = "  "

    (table,) = spoilt(paint).tables
    assert table.table.num_rows == 1


def test_an_error_in_a_cell_is_no_blank(spoilt: Callable[[Spoil], Returned]) -> None:
    def break_formula(book: Workbook) -> None:
        book["Victim"]["K3"] = "#REF!"
        book["Victim"]["K3"].data_type = "e"

    (table,) = spoilt(break_formula).tables
    assert [name for name, letter in table.columns.items() if letter == "K"] == ["age_group"]
    assert table.table.column("age_group").to_pylist() == ["#REF!"]


@pytest.mark.parametrize(
    ("line", "value"), [(4, TEMPLATE_VERSION - 1), (4, TEMPLATE_VERSION + 1), (5, 99)]
)
def test_a_workbook_of_another_version_is_refused_and_the_version_named(
    spoilt: Callable[[Spoil], Returned], line: int, value: int
) -> None:
    def age(book: Workbook) -> None:
        book["_tipstat"].cell(line, 2).value = str(value)

    result = spoilt(age)
    assert refusals(result) == ["TIP-952"]
    assert f"version {value}" in result.findings[0].message
    assert result.tables == ()


def test_a_workbook_of_the_first_contract_is_read_without_what_came_later(
    spoilt: Callable[[Spoil], Returned],
) -> None:
    def make_older(book: Workbook) -> None:
        book["_tipstat"].cell(5, 2).value = "1"
        for record_type in load_contract().of_kind("police"):
            sheet = book[record_type_label(record_type.name, "en")]
            kept = sum(variable.since == 1 for variable in record_type.variables)
            sheet.delete_cols(kept + 1, len(record_type.variables) - kept)

    result = spoilt(make_older)
    assert [finding.rule_id for finding in result.findings] == ["TIP-953"]
    (table,) = result.tables
    assert table.table.column("sex").to_pylist() == ["Female"]
    assert "control" not in table.table.column_names


def test_a_workbook_of_another_kind_under_this_marker_is_refused(
    spoilt: Callable[[Spoil], Returned],
) -> None:
    def relabel(book: Workbook) -> None:
        book["_tipstat"].cell(2, 2).value = "aggregate"

    assert "TIP-954" in refusals(spoilt(relabel))


def test_a_foreign_workbook_is_not_recognised(tmp_path: Path) -> None:
    path = tmp_path / "foreign.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["sex", "age"])
    book.save(path)
    assert recognise(read_source(path)) is None


def test_every_rule_of_the_templates_is_in_the_catalogue() -> None:
    used = {"TIP-952", "TIP-953", "TIP-954", "TIP-958", "TIP-959", "TIP-960", "TIP-961"}
    assert used <= set(all_rules())


# ── the command ───────────────────────────────────────────────────────────────────────────────


def test_the_command_replaces_a_file_only_when_forced(tmp_path: Path) -> None:
    path = tmp_path / "police.xlsx"
    arguments = ["police", "--lang", "es", "-o", str(path)]
    assert CliRunner().invoke(template, arguments).exit_code == 0
    again = CliRunner().invoke(template, arguments)
    assert getattr(again.exception, "rule", "") == "TIP-960"
    assert CliRunner().invoke(template, [*arguments, "--force"]).exit_code == 0
