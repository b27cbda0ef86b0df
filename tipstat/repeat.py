"""Repeating a past build from its submissions, and trying out another choice of them.

Neither puts anything in place: CURRENT, the vintages and the list of builds stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from tipstat import __version__, dbt_runner, warehouse
from tipstat.errors import UsageError, WorkplaceError
from tipstat.registry import Build, Submission
from tipstat.rules import refuse
from tipstat.snapshot import Inputs, current_inputs, in_order, seed_digest

if TYPE_CHECKING:
    from tipstat.registry import Registry
    from tipstat.snapshot import BuildIdentity
    from tipstat.warehouse import OnEvent
    from tipstat.workspace import Workspace

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_TO_THE_MINUTE = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")


@dataclass(frozen=True)
class Repeated:
    """A past build that was made again.

    Attributes:
        repeats: id of the past build.
        path: the file; the next build deletes it unless a program holds it.
        figures: rows of the figures; all equal to those of the vintage.
        compared: whether there was a vintage to compare with.
    """

    build_id: str
    repeats: str
    path: Path
    submissions: int
    figures: int
    compared: bool


def moment_of(text: str) -> datetime:
    """The last moment that a day or time as typed stands for.

    Args:
        text: ``YYYY-MM-DD`` (to its last moment), or a time in ISO 8601; local unless it names
            its zone.

    Raises:
        UsageError: TIP-816 it is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise refuse("TIP-816", UsageError, where="--as-of", found=f'"{text}"') from None
    if _DAY.fullmatch(text):
        moment = datetime.combine(moment.date(), time.max)
    elif moment.microsecond == 0:
        meant = timedelta(minutes=1) if _TO_THE_MINUTE.fullmatch(text) else timedelta(seconds=1)
        moment += meant - timedelta(microseconds=1)
    return moment.astimezone(UTC)


def past_build(registry: Registry, as_of: str) -> Build:
    """The build whose figures stood at a moment: the last one made by then.

    Args:
        registry: at the current revision.
        as_of: a day, a time, or the id of a build.

    Raises:
        UsageError: TIP-811 no build was made by then, TIP-816 no day or time.
    """
    builds = registry.builds()
    if warehouse.BUILD_ID.fullmatch(as_of):
        made = [build for build in builds if build.id == as_of]
    else:
        moment = moment_of(as_of)
        made = [build for build in builds if build.built_at <= moment]
    if not made:
        first = f"the first is of {builds[0].built_at:%Y-%m-%d %H:%M} UTC" if builds else "no build"
        raise refuse("TIP-811", UsageError, where=f"--as-of {as_of}", found=first)
    return made[-1]


def repeat(
    ws: Workspace,
    as_of: str,
    *,
    actor: str | None = None,
    tests: str = "invariant",
    on_event: OnEvent | None = None,
) -> Repeated:
    """Make a past build again from its submissions, and compare its figures with its vintage.

    Args:
        ws: the workspace.
        as_of: a day, a time, or the id of a build.
        actor: who builds, for the audit trail.
        tests: as for :func:`tipstat.warehouse.build`.
        on_event: told of the steps.

    Returns:
        The file that was made beside the warehouse in use, which stays in use.

    Raises:
        UsageError: TIP-811 no build by then, TIP-816 no day or time.
        WorkplaceError: TIP-812 it was made with another version of tipstat, TIP-813 with another
            classification, TIP-814 with records destroyed since; TIP-803, TIP-805 as for a build.
        BuildFailed: TIP-815 the figures are not those of the vintage; TIP-801 to TIP-810.
    """
    with warehouse.build_lock(ws):
        registry = _mended(ws, actor)
        past = past_build(registry, as_of)
        _refuse_unlike(ws, past)
        inputs = past_inputs(registry, past)
        identity = warehouse.new_identity(ws)
        identity = replace(identity, as_of=past.built_at.astimezone().date())
        with _constructed(ws, inputs, identity, tests, on_event) as finish:
            vintage = warehouse.vintage_file(ws, past.id)
            rows = _compare(ws, vintage if vintage.is_file() else None, past.id)
            path = finish()
        details = {"repeats": past.id, "figures": rows, "compared": vintage.is_file()}
        registry.audit(actor, "build repeated", identity.build_id, details)
    return Repeated(
        identity.build_id, past.id, path, len(inputs.submissions), rows, vintage.is_file()
    )


