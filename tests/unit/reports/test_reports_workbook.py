from __future__ import annotations

import re
import zipfile
from functools import cache
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner
from conftest import POPULATION
from openpyxl.workbook import Workbook as Opened

from reports.iccs import write_iccs_report
from reports.indicators import Selection
from reports.sheets import Block, Book, Column, Table
from reports.tables import LADDER, WORKBOOK, charts, figures, pivot, rectangle, spans
from reports.texts import LANGUAGES, texts
from reports.workbook import write_workbook
from tipstat.cli.main import cli
from tipstat.errors import UsageError, WorkplaceError

WORDS = texts("en")


@cache
def opened(path: Path) -> Opened:
    return openpyxl.load_workbook(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, ws) -> Path:
    made = tmp_path_factory.mktemp("reports")
    for language in LANGUAGES:
        write_workbook(ws, made / f"workbook_{language}.xlsx", language=language)
        write_iccs_report(ws, made / f"iccs_{language}.xlsx", area="XXA", language=language)
    return made


@pytest.fixture(params=["workbook", "iccs"])
def book(request, folder) -> Opened:
    return opened(folder / f"{request.param}_en.xlsx")


def _tables(book: Opened):
    for sheet in book.worksheets:
        for table in sheet.tables.values():
            head, *rows = sheet[table.ref]
            yield sheet, table, [cell.value for cell in head], rows


