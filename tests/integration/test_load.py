"""Loading through the command line: what lands, what is held out, and what never reaches a disk."""

from __future__ import annotations

import json
import os
from pathlib import Path

import duckdb
import pytest
from cli_support import METADATA, event, police_return, run, victim, workspace

from loaders.templates import write_template
from tipstat.contract import load_contract
from tipstat.keys import DEMO_KEY
from tipstat.project import project_root

DATA = Path(os.environ.get("TIPSTAT_TEST_DATA", project_root().parent / "shared" / "data"))


@pytest.fixture
def office(tmp_path: Path) -> Path:
    return workspace(tmp_path / "office")


def query(office: Path, record_type: str, columns: str) -> list[tuple[object, ...]]:
    files = office / "landing" / "*" / f"{record_type}.parquet"
    return duckdb.sql(f"select {columns} from '{files}' order by source_row").fetchall()


def everything_in(folder: Path) -> str:
    """Every byte of every file, and every value of every Parquet file, as text."""
    texts = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        texts.append(path.read_bytes().decode("utf-8", errors="replace"))
        texts.append(path.read_bytes().decode("utf-16-le", errors="replace"))
        if path.suffix == ".parquet":
            texts.append(str(duckdb.sql(f"from '{path}'").fetchall()))
    return "\n".join(texts)


def test_the_landed_columns_are_those_of_the_contract(office: Path, tmp_path: Path) -> None:
    assert run("-w", office, "load", police_return(tmp_path / "police.xlsx")).code == 0
    files = office / "landing" / "*" / "victim.parquet"
    described = duckdb.sql(f"describe from '{files}'").fetchall()
    landed = [(name, kind.lower()) for name, kind, *_ in described]
    assert landed == list(load_contract().record_type("police", "victim").landed_columns)


def test_references_are_landed_as_keyed_hashes_of_their_entity(
    office: Path, tmp_path: Path
) -> None:
    import hashlib
    import hmac

    run("-w", office, "load", police_return(tmp_path / "police.xlsx"))
    message = b"event|XXA-POLICE|EV-0001"
    wanted = hmac.new(DEMO_KEY.secret, message, hashlib.sha256).hexdigest()
    assert query(office, "event", "event_ref")[0] == (wanted,)
    assert query(office, "victim", "event_ref")[0] == (wanted,)


NAMES = ("Xiomara Quetzalcoatl", "Žofia Brzęczyszczykiewicz")
PASSPORTS = ("PX9981776655", "QZ-7765-ÄÖ-4411")
PHONES = ("+51 987 654 3219", "00 41 79 555 8899")
BIRTHS = ("1987-06-05", "not a date 1909-08-07")


def test_no_identifier_of_a_return_is_left_in_any_byte_of_the_workspace(
    office: Path, tmp_path: Path
) -> None:
    """Sound records and bad ones: held out, duplicated, with broken dates."""
    events = [event(n, event_ref=f"{NAMES[0]} {n}", case_ref=PHONES[0]) for n in range(1, 9)]
    victims = [
        victim(
            n,
            event_ref=f"{NAMES[0]} {n}",
            victim_ref=f"{PASSPORTS[n % 2]}/{n}",
            person_id=PHONES[n % 2],
            birth_date=BIRTHS[n % 2],
            age="",
        )
        for n in range(1, 9)
    ]
    lost = victim(20, event_ref=NAMES[1], victim_ref=PASSPORTS[0], person_id=PASSPORTS[1])
    path = police_return(
        tmp_path / "police.xlsx", {"event": events, "victim": [*victims, lost, victims[0]]}
    )
    outcome = run("-w", office, "load", path)
    listed = run("-w", office, "check", path, "--format", "json")
    assert "TIP-421" in outcome.text
    assert "TIP-403" in outcome.text
    assert "TIP-301" in outcome.text
    kept = everything_in(office) + outcome.text + listed.text
    secrets = (*NAMES, *PASSPORTS, *PHONES, BIRTHS[0], "1909-08-07")
    assert len(query(office, "victim", "record_id")) == 10
    assert [s for s in secrets if s.casefold() in kept.casefold()] == []


def test_refused_files_leave_no_identifier_either(office: Path, tmp_path: Path) -> None:
    victims = [victim(n, event_ref=NAMES[1], victim_ref=f"{PASSPORTS[0]}{n}") for n in range(5)]
    outcome = run("-w", office, "load", police_return(tmp_path / "p.xlsx", {"victim": victims}))
    assert outcome.code == 1
    assert "refused" in outcome.text
    kept = everything_in(office) + outcome.text
    assert [s for s in (NAMES[1], PASSPORTS[0]) if s.casefold() in kept.casefold()] == []
    names = {p.name for p in (office / "landing").rglob("*.parquet")}
    assert names == {"findings.parquet", "mapping.parquet"}


def test_the_same_file_twice_lands_once(office: Path, tmp_path: Path) -> None:
    path = police_return(tmp_path / "police.xlsx")
    first, second = run("-w", office, "load", path), run("-w", office, "load", path)
    assert (first.code, second.code) == (0, 0)
    assert second.text.startswith("already loaded as police-xxa-police-20241231-")
    assert len(query(office, "event", "event_ref")) == 10


def test_check_writes_nothing_and_says_what_load_would(office: Path, tmp_path: Path) -> None:
    before = everything_in(office)
    path = police_return(tmp_path / "police.xlsx", {"victim": [victim(1, sex="femal")]})
    outcome = run("-w", office, "check", path, "--format", "json")
    listed = json.loads(outcome.out)
    assert outcome.code == 1
    assert listed["counts"] == {"error-value": 1}
    assert [f["nearest"] for f in listed["findings"]] == ['"Female" → F']
    assert everything_in(office) == before


