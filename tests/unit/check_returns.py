"""Small returns for the tests of the door: one sound record of each type, to be changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pyarrow as pa

from loaders.check import CheckResult, check_with
from loaders.findings import Finding
from loaders.inspection import Context
from loaders.returned import RecordTable, Returned

Record = Mapping[str, str | None]

METADATA = {
    "sender": "XXA-POLICE",
    "reference_area": "XXA",
    "period_start": "2023-01-01",
    "period_end": "2023-12-31",
    "extraction_date": "2024-02-01",
    "maturity": "FINAL",
    "intent": "NEW",
    "legal_basis": "LAW",
}
CONTEXT = Context(
    entities=("XXA-POLICE", "XXA-COURT", "XXA-SHELTER"), today=date(2026, 6, 1), refusal_share=1.0
)

_PERSON = {"sex": "F", "age": "20", "citizenship": "XXB"}
_CASE = {"case_issuer": "XXA-COURT", "case_ref": "C1"}
_DEFENDANT = {**_CASE, "defendant_ref": "D1"}
SOUND: dict[str, dict[str, str]] = {
    "event": {
        "event_ref": "E1",
        "event_registration_date": "2023-03-01",
        "event_status": "RECORDED",
    },
    "offence": {"event_ref": "E1", "offence_no": "1", "legal_article": "PC-231"},
    "victim": {
        "event_ref": "E1",
        "victim_ref": "V1",
        "registration_date": "2023-03-02",
        "victim_status": "FORMAL",
        "purpose": "SEX",
        **_PERSON,
    },
    "perpetrator": {
        "event_ref": "E1",
        "perpetrator_ref": "P1",
        "registration_date": "2023-03-02",
        "justice_status": "ALLEGED",
        **_PERSON,
    },
    "relationship": {
        "event_ref": "E1",
        "victim_ref": "V1",
        "perpetrator_ref": "P1",
        "relationship": "_U",
    },
    "case": {**_CASE, "case_opened_date": "2023-03-01"},
    "defendant": {**_DEFENDANT, **_PERSON},
    "charge": {
        **_DEFENDANT,
        "charge_no": "1",
        "charge_date": "2023-04-01",
        "legal_article": "PC-231",
    },
    "decision": {
        **_DEFENDANT,
        "decision_no": "1",
        "decision_date": "2023-09-01",
        "decision_stage": "TRIAL",
        "instance": "FIRST",
        "outcome": "CONVICTED_TIP",
    },
    "sanction": {
        **_DEFENDANT,
        "decision_no": "1",
        "sanction_no": "1",
        "sanction_type": "CUSTODIAL",
    },
    "contact": {"contact_ref": "K1", "contact_date": "2023-05-01"},
    "contact_person": {
        "contact_ref": "K1",
        "person_no": "1",
        "contact_role": "REPORTED_VICTIM",
        "sex": "F",
    },
    "service_victim": {
        "victim_ref": "V1",
        "registration_date": "2023-03-02",
        "consent_basis": "CONSENT",
        "victim_status": "FORMAL",
        "purpose": "SEX",
        **_PERSON,
    },
    "status_decision": {
        "victim_ref": "V1",
        "status_no": "1",
        "victim_status": "FORMAL",
        "victim_status_date": "2023-04-01",
    },
    "service": {
        "victim_ref": "V1",
        "service_no": "1",
        "service_category": "SHELTER",
        "service_start_date": "2023-04-01",
    },
    "cell": {
        "measure": "VICTIMS_REGISTERED",
        "unit_of_count": "VICTIM",
        "period_start": "2023-01-01",
        "period_end": "2023-12-31",
        "status_scope": "REGISTERED",
        "value": "12",
    },
}


def sound(name: str, **changed: str | None) -> dict[str, str | None]:
    """A record that nothing is wrong with, changed; ``service_victim`` is a victim of a service."""
    return {**SOUND[name], **changed}


def table(name: str, *records: Record) -> RecordTable:
    """Records as a sheet of their own, headed in row 1."""
    columns = list(dict.fromkeys(column for record in records for column in record))
    data: dict[str, pa.Array] = {
        column: pa.array([record.get(column) for record in records], pa.string())
        for column in columns
    }
    data["_sheet"] = pa.array([name.title()] * len(records), pa.string())
    data["_row"] = pa.array(range(2, 2 + len(records)), pa.int32())
    data["_pivot"] = pa.array([0] * len(records), pa.int32())
    letters = {column: chr(ord("A") + n) for n, column in enumerate(columns)}
    return RecordTable(name, pa.table(data), letters)


def a_return(kind: str, *tables: RecordTable, **metadata: str | None) -> Returned:
    """A return of that kind; an item of the metadata given as ``None`` is left out."""
    declared = {name: value for name, value in {**METADATA, **metadata}.items() if value}
    return Returned(kind, "en", declared, {}, tables)


def police(*victims: Record, events: Sequence[Record] = (), **metadata: str | None) -> Returned:
    """A police return with these victims, and one event unless others are given."""
    tables = [table("event", *(events or (sound("event"),)))]
    if victims:
        tables.append(table("victim", *victims))
    return a_return("police", *tables, **metadata)


def cells(*records: Record, **metadata: str | None) -> Returned:
    """An aggregate return with these cells."""
    return a_return("aggregate", table("cell", *records), **metadata)


def checked(returned: Returned, context: Context = CONTEXT) -> CheckResult:
    """Check without a workspace."""
    return check_with(returned, context, "return.xlsx")


def found(returned: Returned, context: Context = CONTEXT) -> list[Finding]:
    """The findings of a check."""
    return checked(returned, context).findings()


def rule_ids(returned: Returned, context: Context = CONTEXT) -> set[str]:
    """The rules that a return breaks."""
    return {finding.rule_id for finding in found(returned, context)}


def rows(result: CheckResult, record_type: str, *columns: str) -> list[tuple[object, ...]]:
    """Columns of the typed records, in the order sent."""
    picked = ", ".join(f'"{column}"' for column in columns)
    query = f'select {picked} from "rec_{record_type}" order by _i'
    return result.connection.execute(query).fetchall()
