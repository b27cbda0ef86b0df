"""India's police and court tables, through load and build: IND-CONV, IND-FLOW and IND-2012.

The Immoral Traffic (Prevention) Act is prostitution law. Its convictions are those that the
United Nations Office on Drugs and Crime printed as convictions of trafficking for 2003 to 2006:
the figures prove the load, and the last test that none of them counts as trafficking.
"""

from __future__ import annotations

import csv
from contextlib import closing
from pathlib import Path

import pytest

from loaders.check import check_file
from loaders.findings import Finding
from tipstat.classification import offences
from tipstat.errors import ReturnRefused
from tipstat.warehouse import reading
from tipstat.workspace import Workspace

Countries = tuple[Workspace, dict[str, list[Finding]]]

#: UNODC's persons convicted, India.
CONVICTED = {2003: 6202, 2004: 6341, 2005: 7075, 2006: 5201}
DISPOSAL_2012 = "04_01_Person_arrested_and_their_disposal_by_police_and_court_SLL_crime_2012.csv"
DISPOSAL_2013 = DISPOSAL_2012.replace("2012", "2013")
#: Measure -> column of the table of 2012, and the figure of its all-India row.
ALL_INDIA = {
    "PERSONS_ARRESTED": ("Persons arrested during the year", 8052),
    "PERSONS_CHARGE_SHEETED": (
        "Persons in whose cases charge sheets were laid during the year",
        7056,
    ),
    "PERSONS_CONVICTED": ("Persons convicted", 1556),
    "PERSONS_ACQUITTED": ("Persons acquitted", 2925),
}


def total(ws: Workspace, measure: str, year: int, sex: str = "_T") -> int:
    """Reported cells of the Act, summed over the areas."""
    with reading(ws) as connection:
        [(value,)] = connection.execute(
            "select sum(value) from fct_reported_cell where reference_area = 'IND'"
            " and legal_article = 'ITPA' and measure = $measure and cell_nature = 'FLOW'"
            " and sex = $sex and year(period_start) = $year and year(period_end) = $year",
            {"measure": measure, "sex": sex, "year": year},
        ).fetchall()
    return int(value)


def messages(countries: Countries, layout: str, rule: str) -> list[str]:
    return [f.message for f in countries[1][layout] if f.rule_id == rule]


@pytest.mark.parametrize(("year", "expected"), CONVICTED.items())
def test_ind_conv_convictions_of_the_proxy_equal_unodc(
    countries: Countries, year: int, expected: int
) -> None:
    assert total(countries[0], "PERSONS_CONVICTED", year) == expected


@pytest.mark.parametrize(("measure", "expected"), ALL_INDIA.items())
def test_ind_2012_the_areas_sum_to_the_tables_own_row_of_all_india(
    countries: Countries, test_data: Path, measure: str, expected: tuple[str, int]
) -> None:
    column, figure = expected
    with (test_data / "ind_ncrb" / DISPOSAL_2012).open(encoding="utf-8", newline="") as file:
        [own] = [
            int(row[column])
            for row in csv.DictReader(file)
            if row["STATE/UT"] == "TOTAL (ALL-INDIA)" and row["CRIME HEAD"].startswith("IMMORAL")
        ]
    assert total(countries[0], measure, 2012) == figure == own


def test_ind_flow_the_identities_hold_in_every_row_of_2012(countries: Countries) -> None:
    told = messages(countries, "ind_ncrb_disposal_2012", "TIP-659")
    assert sorted(told) == [
        f"{what}: the numbers agree in 1,026 of 1,026 rows"
        for what in (
            "persons sent to trial",
            "persons tried",
            "persons under investigation",
            "persons under trial",
        )
    ]
    assert not messages(countries, "ind_ncrb_disposal_2012", "TIP-658")


def test_total_rows_agree_and_the_one_without_its_law_is_told(countries: Countries) -> None:
    assert not messages(countries, "ind_ncrb_disposal_2012", "TIP-656")
    assert messages(countries, "ind_ncrb_disposal_2012", "TIP-657") == [
        "total of all India, CRIME HEAD REGISTRATION OF FOREIGNERS ACT, 1930: "
        "0 total rows over 35 parts",
        "total of all India, CRIME HEAD (blank): 1 total rows over 0 parts",
    ]


def test_no_total_row_is_loaded_beside_its_parts(countries: Countries) -> None:
    with reading(countries[0]) as connection:
        rows = connection.execute(
            "select year(period_end), count(distinct area) from fct_reported_cell "
            "where reference_area = 'IND' and legal_article = 'ITPA' group by 1 order by 1"
        ).fetchall()
        [(totals,)] = connection.execute(
            "select count(*) from fct_reported_cell where lower(area) like '%total%'"
        ).fetchall()
    # Telangana stands apart from 2014 on.
    assert rows == [*((year, 35) for year in range(2001, 2011)), (2012, 35), (2014, 36)]
    assert totals == 0


def test_stocks_stand_on_their_census_dates(countries: Countries) -> None:
    with reading(countries[0]) as connection:
        rows = connection.execute(
            "select period_start::varchar, period_end::varchar, sum(value)::integer "
            "from fct_reported_cell where reference_area = 'IND' and legal_article = 'ITPA' "
            "and measure = 'PERSONS_UNDER_INVESTIGATION' and year(period_end) = 2012 "
            "and cell_nature = 'STOCK' group by all order by 1"
        ).fetchall()
    opening, closing_stock = rows
    assert opening[:2] == ("2012-01-01", "2012-01-01")
    assert closing_stock[:2] == ("2012-12-31", "2012-12-31")
    released = total(countries[0], "PERSONS_RELEASED", 2012)
    assert closing_stock[2] == opening[2] + 8052 - released - 7056


