"""Accepting, refusing, replacing and withdrawing submissions, and making a lost registry again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa
from registry_support import (
    ENGINES,
    accepted,
    assert_consistent,
    faults,
    header,
    landed,
    make_workspace,
    registry_url,
    write_events,
    write_findings,
)

from tipstat.doctor import repair
from tipstat.errors import ReturnRefused, TipstatError, UsageError, WorkplaceError
from tipstat.landing import (
    LandedCounts,
    already_accepted,
    check_acceptable,
    land,
    rebuild_registry,
    record_refusal,
    supersede,
    sweep,
    transaction,
    withdraw,
)
from tipstat.registry.models import LoadIntent
from tipstat.workspace import Workspace

OTHER, THIRD = "b" * 64, "c" * 64


@pytest.fixture(params=ENGINES)
def ws(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    with registry_url(request.param) as url:
        yield make_workspace(tmp_path / "office", url)


def half(**changes: object) -> dict[str, object]:
    """The second half of 2023, in another file."""
    usual = {
        "file_sha256": OTHER,
        "period_start": date(2023, 7, 1),
        "period_end": date(2023, 12, 31),
    }
    return usual | changes


def test_an_accepted_submission_is_in_registry_and_landing(ws: Workspace) -> None:
    name = land(ws, header(), write_events)
    row = ws.registry().submission(name)
    assert (row.status, row.sequence, row.records) == ("accepted", 1, {"event": 3})
    assert (row.received_at.utcoffset(), row.return_metadata) == (
        timedelta(0),
        {"status_scope": "REGISTERED"},
    )
    assert name.startswith("police-npf-20231231-aaaaaaaa-")
    assert_consistent(ws)


def test_landed_files_are_for_their_owner_only(ws: Workspace) -> None:
    folder = ws.landing_dir / land(ws, header(), write_events)
    modes = {path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert (folder.stat().st_mode & 0o777, modes) == (0o700, {0o600})


def test_the_same_file_and_layout_is_accepted_once(ws: Workspace) -> None:
    first = land(ws, header(), write_events)
    assert land(ws, header(), write_events) == first
    assert already_accepted(ws, "a" * 64, None) == first
    assert already_accepted(ws, "a" * 64, "d" * 64) is None
    assert_consistent(ws)


def test_the_database_itself_refuses_a_second_acceptance_of_a_file(ws: Workspace) -> None:
    land(ws, header(), write_events)
    copy = "insert into submission select {} from submission"
    columns = [c["name"] for c in sa.inspect(ws.registry().engine).get_columns("submission")]
    values = [{"id": "'twin'", "sequence": "2"}.get(name, f'"{name}"') for name in columns]
    with pytest.raises(sa.exc.IntegrityError), ws.registry().write() as session:
        session.execute(sa.text(copy.format(", ".join(values))))


@pytest.mark.parametrize(
    "period",
    [
        (date(2023, 1, 1), date(2023, 12, 31)),
        (date(2023, 12, 31), date(2024, 6, 30)),
        (date(2022, 1, 1), date(2023, 1, 1)),
        (date(2023, 4, 1), date(2023, 6, 30)),
    ],
)
def test_an_overlapping_period_is_refused_and_leaves_nothing(
    ws: Workspace, period: tuple[date, date]
) -> None:
    first = land(ws, header(), write_events)
    changed = header(file_sha256=OTHER, period_start=period[0], period_end=period[1])
    with pytest.raises(ReturnRefused, match=f"TIP-540(?s:.*){first}"):
        land(ws, changed, write_events)
    assert landed(ws) == [first]
    assert_consistent(ws)


@pytest.mark.parametrize(
    "changes",
    [
        {"period_start": date(2024, 1, 1), "period_end": date(2024, 12, 31)},
        {"kind": "court"},
        {"sender": "MIN", "coverage": (("MIN", ""),)},
        {"coverage": (("NPF", "EVENTS_RECORDED"),)},
    ],
)
def test_another_period_kind_entity_or_scope_does_not_overlap(
    ws: Workspace, changes: dict[str, object]
) -> None:
    land(ws, header(), write_events)
    land(ws, header(file_sha256=OTHER, **changes), write_events)
    assert len(accepted(ws)) == 2
    assert_consistent(ws)


def test_an_overlap_that_appears_while_loading_is_refused_at_the_commit(ws: Workspace) -> None:
    def overtaken(folder: Path, submission_id: str) -> LandedCounts:
        land(ws, header(), write_events)
        return write_events(folder, submission_id)

    with pytest.raises(ReturnRefused, match="TIP-540"):
        land(ws, header(file_sha256=OTHER), overtaken)
    assert len(accepted(ws)) == 1
    assert_consistent(ws)


def test_a_replacement_supersedes_the_earlier_submission(ws: Workspace) -> None:
    first = land(ws, header(), write_events)
    changed = header(file_sha256=OTHER, intent="REPLACES", earlier_submission=first)
    second = land(ws, changed, write_events)
    assert accepted(ws) == [second]
    assert ws.registry().submission(first).status == "superseded"
    steps = [event.action for event in ws.registry().audit_events(first)]
    assert steps == ["received", "checked", "accepted", "superseded"]
    assert_consistent(ws)


def test_a_year_replaces_its_two_halves_when_it_names_both(ws: Workspace) -> None:
    one = land(ws, header(period_end=date(2023, 6, 30)), write_events)
    two = land(ws, header(**half()), write_events)
    with pytest.raises(ReturnRefused, match=f"TIP-540(?s:.*){two}"):
        land(
            ws,
            header(file_sha256=THIRD, intent="REPLACES", earlier_submission=one),
            write_events,
        )
    both = header(file_sha256=THIRD, intent="REPLACES", earlier_submission=f"{one}; {two}")
    assert accepted(ws) == [one, two]
    year = land(ws, both, write_events)
    assert accepted(ws) == [year]
    assert_consistent(ws)


def test_an_update_leaves_the_earlier_submission_in_the_figures(ws: Workspace) -> None:
    first = land(ws, header(), write_events)
    second = land(ws, header(**half(intent="UPDATES", earlier_submission=first)), write_events)
    third = land(
        ws,
        header(**half(file_sha256=THIRD, intent="UPDATES", earlier_submission=second)),
        write_events,
    )
    assert accepted(ws) == [first, second, third]
    assert_consistent(ws)


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("TIP-541", {"earlier_submission": None}),
        ("TIP-541", {"earlier_submission": "police-npf-20231231-00000000-0000"}),
        ("TIP-541", {"kind": "court"}),
        ("TIP-541", {"sender": "MIN", "coverage": (("MIN", ""),)}),
        ("TIP-542", {"period_end": date(2023, 6, 30)}),
        ("TIP-543", {"coverage": (("NPX", ""),)}),
        ("TIP-543", {"sender": "NPX"}),
        ("TIP-544", {"period_start": None}),
        ("TIP-544", {"period_start": date(2024, 1, 1)}),
        ("TIP-919", {"key_fingerprint": "0" * 16}),
    ],
)
def test_what_cannot_replace_is_refused_before_anything_is_written(
    ws: Workspace, rule: str, changes: dict[str, object]
) -> None:
    first = land(ws, header(), write_events)
    usual = {"file_sha256": OTHER, "intent": "REPLACES", "earlier_submission": first}
    changed = header(**(usual | changes))
    for attempt in (
        lambda: check_acceptable(ws, changed),
        lambda: land(ws, changed, write_events),
    ):
        with pytest.raises(TipstatError, match=rule):
            attempt()
    assert accepted(ws) == [first]
    assert_consistent(ws)


def test_a_writer_that_fails_leaves_nothing(ws: Workspace) -> None:
    def fails(folder: Path, submission_id: str) -> LandedCounts:
        write_events(folder, submission_id)
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="disk is full"):
        land(ws, header(), fails)
    assert landed(ws) == []
    assert_consistent(ws)


def test_a_commit_whose_answer_was_lost_still_counts(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = transaction.accept

    def cut_off(*args: object) -> str:
        real(*args)  # type: ignore[arg-type]  # the arguments of the real function
        raise OSError("connection lost")

    monkeypatch.setattr(transaction, "accept", cut_off)
    with pytest.raises(OSError, match="connection lost"):
        land(ws, header(), write_events)
    assert len(accepted(ws)) == 1
    assert_consistent(ws)


def test_a_refused_file_leaves_its_row_and_findings_and_no_record(ws: Workspace) -> None:
    unknown = header(sender="XYZ", coverage=(("XYZ", ""), ("NPF", "")))
    name = record_refusal(ws, unknown, write_findings)
    row = ws.registry().submission(name)
    assert (row.status, row.sequence, row.findings) == ("refused", None, {"refusal": 1})
    assert row.file_sha256 == "a" * 64
    files = {path.name for path in (ws.landing_dir / name).iterdir()}
    assert files == {"findings.parquet", "submission.json", "status.json"}
    assert_consistent(ws)


def test_a_refused_file_may_come_again_and_does_not_fix_the_key(ws: Workspace) -> None:
    record_refusal(ws, header(key_fingerprint="0" * 16), write_findings)
    land(ws, header(), write_events)
    assert len(accepted(ws)) == 1
    assert_consistent(ws)


def test_records_written_by_a_refusal_are_a_mistake_of_ours(ws: Workspace) -> None:
    with pytest.raises(ValueError, match="no records"):
        record_refusal(ws, header(), lambda folder: write_events(folder, "x"))
    assert landed(ws) == []


def test_a_withdrawn_submission_leaves_the_figures_and_may_come_again(ws: Workspace) -> None:
    first = land(ws, header(), write_events)
    withdraw(ws, first, reason="sent in error", actor="clerk")
    assert accepted(ws) == []
    event = ws.registry().audit_events(first)[-1]
    assert (event.actor, event.action, event.details) == (
        "clerk",
        "withdrawn",
        {"reason": "sent in error"},
    )
    assert land(ws, header(), write_events) != first
    assert_consistent(ws)


def test_only_an_accepted_submission_is_withdrawn(ws: Workspace) -> None:
    first = land(ws, header(), write_events)
    withdraw(ws, first, reason="sent in error")
    with pytest.raises(UsageError, match="TIP-923"):
        withdraw(ws, first, reason="again")
    with pytest.raises(UsageError, match="TIP-922"):
        withdraw(ws, "nothing", reason="no such")


def test_superseding_by_hand_names_both(ws: Workspace) -> None:
    first = land(ws, header(), write_events)
    update = header(file_sha256=OTHER, intent="UPDATES", earlier_submission=first)
    second = land(ws, update, write_events)
    for old, new in ((first, first), (first, "nothing")):
        with pytest.raises(UsageError, match="TIP-92"):
            supersede(ws, old, new, reason="a mistake")
    supersede(ws, first, second, reason="holds everything")
    assert accepted(ws) == [second]
    assert [r.relation for r in ws.registry().submission(second).relations] == ["REPLACES"]
    assert_consistent(ws)


def test_a_load_that_was_given_up_cannot_be_accepted_any_more(ws: Workspace) -> None:
    def slow(folder: Path, submission_id: str) -> LandedCounts:
        counts = write_events(folder, submission_id)
        age_intents(ws, timedelta(days=1, seconds=1))
        assert sweep(ws) == [submission_id]
        folder.mkdir()
        return counts

    with pytest.raises(WorkplaceError, match="TIP-921"):
        land(ws, header(), slow)
    assert landed(ws) == []
    assert_consistent(ws)


def age_intents(ws: Workspace, age: timedelta, **changes: object) -> None:
    with ws.registry().write() as session:
        for intent in session.scalars(sa.select(LoadIntent)):
            intent.started_at -= age
            for name, value in changes.items():
                setattr(intent, name, value)


def leave_over(ws: Workspace) -> str:
    """A load that stopped after writing, as of a live process."""
    registry = ws.registry()
    intent = transaction.open_intent(registry, "police-npf-20231231-aaaaaaaa-0000")
    write_events(transaction.folders.make_temporary(ws, intent.submission_id), "x")
    return intent.submission_id


@pytest.mark.parametrize(
    ("age", "changes", "removed"),
    [
        (timedelta(0), {}, False),
        (timedelta(0), {"process_started": "another boot:1"}, True),
        (timedelta(0), {"pid": 2**22 + 1}, True),
        (timedelta(0), {"pid": 2**22 + 1, "host": "elsewhere"}, False),
        (timedelta(days=1), {"host": "elsewhere"}, True),
        (timedelta(days=1), {}, True),
    ],
)
def test_the_sweep_removes_what_is_a_day_old_or_whose_process_is_dead(
    ws: Workspace, age: timedelta, changes: dict[str, object], removed: bool
) -> None:
    name = leave_over(ws)
    age_intents(ws, age, **changes)
    assert sweep(ws) == ([name] if removed else [])
    assert landed(ws) == ([] if removed else [f".tmp-{name}"])


def test_the_sweep_never_removes_a_folder_that_it_cannot_trace(ws: Workspace) -> None:
    for name in ("police-npf-20221231-aaaaaaaa-0000", ".tmp-police-x"):
        (ws.landing_dir / name).mkdir()
    assert sweep(ws) == []
    assert len(landed(ws)) == 2
    assert len(faults(ws)) >= 2


def test_a_sweep_that_was_cut_off_is_finished_by_the_next(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = leave_over(ws)
    age_intents(ws, timedelta(days=2))

    def cut_off(*_args: object) -> list[str]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(transaction.folders, "remove_folders", cut_off)
        with pytest.raises(KeyboardInterrupt):
            sweep(ws)
    assert sweep(ws) == [name]
    assert landed(ws) == []


def test_an_id_is_never_given_twice(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["police-npf-0000", "police-npf-0000", "police-npf-0000", "police-npf-0001"])
    monkeypatch.setattr(transaction, "new_submission_id", lambda _header: next(drawn))
    first = record_refusal(ws, header(), write_findings)
    second = record_refusal(ws, header(), write_findings)
    assert (first[-4:], second[-4:]) == ("0000", "0001")
    assert_consistent(ws)


def test_an_acceptance_counts_though_its_status_file_cannot_be_written(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(transaction.receipts, "write_status_files", full)
        name = land(ws, header(), write_events)
    assert accepted(ws) == [name]
    assert faults(ws) == [f"status files: {name}: out of date"]
    repair(ws)
    assert faults(ws) == []


def test_a_second_sweep_leaves_the_work_to_the_first(ws: Workspace) -> None:
    leave_over(ws)
    age_intents(ws, timedelta(days=2))
    with transaction.folders.sweep_lock(ws, wait=True) as held:
        assert held
        assert sweep(ws, wait=False) == []
    assert len(sweep(ws)) == 1


def several(ws: Workspace) -> None:
    """One submission of each status."""
    first = land(ws, header(), write_events)
    replaced = header(file_sha256=OTHER, intent="REPLACES", earlier_submission=first)
    land(ws, replaced, write_events)
    record_refusal(ws, header(file_sha256=THIRD, sender="XYZ", coverage=()), write_findings)
    wrong = header(
        file_sha256="d" * 64, period_start=date(2024, 1, 1), period_end=date(2024, 12, 31)
    )
    withdraw(ws, land(ws, wrong, write_events), reason="sent in error")


def account(ws: Workspace) -> dict[str, object]:
    registry = ws.registry()
    submissions = {
        row.id: {
            name: value
            for name, value in vars(row).items()
            if name not in ("_sa_instance_state", "coverage", "relations")
        }
        | {
            "coverage": [(c.reporting_entity, c.scope) for c in row.coverage],
            "relations": [(r.earlier_id, r.relation, r.recorded_at) for r in row.relations],
            "history": [
                (e.at, e.actor, e.action, e.details) for e in registry.audit_events(row.id)
            ],
        }
        for row in registry.submissions()
    }
    entities = {
        row.id: (row.name, row.entity_type, row.parent, row.confidential, row.registered_at)
        for row in registry.entities()
    }
    return {"submissions": submissions, "entities": entities, "key": registry.key_fingerprint()}


def lose_registry(ws: Workspace) -> None:
    registry = ws.registry()
    if registry.url.get_backend_name() == "sqlite":
        for path in ws.root.glob("registry.sqlite*"):
            path.unlink()
        return
    with registry.engine.begin() as connection:
        schema = connection.scalar(sa.text("select current_schema()"))
        connection.execute(sa.schema.DropSchema(schema, cascade=True))
        connection.execute(sa.schema.CreateSchema(schema))


def test_a_lost_registry_is_made_again_from_the_landing(ws: Workspace) -> None:
    several(ws)
    before = account(ws)
    lose_registry(ws)
    with pytest.raises(WorkplaceError, match="TIP-908"):
        ws.registry()
    assert rebuild_registry(ws).submissions == 4
    assert account(ws) == before
    assert_consistent(ws)
    land(ws, header(file_sha256="e" * 64, kind="court"), write_events)
    assert ws.registry().submissions()[-1].sequence == 4


def test_a_registry_that_is_there_is_never_rebuilt(ws: Workspace) -> None:
    several(ws)
    before = account(ws)
    with pytest.raises(WorkplaceError, match="TIP-925"):
        rebuild_registry(ws)
    assert account(ws) == before


def test_a_rebuild_that_was_cut_off_is_begun_again(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    several(ws)
    before = account(ws)
    lose_registry(ws)

    def cut_off(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("tipstat.landing.rebuild._add_status", cut_off)
        with pytest.raises(KeyboardInterrupt):
            rebuild_registry(ws)
    with pytest.raises(WorkplaceError, match="TIP-908"):
        ws.registry()
    rebuild_registry(ws)
    assert account(ws) == before


def test_a_folder_that_says_nothing_of_its_acceptance_stays_out_of_the_figures(
    ws: Workspace,
) -> None:
    name = land(ws, header(), write_events)
    (ws.landing_dir / name / "status.json").unlink()
    lose_registry(ws)
    assert rebuild_registry(ws).undecided == (name,)
    assert accepted(ws) == []
    assert ws.registry().submission(name).status == "received"


@pytest.mark.parametrize("damage", ["", "{}", '{"format": 1, "id": "x"}', "[1]"])
def test_a_damaged_receipt_stops_the_rebuild_and_is_named(ws: Workspace, damage: str) -> None:
    several(ws)
    name = landed(ws)[0]
    (ws.landing_dir / name / "submission.json").write_text(damage)
    lose_registry(ws)
    with pytest.raises(WorkplaceError, match=f"TIP-926(?s:.*){name}"):
        rebuild_registry(ws)


def test_the_doctor_finds_and_mends_a_stale_status_file(ws: Workspace) -> None:
    several(ws)
    path = ws.landing_dir / accepted(ws)[0] / "status.json"
    path.write_text(json.dumps({"format": 1, "status": "withdrawn"}))
    assert [fault.split(":")[0] for fault in faults(ws)] == ["status files"]
    assert repair(ws)
    assert_consistent(ws)


def test_the_doctor_finds_missing_and_altered_records(ws: Workspace) -> None:
    one = land(ws, header(), write_events)
    two = land(ws, header(file_sha256=OTHER, kind="court"), write_events)
    (ws.landing_dir / one / "event.parquet").unlink()
    duckdb.sql(f"copy (select 1 as a) to '{ws.landing_dir / two / 'event.parquet'}'")
    (ws.landing_dir / two / "event.parquet").chmod(0o600)
    assert sorted(faults(ws)) == sorted(
        f"landing: {name}: missing or altered: event.parquet" for name in (one, two)
    )
    (ws.landing_dir / one).rename(ws.root / "outputs" / one)
    assert f"landing: {one}: no folder" in faults(ws)
