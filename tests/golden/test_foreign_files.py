"""International and statistical files through load and build: GLO-W, DEU, BIH-R, CTDC-K, -S, -VP.

What is wrong in these files as they are published must be found, and by name.
"""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from loaders.findings import Finding
from loaders.layout import apply_layout, load_layout
from loaders.read import read_source
from tipstat.classification import code_list
from tipstat.errors import ReturnRefused
from tipstat.warehouse import reading
from tipstat.workspace import Workspace

Countries = tuple[Workspace, dict[str, list[Finding]]]

#: UNODC's file, sum over countries of detected victims; `<5` is no value.
GLO_W = {2017: 46000, 2018: 46284, 2019: 82291, 2020: 68426, 2021: 75754, 2022: 75128}
DEU = (651, 671, 626, 603, 583, 470, 536, 669, 493, 470, 479, 564)
#: Bosnia's own published rates.
BIH_R = {2010: 0.66, 2011: 0.94, 2015: 0.99, 2016: 1.38, 2018: 1.06, 2019: 1.82}
ALL = "sex = '_T' and age_group = '_T' and form = '_T' and citizenship = '_T' and breakdown = '_T'"
FIGURE = (
    "indicator = 'victims_registered' and sex = '_T' and age = '_T' and form = '_T' "
    "and citizenship = '_T' and breakdown = '_T'"
)


def rows(ws: Workspace, sql: str) -> list[tuple[object, ...]]:
    with reading(ws) as connection:
        return connection.execute(sql).fetchall()


def one(ws: Workspace, sql: str) -> object:
    [(value,)] = rows(ws, sql)
    return value


def messages(countries: Countries, layout: str, rule: str) -> list[str]:
    return [f.message for f in countries[1][layout] if f.rule_id == rule]


# ── UNODC ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("year", "expected"), GLO_W.items())
def test_glo_w_the_countries_sum_to_the_world(
    countries: Countries, year: int, expected: int
) -> None:
    sql = f"select sum(value) from fct_indicator_value where {FIGURE} and period = '{year}'"
    assert one(countries[0], sql + " and source_type = 'international'") == expected


def test_each_cell_of_the_world_file_stands_in_its_own_country(countries: Countries) -> None:
    areas = rows(
        countries[0],
        "select count(distinct reference_area), bool_or(reference_area in ('_Z', '_T', '_U')) "
        "from fct_reported_cell where reporting_entity = 'UNODC'",
    )
    assert areas == [(185, False)]


def test_the_international_figure_stands_beside_the_national_one_and_is_not_added(
    countries: Countries,
) -> None:
    found = rows(
        countries[0],
        f"select source_type, value from fct_indicator_value where {FIGURE} "
        "and reference_area = 'DEU' and period = '2017' order by 1",
    )
    assert found == [("international", 669.0), ("other", 669.0)]


def test_the_defects_of_the_world_file_are_found_by_name(countries: Countries) -> None:
    [ids] = messages(countries, "unodc_glotip", "TIP-660")
    assert ids.startswith("128 values of txtVALUE are taken as _U: ids of questionnaire cells")
    germany = "numbers by age, DEU, 2022-01-01, VICTIMS_REGISTERED: the parts give 1,289, "
    [declared] = messages(countries, "unodc_glotip", "TIP-166")
    assert declared.startswith("the sheet says that it is A1; read to row ")
    totals = messages(countries, "unodc_glotip", "TIP-665")
    assert germany + "more than the total of 0 to 4" in totals
    [added] = messages(countries, "unodc_glotip", "TIP-668")
    assert added.startswith("493 cells stand in 1,218 rows, whose numbers are added: sub-forms")
    assert any("Sark" in message for message in messages(countries, "unodc_glotip", "TIP-131"))
    [spelt] = messages(countries, "unodc_glotip", "TIP-673")
    assert spelt.startswith("98 rows: letters with accents were lost")
    # Of 750 spellings of citizenship each is mapped, or left out with a note.
    assert not messages(countries, "unodc_glotip", "TIP-201")
    assert not messages(countries, "unodc_glotip", "TIP-403")


