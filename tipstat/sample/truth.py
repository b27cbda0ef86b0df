"""The figures that a correct load and build must give, from the arrays that made the records.

Nothing of the warehouse's SQL, and nothing of the door, is used here: this is the other side of the
property that a test holds (docs/sample.md). The rules are those of STATISTICS sections 1 to 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tipstat.classification import correspondence
from tipstat.sample import vocabulary as words
from tipstat.sample.counting import (
    Cells,
    Figure,
    Parts,
    Unit,
    count,
    first_of_each,
    person_parts,
    union_of_each,
    year_of,
)
from tipstat.sample.mistakes import MISTAKES
from tipstat.sample.records import Coded, Flags, Ints, Records
from tipstat.sample.returns import KINDS, Sample
from tipstat.sample.vocabulary import FINE, ICCS, NOT_SEPARABLE, UNODC, bits_of

#: Form of exploitation of a unit in the three classifications: fine, ICCS, UNODC.
Forms = tuple[Ints, Ints, Ints]


def figures(sample: Sample) -> list[Figure]:
    """Every figure above zero of the six indicators of records, ordered.

    Figures by person count where the police and the shelter may link their persons.
    """
    police = _PoliceTruth(sample)
    found = [
        *_events(sample, police),
        *_offences(sample),
        *_police_victims(sample, police),
        *_service_victims(sample),
        *_suspects(sample, police),
        *_charged(sample),
        *_convicted(sample),
    ]
    return sorted(found)


def findings(sample: Sample) -> list[dict[str, object]]:
    """Findings that are no notes, and records held out, by return, record type and rule."""
    rows = []
    for kind in KINDS:
        for records in sample.records(kind):
            for number, mistake in enumerate(MISTAKES):
                n = int((records.mistake == number).sum())
                n *= 2 if mistake.how == "duplicate" else 1
                rows.append((kind, records.name, mistake.rule_id, n, n * mistake.holds))
            followed = int(records.followed.sum())
            rows.append((kind, records.name, "TIP-422", followed, followed))
    names = ("kind", "record_type", "rule_id", "findings", "held_out")
    return [dict(zip(names, row, strict=True)) for row in sorted(rows) if row[3]]


def links(sample: Sample) -> list[dict[str, object]]:
    """Persons known to both police and shelter, and cases that meet an event by reference."""
    police, service, court = sample.police, sample.service, sample.court
    known = [
        side.person[~side.victim.held & side.victim.numbers("person_id").known]
        for side in (police, service)
    ]
    case = court.case.accepted
    of_event = court.of_event[case]
    of_event = of_event[of_event >= 0]
    linked = police.event.numbers("case_ref").known & ~police.event.held
    return [
        {"link": "persons_of_police_and_shelter", "n": len(np.intersect1d(known[0], known[1]))},
        {"link": "cases_with_an_event", "n": int(linked[of_event].sum())},
    ]


# ── forms of victims and events ───────────────────────────────────────────────────────────────


class _PoliceTruth:
    """Forms of the victims and events of the police, in the three classifications."""

    def __init__(self, sample: Sample) -> None:
        self.country = sample.country
        police = sample.police
        self.of_event = police.victim.parents["event_ref"][1]
        self.counted = ~police.victim.held
        self.sent = bits_of(police.event.coded("purpose"), FINE)
        own = bits_of(police.victim.coded("purpose"), FINE)
        self.victim = self._victims(own, police.event.n)
        dated = police.victim.numbers("registration_date").known
        self.event = self._events(dated, police.event.n)

    def _victims(self, own: Ints, n_events: int) -> Forms:
        """What is sent for the victim; else for the event, if it has one victim or one form."""
        victims = np.bincount(self.of_event[self.counted], minlength=n_events)[self.of_event]
        sent = self.sent[self.of_event]
        n_sent = np.bitwise_count(sent)
        of_event = np.where((n_sent == 1) | (victims == 1), sent, NOT_SEPARABLE)
        of_event = np.where(n_sent == 0, FINE.unknown, of_event)
        fine = np.where(own > 0, own, of_event)
        return fine, self._class(fine, sent, ICCS), self._class(fine, sent, UNODC)

    def _class(self, fine: Ints, sent: Ints, labels: words.Labels) -> Ints:
        """A class may be separable where the fine form is not."""
        classes = self.country.classes(fine, labels)
        possible = self.country.classes(sent, labels)
        separable = (fine == NOT_SEPARABLE) & (np.bitwise_count(possible) == 1)
        return np.where(separable, possible, classes)

    def _events(self, dated: Flags, n_events: int) -> Forms:
        """The union of the victims' forms and those sent for the event."""
        sent = np.where(self.sent > 0, self.sent, FINE.unknown)
        starts = (sent, self.country.classes(sent, ICCS), self.country.classes(sent, UNODC))
        found = []
        for labels, start, victims in zip((FINE, ICCS, UNODC), starts, self.victim, strict=True):
            union = start.copy()
            # Without a day there is no year, and so no map of forms to classes.
            used = self.counted if labels is FINE else self.counted & dated
            np.bitwise_or.at(union, self.of_event[used], victims[used])
            found.append(labels.preferring_known(union))
        return found[0], found[1], found[2]


