"""Updates carry only what changed: for a build each is completed from what was sent before.

The landing is never edited, so the completed files are inputs of one build. They come from the
submissions of that build alone: when an earlier one is withdrawn or destroyed, nothing of it stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from tipstat.contract import RecordType, Variable, load_contract
from tipstat.landing.inspect import OFFLINE
from tipstat.registry.models import Submission

#: Record file -> where it is to be read: as landed, or completed.
Files = dict[tuple[str, str], Path]

#: Status is history (STATISTICS section 2): what an update does not say of it did not happen again.
_HISTORY = {
    ("event", "event_status"),
    ("event", "event_status_date"),
    ("victim", "victim_status"),
    ("victim", "victim_status_date"),
    ("victim", "status_decided_by"),
    ("perpetrator", "justice_status"),
    ("perpetrator", "justice_status_date"),
}
_NOT_SENT = "('not_collected', 'not_stated')"


def complete_updates(
    submissions: Sequence[Submission], landing: Path, contract: Path, target: Path
) -> Files:
    """Write the records of every update with the values that it left as they were.

    A value counts as left where nothing was sent for it; "not known" is a value. Of an earlier
    version that was itself an update the completed one counts. Cells are whole: a cell that is
    sent again replaces the earlier one.

    Args:
        submissions: those of the build, in order of acceptance.
        landing: the landing folder.
        contract: folder of the record types' files without rows.
        target: folder for the completed files.

    Returns:
        Submission and record type -> completed file; other files are read as landed.
    """
    completed: Files = {}
    for number, update in enumerate(submissions):
        if update.intent != "UPDATES" or update.kind == "aggregate":
            continue
        before = [row for row in submissions[:number] if row.kind == update.kind]
        for record_type in load_contract().of_kind(update.kind):
            sent = landing / update.id / f"{record_type.name}.parquet"
            paths = [_file(row, record_type.name, landing, completed) for row in before]
            versions = {path: place for place, path in enumerate(paths) if path.is_file()}
            if not sent.is_file() or not versions:
                continue
            target.mkdir(mode=0o700, exist_ok=True)
            path = target / f"{update.id}_{record_type.name}.parquet"
            empty = contract / f"{update.kind}_{record_type.name}.parquet"
            _complete(record_type, empty, sent, versions, path)
            completed[update.id, record_type.name] = path
    return completed


def _file(row: Submission, record_type: str, landing: Path, completed: Files) -> Path:
    landed = landing / row.id / f"{record_type}.parquet"
    return completed.get((row.id, record_type), landed)


def _complete(
    record_type: RecordType, empty: Path, sent: Path, versions: Mapping[Path, int], path: Path
) -> None:
    keys = [name for v in record_type.variables if v.is_key for name, _ in v.landed_columns[:1]]
    same = " and ".join(f's."{name}" is not distinct from e."{name}"' for name in keys)
    whole = " and ".join(f's."{v.name}" is not null' for v in _needed(record_type))
    filled = {
        column: f'case when {left} then e."{column}" else s."{column}" end'
        for v in record_type.variables
        if not v.is_key and (record_type.name, v.name) not in _HISTORY and v.landed_columns
        for left in [left_sql(v, "s")]
        for column, _ in v.landed_columns
    }
    picked = ", ".join(
        f'{filled[column]} as "{column}"' if column in filled else f's."{column}"'
        for column, _ in record_type.landed_columns
    )
    order = ", ".join(f"({_literal(path)}, {place})" for path, place in versions.items())
    with duckdb.connect(config=OFFLINE) as connection:
        connection.execute(
            f"""
            copy (
                with places (filename, place) as (values {order}),
                earlier as (
                    select r.*, places.place
                    from {_scan([empty, *versions])} r
                    join places using (filename)
                    where r.record_state = 'accepted'
                ),
                e as (
                    select * from earlier
                    qualify row_number() over (
                        partition by {", ".join(f'"{name}"' for name in keys)}
                        order by place desc, source_row desc, record_id desc
                    ) = 1
                )
                select {picked}
                from {_scan([empty, sent])} s
                left join e on {same} and {whole}
                order by s.source_sheet, s.source_row, s.record_id
            ) to {_literal(path)} (format parquet, compression zstd)
            """
        )


def _needed(record_type: RecordType) -> list[Variable]:
    """The parts of the key without which a record cannot be told from another."""
    return [v for v in record_type.variables if v.is_key and v.type in ("entity", "reference")]


def left_sql(variable: Variable, record: str) -> str:
    """Whether nothing was sent for a value, as SQL.

    Args:
        variable: one that is landed.
        record: alias of the record.
    """
    (name, _), *beside = variable.landed_columns
    if variable.type == "code":
        return f"""(coalesce(trim({record}."{beside[0][0]}"), '') = '')"""
    if beside:
        state = f"""coalesce({record}."{beside[0][0]}", 'not_collected')"""
        return f'({record}."{name}" is null and {state} in {_NOT_SENT})'
    return f'({record}."{name}" is null)'


def _scan(paths: Sequence[Path]) -> str:
    listed = ", ".join(_literal(path) for path in paths)
    return f"read_parquet([{listed}], union_by_name = true, filename = true)"


def _literal(path: Path) -> str:
    return "'" + path.as_posix().replace("'", "''") + "'"