def test_what_is_below_five_is_an_interval_and_sums_of_it_too(countries: Countries) -> None:
    [(kind, low, high)] = rows(
        countries[0],
        "select cell_kind, lower_bound, upper_bound from fct_reported_cell where "
        "reference_area = 'DEU' and reporting_entity = 'UNODC' and measure = 'VICTIMS_REGISTERED' "
        f"and year(period_start) = 2022 and {ALL}",
    )
    assert (kind, low, high) == ("WITHHELD_AT_SOURCE", 0, 4)
    # Albania 2017, other forms: 27, <5, 5 and 20.
    albania = rows(
        countries[0],
        "select cell_kind, lower_bound, upper_bound from fct_reported_cell where "
        "reference_area = 'ALB' and measure = 'VICTIMS_REGISTERED' and form = 'OTHER' "
        "and sex = '_T' and age_group = '_T' and year(period_start) = 2017",
    )
    assert albania == [("WITHHELD_AT_SOURCE", 52, 56)]


# ── SDG 16.2.2 ────────────────────────────────────────────────────────────────────────────────


def test_deu_the_office_equals_unodc(countries: Countries) -> None:
    found = rows(
        countries[0],
        f"select source_type, period, value from fct_indicator_value where {FIGURE} "
        "and reference_area = 'DEU' and period between '2010' and '2021'",
    )
    years = range(2010, 2022)
    expected = {str(year): value for year, value in zip(years, DEU, strict=True)}
    for source in ("other", "international"):
        assert {period: value for kind, period, value in found if kind == source} == expected


def test_registrations_of_germany_are_counted_as_such(countries: Countries) -> None:
    units = rows(
        countries[0],
        "select distinct unit_of_count from fct_reported_cell "
        "where reporting_entity = 'DEU-DESTATIS' order by 1",
    )
    assert units == [("RATE",), ("VICTIM_REGISTRATION",)]


@pytest.mark.parametrize(("year", "expected"), BIH_R.items())
def test_bih_r_count_over_population_is_the_published_rate(
    countries: Countries, year: int, expected: float
) -> None:
    where = (
        f"reporting_entity = 'BIH-BHAS' and {ALL} and year(period_start) = {year} "
        "and unit_of_count = "
    )
    published = one(countries[0], f"select value from fct_reported_cell where {where} 'RATE'")
    computed = one(
        countries[0],
        "select round(cells.value * 100000 / population.population, 2) from fct_reported_cell "
        "as cells join fct_population as population on population.reference_area = 'BIH' "
        f"and population.period = '{year}' and population.sex = '_T' and population.age = '_T' "
        f"where {where.replace('sex =', 'cells.sex =')} 'VICTIM'",
    )
    assert float(str(published)) == expected
    assert float(str(computed)) == pytest.approx(expected, abs=0.0051)


def test_totals_of_bosnia_that_contradict_their_parts_are_found(countries: Countries) -> None:
    assert messages(countries, "sdg1622_bih", "TIP-665") == [
        "victims by age, BIH, 2012-01-01, VICTIMS_REGISTERED: the parts give 39, more than the "
        "total of 20",
        "victims by age, BIH, 2014-01-01, VICTIMS_REGISTERED: the parts give 49, more than the "
        "total of 39",
        "victims by form, BIH, 2012-01-01, VICTIMS_REGISTERED: the parts give 33, more than the "
        "total of 20",
        "victims by form, BIH, 2014-01-01, VICTIMS_REGISTERED: the parts give 46, more than the "
        "total of 39",
        "victims by sex, BIH, 2012-01-01, VICTIMS_REGISTERED: the parts give 39, more than the "
        "total of 20",
        "victims by sex, BIH, 2014-01-01, VICTIMS_REGISTERED: the parts give 49, more than the "
        "total of 39",
    ]


def test_overlapping_forms_of_malta_are_a_note_with_their_reason(countries: Countries) -> None:
    notes = messages(countries, "sdg1622_mlt", "TIP-666")
    assert len(notes) == 4
    assert all(n.endswith("a victim can have several forms of exploitation") for n in notes)
    assert not messages(countries, "sdg1622_mlt", "TIP-665")