def _union(forms: Forms, groups: Ints) -> Forms:
    """Forms of groups of rows, the known ones before the unknown."""
    found = [
        labels.preferring_known(union_of_each(sets, groups))
        for labels, sets in zip((FINE, ICCS, UNODC), forms, strict=True)
    ]
    return found[0], found[1], found[2]


def _taken(forms: Forms, rows: Ints) -> Forms:
    return forms[0][rows], forms[1][rows], forms[2][rows]


def _cells_of_forms(forms: Forms) -> dict[str, Cells]:
    return {
        "fine": Cells(FINE.names, sets=forms[0]),
        "iccs": Cells(ICCS.names, sets=forms[1]),
        "unodc": Cells(UNODC.names, sets=forms[2]),
    }


def _by_code(column: Coded, rows: Ints) -> Cells:
    return Cells(column.choice.codes, column.codes[rows])


# ── events and offences ───────────────────────────────────────────────────────────────────────


def _events(sample: Sample, police: _PoliceTruth) -> Iterator[Figure]:
    event = sample.police.event
    rows = event.accepted
    unit = Unit(
        year_of(event.numbers("event_registration_date").values[rows]),
        {
            **_cells_of_forms(_taken(police.event, rows)),
            "cross_border": _by_code(event.coded("cross_border"), rows),
            "event_status": _by_code(event.coded("event_status"), rows),
        },
        counted=event.coded("event_status").means("RECORDED")[rows],
    )
    parts = [Parts(), *(Parts(form=name) for name in ("fine", "iccs", "unodc"))]
    parts += [Parts(breakdown="cross_border"), Parts(breakdown="event_status", all_units=True)]
    yield from count("events_recorded", unit, parts, source="police", basis="event")


def _offences(sample: Sample) -> Iterator[Figure]:
    offence, event = sample.police.offence, sample.police.event
    article = offence.coded("legal_article")
    of_event = offence.parents["event_ref"][1]
    stands = event.coded("event_status").means("RECORDED", "_U")
    tip = ~offence.held & ~article.means("-") & stands[of_event]
    rows = np.flatnonzero(tip)
    times = offence.numbers("offence_count").values[rows]
    unit = Unit(
        year_of(event.numbers("event_registration_date").values[of_event[rows]]),
        {
            "iccs": _by_code(article, rows),
            "attempted_completed": _by_code(offence.coded("attempted_completed"), rows),
        },
        weight=np.where(times > 0, times, 1),
    )
    parts = [Parts(), Parts(form="iccs"), Parts(breakdown="attempted_completed")]
    yield from count("offences_recorded", unit, parts, source="police", basis="offence")


# ── persons ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Bands:
    """Age groups and what of them is child or adult.

    Attributes:
        lower: lowest ages of the bands into which an age in years falls.
        places: positions of these bands in ``codes``.
    """

    codes: tuple[str, ...]
    child_or_adult: Ints
    lower: Ints
    places: Ints


CHILD_OR_ADULT = ("Y0T17", "Y_GE18", "_U")


