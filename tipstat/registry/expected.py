"""The register of expected returns, and what came of them: who sent, how late, how complete."""

from __future__ import annotations

import difflib
import re
from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tipstat.contract import load_contract
from tipstat.errors import UsageError
from tipstat.registry.entities import registered_id
from tipstat.registry.models import ExpectedReturn, Submission
from tipstat.registry.store import Registry, add_audit, utc_now
from tipstat.rules import refuse

#: Frequency -> months of a period.
FREQUENCIES = {"YEAR": 12, "HALF_YEAR": 6, "QUARTER": 3, "MONTH": 1}
_DUE = re.compile(r"(?:(\d{1,3})m)?(?:(\d{1,4})d)?")
#: What stands for a period; what was destroyed on a legal ground was received all the same.
_STANDS = ("accepted", "purged")
#: What has been received, whatever replaced it since.
_RECEIVED = (*_STANDS, "superseded")


@dataclass(frozen=True)
class Covered:
    """One period of an expected return, and what was received of it.

    Attributes:
        state: ``received``, ``late`` (complete, after the due day), ``partial``, ``missing``
            (nothing, and the due day has passed), or ``awaited``.
        days_late: of what completed the period, or of today where it is not complete.
        share: part of the period's days that accepted submissions cover.
        submissions: accepted submissions that cover a part of it; also those destroyed since.
        nil: whether they all declare that nothing was recorded.
        units_in_scope: units that should have contributed, as the submissions declare.
    """

    expected_return: int
    reporting_entity: str
    kind: str
    period_start: date
    period_end: date
    due: date
    state: str
    days_late: int
    share: float
    received: date | None
    submissions: tuple[str, ...]
    nil: bool
    records: int
    held_out: int
    units_in_scope: int | None
    units_silent: int | None

    @property
    def is_open(self) -> bool:
        """Whether something is missing after the due day."""
        return self.state == "missing" or (self.state == "partial" and self.days_late > 0)


# ── registering ───────────────────────────────────────────────────────────────────────────────


def expect(
    registry: Registry,
    entity: str,
    kind: str,
    *,
    frequency: str,
    due: str,
    valid_from: date,
    agreement: str | None = None,
    destroy_by: date | None = None,
    actor: str | None = None,
) -> ExpectedReturn:
    """Register that an entity owes a return for each period from a day on.

    Args:
        registry: at the current revision.
        entity: id of a registered entity, as typed.
        kind: kind of return.
        frequency: ``YEAR``, ``HALF_YEAR``, ``QUARTER`` or ``MONTH``.
        due: time after the end of the period, as in ``3m``, ``45d`` or ``1m15d``.
        valid_from: first day of the first period; the first day of a month.
        agreement: under which it is sent.
        destroy_by: day by which what was received must be destroyed.
        actor: who registers it, for the audit trail.

    Raises:
        UsageError: TIP-549 no such entity, TIP-562 no kind of return, TIP-563 no due time,
            TIP-564 not the first day of a month, TIP-565 it is expected already.
    """
    months, days = due_of(due)
    if valid_from.day != 1:
        raise refuse("TIP-564", UsageError, where="--from", found=valid_from.isoformat())
    row = ExpectedReturn(
        reporting_entity=registered_id(registry, entity),
        kind=kind_of(kind),
        frequency=frequency,
        due_months=months,
        due_days=days,
        valid_from=valid_from,
        agreement=agreement,
        destroy_by=destroy_by,
        registered_at=utc_now(),
    )
    _refuse_expected(registry, row)
    with registry.write() as session:
        session.add(row)
        session.flush()
        about = f"{row.kind} return of {row.reporting_entity}"
        details = {"id": row.id, "frequency": frequency, "due": due, "from": valid_from.isoformat()}
        add_audit(session, actor, "return expected", about, details)
    return row


