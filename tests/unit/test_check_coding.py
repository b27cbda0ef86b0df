"""How values as sent become codes, dates, numbers, ages and kinds of cell."""

from __future__ import annotations

import pytest
from check_returns import (
    a_return,
    cells,
    checked,
    found,
    police,
    rows,
    rule_ids,
    sound,
    table,
)

from loaders import typed
from loaders.coding import list_coder


@pytest.mark.parametrize(
    ("list_name", "sent", "code"),
    [
        ("sex", "F", "F"),
        ("sex", " female ", "F"),
        ("sex", "FEMENINO", "F"),
        ("sex", "Féminin", "F"),
        ("country", "co", "COL"),
        ("country", "peru", "PER"),
        ("country", "nam", "NAM"),
        ("form", "sex", "SEX"),
        ("sex", "not  known", "_U"),
        ("sex", "No se conoce", "_U"),
        ("offence_XXA", "pc -231", "PC-231"),
    ],
)
def test_a_code_or_label_in_any_language_is_accepted(list_name: str, sent: str, code: str) -> None:
    coded = list_coder(list_name, "en", {}).cell(sent)
    assert (coded.code, coded.valid) == (code, True)


def test_na_as_a_country_is_found_and_not_guessed_to_be_namibia() -> None:
    coded = list_coder("country", "en", {}).cell("NA")
    assert (coded.code, coded.valid) == ("_I", False)
    mapped = list_coder("country", "en", {"NA": "NAM"}).cell("NA")
    assert (mapped.code, mapped.valid) == ("NAM", True)


def test_several_values_are_coded_sorted_and_told_once() -> None:
    coded = list_coder("country", "en", {}).cell("PE; Colombia;pe", multi=True)
    assert coded.code == "COL;PER"


def test_the_layout_goes_before_codes_and_labels() -> None:
    coded = list_coder("sex", "es", {"M": "F"}).cell("M")
    assert (coded.code, coded.parts[0][2]) == ("F", "layout")


def test_totals_are_for_cells_only() -> None:
    assert not list_coder("sex", "en", {}).cell("_T").valid
    assert list_coder("sex", "en", {}, aggregate=True).cell("_T").valid


def test_what_is_no_code_is_invalid_and_kept_as_sent() -> None:
    result = checked(police(sound("victim", sex="femal", citizenship="XXB; atlantis")))
    assert rows(result, "victim", "sex", "sex__sent") == [("_I", "femal")]
    assert rows(result, "victim", "citizenship") == [("XXB;_I",)]
    assert result.held_out["victim"] == 0


def test_a_finding_says_cell_value_expectation_and_nearest() -> None:
    (finding,) = found(police(sound("victim", sex="femal")))
    assert (finding.sheet, finding.value) == ("Victim", "femal")
    assert finding.cell == f"{finding.column_letter}2"
    assert finding.expected == "a code of sex: F, M, O"
    assert finding.nearest == '"Female" → F'


def test_blank_is_not_stated_and_an_absent_column_not_collected() -> None:
    result = checked(police(sound("victim", age_basis=" ", age=None)))
    picked = rows(result, "victim", "age_basis", "age_moment", "age_state")
    assert picked == [("_X", "_N", "not_stated")]


@pytest.mark.parametrize(
    ("sent", "day"),
    [
        ("2023-03-31", "2023-03-31"),
        ("2023-03-31 00:00:00", "2023-03-31"),
        ("31/03/2023", "2023-03-31"),
        ("31.3.2023", "2023-03-31"),
        ("05/05/2023", "2023-05-05"),
        ("05/06/2023", None),
        ("31/02/2023", None),
    ],
)
def test_dates_are_read_only_where_they_cannot_be_confused(sent: str, day: str | None) -> None:
    result = checked(police(sound("victim", registration_date=sent)))
    ((read,),) = rows(result, "victim", "registration_date")
    assert (str(read) if read else None) == day


def test_a_number_column_may_say_why_there_is_no_number() -> None:
    result = checked(police(sound("victim", age="Not known")))
    assert rows(result, "victim", "age", "age_state") == [(None, "not_known")]


def test_the_age_is_taken_from_the_birth_date_where_it_is_blank() -> None:
    victim = sound("victim", age=None, birth_date="2010-03-03", registration_date="2023-03-02")
    result = checked(police(victim))
    assert rows(result, "victim", "age", "age_state") == [(12, "value")]


