"""The court return: cases that came from the police or not, defendants, charges, decisions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tipstat.sample import vocabulary as words
from tipstat.sample.people import (
    MET_AGAIN,
    after,
    copy_traits,
    days,
    days_between,
    decided_after,
    meet_again,
    references,
)
from tipstat.sample.plan import Plan
from tipstat.sample.police import TRAITS, Police, article_of, suspect_traits
from tipstat.sample.records import (
    BLANK,
    Choice,
    Coded,
    Flags,
    Ints,
    Numbers,
    Records,
    Rng,
    chance,
    draw,
    positions_within,
)

#: Of the events that may come to court, the share that does; and cases of no known event.
_TO_COURT = 0.5
_OTHER_CASES = 0.06
_N_DEFENDANTS = (0.0, 0.75, 0.25)
_FURTHER_CHARGE = 0.25
_DECIDED = 0.7


@dataclass(frozen=True)
class Court:
    """The court return.

    Attributes:
        of_event: event from which each case came; ``BLANK`` for none.
    """

    case: Records
    defendant: Records
    charge: Records
    decision: Records
    sanction: Records
    of_event: Ints

    @property
    def records(self) -> tuple[Records, ...]:
        """Its record types, parents first."""
        return self.case, self.defendant, self.charge, self.decision, self.sanction


def make_court(plan: Plan, country: words.Country, rng: Rng, police: Police) -> Court:
    """Make the court return, without mistakes."""
    case, of_event = _cases(plan, rng, police)
    defendant = _defendants(plan, country, rng, case)
    charge = _charges(plan, country, rng, defendant)
    first = _first_decisions(plan, rng, defendant, charge)
    decision = _decisions(plan, rng, defendant, first)
    sanction = _sanctions(plan, rng, decision)
    return Court(case, defendant, charge, decision, sanction, of_event)


def _cases(plan: Plan, rng: Rng, police: Police) -> tuple[Records, Ints]:
    event = police.event
    suspected = np.zeros(event.n, dtype=np.bool_)
    suspected[police.perpetrator.parents["event_ref"][1]] = True
    possible = event.numbers("case_ref").known & suspected
    possible &= event.coded("event_status").means("RECORDED")
    came = np.flatnonzero(possible & chance(rng, event.n, _TO_COURT))
    n_other = int(plan.events * _OTHER_CASES)
    of_event = np.concatenate([came, np.full(n_other, BLANK)])
    first, last = days_between(plan)
    known = event.numbers("event_registration_date").values[came] + rng.integers(5, 120, len(came))
    opened = np.concatenate([known, rng.integers(first, last + 1, n_other)])
    of_event, opened = of_event[opened <= last], opened[opened <= last]
    n = len(of_event)
    issuer = Choice(((plan.sender("police"), "", 1.0), ("", "", 0.0)))
    case = Records(
        "court",
        "case",
        n,
        {
            "case_ref": references("J", plan, np.arange(1, n + 1)),
            "origin_case_issuer": Coded(issuer, np.where(of_event >= 0, 0, 1)),
            "origin_case_ref": references("EXP", plan, np.where(of_event >= 0, of_event + 1, -1)),
            "case_opened_date": days(opened),
            "case_status": words.CASE_STATUS.draw(rng, n),
        },
    )
    return case, of_event


def _defendants(plan: Plan, country: words.Country, rng: Rng, case: Records) -> Records:
    of_case = np.repeat(np.arange(case.n), draw(rng, case.n, _N_DEFENDANTS))
    n = len(of_case)
    opened = case.numbers("case_opened_date").values[of_case]
    defendant = Records(
        "court",
        "defendant",
        n,
        {
            "case_ref": references("J", plan, of_case + 1),
            "defendant_ref": references("D", plan, np.arange(1, n + 1)),
            "registration_date": days(opened),
            **suspect_traits(country, rng, n),
        },
        {"case_ref": (case, of_case)},
    )
    taken = np.zeros(n, dtype=np.bool_)
    pairs = meet_again(rng, defendant, opened, of_case, share=MET_AGAIN, taken=taken)
    copy_traits(defendant, *pairs, ("defendant_ref", *TRAITS))
    return defendant


def _keys(defendant: Records, rows: Ints) -> dict[str, Numbers]:
    """The columns that name the case and the defendant."""
    names = ("case_ref", "defendant_ref")
    return {
        name: Numbers(defendant.numbers(name).values[rows], prefix=defendant.numbers(name).prefix)
        for name in names
    }


def _parents(defendant: Records, rows: Ints) -> dict[str, tuple[Records, Ints]]:
    case, of_case = defendant.parents["case_ref"]
    return {"case_ref": (case, of_case[rows]), "defendant_ref": (defendant, rows)}


def _charges(plan: Plan, country: words.Country, rng: Rng, defendant: Records) -> Records:
    further = chance(rng, defendant.n, _FURTHER_CHARGE)
    counts = np.where(further, 2, 1)
    of_defendant = np.repeat(np.arange(defendant.n), counts)
    number = positions_within(counts)
    n = len(of_defendant)
    opened = defendant.numbers("registration_date").values[of_defendant]
    charged = after(rng, opened, 60, plan)
    charged = np.where(number == 1, charged, after(rng, opened, 500, plan))
    purpose = words.PURPOSE.draw(rng, n)
    article = article_of(country, rng, purpose)
    elsewhere = chance(rng, n, 0.12)
    other = country.legal_article.draw(rng, n).positions
    article.positions = np.where(elsewhere, other, article.positions)
    return Records(
        "court",
        "charge",
        n,
        {
            **_keys(defendant, of_defendant),
            "charge_no": Numbers(number),
            "charge_date": days(charged),
            "legal_article": article,
            "charge_status": words.CHARGE_STATUS.draw(rng, n),
            "attempted_completed": words.ATTEMPTED.draw(rng, n),
            "purpose": purpose,
        },
        _parents(defendant, of_defendant),
    )


@dataclass(frozen=True)
class _First:
    """Decisions in first instance.

    Attributes:
        of_defendant: the defendant of each.
        day: day of the decision.
        outcome: its outcome.
        charge_no: the charge that it names, or ``BLANK``.
        appealed: whether a second instance decides.
        appeal_day: when.
    """

    of_defendant: Ints
    day: Ints
    outcome: Coded
    charge_no: Ints
    appealed: Flags
    appeal_day: Ints


def _first_decisions(plan: Plan, rng: Rng, defendant: Records, charge: Records) -> _First:
    of_charge = charge.parents["defendant_ref"][1]
    last_charge = np.zeros(defendant.n, dtype=np.int64)
    np.maximum.at(last_charge, of_charge, charge.numbers("charge_date").values)
    named = np.full(defendant.n, BLANK)
    tip = np.flatnonzero(~charge.coded("legal_article").means("-"))
    named[of_charge[tip]] = charge.numbers("charge_no").values[tip]
    day, in_period = decided_after(rng, last_charge, (30, 360), plan)
    decided = np.flatnonzero(in_period & chance(rng, defendant.n, _DECIDED))
    outcome = words.OUTCOME.draw(rng, len(decided))
    other = words.OUTCOME.position("CONVICTED_OTHER")
    unfounded = outcome.means("CONVICTED_TIP") & (named[decided] < 0)
    outcome.positions[unfounded] = other
    told = outcome.means("CONVICTED_TIP") & chance(rng, len(decided), 0.8)
    appeal_day = day[decided] + rng.integers(60, 400, len(decided))
    appealable = outcome.means("CONVICTED_TIP", "CONVICTED_OTHER", "ACQUITTED")
    appealed = appealable & chance(rng, len(decided), 0.3)
    appealed &= appeal_day <= days_between(plan)[1]
    charge_no = np.where(told, named[decided], BLANK)
    return _First(decided, day[decided], outcome, charge_no, appealed, appeal_day)


def _decisions(plan: Plan, rng: Rng, defendant: Records, first: _First) -> Records:
    counts = np.where(first.appealed, 2, 1)
    of_first = np.repeat(np.arange(len(counts)), counts)
    number = positions_within(counts)
    second = number == 2
    of_defendant = first.of_defendant[of_first]
    n = len(of_first)
    outcome = first.outcome.positions[of_first]
    reversed_ = second & chance(rng, n, 0.3)
    outcome = np.where(reversed_, words.OUTCOME.position("ACQUITTED"), outcome)
    dropped = first.outcome.means("DROPPED")[of_first]
    last = second | ~first.appealed[of_first]
    final = np.where(last & chance(rng, n, 0.75), 0, np.where(chance(rng, n, 0.9), 1, 2))
    stage = np.where(dropped, words.STAGE.position("PROSECUTION"), 0)
    stage = np.where(second, words.STAGE.position("APPEAL"), stage)
    convicted = outcome == words.OUTCOME.position("CONVICTED_TIP")
    return Records(
        "court",
        "decision",
        n,
        {
            **_keys(defendant, of_defendant),
            "decision_no": Numbers(number),
            "decision_date": days(
                np.where(second, first.appeal_day[of_first], first.day[of_first])
            ),
            "decision_stage": Coded(words.STAGE, stage),
            "instance": Coded(words.INSTANCE, np.where(second, 1, 0)),
            "outcome": Coded(words.OUTCOME, outcome),
            "charge_no": Numbers(np.where(convicted, first.charge_no[of_first], BLANK)),
            "final": Coded(words.YES_NO, final),
        },
        _parents(defendant, of_defendant),
    )


def _sanctions(plan: Plan, rng: Rng, decision: Records) -> Records:
    convicted = decision.coded("outcome").means("CONVICTED_TIP", "CONVICTED_OTHER")
    counts = np.where(convicted, np.where(chance(rng, decision.n, 0.15), 2, 1), 0)
    of_decision = np.repeat(np.arange(decision.n), counts)
    n = len(of_decision)
    sanction = words.SANCTION.draw(rng, n)
    timed, fine = sanction.means("CUSTODIAL", "SUSPENDED"), sanction.means("FINE")
    months = np.where(timed, rng.integers(6, 240, n), BLANK)
    parents = {name: (p, rows[of_decision]) for name, (p, rows) in decision.parents.items()}
    return Records(
        "court",
        "sanction",
        n,
        {
            **_keys(decision, of_decision),
            "decision_no": Numbers(decision.numbers("decision_no").values[of_decision]),
            "sanction_no": Numbers(positions_within(counts)),
            "sanction_type": sanction,
            "sanction_months": Numbers(months),
            "sanction_suspended": Coded(words.YES_NO, np.where(sanction.means("SUSPENDED"), 0, 1)),
            "sanction_amount": Numbers(np.where(fine, rng.integers(1, 500, n) * 100, BLANK)),
            "sanction_currency": Coded(words.CURRENCY, np.where(fine, 0, 1)),
        },
        {**parents, "decision_no": (decision, of_decision)},
    )