def _bands() -> _Bands:
    rows = correspondence("map_age_band")
    codes = (*(row["age_group"] for row in rows), "_U")
    nests = [CHILD_OR_ADULT.index(row["age2"]) for row in rows]
    fine = [row for row in rows if "REFINEMENT" in row["scheme"].split(";")]
    lower = [int(row["min_age"]) for row in fine]
    places = [codes.index(row["age_group"]) for row in fine]
    return _Bands(codes, np.array([*nests, 2]), np.array(lower), np.array(places))


def _ages(records: Records, rows: Ints) -> tuple[Cells, Cells]:
    """Child or adult, and the age group: of the age in years, else as sent."""
    bands = _bands()
    years, group = records.numbers("age").values[rows], records.coded("age_group")
    as_sent = np.array([bands.codes.index(code) for _, code, _ in group.choice.options])
    known = years >= 0
    of_years = bands.places[np.searchsorted(bands.lower, years, side="right") - 1]
    band = np.where(known, of_years, as_sent[group.positions[rows]])
    age2 = np.where(known, np.where(years < 18, 0, 1), bands.child_or_adult[band])
    return Cells(CHILD_OR_ADULT, age2), Cells(bands.codes, band)


def _person_cells(sample: Sample, records: Records, rows: Ints) -> dict[str, Cells]:
    age2, fine = _ages(records, rows)
    citizens = sample.country.citizens
    known = bits_of(records.coded("citizenship"), citizens)
    own = np.where(known & 1, 1 << len(citizens.names), 1 << (len(citizens.names) + 1))
    sets = np.where(known > 0, known | own, citizens.unknown)
    return {
        "sex": _by_code(records.coded("sex"), rows),
        "age2": age2,
        "age_group": fine,
        "citizenship": Cells((*citizens.names, "_OWN", "_FOREIGN"), sets=sets[rows]),
    }


@dataclass(frozen=True)
class _Registered:
    """Victims of one register, one row for each accepted and dated record.

    Attributes:
        status: position in ``words.VICTIM_STATUS.codes`` of the latest status.
        key: the person in the register.
        person: the person, by identifier where one was sent.
        forms: forms of each.
    """

    records: Records
    rows: Ints
    status: Ints
    key: Ints
    person: Ints
    identified: Flags
    forms: Forms


def _police_victims(sample: Sample, police: _PoliceTruth) -> Iterator[Figure]:
    victim = sample.police.victim
    rows = np.flatnonzero(~victim.held & victim.numbers("registration_date").known)
    status = victim.coded("victim_status").codes[rows]
    forms = _taken(police.victim, rows)
    side = _registered(victim, rows, status, sample.police.person, forms)
    yield from _victims(sample, side, "police")


def _service_victims(sample: Sample) -> Iterator[Figure]:
    victim = sample.service.victim
    rows = np.flatnonzero(~victim.held & victim.numbers("registration_date").known)
    status = _latest_status(victim, sample.service.status_decision)[rows]
    fine = bits_of(victim.coded("purpose"), FINE)[rows]
    fine = np.where(fine > 0, fine, FINE.unknown)
    classes = sample.country.classes
    forms = (fine, classes(fine, ICCS), classes(fine, UNODC))
    side = _registered(victim, rows, status, sample.service.person, forms)
    yield from _victims(sample, side, "service")


def _latest_status(victim: Records, decision: Records) -> Ints:
    """The status of the latest day: later decisions are later, a status not known is none."""
    status = victim.coded("victim_status").codes.copy()
    rows = decision.accepted
    codes = decision.coded("victim_status").codes[rows]
    unknown = words.VICTIM_STATUS.codes.index("_U")
    told = codes != unknown
    # In the order of the records a victim's second decision stands behind the first.
    status[decision.parents["victim_ref"][1][rows[told]]] = codes[told]
    return status


def _registered(
    records: Records, rows: Ints, status: Ints, person: Ints, forms: Forms
) -> _Registered:
    key = records.numbers("victim_ref").values[rows]
    identified = records.numbers("person_id").known[rows]
    by_id = np.where(identified, person[rows], int(person.max(initial=0)) + 1 + key)
    return _Registered(records, rows, status, key, by_id, identified, forms)


def _victims(sample: Sample, side: _Registered, source: str) -> Iterator[Figure]:
    """Registrations, and persons where somebody can be known again."""
    yield from _victims_by(sample, side, source, "registration", side.key)
    if side.identified.any():
        yield from _victims_by(sample, side, source, "person", side.person)