def test_men_and_women_of_2014_add_up_to_both(countries: Countries) -> None:
    men, women = (total(countries[0], "PERSONS_ARRESTED", 2014, sex) for sex in ("M", "F"))
    assert men + women == total(countries[0], "PERSONS_ARRESTED", 2014) == 7327
    failing = [
        (f.cell, f.value, f.expected)
        for f in countries[1]["ind_ncrb_disposal_2014"]
        if f.rule_id == "TIP-658"
    ]
    # Six rows of two heads outside the subject, each for men and for both sexes.
    assert len(failing) == 12
    assert ("AG869", "11", "12") in failing
    assert not messages(countries, "ind_ncrb_disposal_2014", "TIP-656")


def test_each_of_the_1400_repaired_lines_is_a_finding_with_its_row(countries: Countries) -> None:
    repaired = [f for f in countries[1]["ind_ncrb_arrests_2001_2010"] if f.rule_id == "TIP-116"]
    assert len({f.row for f in repaired}) == len(repaired) == 1400
    assert not messages(countries, "ind_ncrb_arrests_2001_2010", "TIP-110")
    agreed = messages(countries, "ind_ncrb_arrests_2001_2010", "TIP-659")
    assert len(agreed) == 4
    assert all(message.endswith("4,165 of 4,165 rows") for message in agreed)


def test_the_file_of_2013_is_refused_for_what_it_holds(
    countries: Countries, test_data: Path
) -> None:
    path = test_data / "ind_ncrb" / DISPOSAL_2013
    with pytest.raises(ReturnRefused) as caught:
        closing(check_file(path, countries[0], layout="ind_ncrb_disposal_2012"))
    assert caught.value.rule == "TIP-117"
    assert "the column holds Arson, Dacoity" in caught.value.found


#: Layout -> file, cells, and the figure of one article or form over all areas.
OTHER_TABLES = {
    "ind_ncrb_cases_2001_2010": (
        "42_Cases_under_crime_against_women.csv", 25200,
        "measure = 'CASES_REPORTED' and legal_article = 'ITPA' and year(period_end) = 2001", 8796,
    ),
    "ind_ncrb_kidnapping_2001_2010": (
        "39_Specific_purpose_of_kidnapping_and_abduction.csv", 33344,
        "unit_of_count = 'VICTIM' and form = 'SEX_PROSTITUTION' and sex = '_T'", 3414,
    ),
    "ind_ncrb_districts_2014": (
        "42_District_wise_crimes_committed_against_women_2014.csv", 4005,
        "legal_article = 'IPC-TIP'", 462,
    ),
    "ind_ncrb_arrests_age_2014": (
        "07_02_Persons_arrested_by_sex_and_age_group_SLL_2014.csv", 2160,
        "legal_article = 'ITPA' and sex = '_T' and age_group = '_T'", 7307,
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", OTHER_TABLES)
def test_the_other_tables_load_whole_and_agree_with_their_own_totals(
    countries: Countries, test_data: Path, layout: str
) -> None:
    name, cells, where, figure = OTHER_TABLES[layout]
    path = test_data / "ind_ncrb" / name
    with closing(check_file(path, countries[0], layout=layout)) as result:
        found = result.connection.execute(
            f"select sum(value)::integer from rec_cell where {where}"
        ).fetchall()
        rules = {finding.rule_id for finding in result.findings()}
    assert result.records == {"cell": cells}
    assert result.held_out == {"cell": 0}
    assert found == [(figure,)]
    assert not rules & {"TIP-110", "TIP-201", "TIP-403", "TIP-656", "TIP-657", "TIP-665"}


def test_the_head_under_a_wrong_group_is_found_by_name(
    countries: Countries, test_data: Path
) -> None:
    path = test_data / "ind_ncrb" / "42_Cases_under_crime_against_women.csv"
    with closing(check_file(path, countries[0], layout="ind_ncrb_cases_2001_2010")) as result:
        told = [f.message for f in result.findings() if f.rule_id == "TIP-673"]
    assert told == [
        "350 rows: the Dowry Prohibition Act stands under the group Importation of Girls"
    ]


def test_the_act_is_mapped_as_a_proxy_outside_0204() -> None:
    act = [offence for offence in offences("IND") if offence.offence_code.startswith("ITPA")]
    assert {offence.relation for offence in act} == {"PROXY"}
    assert {offence.iccs_code[:4] for offence in act} == {"0302", "0802"}


def test_nothing_of_the_act_is_a_figure_of_trafficking(countries: Countries) -> None:
    with reading(countries[0]) as connection:
        [(cells,)] = connection.execute(
            "select count(*) from fct_reported_cell where reporting_entity = 'IND-NCRB'"
        ).fetchall()
        # UNODC prints figures of India beside it.
        [(figures,)] = connection.execute(
            "select count(*) from fct_indicator_value where reference_area = 'IND' "
            "and source_type <> 'international'"
        ).fetchall()
        tip = connection.execute(
            "select distinct legal_article from fct_reported_cell "
            "where reporting_entity = 'IND-NCRB' and is_tip"
        ).fetchall()
    assert cells == 840 + 7776 + 16800
    assert figures == 0
    assert tip == []
