"""Returns of both versions of the contract in one build: the new variables reach the core, and a
landing of the first version is read as one that did not collect them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from cli_support import event, police_return, run, victim, workspace

from loaders.templates import write_template
from tipstat import warehouse
from tipstat.contract import RecordType, load_contract
from tipstat.workspace import Workspace

SHELTER = {
    "sender": "XXA-HOTLINE",
    "reference_area": "XXA",
    "period_start": "2024-01-01",
    "period_end": "2024-12-31",
    "extraction_date": "2025-02-01",
    "maturity": "FINAL",
    "intent": "NEW",
    "legal_basis": "CONSENT",
    "incitement_included": "N",
}
TOLD = {
    "gender": "TRANS_FEMININE",
    "control": "DEBT_BONDAGE;WITHHOLDS_DOCUMENTS",
    "sector": "I;T",
    "recruitment_method": "_U",
    "recruiter_relationship": "FRIEND",
    "recruitment_country": "XXB",
    "transit_country": "XXC;XXB",
    "exploitation_country": "XXA",
    "exploitation_start_date": "2023-05-01",
    "exploitation_end_date": "2024-02-28",
    "entry_means": "LABOUR_MIGRATION",
    "exit_means": "RESCUE",
    "education": "LOWER_SECONDARY",
    "marital_status": "SINGLE",
    "migration_status": "IRREGULAR",
    "occupation": "5",
    "economic_activity_status": "UNEMPLOYED",
    "disability": "N",
    "intoxication": "NONE",
    "birth_country": "XXB",
    "residence_country": "XXB",
    "earlier_trafficking": "_X",
    "age_first_trafficked": "18",
}
TAGS = {
    "event_area": "North",
    "weapon": "FIREARM",
    "situational_context": "ORGANIZED_CRIME",
    "location_type": "BROTHEL",
    "motive": "ILLICIT_GAIN",
    "cybercrime": "CYBER",
    "reported_by": "WITNESS",
}
OFFENDER = {
    "intoxication": "ALCOHOL",
    "economic_activity_status": "EMPLOYER",
    "repeat_offender": "RECIDIVIST",
    "organised_group": "Y",
}


def perpetrator(**changed: str) -> dict[str, str]:
    return {
        "event_ref": "EV-0001",
        "perpetrator_ref": "PE-1",
        "registration_date": "2024-03-02",
        "justice_status": "CONTACT",
        "sex": "M",
        "age": "40",
        "citizenship": "XXA",
        **changed,
    }


def police_rows() -> dict[str, list[dict[str, object]]]:
    offenders = [perpetrator(**OFFENDER), perpetrator(**OFFENDER, perpetrator_ref="PE-2")]
    offenders[1] |= {"legal_status": "LEGAL_PRIVATE", "sex": "", "age": ""}
    return {
        "event": [event(1, **TAGS), event(2)],
        "victim": [victim(1, **TOLD), victim(2)],
        "perpetrator": [dict(offender) for offender in offenders],
    }


def hotline_return(path: Path) -> Path:
    contact = {
        "contact_ref": "K-1",
        "contact_date": "2024-04-01",
        "contact_topic": "CHILD_SEXUAL_EXPLOITATION",
        "contact_urgency": "URGENT",
        "contact_origin": "CITIZEN",
        "anonymous": "Y",
        "contact_area": "South",
    }
    people = [
        {"contact_ref": "K-1", "person_no": "1", "contact_role": "REPORTED_VICTIM", "age": "15"},
        {"contact_ref": "K-1", "person_no": "2", "contact_role": "ACCUSED", "gender": "MASCULINE"},
    ]
    rows = {"contact": [contact], "contact_person": people}
    write_template("service", "en", path, reference_area="XXA", rows=rows, metadata=SHELTER)
    return path


def first_version(record_type: RecordType) -> list[str]:
    """The columns that the first version of the contract landed."""
    later = {c for v in record_type.variables if v.since > 1 for c, _ in v.landed_columns}
    return [name for name, _ in record_type.landed_columns if name not in later]


def make_older(folder: Path) -> None:
    """Turn the landing of a police return into one of the first version of the contract."""
    for record_type in load_contract().of_kind("police"):
        path = folder / f"{record_type.name}.parquet"
        if path.is_file():
            pq.write_table(pq.read_table(path, columns=first_version(record_type)), path)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("versions")
    office = workspace(folder / "office")
    added = run(
        "-w", office, "entity", "add", "XXA-HOTLINE",
        "--name", "Hotline", "--type", "HOTLINE", "--area", "XXA",
    )  # fmt: skip
    assert added.code == 0, added.text
    older = police_return(
        folder / "old.xlsx",
        {
            "event": [event(9, event_registration_date="2023-03-01", **TAGS)],
            "victim": [victim(9, registration_date="2023-03-02", **TOLD)],
            "perpetrator": [],
        },
        period_start="2023-01-01",
        period_end="2023-12-31",
    )
    newer = police_return(folder / "new.xlsx", police_rows(), threats_included="Y")
    for number, path in enumerate((older, newer, hotline_return(folder / "hotline.xlsx"))):
        loaded = run("-w", office, "load", path)
        assert loaded.code == 0, loaded.text
        if number == 0:
            (landed,) = (p.parent for p in (office / "landing").glob("*/submission.json"))
            make_older(landed)
    ws = Workspace.find(str(office))
    warehouse.build(ws, actor="test")
    with warehouse.reading(ws) as connection:
        yield connection


def only_row(reader: duckdb.DuckDBPyConnection, table: str, where: str) -> dict[str, object]:
    relation = reader.sql(f"select * from {table} where {where}")
    (row,) = relation.fetchall()
    return dict(zip(relation.columns, row, strict=True))


def test_the_older_landing_lacks_what_the_second_version_brought() -> None:
    police = load_contract().record_type("police", "victim")
    assert "control" not in first_version(police)
    assert "purpose" in first_version(police)


def test_what_is_told_of_a_victim_stands_on_the_victim_in_the_event(
    reader: duckdb.DuckDBPyConnection,
) -> None:
    row = only_row(reader, "bridge_event_victim", "recruiter_relationship = 'FRIEND'")
    told = {name: str(row[name]) for name in TOLD if name in row}
    expected = {**TOLD, "transit_country": "XXB;XXC"}
    assert told == {name: expected[name] for name in told}
    assert {"recruitment_country", "exploitation_end_date", "age_first_trafficked"} <= set(told)
    assert row["exploitation_duration"] == "M0T12"
    person = only_row(reader, "dim_victim", "gender = 'TRANS_FEMININE'")
    traits = ("gender", "birth_country", "education", "marital_status", "disability")
    assert {name: person[name] for name in traits} == {name: TOLD[name] for name in traits}


def test_control_sector_and_recruitment_are_bridges_of_the_victim_in_the_event(
    reader: duckdb.DuckDBPyConnection,
) -> None:
    def codes(name: str, column: str) -> list[tuple[object, ...]]:
        return reader.sql(
            f"select {column}, count(*) from bridge_victim_{name} group by all order by all"
        ).fetchall()

    assert codes("control", "control") == [
        ("DEBT_BONDAGE", 1),
        ("WITHHOLDS_DOCUMENTS", 1),
        ("_N", 1),
        ("_X", 1),
    ]
    assert codes("sector", "sector") == [("I", 1), ("T", 1), ("_N", 1), ("_X", 1)]
    assert codes("recruitment", "recruitment_method") == [("_N", 1), ("_U", 1), ("_X", 1)]


def test_the_tags_of_the_iccs_stand_on_event_and_perpetrator(
    reader: duckdb.DuckDBPyConnection,
) -> None:
    row = only_row(reader, "fct_event", "weapon = 'FIREARM'")
    assert {name: row[name] for name in TAGS} == TAGS
    person = only_row(reader, "dim_perpetrator", "not is_legal_entity")
    company = only_row(reader, "dim_perpetrator", "is_legal_entity")
    states = ("economic_activity_status", "repeat_offender")
    assert [person[name] for name in states] == ["EMPLOYER", "RECIDIVIST"]
    assert [company[name] for name in states] == ["_Z", "RECIDIVIST"]
    in_event = reader.sql(
        "select distinct intoxication, organised_group from bridge_event_perpetrator"
    )
    assert in_event.fetchall() == [("ALCOHOL", "Y")]


def test_a_landing_of_the_first_version_did_not_collect_the_rest(
    reader: duckdb.DuckDBPyConnection,
) -> None:
    row = only_row(reader, "bridge_event_victim", "registration_year = '2023'")
    assert {row[name] for name in ("recruitment_country", "exit_means", "occupation")} == {"_N"}
    assert row["exploitation_start_date"] is None
    assert row["age"] == 19
    event_of_2023 = only_row(reader, "fct_event", "event_registration_year = '2023'")
    assert (event_of_2023["weapon"], event_of_2023["event_area"]) == ("_N", None)


def test_the_inclusion_tags_of_a_return_reach_its_submission(
    reader: duckdb.DuckDBPyConnection,
) -> None:
    declared = reader.sql(
        "select sender, year(period_end), threats_included, incitement_included"
        " from dim_submission order by all"
    ).fetchall()
    assert declared == [
        ("XXA-HOTLINE", 2024, "_N", "N"),
        ("XXA-POLICE", 2023, "_N", "_N"),
        ("XXA-POLICE", 2024, "Y", "_N"),
    ]


def test_persons_named_in_a_contact_are_no_victims_and_no_suspects(
    reader: duckdb.DuckDBPyConnection,
) -> None:
    named = reader.sql(
        "select people.contact_role, people.age2, people.gender, contacts.contact_topic"
        " from fct_contact_person people join fct_contact contacts using (contact_key)"
        " order by people.person_no"
    ).fetchall()
    assert named == [
        ("REPORTED_VICTIM", "Y0T17", "_X", "CHILD_SEXUAL_EXPLOITATION"),
        ("ACCUSED", "_U", "MASCULINE", "CHILD_SEXUAL_EXPLOITATION"),
    ]
    contact = only_row(reader, "fct_contact", "true")
    assert (contact["contact_urgency"], contact["anonymous"]) == ("URGENT", "Y")
    assert (contact["contact_origin"], contact["contact_area"]) == ("CITIZEN", "South")
    for table in ("dim_victim", "dim_perpetrator"):
        entities = reader.sql(f"select distinct reporting_entity from {table}").fetchall()
        assert entities == [("XXA-POLICE",)]
    figures = reader.sql(
        "select coalesce(sum(value), 0) from fct_indicator_value where source_type = 'service'"
        " and indicator in ('victims_registered', 'persons_suspected')"
    ).fetchall()
    assert figures == [(0,)]
