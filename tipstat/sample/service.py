"""The service return: the victims of the police met again, others, and what was done for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tipstat.sample import vocabulary as words
from tipstat.sample.people import (
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
from tipstat.sample.police import Police
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

#: Share of the victims of the police who are assisted, and others for each event.
_ASSISTED = 0.35
_OTHERS = 0.15
_CONTACTS = 0.3
_WITH_HISTORY = 0.5
_N_REFERRALS = (0.3, 0.6, 0.1)
_N_SERVICES = (0.1, 0.3, 0.4, 0.2)


@dataclass(frozen=True)
class Service:
    """The service return.

    Attributes:
        person: number of the person behind each victim, as in the police return.
    """

    contact: Records
    victim: Records
    status_decision: Records
    referral: Records
    service: Records
    person: Ints

    @property
    def records(self) -> tuple[Records, ...]:
        """Its record types, parents first."""
        return self.contact, self.victim, self.status_decision, self.referral, self.service


def make_service(plan: Plan, country: words.Country, rng: Rng, police: Police) -> Service:
    """Make the service return, without mistakes."""
    contact = _contacts(plan, rng)
    victim, person = _victims(plan, country, rng, police)
    return Service(
        contact,
        victim,
        _status_decisions(plan, rng, victim),
        _referrals(plan, rng, victim),
        _services(plan, rng, victim),
        person,
    )


def _contacts(plan: Plan, rng: Rng) -> Records:
    n, (first, last) = int(plan.events * _CONTACTS), days_between(plan)
    return Records(
        "service",
        "contact",
        n,
        {
            "contact_ref": references("K", plan, np.arange(1, n + 1)),
            "contact_date": days(np.sort(rng.integers(first, last + 1, n))),
            "contact_channel": words.CHANNEL.draw(rng, n),
            "contact_subject": words.SUBJECT.draw(rng, n),
        },
    )


def _victims(plan: Plan, country: words.Country, rng: Rng, police: Police) -> tuple[Records, Ints]:
    known = _assisted(rng, police)
    n_others, (first, last) = int(plan.events * _OTHERS), days_between(plan)
    n = len(known) + n_others
    began = police.victim.numbers("registration_date").values[known]
    began = np.concatenate([began, rng.integers(first, last + 1, n_others)])
    registered = after(rng, began, 60, plan)
    person = np.concatenate([police.person[known], police.victim.n + np.arange(n_others)])
    of_event = police.victim.parents["event_ref"][1][known]
    case = police.event.numbers("case_ref").values[of_event]
    case = np.concatenate(
        [np.where(chance(rng, len(case), 0.5), case, BLANK), np.full(n_others, -1)]
    )
    issuer = Choice(((plan.sender("police"), "", 1.0), ("", "", 0.0)))
    status = words.VICTIM_STATUS.draw(rng, n)
    age, group = ages(rng, n, 0.3)
    victim = Records(
        "service",
        "victim",
        n,
        {
            "victim_ref": references("S", plan, np.arange(1, n + 1)),
            "case_issuer": Coded(issuer, np.where(case >= 0, 0, 1)),
            "case_ref": references("EXP", plan, case),
            "person_id": references(f"{plan.country}-ID-", plan, person),
            "registration_date": days(registered, wrong=NOT_A_DAY),
            "consent_basis": words.CONSENT.draw(rng, n),
            "victim_status": status,
            "victim_status_date": days(registered.copy()),
            "sex": words.SEX.draw(rng, n),
            "age": age,
            "age_group": group,
            "citizenship": country.citizenship.draw(rng, n),
            "purpose": words.PURPOSE.draw(rng, n),
            "act": words.ACT.draw(rng, n),
            "means": words.MEANS.draw(rng, n),
            "population_scope": words.POPULATION_SCOPE.draw(rng, n),
        },
    )
    _as_the_police(rng, police.victim, known, victim)
    return victim, _same_persons(plan, rng, victim, registered, person)


def _assisted(rng: Rng, police: Police) -> Ints:
    """Victims of the police whom the shelter knows, each person once and without a mistake."""
    once = np.zeros(police.victim.n, dtype=np.bool_)
    once[np.unique(police.person, return_index=True)[1]] = True
    return np.flatnonzero(once & chance(rng, police.victim.n, _ASSISTED))


def _as_the_police(rng: Rng, known_to: Records, known: Ints, victim: Records) -> None:
    """The shelter mostly knows of a person what the police know."""
    same = chance(rng, len(known), 0.9)
    for name in ("sex", "citizenship", "purpose"):
        theirs = known_to.coded(name).positions[known]
        ours = victim.coded(name).positions
        ours[: len(known)] = np.where(same, theirs, ours[: len(known)])


def _same_persons(plan: Plan, rng: Rng, victim: Records, registered: Ints, person: Ints) -> Ints:
    """Persons who stand in the register twice, and missing identifiers."""
    taken = np.zeros(victim.n, dtype=np.bool_)
    first, second = meet_again(
        rng, victim, registered, np.arange(victim.n), share=plan.doubled, taken=taken
    )
    copy_traits(victim, first, second, ("sex", "citizenship"))
    person = person.copy()
    person[second] = person[first]
    unlinked = chance(rng, int(person.max(initial=0)) + 1, plan.unlinked)[person]
    victim.numbers("person_id").values = np.where(unlinked, BLANK, person)
    return person


def _status_decisions(plan: Plan, rng: Rng, victim: Records) -> Records:
    """A first decision with the status of the record, and mostly a second one that changes it."""
    registered = victim.numbers("registration_date").values
    changed, in_period = decided_after(rng, registered, (5, 200), plan)
    changes = in_period & chance(rng, victim.n, 0.8)
    counts = np.where(chance(rng, victim.n, _WITH_HISTORY), np.where(changes, 2, 1), 0)
    of_victim = np.repeat(np.arange(victim.n), counts)
    number = positions_within(counts)
    second = number == 2
    status = words.VICTIM_STATUS.draw(rng, len(of_victim))
    own = victim.coded("victim_status").positions[of_victim]
    status.positions = np.where(second, status.positions, own)
    return Records(
        "service",
        "status_decision",
        len(of_victim),
        {
            "victim_ref": references("S", plan, of_victim + 1),
            "status_no": Numbers(number),
            "victim_status": status,
            "victim_status_date": days(np.where(second, changed[of_victim], registered[of_victim])),
            "status_decided_by": words.STATUS_DECIDED_BY.draw(rng, len(of_victim)),
            "status_stage": Coded(words.STATUS_STAGE, np.where(second, 1, 0)),
        },
        {"victim_ref": (victim, of_victim)},
    )


def _done_for(
    plan: Plan, rng: Rng, victim: Records, shares: tuple[float, ...], within: int
) -> tuple[Ints, Ints, Ints]:
    """Victim, running number and day of what was done for the victims."""
    counts = draw(rng, victim.n, shares)
    of_victim = np.repeat(np.arange(victim.n), counts)
    began = victim.numbers("registration_date").values[of_victim]
    return of_victim, positions_within(counts), after(rng, began, within, plan)


def _referrals(plan: Plan, rng: Rng, victim: Records) -> Records:
    of_victim, number, day = _done_for(plan, rng, victim, _N_REFERRALS, 30)
    n = len(of_victim)
    return Records(
        "service",
        "referral",
        n,
        {
            "victim_ref": references("S", plan, of_victim + 1),
            "referral_no": Numbers(number),
            "referral_date": days(day),
            "referral_direction": words.DIRECTION.draw(rng, n),
            "other_entity_type": words.ENTITY_TYPE.draw(rng, n),
            "referral_reason": words.REASON.draw(rng, n),
        },
        {"victim_ref": (victim, of_victim)},
    )


def _services(plan: Plan, rng: Rng, victim: Records) -> Records:
    of_victim, number, day = _done_for(plan, rng, victim, _N_SERVICES, 90)
    n = len(of_victim)
    return Records(
        "service",
        "service",
        n,
        {
            "victim_ref": references("S", plan, of_victim + 1),
            "service_no": Numbers(number),
            "service_category": words.SERVICE.draw(rng, n),
            "service_phase": words.PHASE.draw(rng, n),
            "service_start_date": days(day),
            "service_outcome": words.SERVICE_OUTCOME.draw(rng, n),
        },
        {"victim_ref": (victim, of_victim)},
    )