def test_a_held_out_parent_holds_its_children_out_by_name(office: Path, tmp_path: Path) -> None:
    events = [event(n) for n in range(1, 10)]
    events.append(event(10, event_registration_date="2021-05-01"))
    run("-w", office, "load", police_return(tmp_path / "police.xlsx", {"event": events}))
    states = query(office, "event", "record_state, held_out_rule")
    assert states[-1] == ("held_out", "TIP-521")
    assert query(office, "victim", "record_state, held_out_rule")[-1] == ("held_out", "TIP-422")
    assert query(office, "victim", "record_state")[0] == ("accepted",)


def test_a_person_without_consent_is_counted_and_not_kept(office: Path, tmp_path: Path) -> None:
    people = [
        {
            "victim_ref": f"V{n}",
            "registration_date": "2024-03-01",
            "consent_basis": "NONE" if n == 1 else "CONSENT",
            "victim_status": "FORMAL",
            "sex": "F",
            "age": "19",
            "citizenship": "XXA",
            "purpose": "SEX",
        }
        for n in range(1, 12)
    ]
    path = tmp_path / "service.xlsx"
    metadata = {**METADATA, "legal_basis": "CONSENT"}
    write_template(
        "service", "en", path, reference_area="XXA", rows={"victim": people}, metadata=metadata
    )
    outcome = run("-w", office, "load", path)
    assert "10 records, 1 held out" in outcome.text
    read = query(office, "victim", "held_out_rule, victim_ref, sex, sex_source, age, purpose")
    assert read[0] == ("TIP-530", None, "_X", None, None, "_X")
    assert read[1][2:] == ("F", "Female", 19, "SEX")


def test_person_keys_are_kept_only_under_an_authorisation(office: Path, tmp_path: Path) -> None:
    people = [victim(n, person_id=f"ID {n}") for n in range(1, 11)]
    first = run("-w", office, "load", police_return(tmp_path / "a.xlsx", {"victim": people}))
    assert "TIP-430" in first.text
    assert query(office, "victim", "person_key")[0] == (None,)
    run(
        "-w", office, "entity", "add", "XXA-NGO",
        "--name", "Shelter", "--type", "NGO", "--area", "XXA",
    )  # fmt: skip
    authorised = run(
        "-w", office, "entity", "authorise", "XXA-POLICE", "XXA-NGO",
        "--purpose", "deduplication", "--legal-basis", "Act 1", "--expires", "2099-12-31",
    )  # fmt: skip
    assert authorised.code == 0, authorised.text
    other = police_return(
        tmp_path / "b.xlsx",
        {
            "event": [event(n, event_registration_date="2025-03-01") for n in range(1, 11)],
            "victim": [{**row, "registration_date": "2025-03-02"} for row in people],
        },
        period_start="2025-01-01",
        period_end="2025-12-31",
        extraction_date="2026-02-01",
    )
    assert run("-w", office, "load", other).code == 0
    keys = {key for (key,) in query(office, "victim", "person_key")}
    assert len(keys - {None}) == 10


def test_findings_as_csv_hold_no_formula(office: Path, tmp_path: Path) -> None:
    path = police_return(tmp_path / "police.xlsx", {"victim": [victim(1, sex="=1+1")]})
    outcome = run("-w", office, "check", path, "--format", "csv")
    assert "'=1+1" in outcome.out
    assert ",=1+1" not in outcome.out


def test_metadata_of_the_command_line_win_and_must_be_known(office: Path, tmp_path: Path) -> None:
    path = police_return(tmp_path / "police.xlsx")
    unknown = run("-w", office, "check", path, "--set", "periodend=2024-12-31")
    assert (unknown.code, "TIP-149" in unknown.text) == (2, True)
    refused = run("-w", office, "check", path, "--sender", "XXA-POLIZE")
    assert (refused.code, "TIP-511" in refused.text) == (1, True)


def test_a_csv_without_a_layout_is_refused_with_advice(office: Path, tmp_path: Path) -> None:
    path = tmp_path / "victims.csv"
    path.write_text("sex,age\nF,19\n", encoding="utf-8")
    outcome = run("-w", office, "load", path)
    assert (outcome.code, "TIP-150" in outcome.text) == (1, True)


def test_an_engine_error_is_shown_without_the_values_it_quotes(
    office: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise duckdb.ConversionException("could not convert 'Xiomara Quetzalcoatl'")

    monkeypatch.setattr("loaders.inspection.make_maps", fail)
    outcome = run("-w", office, "check", police_return(tmp_path / "police.xlsx"))
    assert (outcome.code, "TIP-199" in outcome.text) == (3, True)
    assert "Xiomara" not in outcome.text


@pytest.mark.skipif(not (DATA / "per_pnp").is_dir(), reason="no data of Peru's police")
def test_perus_file_loads_through_its_layout(office: Path) -> None:
    run(
        "-w", office, "entity", "add", "PER-PNP",
        "--name", "Policía Nacional del Perú", "--type", "POLICE", "--area", "PER",
    )  # fmt: skip
    (path,) = (DATA / "per_pnp").glob("*.xlsx")
    outcome = run("-w", office, "load", path, "--layout", "per_pnp_2017", "--limit", "1")
    assert (outcome.code, "accepted as" in outcome.text) == (0, True)
    files = office / "landing" / "*" / "cell.parquet"
    total = "form = '_T' and sex = '_T' and age_group = '_T' and breakdown = '_T'"
    years = duckdb.sql(
        f"select year(period_start), sum(value)::integer from '{files}' where {total} "
        "and year(period_start) <= 2022 group by all order by 1"
    ).fetchall()
    assert [n for _, n in years] == [725, 734, 509, 372, 535, 631]
