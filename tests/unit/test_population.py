"""The shipped population is the publishers', and an office's own file is checked line by line."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from tipstat import population
from tipstat.classification import code_list
from tipstat.errors import WorkplaceError
from tipstat.project import project_root
from tipstat.snapshot import seed_digest

DATA = Path(os.environ.get("TIPSTAT_TEST_DATA", project_root().parent / "shared" / "data"))
HEADER = "year,sex,age_from,age_to,population,source,vintage"
GOOD = [
    "2022,F,0,17,200,Census,2024",
    "2022,F,18,,800,Census,2024",
    "2023,F,0,17,210,Census,2024",
    "2023,F,18,,810,Census,2024",
    "2022,_T,,,2000,Census,2024",
    "2023,_T,,,2020,Census,2024",
]
#: Victims of Bosnia and Herzegovina by year, and the rate that its statistical office published.
BOSNIA = {
    2010: (25, 0.66),
    2011: (35, 0.94),
    2015: (35, 0.99),
    2016: (48, 1.38),
    2018: (36, 1.06),
    2019: (61, 1.82),
}


def office_file(folder: Path, lines: list[str], name: str = "XXA.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


def published(name: str) -> Path:
    path = DATA / "population" / name
    if not path.is_file():
        pytest.skip("the population files are not here: set TIPSTAT_TEST_DATA")
    return path


# ---- the shipped reference ---------------------------------------------------------------------


def test_the_shipped_file_is_small_and_of_countries_only() -> None:
    assert population.reference_file().stat().st_size < 1_000_000
    assert population.reference({"WLD", "EUU", "HIC"}) == []
    assert population.reference({"XXA"}) == []
    totals = [r for r in population.reference({"PER"}) if r.sex == "_T"]
    assert [r.year for r in totals] == list(range(1960, 2025))
    assert {(r.age_from, r.age_to, r.source) for r in totals} == {
        (None, None, "World Bank SP.POP.TOTL")
    }


def test_sexes_come_in_five_year_ages_and_five_year_steps() -> None:
    rows = [r for r in population.reference({"PER"}) if r.sex == "F"]
    assert sorted({r.year for r in rows}) == list(range(1950, 2036, 5))
    assert {r.method for r in rows if r.year > 2020} == {"projection"}
    ages = sorted({(r.age_from or 0, r.age_to) for r in rows}, key=lambda age: age[0])
    assert ages == [*((n, n + 4) for n in range(0, 100, 5)), (100, None)]


def test_every_shipped_area_is_a_country_of_the_list() -> None:
    countries = {code.code for code in code_list("country").codes}
    assert {r.area for r in population.reference(countries)} <= countries
    assert len({r.area for r in population.reference(countries)}) > 210


def test_the_shipped_file_is_what_the_publishers_files_give(tmp_path: Path) -> None:
    published("wb_sp_pop_totl.csv")
    made = tmp_path / "population.parquet"
    assert population.write_reference(DATA / "population", made) > 160_000
    assert made.read_bytes() == population.reference_file().read_bytes()


@pytest.mark.parametrize("area", ["PER", "BIH", "IND", "XKX"])
def test_totals_are_those_of_the_world_bank(area: str) -> None:
    with published("wb_sp_pop_totl.csv").open(encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["Country Code"] == area]
    expected = {int(row["Year"]): int(row["Value"]) for row in rows}
    shipped = population.reference({area})
    assert {r.year: r.population for r in shipped if r.sex == "_T"} == expected


@pytest.mark.parametrize(
    ("name", "sex"), [("wpp2019_popF.txt", "F"), ("wpp2019_popMprojMed.txt", "M")]
)
def test_sexes_and_ages_are_those_of_the_united_nations(name: str, sex: str) -> None:
    with published(name).open(encoding="utf-8", newline="") as handle:
        rows = [r for r in csv.DictReader(handle, delimiter="\t") if r["country_code"] == "604"]
    expected = {
        (int(year), int(row["age"].split("-")[0].rstrip("+"))): round(float(value) * 1000)
        for row in rows
        for year, value in row.items()
        if year and year.isdigit() and int(year) <= population.LAST_YEAR
    }
    shipped = {
        (r.year, r.age_from): r.population for r in population.reference({"PER"}) if r.sex == sex
    }
    assert {key: shipped[key] for key in expected} == expected


@pytest.mark.parametrize(("year", "expected"), BOSNIA.items())
def test_bih_r_count_by_population_is_the_rate_that_the_office_published(
    year: int, expected: tuple[int, float]
) -> None:
    count, rate = expected
    (total,) = [r for r in population.reference({"BIH"}) if (r.year, r.sex) == (year, "_T")]
    assert round(count * 100000 / total.population, 2) == rate


def test_the_counts_and_rates_of_bosnia_are_those_of_its_file() -> None:
    path = published("wb_sp_pop_totl.csv").parents[1] / "sdg1622" / "bih_bhas"
    with (path / "data_indicator_16-2-2.csv").open(encoding="utf-8", newline="") as handle:
        totals = [r for r in csv.DictReader(handle) if (r["SEX"], r["AGE"]) == ("_T", "_T")]
    value = {(int(r["Year"]), r["SERIES"]): r["Value"] for r in totals}
    assert {
        year: (int(value[year, "VC_HTF_DETV"]), float(value[year, "VC_HTF_DETVR"]))
        for year in BOSNIA
    } == BOSNIA


# ---- the office's own file ---------------------------------------------------------------------


def test_a_complete_file_is_read_as_it_stands(tmp_path: Path) -> None:
    rows = population.read_office_file(office_file(tmp_path, GOOD))
    assert [(r.area, r.year, r.sex, r.age_from, r.age_to, r.population) for r in rows[:2]] == [
        ("XXA", 2022, "F", 0, 17, 200),
        ("XXA", 2022, "F", 18, None, 800),
    ]
    assert {r.method for r in rows} == {"office"}


@pytest.mark.parametrize(
    ("rule", "line", "lines"),
    [
        ("TIP-940", 2, []),
        ("TIP-940", 2, ["2022,F,0"]),
        ("TIP-940", 2, ["2022,_T,,,2000,,2024"]),
        ("TIP-941", 3, [GOOD[4], "2023,_T,,,-5,Census,2024"]),
        ("TIP-941", 2, ["2022,_T,,,1 000,Census,2024"]),
        ("TIP-941", 2, ["22,_T,,,1000,Census,2024"]),
        ("TIP-942", 7, [*GOOD[:5], "2023,X,,,2020,Census,2024"]),
        ("TIP-943", 8, [*GOOD, GOOD[0]]),
        ("TIP-944", 3, [GOOD[4], "2024,_T,,,2040,Census,2024"]),
        ("TIP-945", 3, [GOOD[0], "2022,F,20,,780,Census,2024"]),
        ("TIP-945", 3, [GOOD[0], "2022,F,17,,780,Census,2024"]),
        ("TIP-945", 2, ["2022,F,1,,780,Census,2024"]),
        ("TIP-945", 2, ["2022,F,,17,780,Census,2024"]),
        ("TIP-945", 2, [GOOD[0]]),
        ("TIP-945", 3, ["2022,F,0,,999,Census,2024", GOOD[1]]),
        ("TIP-946", 4, [*GOOD[:2], "2022,F,,,1100,Census,2024"]),
        (
            "TIP-946",
            4,
            [
                "2022,F,,,1000,Census,2024",
                "2022,M,,,1000,Census,2024",
                "2022,_T,,,1900,Census,2024",
            ],
        ),
    ],
)
def test_a_file_with_a_mistake_is_refused_at_its_line(
    tmp_path: Path, rule: str, line: int, lines: list[str]
) -> None:
    with pytest.raises(WorkplaceError) as refused:
        population.read_office_file(office_file(tmp_path, lines))
    assert refused.value.rule == rule
    assert refused.value.where == f"XXA.csv, line {line}"
    assert refused.value.found
    assert refused.value.expected
    assert refused.value.do


def test_a_gap_in_the_years_says_which_year_is_missing(tmp_path: Path) -> None:
    path = office_file(tmp_path, [GOOD[4], "2024,_T,,,2040,Census,2024"])
    with pytest.raises(WorkplaceError, match="2024 after 2022"):
        population.read_office_file(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("peru.csv", HEADER.encode()),
        ("XXA.csv", b"year;sex;population"),
        ("XXA.csv", HEADER.encode() + b"\n2022,_T,,,1000,Estad\xedstica,2024\n"),
    ],
)
def test_what_is_no_population_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WorkplaceError) as refused:
        population.office_population(tmp_path)
    assert refused.value.rule == "TIP-940"


def test_the_seed_digest_tells_builds_with_another_population_apart(tmp_path: Path) -> None:
    before = seed_digest(None, tmp_path)
    office_file(tmp_path, GOOD)
    assert seed_digest(None, tmp_path) != before == seed_digest()


def test_a_workspace_without_the_folder_has_no_population_of_its_own(tmp_path: Path) -> None:
    assert population.office_population(tmp_path / "populations") == {}