def _victims_by(
    sample: Sample, side: _Registered, source: str, basis: str, key: Ints
) -> Iterator[Figure]:
    rows = side.rows
    day = side.records.numbers("registration_date").values[rows]
    year = year_of(day)
    # A person counts once a year, with the forms of all registrations of that year.
    unit_key = np.unique(np.stack([key, year]), axis=1, return_inverse=True)[1]
    forms = _union(side.forms, unit_key)
    scope = side.records.coded("population_scope")
    cells = {
        **_person_cells(sample, side.records, rows),
        **_cells_of_forms(forms),
        "victim_status": Cells(words.VICTIM_STATUS.codes, side.status),
    }
    unit = Unit(year, cells)
    parts = [*person_parts(), Parts(breakdown="victim_status")]
    for status_scope, statuses in _status_scopes().items():
        in_scope = np.isin(side.status, statuses)
        for code, population in enumerate(scope.choice.codes):
            counted = np.flatnonzero(in_scope & (scope.codes[rows] == code))
            chosen = counted[first_of_each(unit_key[counted], day[counted])]
            yield from count(
                "victims_registered",
                unit,
                parts,
                rows=chosen,
                source=source,
                basis=basis,
                status_scope=status_scope,
                population_scope=population,
            )


def _status_scopes() -> dict[str, list[int]]:
    """Status scope -> positions of its statuses."""
    found: dict[str, list[int]] = {}
    codes = words.VICTIM_STATUS.codes
    for row in correspondence("map_status_scope"):
        if row["victim_status"] in codes:
            statuses = found.setdefault(row["status_scope"], [])
            statuses.append(codes.index(row["victim_status"]))
    return found


@dataclass(frozen=True)
class _Role:
    """Persons in the justice process, one row for each role that counts.

    Attributes:
        person: row of the person's record.
        day: the day that dates the figure.
        forms: forms of each.
    """

    records: Records
    person: Ints
    day: Ints
    forms: Forms


def _persons(
    sample: Sample, indicator: str, role: _Role, *, source: str, instance: str = "_Z"
) -> Iterator[Figure]:
    """Persons once a year, legal entities only in the breakdown by legal status."""
    year = year_of(role.day)
    reference = "perpetrator_ref" if source == "police" else "defendant_ref"
    key = role.records.numbers(reference).values[role.person]
    unit_key = np.unique(np.stack([key, year]), axis=1, return_inverse=True)[1]
    legal = role.records.coded("legal_status")
    unit = Unit(
        year,
        {
            **_person_cells(sample, role.records, role.person),
            **_cells_of_forms(_union(role.forms, unit_key)),
            "legal_status": _by_code(legal, role.person),
        },
        counted=~legal.means(*words.LEGAL_ENTITIES)[role.person],
    )
    chosen = first_of_each(unit_key, role.day)
    parts = [*person_parts(), Parts(breakdown="legal_status", all_units=True)]
    yield from count(
        indicator, unit, parts, rows=chosen, source=source, basis="registration", instance=instance
    )


def _suspects(sample: Sample, police: _PoliceTruth) -> Iterator[Figure]:
    perpetrator, relationship = sample.police.perpetrator, sample.relationship
    status = perpetrator.coded("justice_status")
    rows = np.flatnonzero(~perpetrator.held & ~status.means("ALLEGED", "_U"))
    forms = _taken(police.event, perpetrator.parents["event_ref"][1])
    related = relationship.accepted
    victim = relationship.parents["victim_ref"][1][related]
    of = relationship.parents["perpetrator_ref"][1][related]
    linked = []
    for of_event, of_victim in zip(forms, police.victim, strict=True):
        found = np.zeros(perpetrator.n, dtype=np.int64)
        np.bitwise_or.at(found, of, of_victim[victim])
        linked.append(np.where(found > 0, found, of_event)[rows])
    reached = perpetrator.numbers("justice_status_date").values[rows]
    registered = perpetrator.numbers("registration_date").values[rows]
    day = np.where(reached >= 0, reached, registered)
    role = _Role(perpetrator, rows, day, (linked[0], linked[1], linked[2]))
    yield from _persons(sample, "persons_suspected", role, source="police")


