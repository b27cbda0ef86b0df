"""The difference between two submissions: records, and the figures before and after.

Numbers only: how many records were added, are gone or changed, and in which columns; never a key
or a value of a record (STATISTICS section 6).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import duckdb

from tipstat import __version__, warehouse
from tipstat.contract import RecordType, Variable, load_contract
from tipstat.errors import UsageError
from tipstat.landing.inspect import OFFLINE
from tipstat.registry import Registry, Submission
from tipstat.repeat import figures_with
from tipstat.rules import refuse
from tipstat.snapshot import seed_digest
from tipstat.updates import left_sql

if TYPE_CHECKING:
    from tipstat.warehouse import OnEvent
    from tipstat.workspace import Workspace

_LANDED = ("accepted", "superseded", "withdrawn")
#: Breakdowns of a figure: a figure of which all are total is shown, the others are counted.
_BREAKDOWNS = ("sex", "age", "form", "citizenship", "breakdown")
#: What else tells two figures apart.
_SERIES = (
    "indicator",
    "reference_area",
    "period",
    "source_type",
    "status_scope",
    "population_scope",
    "counting_basis",
    "reference_date_concept",
    "instance",
)
_FURTHER = ("form_classification", "breakdown_code")


@dataclass(frozen=True)
class RecordDifference:
    """What became of the records of one type.

    Attributes:
        before: accepted records of the earlier submission.
        after: of the later one.
        changed: records of the same key of which a value differs.
        columns: variable -> records in which it differs.
    """

    record_type: str
    before: int
    after: int
    added: int
    gone: int
    changed: int
    unchanged: int
    columns: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FigureDifference:
    """The figures before and after.

    Attributes:
        before: where the figures come from: a build's id, or ``trial``; empty where there are none.
        totals: series of which the total differs, with its values (``None``: no such figure).
        cells: figures, totals among them, that differ.
    """

    before: str = ""
    after: str = ""
    totals: tuple[tuple[str, float | None, float | None], ...] = ()
    cells: int = 0

    @property
    def known(self) -> bool:
        """Whether there are figures of both."""
        return bool(self.before and self.after)


# ── records ───────────────────────────────────────────────────────────────────────────────────


def record_differences(
    ws: Workspace, earlier_id: str, later_id: str, *, replacing: bool = False
) -> list[RecordDifference]:
    """Compare the records of two submissions of one kind, by key.

    Args:
        ws: the workspace.
        earlier_id: the earlier submission.
        later_id: the later one. Where it updates the earlier one, records that it does not send
            are unchanged and values that it does not send do not differ.
        replacing: compare as if the later one replaced the earlier one.

    Returns:
        One entry for each record type that either has.

    Raises:
        UsageError: TIP-922 no such submission, TIP-567 the two cannot be compared.
    """
    registry = ws.registry()
    earlier, later = registry.submission(earlier_id), registry.submission(later_id)
    _refuse_incomparable(earlier, later)
    updating = not replacing and updates(later, earlier)
    found = []
    for record_type in load_contract().of_kind(earlier.kind):
        name = f"{record_type.name}.parquet"
        paths = [ws.landing_dir / row.id / name for row in (earlier, later)]
        if any(path.is_file() for path in paths):
            found.append(_compare(record_type, paths[0], paths[1], updating=updating))
    return found


def updates(later: Submission, earlier: Submission) -> bool:
    """Whether a submission declares that it updates another one."""
    return any(
        relation.relation == "UPDATES" and relation.earlier_id == earlier.id
        for relation in later.relations
    )


def _refuse_incomparable(earlier: Submission, later: Submission) -> None:
    found = ""
    if earlier.id == later.id:
        found = "one submission twice"
    elif earlier.kind != later.kind:
        found = f"a {earlier.kind} and a {later.kind} return"
    for row in (earlier, later):
        if row.status not in _LANDED:
            found = f"{row.id}, which is {row.status} and has no records"
    if found:
        raise refuse("TIP-567", UsageError, where=f"{earlier.id} and {later.id}", found=found)


def _compare(record_type: RecordType, old: Path, new: Path, *, updating: bool) -> RecordDifference:
    keys = [v for v in record_type.variables if v.is_key]
    compared = [v for v in record_type.variables if not v.is_key and v.landed_columns]
    key_names = [_column(v) for v in keys]
    same = " and ".join(f"o.{name} is not distinct from n.{name}" for name in key_names)
    differ = {v.name: _differs(v, updating=updating) for v in compared}
    any_differs = " or ".join(differ.values()) or "false"
    counted = ", ".join(f"count(*) filter (where both_sent and ({d}))" for d in differ.values())
    with duckdb.connect(config=OFFLINE) as connection:
        for name, path in (("old", old), ("new", new)):
            _read(connection, name, path, record_type, [*key_names, *map(_column, compared)])
        row = connection.execute(
            f"""
            select
                count(*) filter (where o.is_sent), count(*) filter (where n.is_sent),
                count(*) filter (where o.is_sent is null),
                count(*) filter (where n.is_sent is null),
                count(*) filter (where both_sent and ({any_differs})),
                count(*) filter (where both_sent and not ({any_differs}))
                {"," if counted else ""} {counted}
            from old o
            full join new n on {same} and o.occurrence = n.occurrence,
            lateral (select coalesce(o.is_sent and n.is_sent, false) as both_sent)
            """
        ).fetchall()[0]
    before, after, added, gone, changed, unchanged = (int(number) for number in row[:6])
    if updating:
        gone, unchanged = 0, unchanged + gone
    columns = {name: int(n) for name, n in zip(differ, row[6:], strict=True) if n}
    return RecordDifference(
        record_type.name, before, after, added, gone, changed, unchanged, columns
    )


def _column(variable: Variable) -> str:
    return f'"{variable.landed_columns[0][0]}"'


def _differs(variable: Variable, *, updating: bool) -> str:
    name = _column(variable)
    differs = f"o.{name} is distinct from n.{name}"
    return f"({differs} and not {left_sql(variable, 'n')})" if updating else f"({differs})"


def _read(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    path: Path,
    record_type: RecordType,
    columns: Sequence[str],
) -> None:
    """Make a table of the accepted records; repeats of one key are told apart by their number."""
    schema = ", ".join(f'"{column}" {kind}' for column, kind in record_type.landed_columns)
    connection.execute(f"create table {name}_landed ({schema})")
    if path.is_file():
        literal = path.as_posix().replace("'", "''")
        connection.execute(
            f"create or replace table {name}_landed as select * from {name}_landed "
            f"union all by name select * from read_parquet('{literal}')"
        )
    keys = ", ".join(f'"{v.landed_columns[0][0]}"' for v in record_type.variables if v.is_key)
    connection.execute(
        f"create table {name} as select *, true as is_sent, row_number() over "
        f"(partition by {keys} order by {', '.join(columns)}) as occurrence "
        f"from {name}_landed where record_state is distinct from 'held_out'"
    )


# ── figures ───────────────────────────────────────────────────────────────────────────────────


def figure_difference(
    ws: Workspace,
    earlier_id: str,
    later_id: str,
    *,
    replacing: bool = False,
    trial: bool = False,
    on_event: OnEvent | None = None,
) -> FigureDifference:
    """The figures with the earlier submission, and with the later one.

    They are those of the vintages of builds of exactly these submissions, with today's tipstat and
    classification; where there is none, a trial build makes them.

    Args:
        ws: the workspace.
        earlier_id: the earlier submission.
        later_id: the later one.
        replacing: as for :func:`record_differences`.
        trial: build what there is no vintage of; nothing is put in place.
        on_event: told of the steps of a trial build.

    Raises:
        UsageError: as :func:`record_differences`.
        WorkplaceError, BuildFailed: as for a build.
    """
    registry = ws.registry()
    earlier, later = registry.submission(earlier_id), registry.submission(later_id)
    _refuse_incomparable(earlier, later)
    ws.building_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(dir=ws.building_dir) as scratch:
        sides = []
        for number, chosen in enumerate(_choices(registry, earlier, later, replacing=replacing)):
            origin, path = _vintage_of(ws, registry, chosen)
            if path is None and trial:
                origin, path = "trial", Path(scratch) / f"{number}.parquet"
                figures_with(ws, chosen, path, on_event=on_event)
            sides.append((origin, path))
        (before, old), (after, new) = sides
        if old is None or new is None:
            return FigureDifference(before, after)
        with _both(old, new) as connection:
            return FigureDifference(before, after, _totals(connection), _cells(connection))


def _choices(
    registry: Registry, earlier: Submission, later: Submission, *, replacing: bool
) -> tuple[list[Submission], list[Submission]]:
    """The submissions in the figures before and after."""
    current = registry.current_submissions()
    rest = [row for row in current if row.id not in (earlier.id, later.id)]
    both = {row.id for row in current} >= {earlier.id, later.id}
    if both and replacing:
        return [*rest, earlier, later], [*rest, later]
    added = [earlier, later] if updates(later, earlier) and not replacing else [later]
    return [*rest, earlier], [*rest, *added]


def _vintage_of(
    ws: Workspace, registry: Registry, chosen: Sequence[Submission]
) -> tuple[str, Path | None]:
    """The latest build of exactly these submissions with today's tipstat, and its vintage."""
    digest, wanted = seed_digest(ws.correspondences_dir, ws.populations_dir), {r.id for r in chosen}
    for build in reversed(registry.builds()):
        same = (build.tipstat_version, build.seed_digest) == (__version__, digest)
        path = warehouse.vintage_file(ws, build.id)
        if same and build.reproducible and set(build.submissions) == wanted and path.is_file():
            return build.id, path
    return "", None