def past_inputs(registry: Registry, past: Build) -> Inputs:
    """What of the registry a past build was made from.

    Its submissions are those that were accepted by then and neither superseded nor withdrawn; the
    build wrote them down. Entities and authorisations registered later did not count.
    """
    chosen = set(past.submissions)
    day = past.built_at.astimezone().date()
    return Inputs(
        in_order(row for row in registry.submissions() if row.id in chosen),
        tuple(e for e in registry.entities() if e.registered_at <= past.built_at),
        tuple(a for a in registry.authorisations(day) if a.registered_at <= past.built_at),
        tuple(e for e in registry.expected_returns() if e.registered_at <= past.built_at),
    )


def figures_with(
    ws: Workspace,
    submissions: Sequence[Submission],
    target: Path,
    *,
    on_event: OnEvent | None = None,
) -> None:
    """Write the figures that a choice of submissions gives with today's tipstat to a Parquet file.

    Raises:
        WorkplaceError, BuildFailed: as for a build.
    """
    with warehouse.build_lock(ws):
        registry = _mended(ws, None)
        identity = warehouse.new_identity(ws)
        inputs = replace(
            current_inputs(registry, identity.as_of), submissions=in_order(submissions)
        )
        with _constructed(ws, inputs, identity, "invariant", on_event):
            with dbt_runner.attached(_database(ws)) as connection:
                figures = connection.table(warehouse.FIGURES)
                figures.write_parquet(target.as_posix(), compression="zstd")
            _database(ws).unlink()


def _mended(ws: Workspace, actor: str | None) -> Registry:
    """The registry, after what a killed build or purge left undone is done."""
    registry = ws.registry()
    warehouse.repair(ws, registry, actor)
    warehouse.finish_purges(ws, registry)
    return registry


def _database(ws: Workspace) -> Path:
    return ws.building_dir / "warehouse.duckdb"


def _refuse_unlike(ws: Workspace, past: Build) -> None:
    """Refuse what cannot give the same figures again, and say why."""
    where = f"build {past.id}"
    if not past.reproducible:
        found = past.not_reproducible_reason or "records destroyed since"
        raise refuse("TIP-814", WorkplaceError, where=where, found=found)
    if past.tipstat_version != __version__:
        raise refuse(
            "TIP-812",
            WorkplaceError,
            where=where,
            found=f"made with tipstat {past.tipstat_version}; this is {__version__}",
            expected=f"tipstat {past.tipstat_version}",
        )
    if past.seed_digest != seed_digest(ws.correspondences_dir, ws.populations_dir):
        found = f"another classification than that of digest {past.seed_digest[:12]}"
        raise refuse("TIP-813", WorkplaceError, where=where, found=found)


@contextmanager
def _constructed(
    ws: Workspace,
    inputs: Inputs,
    identity: BuildIdentity,
    tests: str,
    on_event: OnEvent | None,
) -> Iterator[Callable[[], Path]]:
    """A warehouse in the building folder; the function given keeps it under the build's name."""
    tell = on_event or (lambda step, name, done, total: None)
    snapshot, outcome = warehouse.construct(ws, inputs, identity, tests=tests, tell=tell)
    record = warehouse.record_of(snapshot, outcome, sum(outcome.seconds.values()))
    yield lambda: warehouse.keep(ws, record, outcome.core_tables)


def _compare(ws: Workspace, vintage: Path | None, past_id: str) -> int:
    """The number of rows of the figures; TIP-815 where they are not those of the vintage."""
    with dbt_runner.attached(_database(ws)) as connection:
        rows = len(connection.table(warehouse.FIGURES))
        differing = differing_rows(connection, vintage) if vintage else 0
    if differing:
        found = f"{differing} rows of figures that are not in both"
        raise refuse("TIP-815", warehouse.BuildFailed, where=f"build {past_id}", found=found)
    return rows


def differing_rows(connection: duckdb.DuckDBPyConnection, vintage: Path) -> int:
    """Rows of the figures of an open warehouse and of a vintage that are not in both."""
    kept = f"select * exclude (vintage) from read_parquet('{_quoted(vintage)}')"
    made = f"select * exclude (vintage) from {warehouse.FIGURES}"
    query = (
        f"select count(*) from (({made} except all {kept}) union all ({kept} except all {made}))"
    )
    ((number,),) = connection.execute(query).fetchall()
    return int(number)


def _quoted(path: Path) -> str:
    return path.as_posix().replace("'", "''")
