"""The life of a submission: every step in the audit trail, races settled, nothing lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from registry_support import (
    ENGINES,
    accepted,
    assert_consistent,
    header,
    landed,
    make_workspace,
    registry_url,
    write_events,
    write_findings,
)

from tipstat.doctor import repair
from tipstat.landing import (
    Passage,
    acceptance,
    folders,
    land,
    rebuild_registry,
    record_refusal,
    sweep,
    transaction,
    withdraw,
)
from tipstat.registry import AuditEvent
from tipstat.workspace import Workspace

RECEIVED = datetime(2024, 3, 1, 8, 0, tzinfo=UTC)
CHECKED = datetime(2024, 3, 1, 8, 5, tzinfo=UTC)
BY_ANA = Passage(RECEIVED, CHECKED, "ana")


@pytest.fixture(params=ENGINES)
def ws(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    with registry_url(request.param) as url:
        yield make_workspace(tmp_path / "office", url)


def steps(ws: Workspace, submission_id: str) -> list[AuditEvent]:
    return ws.registry().audit_events(submission_id)


def test_each_step_of_an_accepted_submission_says_who_and_when(ws: Workspace) -> None:
    name = land(ws, header(), write_events, BY_ANA)
    withdraw(ws, name, reason="sent in error", actor="luis")
    told = steps(ws, name)
    assert [(event.action, event.actor) for event in told] == [
        ("received", "ana"),
        ("checked", "ana"),
        ("accepted", "ana"),
        ("withdrawn", "luis"),
    ]
    assert [event.at for event in told[:2]] == [RECEIVED, CHECKED]
    assert told[1].details["findings"] == {"warning": 1}
    assert ws.registry().submission(name).received_at == RECEIVED


def test_a_refused_file_was_received_and_checked_too(ws: Workspace) -> None:
    name = record_refusal(ws, header(), write_findings, BY_ANA)
    assert [event.action for event in steps(ws, name)] == ["received", "checked", "refused"]
    assert {event.actor for event in steps(ws, name)} == {"ana"}


def test_who_loads_a_replacement_is_who_supersedes(ws: Workspace) -> None:
    first = land(ws, header(), write_events, BY_ANA)
    changed = header(file_sha256="b" * 64, intent="REPLACES", earlier_submission=first)
    land(ws, changed, write_events, Passage(RECEIVED, CHECKED, "luis"))
    last = steps(ws, first)[-1]
    assert (last.action, last.actor) == ("superseded", "luis")


def test_the_steps_come_back_with_a_registry_made_from_the_landing(tmp_path: Path) -> None:
    ws = make_workspace(tmp_path / "office")
    name = land(ws, header(), write_events, BY_ANA)
    before = [(e.action, e.actor, e.at, e.details) for e in steps(ws, name)]
    for path in ws.root.glob("registry.sqlite*"):
        path.unlink()
    rebuild_registry(ws)
    assert [(e.action, e.actor, e.at, e.details) for e in steps(ws, name)] == before


def test_a_file_accepted_by_another_while_it_is_judged_is_its_twin_and_no_overlap(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, others = acceptance.accepted_twin, []

    def overtaken(*args: object) -> str | None:
        found = real(*args)  # type: ignore[arg-type]  # the arguments of the real function
        if not others:
            others.append("")
            others.append(land(ws, header(), write_events))
        return found

    monkeypatch.setattr(acceptance, "accepted_twin", overtaken)
    if ws.registry_url.startswith("sqlite"):
        # An SQLite transaction sees one moment: it is the next one that finds the twin.
        assert land(ws, header(), write_events) == accepted(ws)[0]
    else:
        assert land(ws, header(), write_events) == others[1]
    assert len(accepted(ws)) == 1
    assert_consistent(ws)


def test_a_folder_that_two_processes_remove_at_once_is_no_fault(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.rmtree

    def raced(path: Path) -> None:
        real(path)
        raise FileNotFoundError(path)

    def fails(folder: Path, submission_id: str) -> None:
        write_events(folder, submission_id)
        raise RuntimeError("the loader stops")

    monkeypatch.setattr(transaction.folders, "remove_folders", lambda *_: [])
    with pytest.raises(RuntimeError, match="stops"):
        land(ws, header(), fails)  # type: ignore[arg-type]  # it never returns
    monkeypatch.undo()
    assert len(landed(ws)) == 1
    monkeypatch.setattr(folders.shutil, "rmtree", raced)
    assert len(sweep(ws)) == 1
    assert landed(ws) == []
    repair(ws)
    assert_consistent(ws)
