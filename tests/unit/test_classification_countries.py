"""Countries, currencies and regions agree with the pinned libraries and with a real file."""

import csv
import os
import re
from importlib import resources
from pathlib import Path

import pytest
from babel import Locale
from babel.core import get_cldr_version, get_global

from tipstat.classification import LANGUAGES, code_list, labels
from tipstat.project import project_root, seeds_dir

OWN = {"STATELESS", "XXA", "XXB", "XXC"}
#: Not in ISO 3166-1: a user-assigned code, without a number.
USER_ASSIGNED = {"XKX"}
#: country_converter 1.3.2 puts Nauru in Polynesia; M49 and the UNODC file say Micronesia.
LIBRARY_SLIPS = {"NRU": "Micronesia"}
#: In ISO 4217 since 2024, not yet labelled in the CLDR that babel carries.
UNLABELLED_CURRENCIES = {"ZWG"}
#: M49 name -> the name of the same region in the CLDR.
OTHER_WORDS_IN_CLDR = {
    "Latin America and the Caribbean": "Latin America",
    "South-eastern Asia": "Southeast Asia",
    "Australia and New Zealand": "Australasia",
    "Micronesia": "Micronesian Region",
}


def shipped() -> dict[str, dict[str, str]]:
    path = seeds_dir() / "classifications" / "class_country.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        return {row["code"]: row for row in csv.DictReader(handle)}


def library() -> dict[str, dict[str, str]]:
    # Its table is read as a file: the converter itself does not start under pandas 3.
    table = resources.files("country_converter").joinpath("country_data.tsv")
    lines = table.read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(lines, delimiter="\t")
    return {row["ISO3"]: row for row in rows if not row["obsolete"]}


def label_sources(lang: str, name: str) -> dict[str, str]:
    path = seeds_dir() / "labels" / f"{lang}.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["list"] == name]
    return {row["code"]: row["source"] for row in rows}


def test_the_countries_are_those_of_the_pinned_library_and_our_own_four():
    assert set(shipped()) == set(library()) | OWN
    assert set(shipped()) == set(code_list("country").by_code)


def test_iso_codes_are_those_of_the_pinned_library():
    for code, row in library().items():
        alpha2 = re.search(r"[A-Z]{2}", row["ISO2"])
        assert alpha2
        assert shipped()[code]["alpha2"] == alpha2.group()
        assert code_list("country").by_code[code].source_code == alpha2.group()
        number = "" if code in USER_ASSIGNED else row["ISOnumeric"].zfill(3)
        assert shipped()[code]["numeric"] == number


def test_alpha_2_codes_and_numbers_are_unique():
    for column in ("alpha2", "numeric"):
        given = [row[column] for row in shipped().values() if row[column]]
        assert len(given) == len(set(given))


def test_namibia_is_a_country_and_not_a_blank():
    assert shipped()["NAM"]["alpha2"] == "NA"


def test_the_most_detailed_m49_region_is_that_of_the_pinned_library():
    for code, row in library().items():
        ours = shipped()[code]
        finest = ours["intermediate"] or ours["subregion"] or ours["region"]
        assert finest == LIBRARY_SLIPS.get(code, row["UNregion"]), code


def test_m49_region_codes_and_names_go_together():
    english = Locale("en").territories
    for row in shipped().values():
        for level in ("region", "subregion", "intermediate"):
            code, name = row[f"{level}_code"], row[level]
            assert bool(code) == bool(name)
            if name != "Antarctica":
                assert english.get(code, "") == OTHER_WORDS_IN_CLDR.get(name, name)


def test_each_subregion_lies_in_one_region():
    rows = [row for row in shipped().values() if row["subregion_code"]]
    pairs = {(row["subregion_code"], row["region_code"]) for row in rows}
    assert len({subregion for subregion, _ in pairs}) == len(pairs)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_country_labels_are_those_of_the_cldr(lang):
    names, sources = Locale(lang).territories, label_sources(lang, "country")
    for code, row in shipped().items():
        if code not in OWN:
            assert labels(lang)["country", code] == names[row["alpha2"]]
            assert sources[code] == f"CLDR {get_cldr_version()}"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_currencies_are_those_in_use_with_the_labels_of_the_cldr(lang):
    used = {
        currency
        for history in get_global("territory_currencies").values()
        for currency, _, until, tender in history
        if until is None and tender
    }
    assert set(code_list("currency").by_code) == used
    for code in used - UNLABELLED_CURRENCIES:
        assert labels(lang)["currency", code] == Locale(lang).currencies[code]


def test_regions_agree_with_the_unodc_file():
    folder = Path(os.environ.get("TIPSTAT_TEST_DATA", project_root() / "../shared/data"))
    files = sorted((folder / "glotip").glob("*.xlsx"))
    if not files:
        pytest.skip("the UNODC file is not here: set TIPSTAT_TEST_DATA")
    import python_calamine

    rows = python_calamine.CalamineWorkbook.from_path(files[0]).get_sheet_by_index(0).to_python()
    theirs = {(row[0], row[2], row[3]) for row in rows[3:] if row[0]}
    assert len(theirs) > 190
    for code, region, subregion in theirs:
        ours = shipped()[str(code)]
        assert (ours["region"], ours["subregion"]) == (region, subregion)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_language_and_region_labels_are_those_of_the_cldr(lang):
    names = {"language": Locale(lang).languages, "region": Locale(lang).territories}
    for name, known in names.items():
        sources = label_sources(lang, name)
        for code in code_list(name).codes:
            assert labels(lang)[name, code.code] == known[code.code]
            assert sources[code.code] == f"CLDR {get_cldr_version()}"


def test_regions_are_those_of_the_countries_with_the_wider_region_as_parent():
    expected = {}
    for row in shipped().values():
        above = ""
        for level in ("region", "subregion", "intermediate"):
            code = row[f"{level}_code"]
            if code:
                expected[code] = above
                above = code
    del expected["010"]  # Antarctica, which the CLDR labels as a country only
    assert {code.code: code.parent_code for code in code_list("region").codes} == expected
