"""Which records of a submission are to be destroyed, and its files without them.

Set-based in DuckDB, in memory only: nothing of a record reaches a temporary file.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tipstat.contract import RecordType, load_contract
from tipstat.errors import UsageError, WorkplaceError
from tipstat.landing import folders
from tipstat.landing.header import LandedCounts
from tipstat.landing.inspect import OFFLINE
from tipstat.landing.receipts import landed_counts
from tipstat.landing.tombstones import TOMBSTONE_FILE
from tipstat.rules import refuse

#: What stays of a submission that is destroyed as a whole.
_ACCOUNTS = (folders.SUBMISSION_FILE, folders.STATUS_FILE, TOMBSTONE_FILE)
_SHOWN = 3


@dataclass(frozen=True)
class Doomed:
    """What a purge would destroy.

    Attributes:
        destroyed: records by record type, held-out ones among them.
        remaining: records that stay, by record type.
    """

    destroyed: dict[str, int]
    remaining: dict[str, int]


@contextmanager
def doomed_records(
    folder: Path, kind: str, record_type: str | None, record_ids: Sequence[str]
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Doomed]]:
    """Find the records named and all that hang on them: the victim's services go with the victim.

    Args:
        folder: the landed submission.
        kind: its kind of return.
        record_type: record type of the records; ``None`` means the whole submission.
        record_ids: landed ids of the records.

    Yields:
        A connection with the table ``doomed`` (record_type, record_id), and its counts.

    Raises:
        UsageError: TIP-933 the submission has no such record type or record.
        WorkplaceError: TIP-926 a file cannot be read.
    """
    connection = duckdb.connect(config={**OFFLINE, "temp_directory": ""})
    try:
        types = _landed_types(folder, kind)
        connection.execute("create table doomed (record_type varchar, record_id varchar)")
        if record_type is None:
            for entry in types:
                _doom(connection, entry.name, f"select record_id from {_scan(folder, entry.name)}")
        else:
            _doom_named(connection, folder, record_type, record_ids, types)
            _doom_children(connection, folder, types)
        yield connection, _counts(connection, folder, types)
    except duckdb.Error:
        raise refuse(
            "TIP-926", WorkplaceError, where=folder.name, found="a file that cannot be read"
        ) from None
    finally:
        connection.close()


def _landed_types(folder: Path, kind: str) -> list[RecordType]:
    types = load_contract().of_kind(kind)
    return [entry for entry in types if (folder / f"{entry.name}.parquet").is_file()]


def _scan(folder: Path, name: str) -> str:
    return f"read_parquet({_literal((folder / f'{name}.parquet').as_posix())})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _doom(
    connection: duckdb.DuckDBPyConnection, record_type: str, query: str, *values: object
) -> None:
    """Add the records of a query that are not in the table yet."""
    connection.execute(
        f"insert into doomed select distinct {_literal(record_type)}, found.record_id "
        f"from ({query}) as found where found.record_id not in "
        f"(select record_id from doomed where record_type = {_literal(record_type)})",
        list(values),
    )


def _doom_named(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    record_type: str,
    record_ids: Sequence[str],
    types: Sequence[RecordType],
) -> None:
    names = [entry.name for entry in types]
    if record_type not in names:
        found, expected = f'record type "{record_type}"', ", ".join(names) or "no records"
        raise refuse("TIP-933", UsageError, where=folder.name, found=found, expected=expected)
    landed = f"select record_id from {_scan(folder, record_type)}"
    named = f"select unnest(?) as record_id intersect {landed}"
    _doom(connection, record_type, named, list(record_ids))
    known = {name for (name,) in connection.execute("select record_id from doomed").fetchall()}
    missing = sorted(set(record_ids) - known)
    if missing or not known:
        found = ", ".join(missing[:_SHOWN]) or "no record id"
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        where = f"{folder.name} › {record_type}"
        raise refuse("TIP-933", UsageError, where=where, found=found + more)


def _doom_children(
    connection: duckdb.DuckDBPyConnection, folder: Path, types: Sequence[RecordType]
) -> None:
    """Follow the references of the contract down until nothing is added."""
    by_name = {entry.name: entry for entry in types}
    pairs = [
        (by_name[variable.refers_to], child)
        for child in types
        for variable in child.variables
        if variable.refers_to in by_name
    ]
    before = -1
    while (after := _number(connection)) != before:
        before = after
        for parent, child in pairs:
            _doom(connection, child.name, _orphans(folder, parent, child))


def _number(connection: duckdb.DuckDBPyConnection) -> int:
    ((number,),) = connection.execute("select count(*) from doomed").fetchall()
    return int(number)


def _orphans(folder: Path, parent: RecordType, child: RecordType) -> str:
    """Records of the child whose parent is doomed, unless another accepted one has its key."""
    own = {variable.name for variable in child.variables}
    key = [variable for variable in parent.variables if variable.is_key and variable.name in own]
    listed = ", ".join(f'p."{variable.name}"' for variable in key)
    doomed = f"(select record_id from doomed where record_type = {_literal(parent.name)})"
    # A part of a key that may be empty on both sides is the same; an empty reference is none.
    same = " and ".join(
        f'c."{v.name}" {"=" if v.type == "reference" else "is not distinct from"} gone."{v.name}"'
        for v in key
    )
    source = _scan(folder, parent.name)
    return (
        f"select c.record_id from {_scan(folder, child.name)} as c inner join ("
        f"select {listed} from {source} as p where p.record_id in {doomed} except "
        f"select {listed} from {source} as p "
        f"where p.record_id not in {doomed} and p.record_state = 'accepted') as gone on {same}"
    )


def _counts(
    connection: duckdb.DuckDBPyConnection, folder: Path, types: Sequence[RecordType]
) -> Doomed:
    numbers = connection.execute("select record_type, count(*) from doomed group by all").fetchall()
    destroyed = dict(sorted((str(name), int(number)) for name, number in numbers))
    remaining = {}
    for entry in types:
        scan = _scan(folder, entry.name)
        ((total,),) = connection.execute(f"select count(*) from {scan}").fetchall()
        remaining[entry.name] = int(total) - destroyed.get(entry.name, 0)
    return Doomed(destroyed, remaining)


def write_without(
    connection: duckdb.DuckDBPyConnection, folder: Path, target: Path, *, whole: bool
) -> LandedCounts:
    """Write the files of a submission without the doomed records, their findings and mappings.

    Args:
        connection: of :func:`doomed_records`.
        folder: the landed submission.
        target: an empty folder.
        whole: nothing but the accounts of the submission stays.

    Returns:
        The counts of what was written, to stand in ``submission.json`` and registry.
    """
    for name in _ACCOUNTS:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, target / name)
    counts = landed_counts(folder)
    if whole:
        return LandedCounts(dict.fromkeys(counts.records, 0))
    records = sorted(path.stem for path in folder.glob("*.parquet"))
    places: list[str] = []
    for name in records:
        if name not in ("findings", "mapping"):
            places.append(_write_records(connection, folder, target, name))
    gone = _write_findings(connection, folder, target, places) if "findings" in records else {}
    if "mapping" in records:
        _write_mapping(connection, folder, target)
    return LandedCounts(
        _less(counts.records, _destroyed(connection, folder, "accepted")),
        _less(counts.held_out, _destroyed(connection, folder, "held_out")),
        _less(counts.findings, gone),
    )


def _less(counts: dict[str, int], gone: dict[str, int]) -> dict[str, int]:
    return {name: max(number - gone.get(name, 0), 0) for name, number in counts.items()}


def _destroyed(connection: duckdb.DuckDBPyConnection, folder: Path, state: str) -> dict[str, int]:
    """Destroyed records of a state, by record type."""
    names = connection.execute("select distinct record_type from doomed").fetchall()
    numbers = {}
    for (name,) in names:
        ((numbers[str(name)],),) = connection.execute(
            f"select count(*) from {_scan(folder, name)} where record_state = ? "
            f"and record_id in (select record_id from doomed where record_type = ?)",
            [state, name],
        ).fetchall()
    return numbers


def _write_records(
    connection: duckdb.DuckDBPyConnection, folder: Path, target: Path, name: str
) -> str:
    """Write one record type; the query of the places (sheet, row) whose records are destroyed."""
    doomed = f"(select record_id from doomed where record_type = {_literal(name)})"
    _copy(connection, folder, target, name, f"record_id not in {doomed}")
    scan = _scan(folder, name)
    return f"select source_sheet, source_row from {scan} where record_id in {doomed}"


def _copy(
    connection: duckdb.DuckDBPyConnection, folder: Path, target: Path, name: str, kept: str
) -> None:
    """Copy the rows of a file that a condition keeps, in their order."""
    source = _literal((folder / f"{name}.parquet").as_posix())
    path = _literal((target / f"{name}.parquet").as_posix())
    connection.execute(
        f"copy (select * exclude (file_row_number) from "
        f"read_parquet({source}, file_row_number = true) where {kept} order by file_row_number) "
        f"to {path} (format parquet, compression zstd)"
    )


def _write_findings(
    connection: duckdb.DuckDBPyConnection, folder: Path, target: Path, places: Sequence[str]
) -> dict[str, int]:
    """Write the findings that are not about a place whose record goes; the others by severity."""
    gone = " union ".join(places) or "select null, null"
    connection.execute("create or replace temp table place (at_sheet varchar, at_row integer)")
    connection.execute(f"insert into place {gone}")
    about = 'exists (select 1 from place where at_sheet = "sheet" and at_row = "row")'
    numbers = connection.execute(
        f"select severity, count(*) from {_scan(folder, 'findings')} where {about} group by all"
    ).fetchall()
    _copy(connection, folder, target, "findings", f"not {about}")
    return {str(severity): int(number) for severity, number in numbers}


def _write_mapping(connection: duckdb.DuckDBPyConnection, folder: Path, target: Path) -> None:
    """Write the mapping rows whose value a record that stays still carries.

    Entities stay: the name of an organisation says nothing about a person.
    """
    several = {
        v.name for rt in load_contract().record_types.values() for v in rt.variables if v.multi
    }
    listed = ", ".join(_literal(name) for name in sorted(several))
    types = [path.stem for path in sorted(target.glob("*.parquet")) if path.stem != "findings"]
    carried = [
        f"select {_literal(column.removesuffix('_source'))} as variable, "
        f'"{column}" as sent from {_scan(target, name)} where "{column}" is not null'
        for name in types
        for column in _source_columns(connection, target, name)
    ]
    connection.execute(
        "create or replace temp table carried as select variable, sent, count(*) as n from ("
        + (" union all ".join(carried) or "select '' as variable, '' as sent limit 0")
        + ") group by all"
    )
    connection.execute(
        f"""
        copy (
            select m.* replace (least(m.n, coalesce(c.n, m.n)) as n)
            from {_scan(folder, "mapping")} as m
            left join (
                select m.variable, m.value_as_sent, cast(sum(carried.n) as bigint) as n
                from (select distinct variable, value_as_sent from {_scan(folder, "mapping")}) as m
                inner join carried
                    on
                        carried.variable = m.variable
                        and (
                            carried.sent = m.value_as_sent
                            or m.variable in ({listed}) and contains(carried.sent, m.value_as_sent)
                        )
                group by all
            ) as c on c.variable = m.variable and c.value_as_sent = m.value_as_sent
            where c.n is not null or m.code_list = 'reporting_entity'
            order by all
        ) to {_literal((target / "mapping.parquet").as_posix())} (format parquet, compression zstd)
        """
    )


def _source_columns(connection: duckdb.DuckDBPyConnection, folder: Path, name: str) -> list[str]:
    described = connection.execute(f"describe select * from {_scan(folder, name)}").fetchall()
    # Place of a record and value as sent both end so; the contract's own columns come first.
    return [str(row[0]) for row in described if str(row[0]).endswith("_source")]
