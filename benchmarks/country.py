"""A generated country for the build, landed past the door: Parquet as the contract says.

Police and court returns by month. Every value follows from the number of the event and the seed.
Two victims an event, four perpetrators for five victims, one court case for two events.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from tipstat import landing
from tipstat.contract import RecordType, Variable, load_contract
from tipstat.keys import load_key
from tipstat.landing import LandedCounts, SubmissionHeader
from tipstat.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

AREA = "XXA"
FIRST_YEAR = 2019
MONTHS = 60

_CITIZENSHIPS = ("XXA", "XXB", "XXC", "PER", "ROU", "NGA", "NPL", "COL")
_FORMS = (
    "SEX_PROSTITUTION",
    "SEX_PORNOGRAPHY",
    "LAB_FORCED",
    "LAB_DOMESTIC",
    "BEGGING",
    "CRIME",
    "ORGAN",
    "MARRIAGE",
    "_U",
)
_ARTICLES = ("PC-231-1", "PC-231-2", "PC-231-3", "PC-231-4", "PC-231", "PC-232", "PC-240")


@dataclass(frozen=True)
class Part:
    """What one submission holds: events from one number up to another, of one sender and month."""

    number: int
    kind: str
    sender: str
    first: int
    last: int
    start: date

    @property
    def end(self) -> date:
        """The last day of the month."""
        return (self.start.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def land_country(ws: Workspace, victims: int, submissions: int, seed: int) -> None:
    """Land so many victims in so many submissions.

    Args:
        ws: an empty workspace.
        victims: registered with the police; a fifth of the submissions are of courts.
        submissions: accepted ones.
        seed: changes every drawn value.
    """
    parts = list(_parts(victims, submissions))
    for sender in sorted({part.sender for part in parts}):
        entity_type = "COURT" if "CRT" in sender else "POLICE"
        ws.registry().add_entity(
            sender, name=sender, entity_type=entity_type, reference_area=AREA, actor="benchmark"
        )
    with duckdb.connect() as connection:
        for part in parts:
            _land(ws, connection, part, seed)


def _parts(victims: int, submissions: int) -> Iterator[Part]:
    events = max(victims // 2, 1)
    courts = submissions // 5
    for kind, code, count in (("police", "POL", submissions - courts), ("court", "CRT", courts)):
        for number in range(count):
            sender, month = divmod(number, MONTHS)
            yield Part(
                number=number,
                kind=kind,
                sender=f"{AREA}-{code}-{sender + 1:03d}",
                first=events * number // count,
                last=events * (number + 1) // count,
                start=date(FIRST_YEAR + month // 12, month % 12 + 1, 1),
            )


def _land(ws: Workspace, connection: duckdb.DuckDBPyConnection, part: Part, seed: int) -> None:
    def write(folder: Path, submission_id: str) -> LandedCounts:
        counts = {}
        for name, (rows, values) in _records(part, seed).items():
            record_type = load_contract().record_type(part.kind, name)
            query = _landed_sql(record_type, rows, values, part, submission_id)
            target = (folder / f"{name}.parquet").as_posix()
            connection.execute(f"copy ({query}) to '{target}' (format parquet, compression zstd)")
            (counted,) = connection.execute(f"select count(*) from ({rows})").fetchone() or (0,)
            counts[name] = int(counted)
        return LandedCounts(counts, {}, {})

    landing.land(ws, _header(ws, part, seed), write)


def _header(ws: Workspace, part: Part, seed: int) -> SubmissionHeader:
    content = f"{part} {seed}"
    return SubmissionHeader(
        sender=part.sender,
        kind=part.kind,
        reference_area=AREA,
        period_start=part.start,
        period_end=part.end,
        file_sha256=hashlib.sha256(content.encode()).hexdigest(),
        file_format="csv",
        layout_id=None,
        layout_sha256=None,
        contract_version=load_contract().version,
        key_fingerprint=load_key(ws).fingerprint,
        maturity="FINAL",
        intent="NEW",
        earlier_submission=None,
        legal_basis="LAW",
        agreement="",
        confidentiality_class="RESTRICTED",
        destroy_by=None,
        nil_return=False,
        metadata={"status_scope": "REGISTERED", "deduplication": "WITHIN_UNIT"},
        coverage=((part.sender, ""),),
    )


# ── the records ───────────────────────────────────────────────────────────────────────────────


def _records(part: Part, seed: int) -> dict[str, tuple[str, dict[str, str]]]:
    """For each record type the rows (``e`` event, ``n`` number within it) and the SQL of values."""
    return _police(part, seed) if part.kind == "police" else _court(part, seed)


def _rows(part: Part, per_event: str) -> str:
    """So many rows an event; ``per_event`` is SQL over ``e``."""
    return (
        f"select e, n from range({part.first}, {part.last}) as events(e), "
        f"range(3) as numbers(n) where n < {per_event}"
    )


def _police(part: Part, seed: int) -> dict[str, tuple[str, dict[str, str]]]:
    day = _day(part, seed)
    event = {"reporting_entity": f"'{part.sender}'", "event_ref": _reference("event", "e")}
    case = {"case_issuer": f"'{AREA}-CRT-001'", "case_ref": _reference("case", "e // 2")}
    victim_ref = _reference("victim", "e, n")
    perpetrator_ref = _reference("perpetrator", "e, n")
    return {
        "event": (
            _rows(part, "1"),
            {
                **event,
                **case,
                "event_registration_date": day,
                "event_status": "'RECORDED'",
                "cross_border": _drawn(("DOMESTIC", "CROSS_BORDER"), "border", seed),
            },
        ),
        "offence": (
            _rows(part, "1"),
            {**event, "offence_no": "1", "legal_article": _drawn(_ARTICLES, "article", seed)},
        ),
        "victim": (
            _rows(part, "2"),
            {
                **event,
                **_person(seed),
                "victim_ref": victim_ref,
                "registration_date": day,
                "victim_status": _drawn(("PRESUMED", "IDENTIFIED", "FORMAL"), "status", seed),
                "victim_status_date": f"{day} + 20",
                "purpose": _drawn(_FORMS, "purpose", seed),
                "act": _drawn(("RECRUITMENT", "HARBOURING", "_U"), "act", seed),
                "means": _drawn(("FORCE", "DECEPTION", "THREAT;DECEPTION"), "means", seed),
            },
        ),
        "perpetrator": (
            _rows(part, _PERPETRATORS),
            {
                **event,
                **_person(seed + 1),
                "perpetrator_ref": perpetrator_ref,
                "registration_date": day,
                "justice_status": _drawn(("ALLEGED", "CONTACT", "CHARGED"), "justice", seed),
                "justice_status_date": f"{day} + 20",
                "legal_status": "'NATURAL'",
                "role": _drawn(("RECRUITER", "EXPLOITER", "_U"), "role", seed),
            },
        ),
        "relationship": (
            _rows(part, "1"),
            {
                **event,
                "victim_ref": victim_ref,
                "perpetrator_ref": perpetrator_ref,
                "relationship": "'_U'",
            },
        ),
    }


#: One perpetrator, two in two events of five, three in one of five: 1.6 an event.
_PERPETRATORS = "(case e % 5 when 0 then 3 when 1 then 2 else 1 end)"


def _court(part: Part, seed: int) -> dict[str, tuple[str, dict[str, str]]]:
    day = _day(part, seed)
    case = {
        "reporting_entity": f"'{part.sender}'",
        "case_issuer": f"'{AREA}-CRT-001'",
        "case_ref": _reference("case", "e // 2"),
    }
    defendant = {**case, "defendant_ref": _reference("defendant", "e, n")}
    first_event = _rows(part, "(case e % 2 when 0 then 1 else 0 end)")
    persons = _rows(part, "1")
    return {
        "case": (first_event, {**case, "case_opened_date": day}),
        "defendant": (
            persons,
            {
                **defendant,
                **_person(seed + 1),
                "registration_date": day,
                "legal_status": "'NATURAL'",
            },
        ),
        "charge": (
            persons,
            {
                **defendant,
                "charge_no": "1",
                "charge_date": day,
                "legal_article": _drawn(_ARTICLES, "charge", seed),
            },
        ),
        "decision": (
            _rows(part, "(case e % 3 when 0 then 1 else 0 end)"),
            {
                **defendant,
                "decision_no": "1",
                "decision_date": f"{day} + 100",
                "decision_stage": "'TRIAL'",
                "instance": "'FIRST'",
                "outcome": _drawn(("CONVICTED_TIP", "ACQUITTED"), "outcome", seed),
                "charge_no": "1",
                "final": "'Y'",
            },
        ),
    }


def _person(seed: int) -> dict[str, str]:
    return {
        "sex": _drawn(("F", "F", "M", "_U"), "sex", seed),
        "age": f"5 + {_draw('age', seed)} % 50",
        "citizenship": _drawn(_CITIZENSHIPS, "citizenship", seed),
    }


def _day(part: Part, seed: int) -> str:
    return f"date '{part.start}' + ({_draw('day', seed)} % 28)::integer"


def _reference(domain: str, numbers: str) -> str:
    return f"sha256(concat_ws('|', '{domain}', {numbers}))"


def _draw(name: str, seed: int) -> str:
    """A number that looks random and is the same in every run."""
    return f"hash(e, n, '{name} {seed}')"


def _drawn(codes: tuple[str, ...], name: str, seed: int) -> str:
    listed = ", ".join(f"'{code}'" for code in codes)
    return f"([{listed}])[1 + ({_draw(name, seed)} % {len(codes)})::integer]"


def _landed_sql(
    record_type: RecordType,
    rows: str,
    values: Mapping[str, str],
    part: Part,
    submission_id: str,
) -> str:
    """The records with exactly the columns of the contract, in its order and types."""
    system = {
        "submission_id": f"'{submission_id}'",
        "record_id": f"md5(concat_ws('|', '{submission_id}', '{record_type.name}', e, n))",
        "source_sheet": f"'{record_type.name}'",
        "source_row": "row_number() over (order by e, n) + 1",
        "record_state": "'accepted'",
        "held_out_rule": "null",
    }
    columns = {
        **system,
        **{
            column: sql
            for variable in record_type.variables
            for column, sql in _landed(variable, values.get(variable.name, "")).items()
        },
    }
    picked = ", ".join(
        f'cast({columns[name]} as {kind}) as "{name}"' for name, kind in record_type.landed_columns
    )
    return f"select {picked} from ({rows}) order by e, n"


def _landed(variable: Variable, value: str) -> dict[str, str]:
    """The landed columns of a variable with a value, or of one that was not collected."""
    columns = dict.fromkeys((name for name, _ in variable.landed_columns), "null")
    if variable.type == "identifier" or not columns:
        return columns
    columns[variable.name] = value or ("'_N'" if variable.type == "code" else "null")
    if f"{variable.name}_source" in columns:
        columns[f"{variable.name}_source"] = value or "null"
    if f"{variable.name}_state" in columns:
        columns[f"{variable.name}_state"] = "'value'" if value else "'not_collected'"
    return columns
