"""Every rule of the door is produced by a return that breaks it, and by no sound return."""

from __future__ import annotations

import re

import pytest
from check_returns import (
    CONTEXT,
    a_return,
    cells,
    checked,
    police,
    rule_ids,
    sound,
    table,
)

from loaders.inspection import Context
from loaders.returned import Returned
from tipstat.rules import all_rules

#: Ranges of the ids of this door; the reading, the templates and the landing have their own.
OWN = re.compile(r"TIP-(14\d|150|16[0-38]|199|[23]\d\d|4\d\d|5[0-3]\d|59\d|6[0-4]\d|6[89]\d)")


def victim(**changed: str | None) -> Returned:
    return police(sound("victim", **changed))


def event(**changed: str | None) -> Returned:
    return police(events=[sound("event", **changed)])


def perpetrator(**changed: str | None) -> Returned:
    record = sound("perpetrator", **changed)
    return a_return("police", table("event", sound("event")), table("perpetrator", record))


def offence(**changed: str | None) -> Returned:
    record = sound("offence", **changed)
    return a_return("police", table("event", sound("event")), table("offence", record))


def court(**changed: dict[str, str | None]) -> Returned:
    names = ("case", "defendant", "charge", "decision", "sanction")
    tables = [table(name, sound(name, **changed.get(name, {}))) for name in names]
    return a_return("court", *tables, sender="XXA-COURT")


def service(**changed: str | None) -> Returned:
    victims = table("victim", sound("service_victim", **changed))
    services = table("service", sound("service"))
    return a_return("service", victims, services, sender="XXA-SHELTER", legal_basis="CONSENT")


def cell(**changed: str | None) -> Returned:
    return cells(sound("cell", **changed))


def doubled() -> Returned:
    once = table("event", sound("event"))
    twice = once.table.append_column("event_status", once.table.column("event_status"))
    return a_return("police", type(once)("event", twice, once.columns))


def without(name: str, *columns: str) -> Returned:
    record = {k: v for k, v in sound(name).items() if k not in columns}
    return a_return("police", table(name, record))


def both_roles() -> Returned:
    return a_return(
        "police",
        table("event", sound("event")),
        table("victim", sound("victim", person_id="A1")),
        table("perpetrator", sound("perpetrator", person_id="a1")),
    )


def one_reference_for_two() -> Returned:
    return a_return(
        "police",
        table("event", sound("event")),
        table("victim", sound("victim", victim_ref="7")),
        table("perpetrator", sound("perpetrator", perpetrator_ref=" 7")),
        table("relationship", sound("relationship", victim_ref="7", perpetrator_ref="7")),
    )


def contact_person(**changed: str | None) -> Returned:
    people = table("contact_person", sound("contact_person", **changed))
    return a_return("service", table("contact", sound("contact")), people)


def many_victims(**columns: tuple[str, ...]) -> Returned:
    rows = zip(*columns.values(), strict=True)
    records = [dict(zip(columns, row, strict=True)) for row in rows]
    return police(*(sound("victim", victim_ref=f"V{n}", **r) for n, r in enumerate(records)))


def many_events(n: int, **changed: str) -> Returned:
    events = [sound("event", event_ref=f"E{i}", **changed) for i in range(n)]
    return police(events=events)