def test_the_age_as_sent_stays_where_the_birth_date_differs() -> None:
    result = checked(police(sound("victim", age="30", birth_date="2010-03-03")))
    assert rows(result, "victim", "age") == [(30,)]


@pytest.mark.parametrize(
    ("value", "kind", "low", "high"),
    [
        ("12", "VALUE", None, None),
        ("0", "TRUE_ZERO", None, None),
        (None, "NOT_STATED", None, None),
        ("<5", "WITHHELD_AT_SOURCE", 0, 4),
        ("<= 3", "WITHHELD_AT_SOURCE", 0, 3),
        ("1-4", "WITHHELD_AT_SOURCE", 1, 4),
        (":", "NOT_STATED", None, None),
        ("-", "NOT_STATED", None, None),
        ("x", "NOT_APPLICABLE", None, None),
        ("Not collected", "NOT_COLLECTED", None, None),
        ("about ten", "_I", None, None),
    ],
)
def test_the_kind_of_a_cell_is_read_from_its_value(
    value: str | None, kind: str, low: int | None, high: int | None
) -> None:
    result = checked(cells(sound("cell", value=value)))
    read = rows(result, "cell", "cell_kind", "lower_bound", "upper_bound")
    assert read == [(kind, low, high)]


def test_the_defaults_of_the_contract_are_applied() -> None:
    result = checked(cells(sound("cell")))
    picked = rows(result, "cell", "reporting_entity", "sex", "area", "cell_nature")
    assert picked == [("XXA-POLICE", "_T", "_T", "FLOW")]


def test_a_breakdown_says_which_list_its_code_is_of() -> None:
    good = sound("cell", breakdown="means", breakdown_code="THREAT")
    assert rule_ids(cells(good)) == set()
    assert rule_ids(cells({**good, "breakdown": "education"})) == {"TIP-201"}


def test_the_issuer_of_a_case_is_the_entity_where_none_was_sent() -> None:
    case = {k: v for k, v in sound("case").items() if k != "case_issuer"}
    result = checked(a_return("court", table("case", case), sender="XXA-COURT"))
    assert rows(result, "case", "case_issuer") == [("XXA-COURT",)]


def test_values_of_references_identifiers_and_birth_dates_are_never_shown() -> None:
    victim = sound(
        "victim", event_ref="SECRET-1", victim_ref="S/N", person_id="N/A", birth_date="1999-99-99"
    )
    findings = [f for f in found(police(victim)) if f.variable != "sex"]
    assert {f.rule_id for f in findings} >= {"TIP-402", "TIP-411", "TIP-303"}
    assert [f.value for f in findings] == [None] * len(findings)


def test_no_birth_date_stands_in_the_text_of_a_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[object] = []
    literal_of = typed._literal_of

    def noted(value: object) -> str:
        written.append(value)
        return literal_of(value)

    monkeypatch.setattr(typed, "_literal_of", noted)
    victim = sound("victim", birth_date="2010-03-03", registration_date="2023-03-02")
    assert rows(checked(police(victim)), "victim", "age") != []
    texts = {str(value) for value in written}
    assert "2023-03-02" in texts
    assert "2010-03-03" not in texts


def test_a_label_that_holds_the_separator_itself_is_one_value():
    water = "Water supply; sewerage, waste management and remediation"
    layout = {water: "E", "Building": "F", "Trade; repair": "G"}
    coder = list_coder("isic", "en", layout)
    assert coder.cell(f"Building; {water};Trade; repair", multi=True).code == "E;F;G"
    assert coder.cell(f"{water}; Building", multi=True).code == "E;F"
    # A part of such a label alone is unknown, and is not guessed.
    wrong = coder.cell("Building; Water supply", multi=True)
    assert (wrong.code, wrong.valid) == ("F;_I", False)


@pytest.mark.parametrize(
    ("list_name", "sent", "offered"),
    [
        ("country", "Nigera", "NGA"),
        ("country", "Traviata", ""),
        ("country", "Atlantis", ""),
        ("sex", "Femenin", "F"),
        ("sex", "femal", "F"),
        ("sex", "unfit", ""),
    ],
)
def test_only_what_is_alike_is_offered(list_name: str, sent: str, offered: str) -> None:
    coder = list_coder(list_name, "es", {})
    nearest = coder.nearest(coder.cell(sent))
    assert nearest.rpartition(" ")[2] == offered
