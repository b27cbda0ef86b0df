"""The seeds of the classification hold what the contract and the standards say."""

import csv
import itertools
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tipstat.classification import (
    LANGUAGES,
    OFFENCE_PREFIX,
    code_list,
    correspondence,
    fold,
    label,
    labels,
    list_names,
    missing_codes,
    offence_areas,
    offences,
)
from tipstat.contract import load_contract
from tipstat.project import seeds_dir

SDMX_ID = re.compile(r"[A-Za-z0-9_@$\-]+")
MEGABYTE = 1024 * 1024
LIST_HEADER = "code,parent_code,source,source_code,confidence,ictip_code,valid_from,valid_to"
OFFENCE_HEADER = (
    "offence_code,statute,article,paragraph,text,valid_from,valid_to,iccs_code,match,"
    "allocation_rule,relation,threats,aiding,accomplice,conspiracy,incitement,decided_by,"
    "decided_on,area"
)
TARGETS = ("form_iccs", "form_unodc", "form_eurostat", "form_sdg", "form_ctdc", "form_htcds")
FOLDERS = ("code_lists", "labels", "classifications", "correspondences")
#: The standard itself gives one label to a code and to its only residual below.
SAME_LABEL_IN_ICCS = [("02029", "020299"), ("1009", "10099"), ("11", "1109")]


def seed_files() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((seeds_dir() / folder).glob("*.csv"))]