@pytest.mark.parametrize("kind", ["workbook", "iccs"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sheet_says_restricted_use_on_screen_and_on_paper(folder, kind, language):
    words = texts(language)
    for sheet in opened(folder / f"{kind}_{language}.xlsx").worksheets:
        top = [cell.value for row in sheet.iter_rows(max_row=8, max_col=2) for cell in row]
        assert words("restricted") in top, sheet.title
        assert words("restricted_short") in sheet.oddHeader.right.text
        assert words("restricted_short") in sheet.oddFooter.left.text


def test_every_sheet_begins_in_its_first_cell_and_is_set_up_for_print(book):
    for sheet in book.worksheets:
        assert sheet["A1"].value
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.fitToHeight == 0
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert len(sheet.title) <= 31
        assert not sheet.merged_cells.ranges


def test_tables_have_frozen_headings_and_print_titles(book):
    for sheet in {sheet for sheet, *_ in _tables(book)}:
        assert sheet.freeze_panes, sheet.title
        assert sheet.print_title_rows, sheet.title


def test_table_headings_are_unique_and_tables_named(book):
    for sheet, table, head, _ in _tables(book):
        assert len(set(head)) == len(head), sheet.title
        assert table.displayName
        assert table.autoFilter is not None


def test_numbers_are_numeric_cells_and_blanks_have_a_flag(folder):
    book = opened(folder / "workbook_en.xlsx")
    numbers = 0
    for _, _, head, rows in _tables(book):
        years = [n for n, name in enumerate(head) if re.fullmatch(r"\d{4}", str(name))]
        for row in rows:
            for place in years:
                flag = row[head.index(f"{head[place]} flag")].value
                value = row[place].value
                assert value is None or isinstance(value, int | float)
                assert value is not None or flag
                numbers += value is not None
    assert numbers > 500


def test_the_nine_kinds_of_cell_have_nine_symbols_in_the_workbook(folder):
    book = opened(folder / "workbook_en.xlsx")
    sheet = book[WORDS("sheet.victims_form_fine")]
    found = {
        row[1].value: (row[head.index("2023")].value, row[head.index("2023 flag")].value or "")
        for own, _, head, rows in _tables(book)
        if own is sheet
        for row in rows
        if row[0].value == "Peru" and row[1].value != "Total"
    }
    assert len(set(found.values())) == 9
    assert (0, "0") in found.values()
    assert (None, "cs") in found.values()


def test_sources_stand_apart_and_the_headline_is_marked(folder):
    book = opened(folder / "workbook_en.xlsx")
    sheet = book[WORDS("sheet.victims_sex")]
    lines = {
        (row[2].value, row[3].value)
        for own, _, head, rows in _tables(book)
        if own is sheet and head[2:4] == ["Source type", "Headline source"]
        for row in rows
        if row[0].value == "Sample country"
    }
    assert lines == {("Police", "yes"), ("Service providers", "no")}


def test_contents_link_to_every_sheet_and_name_tables_without_figures(folder):
    book = opened(folder / "workbook_en.xlsx")
    contents = book[WORDS("sheet.contents")]
    targets = {
        cell.hyperlink.location.split("!")[0].strip("'")
        for row in contents
        for cell in row
        if cell.hyperlink
    }
    assert targets == set(book.sheetnames) - {WORDS("sheet.cover"), WORDS("sheet.contents")}
    titles = {row[0].value for row in contents}
    assert titles >= {WORDS(f"table.{spec.key}") for spec in WORKBOOK}


def test_charts_have_titles_axes_and_alternative_text(folder):
    with zipfile.ZipFile(folder / "workbook_en.xlsx") as archive:
        charts = [n for n in archive.namelist() if n.startswith("xl/charts/chart")]
        drawings = [n for n in archive.namelist() if n.startswith("xl/drawings/drawing")]
        for name in charts:
            xml = archive.read(name).decode()
            assert xml.count("<c:title>") == 3, name
        for name in drawings:
            descriptions = re.findall(
                r'<xdr:cNvPr [^>]*descr="([^"]+)"', archive.read(name).decode()
            )
            assert descriptions
    assert len(charts) >= 6


def test_a_single_point_is_never_drawn(folder):
    """Peru's events, offences and victims by sex have one number each or none."""
    with zipfile.ZipFile(folder / "workbook_en.xlsx") as archive:
        drawn = "".join(
            archive.read(n).decode() for n in archive.namelist() if n.startswith("xl/charts/chart")
        )
    assert "Victims by sex: Sample country" in drawn
    assert "Victims by sex: Peru" not in drawn


@pytest.mark.parametrize("language", LANGUAGES)
def test_documents_declare_title_and_language(folder, language):
    properties = opened(folder / f"workbook_{language}.xlsx").properties
    assert properties.language == language
    assert properties.title
    assert properties.created.isoformat() == "2026-01-31T17:05:00"


def test_confidential_shelters_are_not_named(folder):
    for path in folder.glob("*.xlsx"):
        with zipfile.ZipFile(path) as archive:
            assert "Lime Tree" not in archive.read("xl/sharedStrings.xml").decode()


def test_caveats_and_coverage_stand_under_the_table(folder):
    book = opened(folder / "workbook_en.xlsx")
    text = "\n".join(str(row[0].value) for row in book[WORDS("sheet.victims_sex")])
    assert f"C2: {WORDS('caveat.C2')}" in text
    assert "2023 covers 9 months" in text
    assert "records held out of the figures 1" in text


def test_equal_input_gives_equal_sheets(ws, tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(ws, tmp_path / name, areas=("PER",))

    def parts(name: str) -> dict[str, bytes]:
        with zipfile.ZipFile(tmp_path / name) as archive:
            return {item: archive.read(item) for item in archive.namelist()}

    assert parts("a.xlsx") == parts("b.xlsx")


def _table_of(book: Opened, key: str):
    """Head, rows and the whole text of the sheet of a table."""
    sheet = book[WORDS(f"sheet.{key}")]
    ((head, rows),) = ((head, rows) for own, _, head, rows in _tables(book) if own is sheet)
    return head, rows, "\n".join(str(row[0].value) for row in sheet)


def test_the_ladder_shows_the_stages_in_their_order(folder):
    head, rows, text = _table_of(opened(folder / "workbook_en.xlsx"), "persons")
    stages = [row[head.index("Indicator")].value for row in rows]
    assert list(dict.fromkeys(stages)) == [WORDS(f"code.indicator.{name}") for name in LADDER]
    assert WORDS("note.persons") in text.replace("\n    ", " ")
    instances = {row[head.index("Instance")].value for row in rows}
    assert "" in instances
    assert "Not applicable" not in instances


def test_a_ratio_stands_beside_its_numerator_and_denominator_and_says_it_is_no_rate(folder):
    head, rows, text = _table_of(opened(folder / "workbook_en.xlsx"), "justice_ratio")
    found = {
        tuple(row[head.index(name)].value
              for name in ("2023", "2023 numerator", "2023 denominator"))
        for row in rows
    }  # fmt: skip
    assert found == {(12.345, 1, 2), (1, 7, 7)}
    assert {row[head.index("2023")].number_format for row in rows} == {"[<10]0.00;#,##0.0"}
    assert "C8: these are ratios, not rates." in text
    assert "2022" not in head


def test_sdg_figures_name_their_series_and_the_population_they_rest_on(folder):
    head, rows, text = _table_of(opened(folder / "workbook_en.xlsx"), "sdg_16_2_2_rate")
    series = [row[head.index("SDG series")].value for row in rows]
    assert series == ["VC_HTF_DETVR", "VC_HTF_DETVR", "VC_HTF_DETVR", "VC_HTF_DETVSXR"]
    assert "e" in {row[head.index("2023 flag")].value for row in rows}
    assert f"2021–2023: {POPULATION}" in text
    head, rows, _ = _table_of(opened(folder / "workbook_en.xlsx"), "sdg_16_2_2_number")
    assert rows[-1][head.index("SDG series")].value == "VC_HTF_DETVSX"
    assert "2023 denominator" not in head


def test_persons_of_contacts_are_said_to_be_in_no_figure_of_victims_or_suspects(folder):
    _, rows, text = _table_of(opened(folder / "workbook_en.xlsx"), "contact_persons_contact_role")
    assert [row[1].value for row in rows][:2] == ["Total", "Reported victim"]
    assert "in no figure of victims or suspects" in text


def test_years_without_any_figure_are_left_out(warehouse):
    rows = figures(warehouse, Selection(indicator=("events_recorded",), sex=("_T",)), "en")
    spec = WORKBOOK[0]
    kept = [row for row in rows if row["period"] != "2022"]
    assert pivot(kept, spec).years == ("2021", "2023")
    table = rectangle(pivot(kept, spec), spec, WORDS)
    (chart,) = charts(pivot(kept, spec), spec, table, WORDS)
    assert chart.bars, "a line would join years that do not follow one another"


def test_charts_stand_apart_so_that_no_header_row_is_printed_over_them(folder):
    book = opened(folder / "workbook_en.xlsx")
    sheet = book[WORDS("sheet.charts")]
    assert len(sheet._charts) >= 6
    assert not sheet.print_title_rows
    assert not any(other._charts for other in book.worksheets if other is not sheet)
    links = [cell.hyperlink.location for row in book[WORDS("sheet.victims_sex")] for cell in row
             if cell.hyperlink]  # fmt: skip
    assert any(link.startswith(f"'{sheet.title}'!A") for link in links)


def test_a_sheet_too_wide_for_a_page_is_printed_over_several_with_its_first_columns(tmp_path):
    years = [Column(str(year), "number", 9) for year in range(1990, 2026)]
    table = Table("wide", (Column("Area", "text", 20), *years), [["A", *range(36)]], 1)
    with Book(tmp_path / "wide.xlsx", WORDS, title="wide") as book:
        book.table_sheet("Wide", "Wide", (), [Block(table)])
    sheet = openpyxl.load_workbook(tmp_path / "wide.xlsx")["Wide"]
    assert sheet.page_setup.fitToWidth == 2
    assert sheet.print_title_cols == "$A:$A"


# ---- ICCS --------------------------------------------------------------------------------------


def test_iccs_units_stand_on_sheets_of_their_own_and_say_their_unit(folder):
    book = opened(folder / "iccs_en.xlsx")
    for indicator in ("offences_recorded", "events_recorded", "victims_registered",
                      "persons_suspected", "persons_charged", "persons_convicted"):  # fmt: skip
        sheet = book[WORDS(f"iccs.sheet.{indicator}")]
        text = " ".join(str(row[0].value) for row in sheet)
        assert "Unit of count: " in text


def test_iccs_victims_have_sex_age_status_and_citizenship_by_group(folder):
    book = opened(folder / "iccs_en.xlsx")
    sheet = book[WORDS("iccs.sheet.victims_registered")]
    table = next((head, rows) for own, _, head, rows in _tables(book) if own is sheet)
    head, rows = table
    assert {"Total", "SV: female", "STV: minor", "Cit: foreign"} <= set(head)
    first_year = [row for row in rows if row[0].value == "2023" and row[3].value == "Police"]
    assert [row[1].value for row in first_year] == [
        "0204", "02041", "02042", "02043", "02044", "0204",
    ]  # fmt: skip
    text = " ".join(str(row[0].value) for row in sheet)
    assert "Not additive" in text
    assert "includes what is not specified" in text


def test_iccs_never_adds_what_is_below_the_line(folder):
    book = opened(folder / "iccs_en.xlsx")
    sheet = book[WORDS("iccs.sheet.offences_recorded")]
    (first,) = (rows for own, _, _, rows in _tables(book) if own is sheet)
    assert {row[1].value[:4] for row in first} == {"0204"}
    assert not [cell for row in first for cell in row if cell.value == 777]
    below = book[WORDS("iccs.sheet.below")]
    (second,) = (rows for own, _, _, rows in _tables(book) if own is below)
    assert [[cell.value for cell in row][1::4] for row in second] == [["03021", "Offence"]]
    assert second[0][-1].value == 777


def test_an_area_with_proxies_alone_has_a_report_of_what_stands_below_the_line(ws, tmp_path):
    book = openpyxl.load_workbook(write_iccs_report(ws, tmp_path / "ind.xlsx", area="ind"))
    sheet = book[WORDS("iccs.sheet.below")]
    ((head, rows),) = ((head, rows) for own, _, head, rows in _tables(book) if own is sheet)
    shown = {
        (row[head.index(WORDS("column.measure"))].value, row[head.index("Number")].value)
        for row in rows
    }
    assert shown == {
        ("Persons convicted", 900), ("Persons tried", 1800), ("Persons in custody", 900),
        ("Persons arrested", None),
    }  # fmt: skip
    assert {row[0].value for row in rows} == {WORDS("relation.PROXY")}
    assert {row[head.index("Unit of count")].value for row in rows} == {"Person"}
    assert WORDS("iccs.sheet.offences_recorded") not in book.sheetnames


def test_proxies_of_other_years_do_not_make_a_report(ws, tmp_path):
    with pytest.raises(UsageError) as refusal:
        write_iccs_report(ws, tmp_path / "ind.xlsx", area="IND", years=("1999",))
    assert refusal.value.rule == "TIP-705"


def test_iccs_events_are_shown_by_each_tag_that_was_collected(folder):
    book = opened(folder / "iccs_en.xlsx")
    sheet = book[WORDS("iccs.sheet.events_recorded")]
    _, tags = (rows for own, _, _, rows in _tables(book) if own is sheet)
    shown = [(row[0].value.split(":")[0], row[3].value, row[4].value) for row in tags]
    assert [tag for tag, *_ in shown] == ["SiC", "SiC", "Cy", "Cy"]
    assert {count for *_, count in shown} == {1}
    assert shown[1][1] == "Not known"


def test_inclusions_declared_by_submissions_stand_beside_those_of_the_law(folder):
    book = opened(folder / "iccs_en.xlsx")
    sheet = book[WORDS("iccs.sheet.inclusions")]
    declared, law = ((head, rows) for own, _, head, rows in _tables(book) if own is sheet)
    head, rows = declared
    at = {name: head.index(WORDS(f"submission.{name}_included"))
          for name in ("attempts", "threats", "aiding")}  # fmt: skip
    assert [rows[0][place].value for place in at.values()] == ["yes", "no", "not stated"]
    assert any("Th: " in name for name in law[0])


def test_the_national_map_is_printed_whole(folder):
    from reports.notes import UNDER_0204
    from tipstat.project import seeds_dir

    lines = (seeds_dir() / "correspondences" / "offence_XXA.csv").read_text(encoding="utf-8")
    book = opened(folder / "iccs_en.xlsx")
    sheet = book[WORDS("iccs.sheet.map")]
    above, below = (rows for own, _, _, rows in _tables(book) if own is sheet)
    assert len(above) + len(below) == len(lines.strip().splitlines()) - 1
    inside = {WORDS(f"relation.{name}") for name in UNDER_0204}
    assert {row[7].value for row in above} <= inside
    assert not {row[7].value for row in below} & inside


def test_a_language_without_official_iccs_labels_says_so(folder):
    book = opened(folder / "iccs_fr.xlsx")
    sheet = book[texts("fr")("iccs.sheet.victims_registered")]
    text = " ".join(str(row[0].value) for row in sheet)
    assert texts("fr")("iccs.labels_fallback")[:60] in text


# ---- refusals, texts, commands -----------------------------------------------------------------


def test_an_area_without_figures_is_refused(ws, tmp_path):
    with pytest.raises(UsageError) as refusal:
        write_workbook(ws, tmp_path / "a.xlsx", areas=("NLD",))
    assert refusal.value.rule == "TIP-705"
    assert not list(tmp_path.iterdir())


def test_a_report_that_cannot_be_put_in_place_is_refused(ws, tmp_path):
    (tmp_path / "a.xlsx").mkdir()
    with pytest.raises(WorkplaceError) as refusal:
        write_iccs_report(ws, tmp_path / "a.xlsx", area="XXA")
    assert refusal.value.rule == "TIP-704"
    assert [path.name for path in tmp_path.iterdir()] == ["a.xlsx"]


def test_texts_are_complete_in_three_languages():
    keys = {
        language: {key for key in texts(language).entries if not key.startswith("definition.")}
        for language in LANGUAGES
    }
    assert keys["en"] == keys["es"] == keys["fr"]
    for language in LANGUAGES:
        assert all(text.strip() for text in texts(language).entries.values())


@pytest.mark.parametrize("language", ["es", "fr"])
def test_texts_keep_the_placeholders_of_the_english(language):
    for key, text in texts("en").entries.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", texts(language)(key))), (
            key
        )


def test_definitions_are_translated_for_every_indicator():
    from tipstat.project import seeds_dir

    lines = (seeds_dir() / "catalogue" / "indicators.csv").read_text(encoding="utf-8").splitlines()
    names = {line.split(",")[0] for line in lines[1:] if line}
    for language in ("es", "fr"):
        assert set(texts(language).under("definition")) == names
    assert set(texts("en").under("code.indicator")) == names


def test_sheet_names_fit_and_are_unique_in_each_language():
    for language in LANGUAGES:
        words = texts(language)
        names = [words(f"sheet.{spec.key}") for spec in WORKBOOK]
        assert len(set(names)) == len(names)
        assert max(map(len, names)) <= 31


def test_runs_of_years_are_joined():
    assert spans(["2019", "2021", "2022", "2023"]) == "2019, 2021–2023"


def test_the_commands_print_the_path_of_what_they_wrote(ws):
    for arguments in (["workbook", "--area", "PER", "--lang", "es"], ["iccs", "--area", "XXA"]):
        done = CliRunner().invoke(cli, ["-w", str(ws.root), "report", *arguments])
        assert done.exit_code == 0, done.output
        assert Path(done.output.strip()).is_file()
