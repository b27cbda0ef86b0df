"""A past build is repeated from its submissions, or refused with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from build_support import SMALL_PROJECT, land_events, new_workspace, use_project
from click.testing import CliRunner, Result
from sqlalchemy import update

from tipstat import landing, repeat, warehouse
from tipstat.cli.main import cli
from tipstat.errors import TipstatError
from tipstat.purge import purge
from tipstat.registry import Build
from tipstat.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    use_project(monkeypatch, SMALL_PROJECT)
    return new_workspace(tmp_path / "office")


def run(ws: Workspace, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["-w", str(ws.root), *arguments])


def refused(ws: Workspace, as_of: str) -> TipstatError:
    refusal = run(ws, "build", "--as-of", as_of).exception
    assert isinstance(refusal, TipstatError), refusal
    return refusal


def days_earlier(ws: Workspace, days: int, **changes: object) -> None:
    """Let all builds so far be so many days older, or made with something else."""
    with ws.registry().write() as session:
        for build in session.query(Build):
            values = {"built_at": build.built_at - timedelta(days=days), **changes}
            session.execute(update(Build).where(Build.id == build.id).values(**values))


def submissions_in(path: Path) -> list[str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute("select submission_id from dim_submission order by 1")
        return [name for (name,) in rows.fetchall()]


def test_a_build_is_repeated_with_what_was_accepted_then(ws: Workspace) -> None:
    first = land_events(ws, 2021, ["E1"])
    second = land_events(ws, 2022, ["E2"])
    past = warehouse.build(ws)
    days_earlier(ws, 30)
    landing.withdraw(ws, first, reason="sent in error")
    land_events(ws, 2023, ["E3"])
    ws.registry().add_entity("XXA-NEW", name="N", entity_type="NGO", reference_area="XXA")
    latest = warehouse.build(ws)
    vintages = sorted(ws.vintages_dir.iterdir())

    day = (datetime.now(UTC) - timedelta(days=10)).date().isoformat()
    ran = run(ws, "build", "--as-of", day, "--format", "json")
    assert ran.exit_code == 0, ran.output
    (row,) = json.loads(ran.stdout)
    assert (row["repeats"], row["submissions"]) == (past.build_id, 2)
    assert row["compared"] == "equal to the vintage"
    assert submissions_in(Path(row["path"])) == sorted([first, second])
    assert warehouse.current_warehouse(ws) == latest.path
    assert sorted(ws.vintages_dir.iterdir()) == vintages
    assert [build.id for build in ws.registry().builds()] == [past.build_id, latest.build_id]


def test_the_entities_of_a_repeated_build_are_those_registered_by_then(ws: Workspace) -> None:
    land_events(ws, 2021, ["E1"])
    past = warehouse.build(ws)
    ws.registry().add_entity("XXA-NEW", name="N", entity_type="NGO", reference_area="XXA")
    registry = ws.registry()
    inputs = repeat.past_inputs(registry, registry.builds()[0])
    assert [entity.id for entity in inputs.entities] == ["XXA-POL"]
    assert inputs.authorisations == ()
    assert [s.id for s in inputs.submissions] == list(registry.builds()[0].submissions)
    assert past.submissions == 1


def test_a_repeated_build_goes_with_the_next_build_and_its_trace_stays(ws: Workspace) -> None:
    land_events(ws, 2021, ["E1"])
    past = warehouse.build(ws)
    done = repeat.repeat(ws, past.build_id, actor="ana")
    assert done.path.is_file()
    assert done.figures == 1
    told = ws.registry().audit_events(done.build_id)
    assert [(e.action, e.actor, e.details["repeats"]) for e in told] == [
        ("build repeated", "ana", past.build_id)
    ]
    warehouse.build(ws)
    assert not done.path.exists()


def test_without_its_vintage_a_build_is_repeated_and_not_compared(ws: Workspace) -> None:
    land_events(ws, 2021, ["E1"])
    past = warehouse.build(ws)
    warehouse.build(ws)
    warehouse.vintage_file(ws, past.build_id).unlink()
    assert not repeat.repeat(ws, past.build_id).compared


Spoil = Callable[[Workspace], None]


@pytest.mark.parametrize(
    ("rule", "spoil", "named"),
    [
        ("TIP-812", lambda ws: days_earlier(ws, 0, tipstat_version="0.0.9"), "tipstat 0.0.9"),
        ("TIP-813", lambda ws: days_earlier(ws, 0, seed_digest="ab" * 32), "abababababab"),
    ],
)
def test_a_build_of_another_version_or_classification_is_refused_by_name(
    ws: Workspace, rule: str, spoil: Spoil, named: str
) -> None:
    land_events(ws, 2021, ["E1"])
    past = warehouse.build(ws)
    spoil(ws)
    refusal = refused(ws, past.build_id)
    assert (refusal.rule, named in refusal.found) == (rule, True)
    assert sorted(path.name for path in ws.warehouse_dir.glob("b*.duckdb")) == [past.path.name]


def test_a_purged_submission_makes_the_build_impossible_and_is_named(ws: Workspace) -> None:
    name = land_events(ws, 2021, ["E1"])
    past = warehouse.build(ws)
    purge(ws, landing.PurgeRequest(name, "RETENTION_EXPIRED", "schedule 4"))
    refusal = refused(ws, past.build_id)
    assert (refusal.rule, name in refusal.found) == ("TIP-814", True)


def test_other_figures_than_those_of_the_vintage_are_refused(ws: Workspace) -> None:
    land_events(ws, 2021, ["E1"])
    past = warehouse.build(ws)
    vintage = warehouse.vintage_file(ws, past.build_id)
    changed = f"select * replace (value + 1 as value) from '{vintage}'"
    duckdb.sql(changed).write_parquet(str(vintage.with_suffix(".new")))
    vintage.with_suffix(".new").replace(vintage)
    assert refused(ws, past.build_id).rule == "TIP-815"
    assert [path.name for path in ws.warehouse_dir.glob("b*.duckdb")] == [past.path.name]


def test_a_day_before_the_first_build_is_refused(ws: Workspace) -> None:
    land_events(ws, 2021, ["E1"])
    warehouse.build(ws)
    assert refused(ws, "2001-01-01").rule == "TIP-811"
    assert refused(ws, "b20010101T000000-0000").rule == "TIP-811"


def test_before_any_build_there_is_nothing_to_repeat(ws: Workspace) -> None:
    assert refused(ws, "2100-01-01").rule == "TIP-811"


def test_what_is_no_day_is_refused(ws: Workspace) -> None:
    refusal = refused(ws, "last spring")
    assert (refusal.rule, int(refusal.exit_code)) == ("TIP-816", 2)


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("2026-03-31T18:00:00+00:00", "2026-03-31T18:00:00.999999+00:00"),
        ("2026-03-31T18:00:00.5+00:00", "2026-03-31T18:00:00.500000+00:00"),
    ],
)
def test_a_time_reaches_to_the_end_of_what_it_names(text: str, last: str) -> None:
    assert repeat.moment_of(text).isoformat() == last


def test_a_day_and_a_minute_reach_to_their_end_in_local_time() -> None:
    day, minute = repeat.moment_of("2026-03-31"), repeat.moment_of("2026-03-31 18:00")
    assert day.astimezone().strftime("%Y-%m-%d %H:%M:%S.%f") == "2026-03-31 23:59:59.999999"
    assert minute.astimezone().strftime("%H:%M:%S.%f") == "18:00:59.999999"