def header(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as handle:
        return next(csv.reader(handle))


def file_lists() -> list[str]:
    national = {OFFENCE_PREFIX + area for area in offence_areas()}
    return [name for name in list_names() if name not in national]


def test_every_list_of_the_contract_exists():
    used = {
        variable.code_list
        for record_type in load_contract().record_types.values()
        for variable in record_type.variables
        if variable.code_list and variable.code_list not in ("@breakdown", "national_offence")
    }
    assert used <= set(list_names())


def test_every_breakdown_is_the_name_of_a_list():
    assert {code.code for code in code_list("breakdown").codes} <= set(list_names())


def test_headers_are_those_of_the_interface():
    expected = {
        "map_age_band": "age_group,min_age,max_age,scheme,age2",
        "map_status_scope": "victim_status,status_scope",
        "map_measure": "measure,counts_as,note",
        "class_iccs": "code,parent_code,level,section_code,division_code,group_code,family,version",
        "class_iccs_tag": "tag,unit,tag_label_en,code,label_en",
        "class_country": "code,alpha2,numeric,region_code,region,subregion_code,subregion,"
        "intermediate_code,intermediate",
        **dict.fromkeys(file_lists(), LIST_HEADER),
        **dict.fromkeys(LANGUAGES, "list,code,label,source"),
        **{OFFENCE_PREFIX + area: OFFENCE_HEADER for area in offence_areas()},
        **{
            f"map_{name}": f"form,{name},authority,area,valid_from,valid_to,version,note"
            for name in TARGETS
        },
    }
    assert {path.stem: ",".join(header(path)) for path in seed_files()} == expected


def test_dbt_can_tell_all_seed_files_apart_by_name():
    names = Counter(path.stem for path in seeds_dir().rglob("*.csv"))
    assert [name for name, times in names.items() if times > 1] == []


def test_no_seed_is_too_large_for_dbt():
    assert [path.name for path in seed_files() if path.stat().st_size > 3 * MEGABYTE] == []


@pytest.mark.parametrize("name", list_names())
def test_codes_are_unique_sdmx_ids_that_ignore_case(name):
    codes = [code.code for code in code_list(name).codes]
    assert codes
    assert all(SDMX_ID.fullmatch(code) for code in codes)
    assert len({code.casefold() for code in codes}) == len(codes)


@pytest.mark.parametrize("name", list_names())
def test_parents_exist_in_the_same_list_and_above(name):
    lists = code_list(name)
    assert {code.parent_code for code in lists.codes if code.parent_code} <= set(lists.by_code)
    assert len(list(lists.as_tree())) == len(lists.codes)


@pytest.mark.parametrize("name", [name for name in list_names() if name != "missing"])
def test_no_list_holds_a_missing_code(name):
    assert missing_codes().isdisjoint(code_list(name).by_code)


def test_every_code_says_where_it_comes_from_and_how_sure_we_are():
    for name in list_names():
        for code in code_list(name).codes:
            assert code.source, (name, code.code)
            assert code.confidence in {"V", "A", "P", "M"}, (name, code.code)


def test_our_own_categories_never_claim_to_be_verified():
    assert not [
        (name, code.code)
        for name in file_lists()
        for code in code_list(name).codes
        if code.source == "tipstat" and code.confidence in {"V", "A"}
    ]


def test_no_code_claims_to_be_of_the_ic_tip():
    assert not [code for name in file_lists() for code in code_list(name).codes if code.ictip_code]


def test_every_code_has_a_label_in_every_language_except_the_french_of_the_iccs():
    for lang in LANGUAGES:
        known = labels(lang)
        lacking = {
            (name, code.code)
            for name in list_names()
            for code in code_list(name).codes
            if (name, code.code) not in known
        }
        official = {("iccs", code.code) for code in code_list("iccs").codes}
        official |= {("form_iccs", f"0204{group}") for group in "1234"}
        assert lacking == (official if lang == "fr" else set())


def test_no_label_of_the_iccs_is_our_own():
    for lang in LANGUAGES:
        with (seeds_dir() / "labels" / f"{lang}.csv").open(encoding="utf-8", newline="") as handle:
            sources = {row["source"] for row in csv.DictReader(handle) if row["list"] == "iccs"}
        assert sources == ({""} if lang == "fr" else {"ICCS 1.0"})


def test_every_label_belongs_to_a_code_a_variable_or_a_list():
    contract = load_contract()
    names = {(name, code.code) for name in list_names() for code in code_list(name).codes}
    names |= {("code_list", name) for name in list_names()}
    names |= {("variable", v.name) for rt in contract.record_types.values() for v in rt.variables}
    for lang in LANGUAGES:
        with (seeds_dir() / "labels" / f"{lang}.csv").open(encoding="utf-8", newline="") as handle:
            rows = [(row["list"], row["code"]) for row in csv.DictReader(handle)]
        assert set(rows) == names
        assert len(rows) == len(names)


def test_every_kind_and_record_type_of_the_contract_is_labelled():
    for kind, record_type in load_contract().record_types:
        for lang in LANGUAGES:
            assert ("kind", kind) in labels(lang)
            assert ("record_type", record_type) in labels(lang)


def test_a_label_means_one_code_in_whatever_language_it_is_sent():
    meant: dict[tuple[str, str], set[str]] = defaultdict(set)
    for lang in LANGUAGES:
        for (name, code), text in labels(lang).items():
            meant[name, fold(text).replace(" ", "")].add(code)
    double = {tuple(sorted(codes)) for codes in meant.values() if len(codes) > 1}
    assert sorted(double) == sorted(SAME_LABEL_IN_ICCS)
    iccs = code_list("iccs")
    assert all(iccs.by_code[narrow].parent_code == broad for broad, narrow in double)


def test_no_label_is_the_code_of_another_category():
    for lang in LANGUAGES:
        for (name, code), text in labels(lang).items():
            if name in list_names():
                others = {fold(c) for c in code_list(name).by_code if c != code}
                assert fold(text) not in others, (name, code, text)


def test_no_label_reads_like_a_missing_value():
    missing = {fold(label("missing", code, lang)) for code in missing_codes() for lang in LANGUAGES}
    for lang in LANGUAGES:
        for (name, code), text in labels(lang).items():
            assert name == "missing" or fold(text) not in missing, (name, code, text)


def test_labels_can_stand_in_a_cell_beside_others():
    for lang in LANGUAGES:
        for text in labels(lang).values():
            assert text == " ".join(text.split())
            assert not set(text) & set(";|"), "several values of a cell are separated by these"
            assert text[0] not in "=+-@", "a spreadsheet would take it for a formula"


def test_the_iccs_is_complete_at_every_level():
    levels = Counter(row["level"] for row in rows_of("class_iccs"))
    assert levels == {"1": 11, "2": 63, "3": 148, "4": 98}
    assert {row["code"] for row in rows_of("class_iccs")} == set(code_list("iccs").by_code)


def test_the_parent_of_an_iccs_code_is_its_beginning():
    above = {2: 0, 4: 2, 5: 4, 6: 5}
    for code in code_list("iccs").codes:
        assert code.parent_code == code.code[: above[len(code.code)]]


def test_the_four_groups_of_trafficking_have_no_classes_below():
    below = {code.code for code in code_list("iccs").codes if code.code.startswith("0204")}
    assert below == {"0204", "02041", "02042", "02043", "02044"}
    family = {row["code"] for row in rows_of("class_iccs") if row["family"] == "TIP"}
    assert family == below


def test_the_tags_of_the_iccs_keep_the_gap_of_the_print():
    codes = [row["code"] for row in rows_of("class_iccs_tag") if row["tag"] == "SiC"]
    assert codes == ["1", "2", "4", "5", "6", "7", "8", "9", "10"]
    assert len({row["tag"] for row in rows_of("class_iccs_tag")}) == 27


#: List that holds the categories of each tag; those of persons have two tags in the print.
TAG_LISTS = {
    "At": "attempted_completed",
    "We": "weapon",
    "SiC": "situational_context",
    "Geo": "crime_geography",
    "Lo": "exploitation_place",
    "Mot": "motive",
    "Cy": "cybercrime",
    "Rep": "reported_by",
    "SV": "sex",
    "AV": "age_group",
    "STV": "age_status",
    "ViP": "relationship",
    "Cit": "citizenship_status",
    "LS": "legal_status",
    "Int": "intoxication",
    "EASt": "economic_activity_status",
    "Rec": "repeat_offender",
}
#: A natural person is one code, whatever his or her office; a legal entity is private or public.
UNSPLIT = {("LS", "1a"), ("LS", "1b"), ("LS", "2")}


@pytest.mark.parametrize("tag", TAG_LISTS)
def test_every_category_of_a_tag_is_a_code_of_its_list(tag):
    missing = ("not applicable", "not known", "relationship not known")
    printed = {
        f"{tag} {row['code']}"
        for row in rows_of("class_iccs_tag")
        if row["tag"] == tag and row["label_en"].lower() not in missing
        if (tag, row["code"]) not in UNSPLIT
    }
    ours = {
        part
        for code in code_list(TAG_LISTS[tag]).codes
        if code.source == "ICCS 1.0"
        for part in code.source_code.split(", ")
        if part.split()[0] == tag
    }
    assert ours == printed


def test_every_tag_of_persons_and_events_has_a_list():
    tags = {row["tag"] for row in rows_of("class_iccs_tag") if row["unit"] != "data"}
    of_perpetrators = {"SP", "AP", "STP"}
    assert tags - of_perpetrators - {"DaT", "ES"} == set(TAG_LISTS)


@pytest.mark.parametrize("target", TARGETS)
def test_each_map_places_every_form_and_missing_code_once(target):
    everywhere = [row for row in correspondence(f"map_{target}") if not row["area"]]
    forms = Counter(row["form"] for row in everywhere)
    assert set(forms) == set(code_list("form").by_code) | missing_codes()
    assert set(forms.values()) == {1}
    reached = {row[target] for row in correspondence(f"map_{target}")}
    assert reached - missing_codes() <= set(code_list(target).by_code)
    assert all(row["authority"] and row["version"] for row in everywhere)


def test_the_authorities_disagree_on_begging_and_forced_crime():
    def of(target: str, form: str, area: str = "") -> str:
        (row,) = [
            row
            for row in correspondence(f"map_{target}")
            if row["form"] == form and row["area"] == area
        ]
        return row[target]

    assert of("form_iccs", "BEGGING") == "02042"
    assert of("form_unodc", "BEGGING") == "OTHER"
    assert of("form_ctdc", "BEGGING") == "typeOfLabourBegging"
    assert of("form_iccs", "CRIME") == "02044"
    assert of("form_unodc", "CRIME") == "OTHER"
    assert of("form_ctdc", "CRIME") == "typeOfLabourIllicitActivities"
    assert of("form_unodc", "LAB_NFS") == "LAB"
    assert of("form_unodc", "LAB_NFS", "PER") == "OTHER"
    assert of("form_unodc", "_U") == "_U"
    assert of("form_unodc", "_U", "PER") == "OTHER"
    assert of("form_iccs", "_U") == "0204"


def test_age_bands_say_their_ages_and_roll_up_only_where_they_nest():
    bands = {row["age_group"]: row for row in correspondence("map_age_band")}
    assert set(bands) == set(code_list("age_group").by_code)
    for name, row in bands.items():
        low, high = int(row["min_age"]), int(row["max_age"] or 999)
        assert name == (f"Y{low}T{high}" if row["max_age"] else f"Y_GE{low}")
        nested = "Y0T17" if high < 18 else "Y_GE18" if low >= 18 else "_U"
        assert row["age2"] == nested
        parent = code_list("age_group").by_code[name].parent_code
        assert parent == ("" if nested in (name, "_U") else nested)
    assert bands["Y15T29"]["age2"] == "_U"


@pytest.mark.parametrize(
    "scheme",
    ["REFINEMENT", "AGE2", "ICCS", "CTDC", "PER", "DEU", "GBR", "HRV", "IND", "FIVE_YEARS"],
)
def test_each_age_scheme_covers_every_age_once(scheme):
    rows = [r for r in correspondence("map_age_band") if scheme in r["scheme"].split(";")]
    bands = sorted((int(row["min_age"]), row["max_age"]) for row in rows)
    assert bands[0][0] == 0
    assert bands[-1][1] == ""
    assert all(int(this[1]) + 1 == after[0] for this, after in itertools.pairwise(bands))


def test_the_twelve_fine_bands_nest_into_the_bands_of_iccs_unodc_and_ctdc():
    rows = correspondence("map_age_band")
    fine = [row for row in rows if "REFINEMENT" in row["scheme"]]
    assert len(fine) == 12
    starts = {int(row["min_age"]) for row in fine}
    for scheme in ("AGE2", "ICCS", "CTDC"):
        assert {int(r["min_age"]) for r in rows if scheme in r["scheme"].split(";")} <= starts


def test_status_scopes_widen_from_formal_to_all():
    scopes: dict[str, set[str]] = defaultdict(set)
    for row in correspondence("map_status_scope"):
        scopes[row["status_scope"]].add(row["victim_status"])
    assert set(scopes) == set(code_list("status_scope").by_code)
    assert scopes["FORMAL"] < scopes["IDENTIFIED"] < scopes["REGISTERED"] < scopes["ALL"]
    assert scopes["REGISTERED"] == scopes["IDENTIFIED"] | scopes["PRESUMED"]
    assert scopes["ALL"] == set(code_list("victim_status").by_code) | {"_U", "_X", "_N", "_I"}


@pytest.mark.parametrize("area", offence_areas())
def test_articles_of_national_law_are_mapped_with_a_decision(area):
    rows = offences(area)
    assert area in code_list("country").by_code
    assert len({row.offence_code for row in rows}) == len(rows)
    for row in rows:
        assert row.iccs_code in code_list("iccs").by_code
        assert row.match in {"exact", "broader", "narrower", "partial"}
        assert row.relation in {
            "TIP_SPECIFIC",
            "TIP_OTHER_ARTICLE",
            "KNOWING_USE",
            "TIP_RELATED",
            "PROXY",
            "NOT_TIP",
        }
        tags = {row.threats, row.aiding, row.accomplice, row.conspiracy, row.incitement}
        assert tags <= {"Y", "N", ""}
        assert row.area == area
        assert row.decided_by
        assert row.decided_on
        assert not row.valid_to or row.valid_from < row.valid_to


@pytest.mark.parametrize("area", offence_areas())
def test_only_articles_on_trafficking_itself_stand_under_0204(area):
    for row in offences(area):
        trafficking = row.relation in {"TIP_SPECIFIC", "TIP_OTHER_ARTICLE"}
        assert row.iccs_code.startswith("0204") == trafficking, row.offence_code


def test_perus_articles_change_number_on_one_day_without_gap_or_overlap():
    law = {row.offence_code: row for row in offences("PER")}
    for old, new in (("PC-153", "PC-129-A"), ("PC-153-A", "PC-129-B"), ("PC-168-B", "PC-129-O")):
        assert law[old].valid_to == "2021-03-30"
        assert law[new].valid_from == "2021-03-31"
        assert (law[old].iccs_code, law[old].relation) == (law[new].iccs_code, law[new].relation)


def test_the_sample_country_has_the_articles_that_its_returns_use():
    assert {row.offence_code: (row.relation, row.iccs_code) for row in offences("XXA")} == {
        "PC-231": ("TIP_SPECIFIC", "0204"),
        "PC-231-1": ("TIP_SPECIFIC", "02041"),
        "PC-231-2": ("TIP_SPECIFIC", "02042"),
        "PC-231-3": ("TIP_SPECIFIC", "02043"),
        "PC-231-4": ("TIP_SPECIFIC", "02044"),
        "PC-232": ("TIP_RELATED", "03021"),
        "PC-233": ("TIP_OTHER_ARTICLE", "0204"),
        "PC-240": ("TIP_RELATED", "08051"),
        "PC-300": ("NOT_TIP", "0502"),
    }


def rows_of(name: str) -> list[dict[str, str]]:
    path = seeds_dir() / "classifications" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))