BREAKING: dict[str, Returned] = {
    "TIP-140": event(event_colour="red"),
    "TIP-141": without("event", "event_ref"),
    "TIP-142": without("event", "event_status"),
    "TIP-143": doubled(),
    "TIP-144": a_return("police", table("case", sound("case"))),
    "TIP-145": a_return("police"),
    "TIP-146": police(maturity=None),
    "TIP-147": police(maturity="sort of"),
    "TIP-148": police(area_covered="nearly"),
    "TIP-160": many_victims(registration_date=("31/05/2023", "05/06/2023")),
    "TIP-161": victim(registration_date="45000"),
    "TIP-162": many_victims(age=("1 7", "１８")),
    "TIP-163": cell(value="1,234"),
    "TIP-168": event(case_ref="АB-12"),  # the first letter is Cyrillic
    "TIP-201": victim(sex="femal"),
    "TIP-203": offence(legal_article="PC-999"),
    "TIP-204": cell(breakdown_code="DECEPTION"),
    "TIP-301": victim(registration_date="in March"),
    "TIP-302": victim(registration_date="05/06/2023"),
    "TIP-303": victim(registration_date="2023-02-31"),
    "TIP-304": event(event_start_date="1823-03-01"),
    "TIP-305": event(event_end_date="2025-03-01"),
    "TIP-311": victim(age="twenty"),
    "TIP-312": cell(value="1,2,3"),
    "TIP-320": victim(age="214"),
    "TIP-321": victim(age="20", age_group="Y30T59"),
    "TIP-322": victim(age="20", birth_date="1990-01-01"),
    "TIP-323": victim(birth_date="2023-12-01"),
    "TIP-330": offence(offence_count="0"),
    "TIP-331": court(sanction={"sanction_months": "5000"}),
    "TIP-332": court(sanction={"sanction_amount": "-5", "sanction_currency": "EUR"}),
    "TIP-333": cell(value="-3"),
    "TIP-334": cell(value="<5", lower_bound="4", upper_bound="1"),
    "TIP-401": victim(victim_ref=None),
    "TIP-402": victim(victim_ref="s/n"),
    "TIP-403": police(sound("victim"), sound("victim", victim_ref=" v1 ")),
    "TIP-411": event(case_ref="XXX"),
    "TIP-412": many_events(51, case_ref="CASE 7"),
    "TIP-421": victim(event_ref="E9"),
    "TIP-422": police(
        sound("victim"), events=[sound("event", event_registration_date="2021-01-01")]
    ),
    "TIP-430": victim(person_id="A1"),
    "TIP-501": police(period_start="2023-12-31", period_end="2023-01-01"),
    "TIP-502": police(period_end="2026-12-31"),
    "TIP-503": police(extraction_date="2023-11-01"),
    "TIP-504": police(extraction_date="2027-01-01"),
    "TIP-510": victim(reporting_entity="XXA-POLIZE"),
    "TIP-511": police(sender="XXA-POLIZE"),
    "TIP-520": victim(registration_date="2024-01-05"),
    "TIP-521": victim(registration_date="2022-12-31"),
    "TIP-522": a_return("service", table("contact", sound("contact", contact_date="2022-05-01"))),
    "TIP-523": cell(period_end="2024-01-31"),
    "TIP-524": cell(period_start="2023-06-01", period_end="2023-05-01"),
    "TIP-530": service(consent_basis="NONE"),
    "TIP-601": event(event_status_date="2023-01-01"),
    "TIP-602": victim(victim_status_date="2023-01-01"),
    "TIP-603": perpetrator(justice_status_date="2023-01-01"),
    "TIP-604": event(event_start_date="2023-02-01", event_end_date="2023-01-01"),
    "TIP-605": a_return(
        "service",
        table("victim", sound("service_victim")),
        table("service", sound("service", service_end_date="2023-03-01")),
    ),
    "TIP-606": court(sanction={"sanction_amount": "100"}),
    "TIP-607": perpetrator(legal_status="LEGAL_PRIVATE"),
    "TIP-608": victim(age="12", age_group="Y_GE18"),
    "TIP-609": perpetrator(justice_status="CHARGED"),
    "TIP-610": court(decision={"decision_date": "2023-03-15"}),
    "TIP-611": police(nil_return="Y"),
    "TIP-612": cell(cell_kind="NOT_COLLECTED"),
    "TIP-613": cell(cell_kind="TRUE_ZERO"),
    "TIP-614": cell(value=None, cell_kind="VALUE"),
    "TIP-615": both_roles(),
    "TIP-616": court(sanction={"sanction_type": "LIFE", "sanction_months": "240"}),
    "TIP-617": court(decision={"outcome": "ACQUITTED"}),
    "TIP-620": police(units_in_scope="3", units_silent="4"),
    "TIP-621": one_reference_for_two(),
    "TIP-622": one_reference_for_two(),
    "TIP-623": victim(exploitation_start_date="2023-02-01", exploitation_end_date="2023-01-01"),
    "TIP-624": victim(age_first_trafficked="21"),
    "TIP-625": victim(exploitation_start_date="2023-06-01"),
    "TIP-626": contact_person(sex="M", pregnant="Y"),
}

#: Rules that depend on the workspace's threshold, or on how the file or command was given.
STRICT = Context(entities=CONTEXT.entities, today=CONTEXT.today, refusal_share=0.2)
LENIENT = Context(entities=CONTEXT.entities, today=CONTEXT.today, refusal_share=0.9)
ELSEWHERE = {"TIP-149", "TIP-150", "TIP-199", "TIP-590", "TIP-591"}


@pytest.mark.parametrize("rule_id", BREAKING)
def test_a_return_that_breaks_a_rule_is_told_so(rule_id: str) -> None:
    assert rule_id in rule_ids(BREAKING[rule_id])


@pytest.mark.parametrize("rule_id", BREAKING)
def test_a_finding_has_the_severity_of_its_rule(rule_id: str) -> None:
    severities = {f.severity for f in checked(BREAKING[rule_id]).findings() if f.rule_id == rule_id}
    assert severities == {all_rules()[rule_id].severity}


def test_every_rule_of_the_door_is_produced_by_a_return() -> None:
    own = {i for i, rule in all_rules().items() if OWN.fullmatch(i) and rule.scope != "tipstat"}
    assert own - set(BREAKING) - ELSEWHERE == set()


