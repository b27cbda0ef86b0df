"""``tipstat layout new``: what is proposed for files that nobody has described."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from loaders.layout import apply_layout, load_layout
from loaders.proposal import Proposal, propose
from loaders.proposal_cells import long_cells, wide_cell
from loaders.proposal_columns import find_heading
from loaders.proposal_names import age_group_of, code_of, is_total, month_of
from loaders.proposal_yaml import layout_id, render
from loaders.read import read_source
from tipstat.cli.layout import layout as command
from tipstat.errors import TipstatError

SPANISH = [
    ["Ministerio del Interior"],
    ["Relación de víctimas, 2024"],
    [],
    ["N.º de expediente", "Código de víctima", "Fecha de registro", "Sexo", "Edad", "Nacionalidad",
     "Tipo de explotación", "Estado de la víctima", "Observaciones"],
    *[
        [f"EXP-{n}", f"V-{n}", f"{n:02d}/03/2024", sexo, str(14 + n), pais, forma, estado,
         f"relato secreto {n}"]
        for n, (sexo, pais, forma, estado) in enumerate(
            [
                ("Mujer", "Perú", "Explotación sexual", "Presunta víctima"),
                ("Varón", "Bolivia", "Trabajo forzado", "Identificada formalmente"),
                ("Mujer", "Perú", "Mendicidad", "Identificada formalmente"),
                ("Mujer", "Colombia", "Explotación sexual", "Decisión pendiente"),
                ("Varón", "Perú", "Servidumbre", "Presunta víctima"),
                ("Mujer", "Perú", "Explotación sexual", "Presunta víctima"),
            ],
            start=1,
        )
    ],
    ["Fuente: registro propio"],
]  # fmt: skip

FRENCH = [
    ["Numéro de dossier", "Numéro de victime", "Date d'enregistrement", "Sexe", "Âge",
     "Nationalité", "Forme d'exploitation", "Statut", "Pays d'exploitation"],
    *[
        [f"D{n}", f"P{n}", f"2024-05-{n:02d}", sexe, str(20 + n), pays, forme, statut, "France"]
        for n, (sexe, pays, forme, statut) in enumerate(
            [
                ("Femme", "Roumanie", "Exploitation sexuelle", "Victime présumée"),
                ("Homme", "Mali", "Travail forcé", "Formellement identifiée"),
                ("Femme", "Nigéria", "Exploitation sexuelle", "Formellement identifiée"),
                ("Femme", "Roumanie", "Mendicité", "Victime présumée"),
            ],
            start=1,
        )
    ],
]  # fmt: skip


def csv_file(tmp_path: Path, rows: list[list[str]], name: str = "liste.csv") -> Path:
    path = tmp_path / name
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, delimiter=";").writerows(rows)
    return path


def xlsx_file(tmp_path: Path, rows: list[list[str]], name: str = "lista.xlsx") -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    path = tmp_path / name
    book.save(path)
    return path


def placed(proposal: Proposal) -> dict[str, str]:
    return {one.column.header: one.variable.name for one in proposal.placed}


def written(tmp_path: Path, path: Path, proposal: Proposal):
    """The proposal as a file, loaded again and applied to the return."""
    target = tmp_path / "proposed.yml"
    target.write_text(render(proposal, "proposed", path.name), encoding="utf-8")
    return load_layout(target), apply_layout(load_layout(target), read_source(path))


def test_a_spanish_list_of_victims_gets_every_column_right(tmp_path):
    path = xlsx_file(tmp_path, SPANISH)
    proposal = propose(read_source(path), "PER")
    assert (proposal.kind, proposal.record_type.name, proposal.language) == (
        "police",
        "victim",
        "es",
    )
    assert placed(proposal) == {
        "N.º de expediente": "event_ref",
        "Código de víctima": "victim_ref",
        "Fecha de registro": "registration_date",
        "Sexo": "sex",
        "Edad": "age",
        "Nacionalidad": "citizenship",
        "Tipo de explotación": "purpose",
        "Estado de la víctima": "victim_status",
    }
    assert [column.header for column, _ in proposal.unplaced] == ["Observaciones"]
    layout, returned = written(tmp_path, path, proposal)
    assert returned.tables[0].table.num_rows == 6
    assert {v: m[0].code for v, m in layout.values["sex"].items()} == {"Mujer": "F", "Varón": "M"}


def test_a_french_list_of_victims_gets_every_column_right(tmp_path):
    path = csv_file(tmp_path, FRENCH)
    proposal = propose(read_source(path), "FRA")
    assert proposal.language == "fr"
    assert placed(proposal) == {
        "Numéro de dossier": "event_ref",
        "Numéro de victime": "victim_ref",
        "Date d'enregistrement": "registration_date",
        "Sexe": "sex",
        "Âge": "age",
        "Nationalité": "citizenship",
        "Forme d'exploitation": "purpose",
        "Statut": "victim_status",
        "Pays d'exploitation": "exploitation_country",
    }
    layout, returned = written(tmp_path, path, proposal)
    assert returned.tables[0].table.num_rows == 4
    assert layout.values["purpose"]["Travail forcé"][0].code == "LAB_FORCED"


def test_values_of_records_stand_in_the_layout_only_where_they_are_codes(tmp_path):
    path = xlsx_file(tmp_path, SPANISH)
    text = render(propose(read_source(path), "PER"), "proposed", path.name)
    assert "Mujer" in text
    for hidden in ("secreto", "EXP-1", "V-3", "04/03/2024"):
        assert hidden not in text


def test_what_is_to_be_filled_in_and_what_was_not_placed_stands_at_the_head(tmp_path):
    path = xlsx_file(tmp_path, SPANISH)
    head = render(propose(read_source(path), "PER"), "proposed", path.name).partition("\nid:")[0]
    assert "metadata.sender" in head
    assert "metadata.legal_basis" in head
    assert "Observaciones (column I)" in head
    assert all(line.startswith("#") for line in head.splitlines())


WIDE = [
    ["", "Detenidos", "", "Condenados", ""],
    ["Departamento", "Hombres", "Mujeres", "Hombres", "Mujeres"],
    ["Lima", "5", "2", "3", "1"],
    ["Cusco", "4", "1", "2", "0"],
    ["TOTAL", "9", "3", "5", "1"],
]


def test_two_rows_of_heading_are_one_name_for_each_column(tmp_path):
    path = xlsx_file(tmp_path, WIDE)
    proposal = propose(read_source(path), "PER", kind="aggregate")
    assert (proposal.found.header_row, proposal.found.header_rows) == (2, 2)
    assert {name: dict(cell.dimensions) for name, cell in proposal.wide.items()} == {
        "Detenidos Hombres": {"measure": "PERSONS_ARRESTED", "sex": "M"},
        "Detenidos Mujeres": {"measure": "PERSONS_ARRESTED", "sex": "F"},
        "Condenados Hombres": {"measure": "PERSONS_CONVICTED", "sex": "M"},
        "Condenados Mujeres": {"measure": "PERSONS_CONVICTED", "sex": "F"},
    }
    _, returned = written(tmp_path, path, proposal)
    assert returned.tables[0].table.num_rows == 8


def test_a_table_of_counts_by_sex_is_taken_for_cells_without_being_told(tmp_path):
    rows = [["Departamento", "Víctimas", "", "Detenidos", ""]]
    rows += [["", "Hombres", "Mujeres", "Hombres", "Mujeres"]]
    rows += [
        ["Lima", "3", "4", "2", "1"],
        ["Cusco", "1", "2", "1", "0"],
        ["Total", "4", "6", "3", "1"],
    ]
    path = xlsx_file(tmp_path, rows)
    proposal = propose(read_source(path), "PER")
    assert (proposal.kind, len(proposal.wide)) == ("aggregate", 4)
    text = render(proposal, "proposed", path.name)
    assert "# period_start: no column tells it" in text
    assert "records.cell: period_start" in text
    # Measures of two units, and total rows that no other column tells from their parts.
    assert dict(proposal.wide["Víctimas Hombres"].dimensions)["unit_of_count"] == (
        "VICTIM_REGISTRATION"
    )
    assert dict(proposal.wide["Detenidos Hombres"].dimensions)["unit_of_count"] == "PERSON"
    assert [reason for _, _, reason in proposal.skip] == ["total rows"]
    _, returned = written(tmp_path, path, proposal)
    assert returned.tables[0].table.num_rows == 8


def test_a_dimension_of_the_headings_is_not_filled_by_a_column_too(tmp_path):
    rows = [["Sexo", "Hombres", "Mujeres"], ["Mujer", "1", "2"], ["Varón", "3", "4"]]
    path = csv_file(tmp_path, rows)
    proposal = propose(read_source(path), "PER", kind="aggregate")
    assert [column.header for column, _ in proposal.unplaced] == ["Sexo"]
    _, returned = written(tmp_path, path, proposal)
    assert returned.tables[0].table.num_rows == 4


def test_years_in_the_heading_become_periods_and_total_rows_are_compared(tmp_path):
    rows = [
        ["Region", "Sex", "2022", "2023"],
        ["North", "Female", "10", "12"],
        ["North", "Male", "3", "4"],
        ["South", "Female", "5", "5"],
        ["South", "Male", "1", "0"],
        ["Total", "Female", "15", "17"],
        ["Total", "Male", "4", "5"],
    ]
    path = csv_file(tmp_path, rows)
    proposal = propose(read_source(path), "MLT")
    assert dict(proposal.wide["2023"].dimensions) == {
        "period_start": "2023-01-01",
        "period_end": "2023-12-31",
    }
    assert proposal.totals is not None
    assert (proposal.totals.values, proposal.totals.by) == (("Total",), ("Sex",))
    _, returned = written(tmp_path, path, proposal)
    assert returned.tables[0].table.num_rows == 8
    assert [f.rule_id for f in returned.findings if f.rule_id == "TIP-656"] == ["TIP-656"]


@pytest.mark.parametrize("years", [("2024", "2024"), ("2023", "2024")])
def test_months_in_the_heading_are_those_of_the_year_of_each_row(tmp_path, years):
    rows = [["Año", "Lugar", "Enero", "Febrero"], [years[0], "Lima", "3", "4"]]
    rows += [[years[0], "Cusco", "1", "0"], [years[1], "Lima", "2", "2"]]
    path = csv_file(tmp_path, rows)
    proposal = propose(read_source(path), "PER", kind="aggregate")
    assert dict(proposal.wide["Febrero"].dimensions) == {"month": "2"}
    _, returned = written(tmp_path, path, proposal)
    cells = returned.tables[0].table.to_pylist()
    periods = {(cell["period_start"], cell["period_end"]) for cell in cells}
    assert len(cells) == 6
    assert (f"{years[0]}-01-01", f"{years[0]}-01-31") in periods
    assert ("2024-02-01", "2024-02-29") in periods


def test_months_that_name_their_year_are_periods_of_their_own(tmp_path):
    rows = [["Lugar", "Enero 2024", "Febrero 2024"], ["Lima", "3", "4"], ["Cusco", "1", "0"]]
    proposal = propose(read_source(csv_file(tmp_path, rows)), "PER", kind="aggregate")
    assert dict(proposal.wide["Febrero 2024"].dimensions) == {
        "period_start": "2024-02-01",
        "period_end": "2024-02-29",
    }


def test_blocks_of_a_long_file_are_of_one_list_each_and_keep_their_totals_as_controls():
    names = ["F1_EXPLOTACION SEXUAL", "F1_MENDICIDAD", "F1_TOTAL", "EF_DE 0 A 5 AÑOS",
             "EF_DE 60 A MAS", "EF_SUB TOTAL", "C_INTERNET", "C_SEDUCCION", "C_TOTAL",
             "QQ"]  # fmt: skip
    cells, blocks = long_cells(names)
    assert dict(cells["F1_MENDICIDAD"].dimensions) == {"form": "BEGGING"}
    assert dict(cells["EF_DE 60 A MAS"].dimensions) == {"sex": "F", "age_group": "Y_GE60"}
    assert dict(cells["C_INTERNET"].dimensions) == {
        "breakdown": "recruitment_method",
        "breakdown_code": "INTERNET",
    }
    assert cells["C_TOTAL"].control
    assert cells["QQ"].control
    assert {block.total for block in blocks} == {"F1_TOTAL", "EF_SUB TOTAL", "C_TOTAL"}


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("DE 0 A 5 AÑOS", "Y0T5"),
        ("60 A MAS", "Y_GE60"),
        ("0 to 17 years", "Y0T17"),
        ("18 years or over", "Y_GE18"),
        ("18+", "Y_GE18"),
        ("menores de 18", "Y0T17"),
        ("18 and above and below 30 years", "Y18T29"),
        ("niños", "Y0T17"),
        ("K_A_Female_11_13_Years", ""),
        ("26 to 33", ""),
    ],
)
def test_ages_are_read_in_three_languages_and_never_guessed(text, band):
    assert age_group_of(text) == band


def test_a_heading_with_ages_of_no_group_is_no_cell():
    assert wide_cell("Female_11_13_Years") is None


def test_a_value_that_two_codes_fit_equally_is_nobodys():
    assert code_of("zzzz", "form") is None
    assert code_of("Mujeres", "sex").code == "F"
    assert code_of("Unknown", "sex").code == "_U"


def test_totals_and_months_are_known_in_three_languages():
    assert all(map(is_total, ("TOTAL (ALL-INDIA)", "Sub total", "Ensemble", "Todos")))
    assert not is_total("Tolima")
    assert [month_of(text) for text in ("Enero", "févr", "Dec", "Lima")] == [1, 2, 12, 0]


def test_the_heading_is_found_below_a_preamble():
    head = [(1, ["UNODC", "", ""]), (2, ["14/04/2025", "", ""]), (3, ["Iso3", "Year", "Value"]),
            (4, ["PER", "2020", "5"]), (5, ["PER", "2021", "6"])]  # fmt: skip
    assert find_heading(head) == (3, 1)
    assert find_heading([(1, ["1", "2"]), (2, ["3", "4"])]) is None


def refusal(call) -> str:
    with pytest.raises(TipstatError) as raised:
        call()
    return raised.value.rule


def test_files_that_cannot_be_proposed_are_refused_by_name(tmp_path):
    numbers = csv_file(tmp_path, [["1", "2"], ["3", "4"], ["5", "6"]])
    doubled = csv_file(tmp_path, [["Sex", "Sex", "Age"], ["F", "M", "3"], ["F", "M", "4"]], "d.csv")
    good = csv_file(tmp_path, FRENCH, "f.csv")
    assert refusal(lambda: propose(read_source(numbers), "FRA")) == "TIP-691"
    assert refusal(lambda: propose(read_source(good), "FRA", sheet="Feuil9")) == "TIP-691"
    assert refusal(lambda: propose(read_source(doubled), "FRA")) == "TIP-692"
    assert refusal(lambda: propose(read_source(good), "FRA", kind="context")) == "TIP-693"


def test_the_command_writes_a_layout_once_and_says_what_is_left(tmp_path):
    path, target = csv_file(tmp_path, FRENCH), tmp_path / "own" / "liste.yml"
    arguments = ["new", str(path), "--area", "FRA", "-o", str(target)]
    result = CliRunner().invoke(command, arguments, obj=None)
    assert result.exit_code == 0
    assert "Statut" in result.output
    assert "to fill in: metadata.sender" in result.output
    assert load_layout(target).language == "fr"
    again = CliRunner().invoke(command, arguments, obj=None)
    assert isinstance(again.exception, TipstatError)
    assert again.exception.rule == "TIP-694"


def test_how_a_text_was_said_to_be_written_stands_in_the_layout(tmp_path):
    path, target = tmp_path / "liste.csv", tmp_path / "liste.yml"
    path.write_text("\n".join("^".join(row) for row in FRENCH), encoding="cp850")
    arguments = ["new", str(path), "--area", "FRA", "-o", str(target)]
    how = ["--encoding", "cp850", "--delimiter", "^"]
    assert CliRunner().invoke(command, [*arguments, *how], obj=None).exit_code == 0
    read = load_layout(target)
    assert (read.encoding, read.delimiter) == ("cp850", "^")
    returned = apply_layout(read, read_source(path, encoding="cp850", delimiter="^"))
    assert returned.tables[0].table.column("citizenship")[2].as_py() == "Nigéria"


def test_without_a_country_nothing_is_proposed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = csv_file(tmp_path, FRENCH)
    result = CliRunner().invoke(command, ["new", str(path)], obj=None)
    assert isinstance(result.exception, TipstatError)
    assert result.exception.rule == "TIP-690"


def test_ids_are_made_of_letters_digits_and_underscores():
    assert layout_id("Víctimas (2024) – final") == "victimas_2024_final"
    assert layout_id("¿?") == "layout"


HEADINGS = st.sampled_from(
    ["Sexo", "Año", "Mes", "Total", "Valor", "Edad", "Enero", "2023", "F_x", "F_TOTAL", "Fecha",
     "Nationality", "Form of exploitation", "Persons_Male", "a\u2028b", "# no: {x}", "'\"", "ñ\x85",
     "Departamento", "Series", "Persons at year beginning", "Observaciones"]
)  # fmt: skip
CELLS_OF_ANY_KIND = st.sampled_from(
    ["", "1", "<5", "2023", "12", "Mujer", "F", "F_x", "F_TOTAL", "Total", "TOTAL: {a}", "# x",
     "2024-01-02", "per 100,000", "\u2028", "=1+1", "Perú", "0-17", "x" * 300, "'\"\\", "0.5"]
)  # fmt: skip


def accepted(path: Path, kind: str | None) -> Proposal | None:
    """The proposal, or nothing where the file has no table that can be told apart."""
    try:
        return propose(read_source(path), "PER", kind=kind)
    except TipstatError as refusal:
        if refusal.rule not in ("TIP-691", "TIP-692", "TIP-102"):
            raise
        return None


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    headings=st.lists(HEADINGS, min_size=2, max_size=8, unique=True),
    rows=st.lists(st.lists(CELLS_OF_ANY_KIND, min_size=8, max_size=8), min_size=1, max_size=12),
    kind=st.sampled_from([None, "police", "service", "court", "aggregate"]),
)
def test_whatever_the_file_holds_the_proposal_is_a_layout_that_reads_it(headings, rows, kind):
    with tempfile.TemporaryDirectory() as folder:
        lines = [headings, *(row[: len(headings)] for row in rows)]
        path = xlsx_file(Path(folder), lines)
        proposal = accepted(path, kind)
        if proposal is not None:
            layout, returned = written(Path(folder), path, proposal)
            assert layout.kind == proposal.kind
            assert len(returned.tables) == 1


def test_a_month_without_its_year_is_left_aside_and_not_lost(tmp_path):
    rows = [["Mes", "Sexo", "Valor"], ["1", "Mujer", "4"], ["2", "Varón", "5"]]
    path = csv_file(tmp_path, rows)
    proposal = propose(read_source(path), "PER", kind="aggregate")
    assert [column.header for column, _ in proposal.unplaced] == ["Mes"]
    _, returned = written(tmp_path, path, proposal)
    assert returned.tables[0].table.num_rows == 2
