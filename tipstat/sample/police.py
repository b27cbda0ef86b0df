"""The police return: events, offences, victims, perpetrators, relationships."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tipstat.sample import vocabulary as words
from tipstat.sample.people import (
    MET_AGAIN,
    NOT_A_DAY,
    after,
    ages,
    copy_traits,
    days,
    days_between,
    decided_after,
    meet_again,
    references,
)
from tipstat.sample.plan import Plan
from tipstat.sample.records import (
    BLANK,
    Choice,
    Coded,
    Ints,
    Numbers,
    Records,
    Rng,
    chance,
    draw,
    positions_within,
)

#: Shares of events with 0, 1, 2, ... victims, perpetrators and further offences.
_N_VICTIMS = (0.04, 0.55, 0.22, 0.12, 0.07)
_N_PERPETRATORS = (0.15, 0.5, 0.25, 0.1)
_N_OFFENCES = (0.0, 0.72, 0.22, 0.06)
#: Share of events whose forms are sent for the event and not for its victims.
_FORM_OF_EVENT = 0.1
#: Share of events that have a shared case reference.
_WITH_CASE = 0.6


@dataclass(frozen=True)
class Police:
    """The police return and what the other returns take from it.

    Attributes:
        person: number of the person behind each victim.
        main_form: positions of the form of each event.
    """

    event: Records
    offence: Records
    victim: Records
    perpetrator: Records
    person: Ints
    main_form: Coded

    @property
    def records(self) -> tuple[Records, ...]:
        """Its record types, parents first; relationships come later."""
        return self.event, self.offence, self.victim, self.perpetrator


def make_police(plan: Plan, country: words.Country, rng: Rng) -> Police:
    """Make the police return, without mistakes and relationships."""
    main_form = words.PURPOSE.draw(rng, plan.events)
    event = _events(plan, rng)
    offence = _offences(plan, country, rng, event, main_form)
    victim, person = _victims(plan, country, rng, event, main_form)
    perpetrator = _perpetrators(plan, country, rng, event)
    return Police(event, offence, victim, perpetrator, person, main_form)


def _events(plan: Plan, rng: Rng) -> Records:
    n, (first, last) = plan.events, days_between(plan)
    registered = np.sort(rng.integers(first, last + 1, n))
    status = words.EVENT_STATUS.draw(rng, n)
    has_case = chance(rng, n, _WITH_CASE)
    purpose = words.EVENT_PURPOSE.draw(rng, n)
    purpose.positions[~chance(rng, n, _FORM_OF_EVENT)] = words.EVENT_PURPOSE.position("")
    # Not before the period: the articles are those in force in it.
    started = np.maximum(registered - rng.integers(0, 700, n), first)
    started = np.where(chance(rng, n, 0.4), started, BLANK)
    changed = after(rng, registered, 200, plan)
    number = np.arange(1, n + 1)
    issuer = Choice(((plan.sender("police"), "", 1.0), ("", "", 0.0)))
    return Records(
        "police",
        "event",
        n,
        {
            "event_ref": references("E", plan, number),
            "event_registration_date": days(registered),
            "event_status": status,
            "event_status_date": days(np.where(status.means("RECORDED"), BLANK, changed)),
            "event_start_date": days(started),
            "case_issuer": Coded(issuer, np.where(has_case, 0, 1)),
            "case_ref": references("EXP", plan, np.where(has_case, number, BLANK)),
            "cross_border": words.CROSS_BORDER.draw(rng, n),
            "purpose": purpose,
        },
    )


def article_of(country: words.Country, rng: Rng, forms: Coded) -> Coded:
    """Articles that fit the forms, mostly; a form not known falls under any."""
    sets = words.bits_of(forms, words.FINE)
    classes = country.classes(words.FINE.preferring_known(sets), words.ICCS)
    drawn = np.zeros(len(sets), dtype=np.int64)
    for n, group in enumerate(words.ICCS.names):
        fitting = country.articles(group)
        chosen = fitting[rng.integers(0, len(fitting), len(sets))]
        drawn = np.where(classes & (1 << n), chosen, drawn)
    unfitting = country.articles("")
    strange = (classes == 0) | chance(rng, len(sets), 0.08)
    drawn = np.where(strange, unfitting[rng.integers(0, len(unfitting), len(sets))], drawn)
    return Coded(country.legal_article, drawn)


def _offences(
    plan: Plan, country: words.Country, rng: Rng, event: Records, main_form: Coded
) -> Records:
    counts = draw(rng, event.n, _N_OFFENCES)
    of_event = np.repeat(np.arange(event.n), counts)
    number = positions_within(counts)
    article = article_of(country, rng, Coded(words.PURPOSE, main_form.positions[of_event]))
    beside = Choice(tuple((t, c, s) for t, c, s in country.legal_article.options))
    other = beside.draw(rng, len(of_event)).positions
    article.positions = np.where(number == 1, article.positions, other)
    times = np.choose(draw(rng, len(of_event), (0.8, 0.1, 0.05, 0.05)), [1, 2, 3, BLANK])
    principal = Coded(words.PRINCIPAL, np.where(number == 1, 0, 1))
    return Records(
        "police",
        "offence",
        len(of_event),
        {
            "event_ref": references("E", plan, of_event + 1),
            "offence_no": Numbers(number),
            "legal_article": article,
            "attempted_completed": words.ATTEMPTED.draw(rng, len(of_event)),
            "offence_count": Numbers(times),
            "principal_offence": principal,
        },
        {"event_ref": (event, of_event)},
    )


def _victims(
    plan: Plan, country: words.Country, rng: Rng, event: Records, main_form: Coded
) -> tuple[Records, Ints]:
    of_event = np.repeat(np.arange(event.n), draw(rng, event.n, _N_VICTIMS))
    n = len(of_event)
    registered = after(rng, event.numbers("event_registration_date").values[of_event], 3, plan)
    own = words.PURPOSE.draw(rng, n)
    shared = chance(rng, n, 0.8)
    purpose = np.where(shared, main_form.positions[of_event], own.positions)
    by_event = event.coded("purpose").positions != words.EVENT_PURPOSE.position("")
    purpose = np.where(by_event[of_event], words.PURPOSE.position(""), purpose)
    status, status_day = victim_status(plan, rng, registered)
    age, group = ages(rng, n, 0.3)
    victim = Records(
        "police",
        "victim",
        n,
        {
            "event_ref": references("E", plan, of_event + 1),
            "victim_ref": references("V", plan, np.arange(1, n + 1), wrong="N/A"),
            "person_id": references(f"{plan.country}-ID-", plan, np.arange(n)),
            "registration_date": days(registered, wrong=NOT_A_DAY),
            "victim_status": status,
            "victim_status_date": days(status_day),
            "status_decided_by": words.STATUS_DECIDED_BY.draw(rng, n),
            "sex": words.SEX.draw(rng, n),
            "age": age,
            "age_group": group,
            "age_basis": words.AGE_BASIS.draw(rng, n),
            "citizenship": country.citizenship.draw(rng, n),
            "purpose": Coded(words.PURPOSE, purpose),
            "act": words.ACT.draw(rng, n),
            "means": words.MEANS.draw(rng, n),
            "population_scope": words.POPULATION_SCOPE.draw(rng, n),
        },
        {"event_ref": (event, of_event)},
    )
    person = _same_persons(plan, rng, victim, registered, of_event)
    return victim, person


def victim_status(plan: Plan, rng: Rng, registered: Ints) -> tuple[Coded, Ints]:
    """Status of each victim and its day; who is not decided on in the period is presumed."""
    status = words.VICTIM_STATUS.draw(rng, len(registered))
    decided, in_period = decided_after(rng, registered, (0, 90), plan)
    presumed = words.VICTIM_STATUS.position("PRESUMED")
    status.positions = np.where(in_period, status.positions, presumed)
    at_once = (status.positions == presumed) | ~in_period
    return status, np.where(at_once, registered, decided)


def _same_persons(plan: Plan, rng: Rng, victim: Records, registered: Ints, of_event: Ints) -> Ints:
    """Victims of two events, under one reference or, doubled, under two; and missing ids."""
    person = np.arange(victim.n)
    taken = np.zeros(victim.n, dtype=np.bool_)
    for share, copied in ((MET_AGAIN, ("victim_ref",)), (plan.doubled, ())):
        pairs = meet_again(rng, victim, registered, of_event, share=share, taken=taken)
        copy_traits(victim, *pairs, ("sex", "citizenship", *copied))
        person[pairs[1]] = person[pairs[0]]
    unlinked = chance(rng, victim.n, plan.unlinked)[person]
    victim.numbers("person_id").values = np.where(unlinked, BLANK, person)
    return person


def suspect_traits(country: words.Country, rng: Rng, n: int) -> dict[str, Coded | Numbers]:
    """Legal status, sex, age and citizenship of perpetrators and defendants."""
    legal = words.LEGAL_STATUS.draw(rng, n)
    entity = legal.means(*words.LEGAL_ENTITIES)
    sex = words.SEX.draw(rng, n)
    age, group = ages(rng, n, 0.06)
    sex.positions[entity] = words.SEX.position("")
    age.values[entity] = BLANK
    group.positions[entity] = words.AGE_GROUP.position("")
    citizenship = country.citizenship.draw(rng, n)
    return {
        "legal_status": legal,
        "sex": sex,
        "age": age,
        "age_group": group,
        "citizenship": citizenship,
    }


#: What a person brings along who is met again.
TRAITS = ("legal_status", "sex", "age", "age_group", "citizenship")


def _perpetrators(plan: Plan, country: words.Country, rng: Rng, event: Records) -> Records:
    of_event = np.repeat(np.arange(event.n), draw(rng, event.n, _N_PERPETRATORS))
    n = len(of_event)
    registered = after(rng, event.numbers("event_registration_date").values[of_event], 10, plan)
    status = words.JUSTICE_STATUS.draw(rng, n)
    reached, in_period = decided_after(rng, registered, (0, 120), plan)
    reached = np.where(in_period, reached, registered)
    undated = chance(rng, n, 0.1) & ~status.means("CHARGED")
    perpetrator = Records(
        "police",
        "perpetrator",
        n,
        {
            "event_ref": references("E", plan, of_event + 1),
            "perpetrator_ref": references("P", plan, np.arange(1, n + 1)),
            "registration_date": days(registered),
            "justice_status": status,
            "justice_status_date": days(np.where(undated, BLANK, reached)),
            **suspect_traits(country, rng, n),
            "role": words.ROLE.draw(rng, n),
        },
        {"event_ref": (event, of_event)},
    )
    taken = np.zeros(n, dtype=np.bool_)
    pairs = meet_again(rng, perpetrator, registered, of_event, share=MET_AGAIN, taken=taken)
    copy_traits(perpetrator, *pairs, ("perpetrator_ref", *TRAITS))
    return perpetrator


def make_relationships(plan: Plan, police: Police, rng: Rng) -> Records:
    """Relationships of victims to a perpetrator of their event, where neither has a mistake."""
    victims, perpetrators = police.victim, police.perpetrator
    sound = np.flatnonzero(perpetrators.mistake < 0)
    of_perpetrator = perpetrators.parents["event_ref"][1]
    some = np.full(police.event.n, BLANK)
    some[of_perpetrator[sound]] = sound
    of_victim = victims.parents["event_ref"][1]
    told = (victims.mistake < 0) & (some[of_victim] >= 0) & chance(rng, victims.n, 0.3)
    victim = np.flatnonzero(told)
    perpetrator = some[of_victim[victim]]
    return Records(
        "police",
        "relationship",
        len(victim),
        {
            "event_ref": references("E", plan, of_victim[victim] + 1),
            "victim_ref": Numbers(
                victims.numbers("victim_ref").values[victim],
                prefix=victims.numbers("victim_ref").prefix,
            ),
            "perpetrator_ref": Numbers(
                perpetrators.numbers("perpetrator_ref").values[perpetrator],
                prefix=perpetrators.numbers("perpetrator_ref").prefix,
            ),
            "relationship": words.RELATIONSHIP.draw(rng, len(victim)),
        },
        {
            "event_ref": (police.event, of_victim[victim]),
            "victim_ref": (victims, victim),
            "perpetrator_ref": (perpetrators, perpetrator),
        },
    )