def kind_of(text: str) -> str:
    """A kind of return as typed; TIP-562 where there is none of that name."""
    kinds, kind = load_contract().kinds(), text.strip().lower()
    if kind in kinds:
        return kind
    nearest = "".join(difflib.get_close_matches(kind, kinds, n=1))
    expected = ", ".join(kinds)
    raise refuse(
        "TIP-562", UsageError, where="KIND", found=f'"{text}"', expected=expected, nearest=nearest
    )


def due_of(text: str) -> tuple[int, int]:
    """Months and days after the end of a period, from ``3m``, ``45d`` or ``1m15d``; TIP-563."""
    found = _DUE.fullmatch(text.strip().lower())
    if found is None or not text.strip():
        raise refuse("TIP-563", UsageError, where="--due", found=f'"{text}"')
    return int(found[1] or 0), int(found[2] or 0)


def _refuse_expected(registry: Registry, row: ExpectedReturn) -> None:
    for other in registry.expected_returns():
        same = (other.reporting_entity, other.kind) == (row.reporting_entity, row.kind)
        if same and (other.valid_to is None or other.valid_to >= row.valid_from):
            until = f" to {other.valid_to}" if other.valid_to else " on"
            found = f"number {other.id}, {other.frequency} from {other.valid_from}{until}"
            where = f"{row.kind} return of {row.reporting_entity}"
            raise refuse("TIP-565", UsageError, where=where, found=found)


def end(
    registry: Registry, number: int, on: date, *, reason: str, actor: str | None = None
) -> ExpectedReturn:
    """No longer expect a return for periods that end after a day.

    Raises:
        UsageError: TIP-566 there is none of that number, or the day is before its first.
    """
    with registry.write() as session:
        row = session.get(ExpectedReturn, number)
        if row is None or on < row.valid_from:
            found = f"a first day of {row.valid_from}" if row else f"no number {number}"
            raise refuse("TIP-566", UsageError, where=f"expected return {number}", found=found)
        row.valid_to = on
        about = f"{row.kind} return of {row.reporting_entity}"
        details = {"id": number, "on": on.isoformat(), "reason": reason}
        add_audit(session, actor, "return no longer expected", about, details)
    return row


# ── periods and due days ──────────────────────────────────────────────────────────────────────


