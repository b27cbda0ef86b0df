"""The register of expected returns: who owes what by when, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cli_support import Outcome
from cli_support import run as command
from registry_support import (
    ENGINES,
    header,
    make_workspace,
    registry_url,
    write_events,
    write_findings,
)

from tipstat.errors import UsageError
from tipstat.landing import LandedCounts, Passage, land, record_refusal, withdraw
from tipstat.purge import due
from tipstat.registry import ExpectedReturn
from tipstat.registry import engine as engines
from tipstat.registry.expected import (
    Covered,
    coverage,
    due_of,
    end,
    expect,
    months_on,
    periods,
)
from tipstat.registry.migrate import migrate
from tipstat.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "office")


def yearly(ws: Workspace, **changes: Any) -> ExpectedReturn:
    usual: dict[str, Any] = {
        "frequency": "YEAR",
        "due": "3m",
        "valid_from": date(2022, 1, 1),
    }
    return expect(ws.registry(), "npf", "police", **(usual | changes))


def nothing(folder: Path, submission_id: str) -> LandedCounts:
    return LandedCounts()


def send(ws: Workspace, start: str, to: str, received: str, **changes: Any) -> str:
    """Land a return of the police for a period, received on a day."""
    moment = datetime.fromisoformat(received).replace(hour=12, tzinfo=UTC)
    one = header(
        period_start=date.fromisoformat(start),
        period_end=date.fromisoformat(to),
        **{"file_sha256": f"{start}{to}{received}".ljust(64, "0"), **changes},
    )
    return land(ws, one, nothing if one.nil_return else write_events, Passage(moment, moment))


def on(ws: Workspace, day: str) -> list[Covered]:
    return coverage(ws.registry(), date.fromisoformat(day))


def run(ws: Workspace, *arguments: str) -> Outcome:
    return command("-w", ws.root, *arguments)


def test_what_was_received_late_partial_or_not_at_all(ws: Workspace) -> None:
    yearly(ws)
    in_time = send(ws, "2022-01-01", "2022-12-31", "2023-03-31")
    late = send(ws, "2023-01-01", "2023-12-31", "2024-04-10")
    half = send(ws, "2024-01-01", "2024-06-30", "2025-01-10")
    told = on(ws, "2026-04-02")
    assert [(e.period_start.year, e.due.isoformat(), e.state, e.days_late) for e in told] == [
        (2022, "2023-03-31", "received", 0),
        (2023, "2024-03-31", "late", 10),
        (2024, "2025-03-31", "partial", 367),
        (2025, "2026-03-31", "missing", 2),
    ]
    assert [e.submissions for e in told] == [(in_time,), (late,), (half,), ()]
    assert [e.share for e in told] == [1, 1, 0.4973, 0]
    assert [e.records for e in told] == [3, 3, 3, 0]
    assert [e.is_open for e in told] == [False, False, True, True]


def test_before_its_due_day_a_return_is_awaited(ws: Workspace) -> None:
    yearly(ws)
    assert on(ws, "2022-12-30") == []
    (entry,) = on(ws, "2023-03-31")
    assert (entry.state, entry.is_open, entry.days_late) == ("awaited", False, 0)


def test_what_came_after_the_day_asked_for_does_not_count(ws: Workspace) -> None:
    yearly(ws)
    send(ws, "2022-01-01", "2022-12-31", "2023-06-01")
    assert [e.state for e in on(ws, "2023-05-01")] == ["missing"]
    assert [e.state for e in on(ws, "2023-06-01")] == ["late"]


def test_quarters_make_a_year_and_the_last_of_them_its_day(ws: Workspace) -> None:
    yearly(ws)
    quarters = [("01-01", "03-31"), ("04-01", "06-30"), ("07-01", "09-30"), ("10-01", "12-31")]
    for start, to in quarters:
        send(ws, f"2022-{start}", f"2022-{to}", "2023-05-01" if to == "06-30" else "2023-01-15")
    (entry,) = on(ws, "2023-12-01")
    assert (entry.state, entry.days_late, len(entry.submissions)) == ("late", 31, 4)
    assert entry.received == date(2023, 5, 1)


def test_a_year_answers_four_expected_quarters(ws: Workspace) -> None:
    yearly(ws, frequency="QUARTER", due="45d")
    send(ws, "2022-01-01", "2022-12-31", "2023-02-01")
    told = on(ws, "2022-12-31") + on(ws, "2023-02-28")[:4]
    assert [e.state for e in told[4:]] == ["late", "late", "late", "received"]
    assert [e.due.isoformat() for e in told[4:]] == [
        "2022-05-15",
        "2022-08-14",
        "2022-11-14",
        "2023-02-14",
    ]


def test_a_correction_sent_later_does_not_make_the_sender_late(ws: Workspace) -> None:
    yearly(ws)
    first = send(ws, "2022-01-01", "2022-12-31", "2023-02-01")
    send(
        ws, "2022-01-01", "2022-12-31", "2023-09-01",
        intent="REPLACES", earlier_submission=first,
    )  # fmt: skip
    (entry,) = on(ws, "2023-12-01")
    assert (entry.state, entry.received) == ("received", date(2023, 2, 1))


def test_what_was_refused_or_withdrawn_is_missing(ws: Workspace) -> None:
    yearly(ws)
    record_refusal(ws, header(period_start=date(2022, 1, 1), period_end=date(2022, 12, 31)),
                   write_findings)  # fmt: skip
    name = send(ws, "2022-01-01", "2022-12-31", "2023-02-01")
    withdraw(ws, name, reason="of another force")
    assert [e.state for e in on(ws, "2023-12-01")] == ["missing"]


def test_a_nil_return_is_received_and_said_to_be_nil(ws: Workspace) -> None:
    yearly(ws)
    send(ws, "2022-01-01", "2022-12-31", "2023-02-01", nil_return=True)
    (entry,) = on(ws, "2023-12-01")
    assert (entry.state, entry.nil, entry.records) == ("received", True, 0)


def test_units_in_scope_and_silent_are_those_declared(ws: Workspace) -> None:
    yearly(ws)
    declared = {"units_in_scope": "24", "units_silent": "3"}
    send(ws, "2022-01-01", "2022-12-31", "2023-02-01", metadata=declared)
    (entry,) = on(ws, "2023-12-01")
    assert (entry.units_in_scope, entry.units_silent) == (24, 3)


def test_the_return_of_another_entity_or_kind_is_no_answer(ws: Workspace) -> None:
    yearly(ws)
    send(ws, "2022-01-01", "2022-12-31", "2023-02-01", kind="court")
    send(ws, "2022-01-01", "2022-12-31", "2023-02-02", coverage=(("MIN", ""),))
    assert [e.state for e in on(ws, "2023-12-01")] == ["missing"]


def test_after_its_end_a_return_is_expected_no_more(ws: Workspace) -> None:
    row = yearly(ws)
    end(ws.registry(), row.id, date(2023, 12, 31), reason="merged")
    assert [e.period_start.year for e in on(ws, "2026-12-01")] == [2022, 2023]
    again = yearly(ws, valid_from=date(2024, 1, 1), frequency="MONTH")
    assert len(list(periods(again, date(2024, 12, 31)))) == 12
    actions = [event.action for event in ws.registry().audit_events("police return of NPF")]
    assert actions == ["return expected", "return no longer expected", "return expected"]


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("TIP-549", {"entity": "NPX"}),
        ("TIP-562", {"kind": "polise"}),
        ("TIP-563", {"due": "soon"}),
        ("TIP-563", {"due": ""}),
        ("TIP-564", {"valid_from": date(2024, 1, 15)}),
        ("TIP-565", {}),
    ],
)
def test_what_cannot_be_expected_is_refused(
    ws: Workspace, rule: str, changes: dict[str, Any]
) -> None:
    yearly(ws)
    given: dict[str, Any] = {"entity": "NPF", "kind": "police", "frequency": "YEAR", "due": "3m"}
    asked = given | {"valid_from": date(2024, 1, 1)} | changes
    with pytest.raises(UsageError, match=rule):
        expect(ws.registry(), asked.pop("entity"), asked.pop("kind"), **asked)
    assert len(ws.registry().expected_returns()) == 1


def test_only_what_is_expected_can_be_ended(ws: Workspace) -> None:
    row = yearly(ws)
    for number, day in ((99, date(2025, 1, 1)), (row.id, date(2021, 1, 1))):
        with pytest.raises(UsageError, match="TIP-566"):
            end(ws.registry(), number, day, reason="x")


def test_months_are_counted_from_last_day_to_last_day() -> None:
    assert months_on(date(2023, 12, 31), 2) == date(2024, 2, 29)
    assert months_on(date(2024, 2, 29), 1) == date(2024, 3, 31)
    assert months_on(date(2024, 1, 1), 12) == date(2025, 1, 1)
    assert months_on(date(2024, 1, 30), 1) == date(2024, 2, 29)
    assert [due_of(text) for text in ("3m", "45d", "1M15d")] == [(3, 0), (0, 45), (1, 15)]


def test_what_is_due_for_destruction_follows_from_the_expected_return_too(ws: Workspace) -> None:
    yearly(ws, destroy_by=date(2025, 6, 30))
    plain = send(ws, "2022-01-01", "2022-12-31", "2023-02-01")
    sooner = send(ws, "2023-01-01", "2023-12-31", "2024-02-01", destroy_by=date(2025, 1, 31))
    later = send(ws, "2024-01-01", "2024-12-31", "2025-02-01", destroy_by=date(2030, 1, 1))
    told = [(entry.submission.id, entry.destroy_by) for entry in due(ws, date(2025, 7, 1))]
    assert told == [
        (sooner, date(2025, 1, 31)),
        *((name, date(2025, 6, 30)) for name in sorted((plain, later))),
    ]


def test_the_commands_register_list_show_and_end(ws: Workspace) -> None:
    added = run(ws, "expected", "add", "NPF", "police", "--due", "3m", "--from", "2023-01-01",
                "--agreement", "MoU 7", "--destroy-by", "2024-12-31", "--actor", "ana")  # fmt: skip
    assert (added.code, added.out) == (
        0,
        "expected return 1: police return of NPF, YEAR from 2023-01-01\n",
    )
    send(ws, "2023-01-01", "2023-12-31", "2024-04-05")
    (row,) = json.loads(run(ws, "expected", "list", "--format", "json").out)
    assert (row["due"], row["agreement"], row["destroy_by"]) == ("3m0d", "MoU 7", "2024-12-31")
    shown = run(ws, "submissions", "coverage", "--on", "2025-12-31", "--format", "json")
    assert [(r["state"], r["days_late"]) for r in json.loads(shown.out)] == [
        ("late", 5),
        ("missing", 275),
        ("awaited", 0),
    ]
    assert shown.code == 1
    assert "1 submissions are due for destruction" in shown.err
    (listed,) = json.loads(run(ws, "submissions", "--format", "json").out)
    assert listed["days_late"] == 5
    ended = run(ws, "expected", "end", "1", "--on", "2023-12-31", "--reason", "merged")
    assert ended.out == "expected return 1: police return of NPF, until 2023-12-31\n"
    assert run(ws, "submissions", "coverage").code == 0


def test_the_list_of_submissions_sums_up_what_was_expected(ws: Workspace) -> None:
    send(ws, "2022-01-01", "2022-12-31", "2023-02-01")
    assert "expected" not in run(ws, "submissions").out
    row = yearly(ws)
    end(ws.registry(), row.id, date(2023, 12, 31), reason="merged")
    last = run(ws, "submissions").out.splitlines()[-1]
    assert last.startswith("expected periods until today: 1 missing, 1 received")


def test_only_the_open_ones_are_shown_where_asked(ws: Workspace) -> None:
    yearly(ws)
    send(ws, "2022-01-01", "2022-12-31", "2023-02-01")
    shown = run(ws, "submissions", "coverage", "--open", "--on", "2024-12-31", "--format", "csv")
    lines = shown.out.splitlines()
    assert (shown.code, len(lines)) == (1, 2)
    assert lines[1].startswith("NPF,police,2023-01-01,2023-12-31,2024-03-31,missing,275,")


@pytest.fixture(params=ENGINES)
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    with registry_url(request.param) as url:
        yield make_workspace(tmp_path / "office", url)


def test_its_migration_goes_up_down_and_up_with_rows(either: Workspace) -> None:
    ws = either
    yearly(ws, destroy_by=date(2030, 1, 1))
    name = send(ws, "2022-01-01", "2022-12-31", "2023-02-01")
    url = engines.resolve_url(ws.registry_url, ws.root)
    migrate(url, "0002")
    with engines.make_engine(url).connect() as connection:
        assert "expected_return" not in sa.inspect(connection).get_table_names()
        assert connection.scalar(sa.text("select count(*) from submission_coverage")) == 1
    migrate(url, "head")
    assert ws.registry().expected_returns() == []
    assert ws.registry().submission(name).status == "accepted"
    yearly(ws)
    assert [e.state for e in on(ws, "2023-12-01")] == ["received"]