@pytest.mark.parametrize(
    "returned",
    [victim(), event(), perpetrator(), offence(), court(), service(), contact_person(), cell()],
    ids=["victim", "event", "perpetrator", "offence", "court", "service", "contact", "cell"],
)
def test_a_sound_return_breaks_no_rule(returned: Returned) -> None:
    assert rule_ids(returned) == set()


def test_a_nil_return_without_records_is_sound() -> None:
    assert rule_ids(a_return("police", nil_return="Y")) == set()


def test_too_many_records_held_out_refuse_the_file() -> None:
    bad = [sound("victim", victim_ref=f"V{i}", event_ref="E9") for i in range(2)]
    good = [sound("victim", victim_ref=f"W{i}") for i in range(5)]
    assert "TIP-590" in rule_ids(police(*bad, *good), STRICT)
    assert "TIP-590" not in rule_ids(police(*bad, *good), LENIENT)


def test_a_record_type_of_which_every_record_is_held_out_refuses_the_file() -> None:
    bad = [sound("victim", victim_ref=f"V{i}", event_ref="E99") for i in range(2)]
    events = [sound("event", event_ref=f"E{i}") for i in range(8)]
    assert "TIP-591" in rule_ids(police(*bad, events=events), LENIENT)


def test_a_return_that_updates_may_bring_late_registrations() -> None:
    late = police(sound("victim", registration_date="2022-12-31"), intent="UPDATES")
    assert "TIP-521" not in rule_ids(late)


def test_a_reference_on_fifty_records_still_links() -> None:
    assert "TIP-412" not in rule_ids(many_events(50, case_ref="CASE 7"))


def test_a_missing_key_column_is_told_once_and_not_for_each_record() -> None:
    assert rule_ids(without("event", "event_ref")) == {"TIP-141"}


def test_an_unknown_sender_is_told_once_and_not_for_each_record() -> None:
    findings = checked(police(sound("victim"), sender="XXA-POLIZE")).findings()
    assert [(f.rule_id, f.nearest) for f in findings] == [("TIP-511", "XXA-POLICE")]


def test_ages_need_not_be_sent_where_birth_dates_are() -> None:
    record = {k: v for k, v in sound("victim").items() if k != "age"}
    assert rule_ids(police({**record, "birth_date": "2000-01-01"})) == set()


def cells_of(rule_id: str, returned: Returned) -> set[tuple[str, str, str | None]]:
    found = checked(returned).findings()
    return {(f.sheet, f.cell, f.value) for f in found if f.rule_id == rule_id}


def test_one_who_is_victim_and_perpetrator_is_told_of_in_both_cells_and_never_by_value() -> None:
    returned = one_reference_for_two()
    assert cells_of("TIP-621", returned) == {("Victim", "B2", None), ("Perpetrator", "B2", None)}
    assert cells_of("TIP-622", returned) == {
        ("Relationship", "B2", None),
        ("Relationship", "C2", None),
    }
    assert {sheet for sheet, _, _ in cells_of("TIP-615", both_roles())} == {"Victim", "Perpetrator"}
    assert {value for _, _, value in cells_of("TIP-615", both_roles())} == {None}


def test_a_reference_used_in_two_events_is_no_own_trafficker() -> None:
    events = table("event", sound("event"), sound("event", event_ref="E2"))
    victims = table("victim", sound("victim", victim_ref="7"))
    perpetrators = table("perpetrator", sound("perpetrator", perpetrator_ref="7", event_ref="E2"))
    assert rule_ids(a_return("police", events, victims, perpetrators)) == set()


def test_a_conviction_is_compared_with_the_charge_on_which_it_rests() -> None:
    later = sound("charge", charge_no="2", charge_date="2023-10-01")
    tables = [table(name, sound(name)) for name in ("case", "defendant")]
    charges = table("charge", sound("charge"), later)

    def convicted_of(number: str | None) -> Returned:
        decision = table("decision", sound("decision", charge_no=number))
        return a_return("court", *tables, charges, decision, sender="XXA-COURT")

    assert "TIP-610" not in rule_ids(convicted_of("1"))
    assert "TIP-610" not in rule_ids(convicted_of(None))
    assert "TIP-610" in rule_ids(convicted_of("2"))


def test_the_age_when_first_trafficked_is_compared_with_the_age_that_a_birth_date_gives() -> None:
    record = {k: v for k, v in sound("victim").items() if k != "age"}
    born = {**record, "birth_date": "2005-01-01"}
    assert "TIP-624" in rule_ids(police({**born, "age_first_trafficked": "19"}))
    assert "TIP-624" not in rule_ids(police({**born, "age_first_trafficked": "18"}))