# ── court ─────────────────────────────────────────────────────────────────────────────────────


def _charge_forms(sample: Sample) -> Forms:
    """Forms of each charge: the purposes named in it, else the class of its article."""
    charge = sample.court.charge
    fine = bits_of(charge.coded("purpose"), FINE)
    article = charge.coded("legal_article")
    of_article = [ICCS.bits(code[:5]) for _, code, _ in article.choice.options]
    iccs = np.array(of_article)[article.positions]
    of_class = {"02041": "SEX", "02042": "LAB", "02043": "OTHER", "02044": "OTHER", "0204": "_U"}
    unodc = np.zeros_like(iccs)
    for position, name in enumerate(ICCS.names):
        unodc |= np.where(iccs & (1 << position), UNODC.bits(of_class[name]), 0)
    named, classes = fine > 0, sample.country.classes
    return (
        np.where(named, fine, FINE.unknown),
        np.where(named, classes(fine, ICCS), iccs),
        np.where(named, classes(fine, UNODC), unodc),
    )


def _tip_charges(sample: Sample) -> Ints:
    charge = sample.court.charge
    return np.flatnonzero(~charge.held & ~charge.coded("legal_article").means("-"))


def _gathered(forms: Forms, rows: Ints, of: Ints, n: int) -> Forms:
    """Union of the forms of some rows for each of n others."""
    found = []
    for sets in forms:
        union = np.zeros(n, dtype=np.int64)
        np.bitwise_or.at(union, of, sets[rows])
        found.append(union)
    return found[0], found[1], found[2]


def _charged(sample: Sample) -> Iterator[Figure]:
    defendant, charge = sample.court.defendant, sample.court.charge
    rows = _tip_charges(sample)
    of = charge.parents["defendant_ref"][1][rows]
    never = np.iinfo(np.int64).max
    first = np.full(defendant.n, never)
    np.minimum.at(first, of, charge.numbers("charge_date").values[rows])
    person = np.flatnonzero(first < never)
    forms = _gathered(_charge_forms(sample), rows, of, defendant.n)
    role = _Role(defendant, person, first[person], _taken(forms, person))
    yield from _persons(sample, "persons_charged", role, source="court")


def _convicted(sample: Sample) -> Iterator[Figure]:
    decision = sample.court.decision
    dated = ~decision.held & decision.numbers("decision_date").known
    tip = dated & decision.coded("outcome").means("CONVICTED_TIP")
    first = tip & decision.coded("decision_stage").means("TRIAL")
    first &= decision.coded("instance").means("FIRST")
    final = dated & decision.coded("final").means("Y")
    day = decision.numbers("decision_date").values
    of = decision.parents["defendant_ref"][1]
    last = np.full(sample.court.defendant.n, -1)
    np.maximum.at(last, of[final], day[final])
    stands = tip & final & (last[of] == day)
    for instance, chosen in (("FIRST", first), ("LAST", stands)):
        role = _convictions(sample, np.flatnonzero(chosen))
        yield from _persons(sample, "persons_convicted", role, source="court", instance=instance)


def _convictions(sample: Sample, rows: Ints) -> _Role:
    """Convictions with the forms of the charge that they name, else of all that stand."""
    court = sample.court
    of = court.decision.parents["defendant_ref"][1][rows]
    day = court.decision.numbers("decision_date").values[rows]
    tip = _tip_charges(sample)
    of_charge = court.charge.parents["defendant_ref"][1][tip]
    number = court.charge.numbers("charge_no").values[tip]
    forms, n = _charge_forms(sample), court.defendant.n
    every = _gathered(forms, tip, of_charge, n)
    named = np.full(n, -1)
    named[of] = court.decision.numbers("charge_no").values[rows]
    is_named = number == named[of_charge]
    one = _gathered(forms, tip[is_named], of_charge[is_named], n)
    unknown = (FINE.unknown, ICCS.unknown, UNODC.unknown)
    found = [np.where(o > 0, o, e)[of] | u for o, e, u in zip(one, every, unknown, strict=True)]
    return _Role(court.defendant, of, day, (found[0], found[1], found[2]))