def months_on(day: date, months: int) -> date:
    """The same day so many months on; the last of a month stays the last of a month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last, was_last = monthrange(year, month + 1)[1], day.day == monthrange(day.year, day.month)[1]
    return date(year, month + 1, last if was_last else min(day.day, last))


def due_day(row: ExpectedReturn, period_end: date) -> date:
    """The day by which the return of a period is due."""
    return months_on(period_end, row.due_months) + timedelta(days=row.due_days)


def periods(row: ExpectedReturn, on: date) -> Iterator[tuple[date, date]]:
    """First and last days of the periods that had ended by a day, the oldest first."""
    months = FREQUENCIES[row.frequency]
    last = min(on, row.valid_to or on)
    start = row.valid_from
    while (period_end := months_on(start, months) - timedelta(days=1)) <= last:
        yield start, period_end
        start = months_on(start, months)


def _of(row: ExpectedReturn, submission: Submission) -> bool:
    return submission.kind == row.kind and any(
        covered.reporting_entity == row.reporting_entity for covered in submission.coverage
    )


def expected_for(
    submission: Submission, expected: Iterable[ExpectedReturn]
) -> list[ExpectedReturn]:
    """The expected returns that a submission answers, by entity and kind."""
    return [row for row in expected if _of(row, submission)]


def due_by(submission: Submission, expected: Iterable[ExpectedReturn]) -> date | None:
    """The day by which a submission was due, the first of those of its entities.

    Returns:
        The day; ``None`` where the submission was not expected.
    """
    last = submission.period_end
    if last is None:
        return None
    rows = [
        row
        for row in expected_for(submission, expected)
        if row.valid_from <= last <= (row.valid_to or date.max)
    ]
    return min((due_day(row, last) for row in rows), default=None)


def days_late(submission: Submission, expected: Iterable[ExpectedReturn]) -> int | None:
    """Days between the due day and the receipt of a submission, negative where it was early.

    Returns:
        The days; ``None`` where the submission was not expected.
    """
    due = due_by(submission, expected)
    return None if due is None else (submission.received_at.astimezone().date() - due).days


def destroy_by(submission: Submission, expected: Iterable[ExpectedReturn]) -> date | None:
    """The day by which a submission must be destroyed: its own, or an earlier one of its return."""
    days = [submission.destroy_by, *(row.destroy_by for row in expected_for(submission, expected))]
    return min((day for day in days if day is not None), default=None)


# ── coverage ──────────────────────────────────────────────────────────────────────────────────


def coverage(registry: Registry, on: date) -> list[Covered]:
    """What was received of every period of every expected return that had ended by a day.

    Args:
        registry: at the current revision.
        on: the day; what was received later does not count.

    Returns:
        One entry for each period, by entity, kind and period.
    """
    received = [row for row in registry.submissions() if row.received_at.astimezone().date() <= on]
    return [
        _covered(expected, period, [row for row in received if _of(expected, row)], on)
        for expected in registry.expected_returns()
        for period in periods(expected, on)
    ]


def _covered(
    expected: ExpectedReturn, period: tuple[date, date], answers: Sequence[Submission], on: date
) -> Covered:
    start, end_ = period
    touching = [row for row in answers if _days_in(row, start, end_)]
    current = [row for row in touching if row.status in _STANDS]
    days = (end_ - start).days + 1
    share = len(_union(current, start, end_)) / days
    due = due_day(expected, end_)
    completed = _completed(touching, start, end_) if share == 1 else None
    late = ((completed or on) - due).days
    units = [_units(row) for row in current]
    return Covered(
        expected_return=expected.id,
        reporting_entity=expected.reporting_entity,
        kind=expected.kind,
        period_start=start,
        period_end=end_,
        due=due,
        state=_state(share, late),
        days_late=max(late, 0),
        share=round(share, 4),
        received=completed or _first(current),
        submissions=tuple(row.id for row in current),
        nil=bool(current) and all(row.nil_return for row in current),
        records=sum(sum(row.records.values()) for row in current),
        held_out=sum(sum(row.held_out.values()) for row in current),
        units_in_scope=_total(scope for scope, _ in units),
        units_silent=_total(silent for _, silent in units),
    )


def _state(share: float, late: int) -> str:
    if share == 1:
        return "late" if late > 0 else "received"
    if share > 0:
        return "partial"
    return "missing" if late > 0 else "awaited"


def _days_in(row: Submission, start: date, end_: date) -> frozenset[int]:
    """The days of a period that a submission covers, as ordinals."""
    if row.period_start is None or row.period_end is None:
        return frozenset()
    first, last = max(row.period_start, start), min(row.period_end, end_)
    return frozenset(range(first.toordinal(), last.toordinal() + 1))


def _union(rows: Iterable[Submission], start: date, end_: date) -> frozenset[int]:
    return frozenset().union(*(_days_in(row, start, end_) for row in rows))


def _completed(rows: Sequence[Submission], start: date, end_: date) -> date | None:
    """When the whole period had first been received, also by what was replaced later."""
    days = (end_ - start).days + 1
    counted = sorted(
        (row for row in rows if row.status in _RECEIVED), key=lambda row: row.received_at
    )
    for number, row in enumerate(counted, start=1):
        if len(_union(counted[:number], start, end_)) == days:
            return row.received_at.astimezone().date()
    return None


def _first(rows: Iterable[Submission]) -> date | None:
    return min((row.received_at.astimezone().date() for row in rows), default=None)


def _units(row: Submission) -> tuple[int | None, int | None]:
    """Units in scope and silent units, as the return declares."""
    declared = (row.return_metadata.get(name, "") for name in ("units_in_scope", "units_silent"))
    scope, silent = (int(text) if text.isdecimal() else None for text in declared)
    return scope, silent


def _total(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return max(known) if known else None
