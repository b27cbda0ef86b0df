"""A checked return to Parquet: keyed, typed as the contract says, in one transaction."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from loaders import keyed
from loaders.check import CheckResult, step
from loaders.coding import BLANK
from loaders.findings import FINDING_COLUMNS
from loaders.header import header_of
from loaders.landed import reference_sql
from loaders.typed import TYPED, literal, lookup, quoted
from tipstat.contract import RecordType, Variable, load_contract
from tipstat.errors import UsageError
from tipstat.keys import PseudonymKey, load_key
from tipstat.landing import LandedCounts, Passage, already_accepted, land, record_refusal
from tipstat.rules import refuse

if TYPE_CHECKING:
    from tipstat.workspace import Workspace

#: A column of ``rec_*`` as it is.
_COLUMN = re.compile(r't\."[^"]+"')
_MAPPING_COLUMNS = ("variable", "code_list", "value_as_sent", "code", "map_entry", "n")


@dataclass(frozen=True)
class Loaded:
    """What became of a file.

    Attributes:
        submission_id: empty where a refused file does not say enough of itself to be recorded.
        outcome: ``accepted``, ``refused`` or ``known`` (the same file was accepted before).
    """

    submission_id: str
    outcome: str


def load_checked(
    result: CheckResult,
    ws: Workspace,
    *,
    actor: str | None = None,
    received: date | None = None,
) -> Loaded:
    """Land what may land of a checked return; of a refused one record only what was found.

    Args:
        result: of a check; it stays open.
        ws: the workspace.
        actor: who loads, for the audit trail; by default the operating system's user.
        received: day on which the office received the file; by default it did so just now.

    Returns:
        The submission and its outcome. The same file under the same layout is landed once.

    Raises:
        UsageError: TIP-568 a day of receipt that is still to come.
        TipstatError: the landing, the registry or the key is not in a state to work with.
    """
    key = load_key(ws)
    known = already_accepted(ws, result.file_sha256, result.returned.layout_sha256)
    if known is not None:
        return Loaded(known, "known")
    header = header_of(result, key)
    if header is None:
        return Loaded("", "refused")
    moment = moment_of_receipt(received, result.received_at)
    passage = Passage(moment, result.checked_at, actor)
    if result.refused:
        with step(f"{result.file_name} › recording the refusal"):
            recorded = record_refusal(
                ws, header, lambda folder: _write_findings(result, folder), passage
            )
            return Loaded(recorded, "refused")

    written: list[str] = []

    def write(folder: Path, submission_id: str) -> LandedCounts:
        written.append(submission_id)
        write_records(result, key, folder, submission_id)
        return _write_findings(result, folder)

    with step(f"{result.file_name} › landing"):
        landed = land(ws, header, write, passage)
    return Loaded(landed, "accepted" if written == [landed] else "known")


def moment_of_receipt(received: date | None, now: datetime) -> datetime:
    """When a file was received: of a day that is given, its beginning; otherwise just now.

    Raises:
        UsageError: TIP-568 the day is still to come.
    """
    if received is None:
        return now
    moment = datetime.combine(received, time.min).astimezone()
    if moment > now:
        raise refuse("TIP-568", UsageError, where="--received", found=received.isoformat())
    return moment


def write_records(result: CheckResult, key: PseudonymKey, folder: Path, submission_id: str) -> None:
    """Write one Parquet file per record type sent, with exactly the columns of the contract.

    Args:
        result: of a check.
        key: the pseudonym key; references and identifiers leave memory only keyed.
        folder: where the files go.
        submission_id: stands in every record.
    """
    for name in result.records:
        record_type = load_contract().record_type(result.kind, name)
        blanked = _mark_held(result, name)
        columns = {
            **_system_columns(submission_id, name),
            **{
                column: sql
                for variable in record_type.variables
                for column, sql in _landed(variable, result.linkable, blanked).items()
            },
        }
        picked = ", ".join(
            f"{_as_kind(columns[column], kind)} as {quoted(column)}"
            for column, kind in record_type.landed_columns
        )
        _copy_keyed(result, key, record_type, picked, folder / f"{name}.parquet")


def _copy_keyed(
    result: CheckResult, key: PseudonymKey, record_type: RecordType, picked: str, path: Path
) -> None:
    needed = keyed.pads(key) if "$inner_pad" in picked else {}
    source = quoted("rec_" + record_type.name)
    _copy(result, f"(select {picked} from {source} t)", path, needed)


def _copy(
    result: CheckResult, relation: str, path: Path, parameters: dict[str, bytes] | None = None
) -> None:
    # Keys are as good as random: a higher level takes twice the time and saves nothing.
    how = "format parquet, compression zstd, compression_level 1"
    result.connection.execute(f"copy {relation} to {literal(str(path))} ({how})", parameters or {})


def _as_kind(sql: str, kind: str) -> str:
    """A value in the type of the contract.

    A column of text is written as it is held: an enumeration is text to whoever reads the file,
    and its dictionary is written in a tenth of the time.
    """
    return sql if kind == "varchar" and _COLUMN.fullmatch(sql) else f"cast({sql} as {kind})"


def _mark_held(result: CheckResult, name: str) -> bool:
    """Mark the records that are held out; whether the content of any of them is not kept."""
    table = quoted("rec_" + name)
    result.connection.execute(
        f"alter table {table} add column if not exists _held varchar;"
        f"alter table {table} add column if not exists _blanked boolean default false"
    )
    result.connection.execute(
        f"update {table} set _held = h.rule_id, _blanked = h.blanked from held h "
        f"where h.record_type = {literal(name)} and h.i = {table}._i"
    )
    blanked = f"select 1 from held where record_type = {literal(name)} and blanked limit 1"
    return bool(result.connection.execute(blanked).fetchall())


def _system_columns(submission_id: str, name: str) -> dict[str, str]:
    submission = literal(submission_id)
    record = f"md5(concat_ws('|', {submission}, {literal(name)}, t._sheet, t._row, t._pivot))"
    return {
        "submission_id": submission,
        "record_id": record,
        "source_sheet": "t._sheet",
        "source_row": "t._row",
        "record_state": "case when t._held is null then 'accepted' else 'held_out' end",
        "held_out_rule": "t._held",
    }


def _landed(variable: Variable, linkable: frozenset[str], blanked: bool) -> dict[str, str]:
    """The SQL of each landed column of a variable.

    Of a person without consent or legal basis nothing is kept but that there was one record
    (STATISTICS section 6): where any record is such a person's, its values are blanked.
    """
    name = quoted(variable.name)
    columns = {column: f"t.{name}" for column, _ in variable.landed_columns}
    empty = dict.fromkeys(columns, "null")
    if variable.type == "code":
        columns[f"{variable.name}_source"] = f"t.{quoted(variable.name + '__sent')}"
        empty[variable.name] = literal(BLANK)
    elif variable.type in TYPED and columns:
        columns[f"{variable.name}_state"] = f"t.{quoted(variable.name + '_state')}"
        empty[f"{variable.name}_state"] = "'not_stated'"
    elif variable.type == "reference":
        columns[variable.name] = reference_sql(variable)
    elif variable.type == "identifier":
        columns["person_key"] = _person(variable, linkable)
    elif variable.type == "entity":
        empty = columns
    return {
        column: f"case when t._blanked then {empty[column]} else {sql} end"
        if blanked and empty[column] != sql
        else sql
        for column, sql in columns.items()
    }


def _person(variable: Variable, linkable: frozenset[str]) -> str:
    """A person key only where the reporting entity may be linked; else nothing at all."""
    if not linkable:
        return "null"
    entities = ", ".join(literal(entity) for entity in sorted(linkable))
    message = f"'person||' || t.{quoted(variable.name)}"
    return f"case when t.reporting_entity in ({entities}) then {keyed.keyed_sql(message)} end"


def _write_findings(result: CheckResult, folder: Path) -> LandedCounts:
    """Write ``findings.parquet`` and ``mapping.parquet``, and give the counts."""
    names = ", ".join(quoted(name) for name in FINDING_COLUMNS)
    _copy(result, f"(select {names} from finding order by place)", folder / "findings.parquet")
    ordered = sorted((*entry, n) for entry, n in result.mapping.items())
    rows = [(*entry[:-1], str(entry[-1])) for entry in ordered]
    lookup(result.connection, "mapping", _MAPPING_COLUMNS, rows)
    _copy(result, "(select * replace (n::bigint as n) from mapping)", folder / "mapping.parquet")
    accepted = {name: n - result.held_out[name] for name, n in result.records.items()}
    held_out = {name: n for name, n in result.held_out.items() if n}
    return LandedCounts(accepted, held_out, dict(result.severities))