def test_parts_of_the_united_kingdom_fall_short_and_the_unit_is_told(countries: Countries) -> None:
    short = messages(countries, "sdg1622_gbr", "TIP-666")
    total = "victims by age, GBR, 2013-01-01, VICTIMS_REGISTERED: the parts give"
    assert any(m.startswith(total) and "less than the total of 1,256" in m for m in short)
    [told] = messages(countries, "sdg1622_gbr", "TIP-673")
    assert "positive reasonable-grounds decisions, where UNODC counts referrals" in told
    [partial] = messages(countries, "sdg1622_gbr", "TIP-674")
    assert partial.startswith("33 rows cover 04-01 to 12-31 of their year")


@pytest.mark.parametrize(
    ("layout", "pattern", "refused"),
    [
        ("sdg1622_hrv", "hrv_dzs/vintages/*.csv", {"2020-05-13-6e8d24d"}),
        (
            "sdg1622_mlt",
            "mlt_nso/vintages/*.csv",
            {"2025-02-06-c8a23fd", "2025-03-07-c4d54a8", "2025-10-23-7a7ba9b"},
        ),
    ],
)
def test_earlier_editions_load_unless_their_columns_are_others(
    test_data: Path, layout: str, pattern: str, refused: set[str]
) -> None:
    chosen = load_layout(layout)
    paths = sorted((test_data / "sdg1622").glob(pattern))
    assert len(paths) == 7
    for path in paths:
        source = read_source(path, delimiter=",")
        if path.stem in refused:
            with pytest.raises(ReturnRefused) as caught:
                apply_layout(chosen, source)
            assert caught.value.rule in ("TIP-127", "TIP-128")
        else:
            returned = apply_layout(chosen, source)
            assert not [f for f in returned.findings if f.severity == "refusal"], path.name


def test_the_age_bands_of_croatia_are_kept_and_the_one_across_18_rolls_up_nowhere(
    countries: Countries,
) -> None:
    bands = rows(
        countries[0],
        "select distinct age_group from fct_reported_cell where reporting_entity = 'HRV-DZS' "
        "and age_group <> '_T' order by 1",
    )
    assert [band for (band,) in bands] == ["Y0T18", "Y19T30", "Y31T40", "Y41T50", "Y_GE51"]
    assert messages(countries, "sdg1622_hrv", "TIP-672") == ["Y0T18 in 8 cells, kept as sent"]
    assert not rows(
        countries[0], "select 1 from fct_indicator_value where reference_area = 'HRV' "
        "and source_type = 'other'",
    )  # fmt: skip


# ── CTDC ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("true", 87003),
        ("sex = 'F'", 60938),
        ("age_group = 'Y9T17'", 10326),
        ("age_group = 'Y30T38'", 8562),
        ("reference_area = 'USA'", 51611),
        ("reference_area = 'RUS'", 4570),
        ("reference_area = 'PHL'", 1988),
        ("year(period_start) = 2019", 21312),
    ],
)
def test_ctdc_k_the_registered_of_2010_to_2020(
    countries: Countries, where: str, expected: int
) -> None:
    five = (
        "reporting_entity = 'CTDC-KANON' and form = '_T' and breakdown = '_T' "
        "and reference_area <> '_T' and year(period_start) between 2010 and 2020"
    )
    sql = f"select sum(value)::integer from fct_reported_cell where {five} and {where}"
    assert one(countries[0], sql) == expected


def test_no_cell_over_the_five_columns_is_below_eleven(countries: Countries) -> None:
    smallest = one(
        countries[0],
        "select min(value)::integer from fct_reported_cell where "
        "reporting_entity = 'CTDC-KANON' and reference_area <> '_T'",
    )
    assert smallest == 11


