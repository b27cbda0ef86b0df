"""Mistakes that senders make, each known to the door by a rule, put into sound records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tipstat.sample.people import days_between
from tipstat.sample.plan import Plan
from tipstat.sample.records import BLANK, ORPHAN, WRONG, Coded, Flags, Ints, Numbers, Records, Rng

#: What is done to a record.
VALUE, DUPLICATE, NO_PARENT, AFTER_PERIOD = "value", "duplicate", "no parent", "after the period"


@dataclass(frozen=True)
class Mistake:
    """One kind of mistake.

    Attributes:
        where: kind of return and record type.
        rule_id: the rule by which the door knows it.
        variable: column in which it stands.
        how: what is done to the record.
        wrong: text of a wrong code.
        holds: whether the record is held out.
    """

    where: str
    rule_id: str
    variable: str = ""
    how: str = VALUE
    wrong: str = ""
    holds: bool = False


MISTAKES = (
    Mistake("police.event", "TIP-303", "event_start_date"),
    Mistake("police.event", "TIP-403", how=DUPLICATE, holds=True),
    Mistake("police.event", "TIP-411", "case_ref"),
    Mistake("police.offence", "TIP-203", "legal_article", wrong="ART-999"),
    Mistake("police.offence", "TIP-403", how=DUPLICATE, holds=True),
    Mistake("police.offence", "TIP-421", "event_ref", NO_PARENT, holds=True),
    Mistake("police.victim", "TIP-201", "sex", wrong="femal"),
    Mistake("police.victim", "TIP-301", "registration_date"),
    Mistake("police.victim", "TIP-320", "age"),
    Mistake("police.victim", "TIP-402", "victim_ref", holds=True),
    Mistake("police.victim", "TIP-403", how=DUPLICATE, holds=True),
    Mistake("police.victim", "TIP-421", "event_ref", NO_PARENT, holds=True),
    Mistake("police.perpetrator", "TIP-201", "citizenship", wrong="Ruritan"),
    Mistake("police.perpetrator", "TIP-403", how=DUPLICATE, holds=True),
    Mistake("police.perpetrator", "TIP-421", "event_ref", NO_PARENT, holds=True),
    Mistake("police.perpetrator", "TIP-520", "registration_date", AFTER_PERIOD, holds=True),
    Mistake("court.case", "TIP-403", how=DUPLICATE, holds=True),
    Mistake("court.defendant", "TIP-201", "sex", wrong="femal"),
    Mistake("court.defendant", "TIP-320", "age"),
    Mistake("court.charge", "TIP-203", "legal_article", wrong="ART-999"),
    Mistake("court.charge", "TIP-403", how=DUPLICATE, holds=True),
    Mistake("court.charge", "TIP-421", "defendant_ref", NO_PARENT, holds=True),
    Mistake("court.decision", "TIP-201", "outcome", wrong="guilty?"),
    Mistake("court.decision", "TIP-303", "decision_date"),
    Mistake("court.decision", "TIP-403", how=DUPLICATE, holds=True),
    Mistake("service.victim", "TIP-201", "sex", wrong="femal"),
    Mistake("service.victim", "TIP-301", "registration_date"),
    Mistake("service.victim", "TIP-320", "age"),
    Mistake("service.victim", "TIP-403", how=DUPLICATE, holds=True),
    Mistake("service.victim", "TIP-411", "case_ref"),
    Mistake("service.victim", "TIP-530", "consent_basis", wrong="NONE", holds=True),
    Mistake("service.service", "TIP-421", "victim_ref", NO_PARENT, holds=True),
)


def make_mistakes(plan: Plan, rng: Rng, records: Records) -> None:
    """Spoil the planned share of the records of one type, each in one way.

    The kinds of mistake of the record type are met in turn, so that even a small sample has them.
    """
    where = f"{records.kind}.{records.name}"
    kinds = [n for n, mistake in enumerate(MISTAKES) if mistake.where == where]
    if not kinds:
        return
    chosen = rng.permutation(np.flatnonzero(records.sound))[: round(plan.mistakes * records.n)]
    for turn, number in enumerate(kinds):
        rows = np.sort(chosen[turn :: len(kinds)])
        rows = rows[_possible(records, MISTAKES[number])[rows]]
        records.mistake[rows] = number
        records.held_by_own[rows] = MISTAKES[number].holds
        _spoil(plan, records, MISTAKES[number], rows)


def _possible(records: Records, mistake: Mistake) -> Flags:
    """Records of which the mistake would not be another one as well, or none."""
    possible = np.ones(records.n, dtype=np.bool_)
    if mistake.rule_id == "TIP-320":
        possible = records.numbers("age").known
    if mistake.how == AFTER_PERIOD:
        possible = ~records.coded("justice_status").means("CHARGED")
    return possible


def _spoil(plan: Plan, records: Records, mistake: Mistake, rows: Ints) -> None:
    if mistake.how == DUPLICATE:
        records.repeated = np.concatenate([records.repeated, rows])
        return
    column = records.columns[mistake.variable]
    if isinstance(column, Coded):
        column.positions[rows] = column.choice.position(mistake.wrong)
    elif isinstance(column, Numbers) and mistake.how == NO_PARENT:
        column.values[rows] += ORPHAN
    elif isinstance(column, Numbers) and mistake.how == AFTER_PERIOD:
        column.values[rows] = days_between(plan)[1] + 10
        records.numbers("justice_status_date").values[rows] = BLANK
    elif isinstance(column, Numbers):
        column.values[rows] = WRONG