@contextmanager
def _both(old: Path, new: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The figures before and after, joined by all that tells two figures apart."""
    with duckdb.connect(config=OFFLINE) as connection:
        for name, path in (("old", old), ("new", new)):
            connection.from_parquet(path.as_posix()).create(name)
        present = connection.table("old").columns
        names = [n for n in (*_SERIES, *_BREAKDOWNS, *_FURTHER) if n in present]
        totals = [f"{n} = '_T'" for n in _BREAKDOWNS if n in present]
        series = ", ".join(n for n in _SERIES if n in present)
        connection.execute(
            f"create table both_sides as select concat_ws(' ', {series}) as series, "
            f"({' and '.join(totals) or 'true'}) as is_total, "
            "old.value as before, new.value as after "
            f"from old full join new using ({', '.join(names)})"
        )
        yield connection


def _totals(
    connection: duckdb.DuckDBPyConnection,
) -> tuple[tuple[str, float | None, float | None], ...]:
    rows = connection.execute(
        "select series, before, after from both_sides "
        "where is_total and before is distinct from after order by all"
    ).fetchall()
    return tuple((str(series), before, after) for series, before, after in rows)


def _cells(connection: duckdb.DuckDBPyConnection) -> int:
    ((number,),) = connection.execute(
        "select count(*) from both_sides where before is distinct from after"
    ).fetchall()
    return int(number)