def test_ctdc_s_the_official_shares_of_all_years(countries: Countries) -> None:
    found = dict(
        rows(
            countries[0],
            "select form, value::integer from fct_reported_cell where reporting_entity = "
            "'CTDC-KANON' and breakdown = '_T' and reference_area = '_T' "
            "and year(period_start) < year(period_end)",
        )
    )
    known = int(str(found["_T"])) - int(str(found["_U"]))
    assert (found["_T"], known) == (97750, 71220)
    shares = [(found[form], round(100 * int(str(found[form])) / known, 2)) for form in _GROUP]
    assert shares == [(45582, 64.00), (19980, 28.05), (7105, 9.98)]


_GROUP = ("SEX", "LAB", "OTHER")


def test_ctdc_vp_every_count_is_that_of_its_dictionary(
    countries: Countries, test_data: Path
) -> None:
    loaded = _loaded_counts(countries[0])
    book = openpyxl.load_workbook(
        next((test_data / "ctdc").glob("CTDC_VP*dict*.xlsx")), read_only=True
    )
    variable, compared = "", 0
    for row in book["TabStat"].iter_rows(values_only=True):
        variable = str(row[0]) if row[0] not in (None, "Valid", "Missing", "Total") else variable
        if variable and isinstance(row[2], int) and row[1] not in (None, "Total", "."):
            assert loaded[variable, str(row[1])] == row[2], (variable, row[1])
            compared += 1
    assert compared == 53


def _loaded_counts(ws: Workspace) -> dict[tuple[str, str], int]:
    """(column of the file, value) -> count, from the cells."""
    attributes = {code.code: code for code in code_list("ctdc_attribute").codes}
    counts: dict[tuple[str, str], int] = {}
    for first, last, sex, age, form, code, value in rows(
        ws,
        "select year(period_start), year(period_end), sex, age_group, form, breakdown_code, "
        "value::integer from fct_reported_cell where reporting_entity = 'CTDC-VP'",
    ):
        place = {"F": ("gender", "Female"), "M": ("gender", "Male")}.get(str(sex))
        place = place or {
            "Y_GE18": ("majorityStatus", "Adult"),
            "Y0T17": ("majorityStatus", "Minor"),
        }.get(str(age))
        place = place or {"LAB": ("isForcedLabour", "1"), "SEX": ("isSexualExploit", "1")}.get(
            str(form)
        )
        if code in attributes:
            attribute = attributes[str(code)]
            above = attributes[attribute.parent_code].source_code
            own = attribute.source_code
            place = (own, "1") if above == "IP role" else (above, own)
        if place is None and (sex, age) == ("_T", "_T") and (first, last) != (2005, 2022):
            place = ("yearRegister", str(first) if first == last else f"{first}-{last}")
        if place:
            counts[place] = int(str(value))
    return counts


def test_rows_of_public_data_sets_are_in_no_figure_of_victims(countries: Countries) -> None:
    units = rows(
        countries[0],
        "select distinct measure, unit_of_count from fct_reported_cell "
        "where reporting_entity in ('CTDC-KANON', 'CTDC-VP')",
    )
    assert units == [("PUBLISHED_RECORDS", "RECORD")]
    assert not rows(
        countries[0],
        "select 1 from fct_indicator_value where submissions like '%ctdc%' "
        "or reference_area in ('_T', '_U', '_Z')",
    )
    assert not rows(countries[0], "select 1 from dim_victim")


def test_identical_rows_are_told_and_all_are_counted(countries: Countries) -> None:
    [told] = messages(countries, "ctdc_kanon_2021", "TIP-661")
    assert told.startswith("97,750 rows, 20,666 of them different: 77,084 repeat another row")
    [counted] = messages(countries, "ctdc_kanon_2021", "TIP-671")
    assert counted == ("97,750 rows are counted in 1,792 cells; none of them is loaded as a record")
    [without] = messages(countries, "ctdc_kanon_2021", "TIP-670")
    assert without.startswith("2,011 rows without yearOfRegistration")
    known = messages(countries, "ctdc_kanon_2021", "TIP-673")
    assert any(
        m.startswith("5,321 rows: flagged as forced labour beside a blank joined text")
        for m in known
    )
    assert any(m.startswith("0 rows: with NA, the code of Namibia") for m in known)
