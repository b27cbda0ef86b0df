"""The reply to a sender through the command line, and the way back of the corrected return."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import openpyxl
import pytest
from cli_support import METADATA, Outcome, event, police_return, run, victim, workspace

from loaders.findings import FINDING_COLUMNS
from loaders.reply import make_reply
from loaders.reply_content import Account
from loaders.reply_mark import REPLY_MARK
from loaders.reply_styles import COLOURS
from loaders.templates import write_template
from tipstat.workspace import Workspace


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workspace(tmp_path_factory.mktemp("made") / "office")


@pytest.fixture
def office(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "office"))


def spoilt(path: Path, language: str = "en", **metadata: str) -> Path:
    """A return with two unknown codes, one missing key and one broken age among ten victims."""
    victims = [victim(n) for n in range(1, 11)]
    victims[0] |= {"sex": "femal"}
    victims[1] |= {"sex": "femal"}
    victims[2] |= {"victim_ref": ""}
    victims[3] |= {"age": "=1+1"}
    rows = {"event": [event(n) for n in range(1, 11)], "victim": victims}
    items = {**METADATA, **metadata}
    write_template("police", language, path, reference_area="XXA", rows=rows, metadata=items)
    return path


def replied(outcome: Outcome) -> Path:
    """The workbook that a reply wrote."""
    assert outcome.code == 0, outcome.text
    return Path(outcome.out.splitlines()[0])


def submission_of(outcome: Outcome) -> str:
    """The submission that a load recorded, as its last line says."""
    words = outcome.text.splitlines()[-1].replace(":", " ").split()
    return next(word for word in words if word.startswith("police-xxa-"))


def cell_of(path: Path, sheet: str, variable: str, row: int) -> str:
    """The address of a variable in a sheet of the standard workbook."""
    headings = next(openpyxl.load_workbook(path)[sheet].iter_rows(max_row=1))
    return next(f"{c.column_letter}{row}" for c in headings if c.value == variable)


def texts_of(path: Path, sheet: str) -> list[str]:
    rows = openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True)
    return [str(value) for row in rows for value in row if value is not None]


def edit(path: Path, change: Callable[[openpyxl.Workbook], None], target: Path) -> Path:
    """What the sender does in a spreadsheet program."""
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(target)
    return target


# ── the reply ─────────────────────────────────────────────────────────────────────────────────


def test_after_a_check_the_senders_own_workbook_comes_back_marked(
    office: Path, tmp_path: Path
) -> None:
    path = spoilt(tmp_path / "police.xlsx")
    copy = replied(run("-w", office, "feedback", "--file", path, "-o", tmp_path / "reply.xlsx"))
    sheet = openpyxl.load_workbook(copy)["Victim"]
    sex = sheet[cell_of(path, "Victim", "sex", 3)]
    assert sex.value == "femal"
    assert sex.fill.fgColor.rgb == COLOURS["error-value"]
    assert 'Found: "femal"' in sex.comment.text
    assert "Female" in sex.comment.text
    reference = sheet[cell_of(path, "Victim", "victim_ref", 5)]
    assert reference.fill.fgColor.rgb == COLOURS["error-record"]
    before = openpyxl.load_workbook(path)["Victim"].data_validations.dataValidation
    assert len(sheet.data_validations.dataValidation) == len(before) > 20
    said = texts_of(copy, "Feedback")
    assert {"police.xlsx", "XXA-POLICE", "2024-01-01 – 2024-12-31"} <= set(said)
    assert "checked, not loaded" in said


def test_a_check_for_a_reply_records_nothing(office: Path, tmp_path: Path) -> None:
    path = spoilt(tmp_path / "police.xlsx")
    replied(run("-w", office, "feedback", "--file", path))
    assert run("-w", office, "submissions", "--format", "csv").out.count("\n") == 1


@pytest.mark.parametrize(
    ("language", "wanted", "sheet"),
    [
        ("es", {"código desconocido", "valor no válido"}, "Observaciones"),
        ("fr", {"code inconnu", "valeur non valide"}, "Retour"),
    ],
)
def test_the_reply_speaks_the_language_of_the_return(
    language: str, wanted: set[str], sheet: str, office: Path, tmp_path: Path
) -> None:
    loaded = run("-w", office, "load", spoilt(tmp_path / "police.xlsx", language))
    copy = replied(run("-w", office, "feedback", submission_of(loaded)))
    said = texts_of(copy, sheet)
    assert wanted <= set(said)
    assert not [text for text in said if "unknown code" in text or "correct the cell" in text]


def test_a_submission_is_replied_to_with_its_file_known_by_its_hash(
    office: Path, tmp_path: Path
) -> None:
    path = spoilt(tmp_path / "police.xlsx")
    submission = submission_of(run("-w", office, "load", path))
    renamed = path.rename(tmp_path / "as e-mailed.xlsx")
    copy = replied(run("-w", office, "feedback", submission, "--file", renamed))
    assert copy == tmp_path / "as e-mailed_feedback.xlsx"
    assert openpyxl.load_workbook(copy).sheetnames[0] == "Feedback"
    assert {"accepted", "20", "1", "19"} <= set(texts_of(copy, "Feedback"))
    other = spoilt(tmp_path / "other.xlsx", maturity="PROVISIONAL")
    wrong = run("-w", office, "feedback", submission, "--file", other, "--force")
    assert wrong.code == 2
    assert "TIP-720" in wrong.text


def test_a_refused_file_is_replied_to_without_the_file(office: Path, tmp_path: Path) -> None:
    path = spoilt(tmp_path / "police.xlsx", nil_return="Y")
    loaded = run("-w", office, "load", path)
    copy = replied(run("-w", office, "feedback", submission_of(loaded)))
    assert openpyxl.load_workbook(copy).sheetnames == ["Feedback", "Findings"]
    assert copy.parent == office / "outputs"
    said = texts_of(copy, "Feedback")
    assert "refused: nothing was loaded" in said
    assert any("nil return with records" in text for text in said)


def csv_files(folder: Path, delimiter: str = ",") -> list[object]:
    """Standard files with two unknown codes, as the options that name them."""
    folder.mkdir()
    items = "".join(f"{name}{delimiter}{value}\n" for name, value in METADATA.items())
    head = delimiter.join(("variable", "value"))
    (folder / "metadata.csv").write_text(f"{head}\nkind{delimiter}police\n{items}")
    names = list(event(1))
    events = [event(n, event_status="RECORDID") for n in (1, 2)]
    lines = [delimiter.join(str(each[x]) for x in names) for each in events]
    (folder / "event.csv").write_text("\n".join([delimiter.join(names), *lines]) + "\n")
    return [part for name in ("event", "metadata") for part in ("--file", folder / f"{name}.csv")]


def test_of_csv_files_the_reply_is_a_workbook_of_the_findings(office: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    both = csv_files(folder)
    assert run("-w", office, "feedback", *both, "-o", tmp_path / "both.xlsx").code == 0
    copy = replied(run("-w", office, "feedback", "--file", folder))
    assert openpyxl.load_workbook(copy).sheetnames == ["Feedback", "Findings"]
    said = texts_of(copy, "Findings")
    assert {"RECORDID", "D2", "D3"} <= set(said)
    loaded = run("-w", office, "load", folder)
    of_submission = ("-w", office, "feedback", submission_of(loaded), *both)
    assert texts_of(replied(run(*of_submission)), "Findings") == said


def test_a_text_is_read_for_a_reply_as_it_is_said_to_be_written(
    office: Path, tmp_path: Path
) -> None:
    both = csv_files(tmp_path / "files", "^")
    how = ("--delimiter", "^", "--encoding", "cp1252")
    copy = replied(run("-w", office, "feedback", *both, *how, "-o", tmp_path / "now.xlsx"))
    assert {"RECORDID", "D2", "D3"} <= set(texts_of(copy, "Findings"))
    loaded = submission_of(run("-w", office, "load", tmp_path / "files", *how))
    assert replied(run("-w", office, "feedback", loaded, *both)).is_file(), "known by its hash"
    both_said = run("-w", office, "feedback", loaded, *both, *how)
    assert (both_said.code, "belong to a check without ID" in both_said.text) == (2, True)


def test_the_findings_are_written_for_machines_too(office: Path, tmp_path: Path) -> None:
    path = spoilt(tmp_path / "police.xlsx")
    copy = replied(run("-w", office, "feedback", "--file", path))
    with copy.with_suffix(".csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    content = json.loads(copy.with_suffix(".json").read_text(encoding="utf-8"))
    assert list(rows[0]) == [*FINDING_COLUMNS, "count", "title", "fix"]
    assert [row["rule_id"] for row in rows] == [f["rule_id"] for f in content["findings"]]
    assert {row["value"] for row in rows} == {"femal", "", "'=1+1"}
    assert {f["value"] for f in content["findings"]} == {"femal", None, "=1+1"}
    assert content["counts"] == {"error-record": 1, "error-value": 3}
    assert content["records"] == {"event": 10, "victim": 10}


def test_a_blank_item_of_the_metadata_is_marked_where_it_is_to_be_filled_in(
    office: Path, tmp_path: Path
) -> None:
    path = police_return(tmp_path / "police.xlsx", maturity="", nil_return="Y")
    copy = replied(run("-w", office, "feedback", "--file", path))
    items = {row[3].value: row[1] for row in openpyxl.load_workbook(copy)["Metadata"].iter_rows()}
    for item, rule in (("maturity", "TIP-146"), ("nil_return", "TIP-611")):
        assert items[item].fill.fgColor.rgb == COLOURS["refusal"]
        assert rule in items[item].comment.text


def test_a_clean_return_gets_its_thanks(office: Path, tmp_path: Path) -> None:
    path = police_return(tmp_path / "police.xlsx")
    copy = replied(run("-w", office, "feedback", "--file", path))
    assert "Nothing was found: thank you." in texts_of(copy, "Feedback")


@pytest.mark.parametrize(
    ("content", "rule", "told"),
    [
        (b"PK\x03\x04 not a workbook", "TIP-103", "archivo dañado"),
        (b"a,b\n1,2\n", "TIP-150", "archivo sin configuración de lectura"),
        (b"", "TIP-102", "archivo vacío"),
    ],
)
def test_a_file_that_cannot_be_read_gets_a_reply_too(
    content: bytes, rule: str, told: str, office: Path, tmp_path: Path
) -> None:
    path = tmp_path / ("police.xlsx" if content[:2] == b"PK" else "police.csv")
    path.write_bytes(content)
    copy = replied(run("-w", office, "feedback", "--file", path, "--lang", "es"))
    assert {path.name, rule, told} <= set(texts_of(copy, "Observaciones")) | set(
        texts_of(copy, "Hallazgos")
    )


# ── the way back ──────────────────────────────────────────────────────────────────────────────


def test_the_corrected_copy_is_known_as_the_same_return_and_says_what_is_mended(
    office: Path, tmp_path: Path
) -> None:
    path = spoilt(tmp_path / "police.xlsx", nil_return="Y")
    first = submission_of(run("-w", office, "load", path))
    copy = replied(run("-w", office, "feedback", first, "--file", path))
    cells = {name: cell_of(path, "Victim", name, 3) for name in ("sex", "age")}

    def correct(book: openpyxl.Workbook) -> None:
        book["Victim"][cells["sex"]] = "Female"
        book["Victim"][cells["age"]] = "nineteen"
        nil = next(r for r in book["Metadata"].iter_rows() if r[3].value == "nil_return")
        nil[1].value = None

    sent = edit(copy, correct, tmp_path / "corrected.xlsx")
    checked = run("-w", office, "check", sent)
    told = f"the same return as {first} (refused); findings: 2 mended, 3 left, 1 new"
    assert told in checked.text
    assert "Feedback" not in checked.text, "the sheets of the reply are no part of the return"
    assert "TIP-959" not in checked.text
    as_json = json.loads(run("-w", office, "check", sent, "--format", "json").out)
    by_rule = {change.pop("rule_id"): change for change in as_json["since"]["rules"]}
    assert by_rule["TIP-611"] == {"mended": 1, "left": 0, "new": 0}
    assert by_rule["TIP-201"] == {"mended": 1, "left": 1, "new": 0}
    assert by_rule["TIP-311"] == {"mended": 0, "left": 1, "new": 1}
    loaded = run("-w", office, "load", sent)
    assert told in loaded.text
    again = replied(run("-w", office, "feedback", submission_of(loaded), "--file", sent))
    assert f"2 mended, 3 left, 1 new (compared with {first})" in texts_of(again, "Feedback")


def test_records_that_moved_keep_their_findings(office: Path, tmp_path: Path) -> None:
    path = spoilt(tmp_path / "police.xlsx")
    first = submission_of(run("-w", office, "load", path))
    metadata = {"intent": "REPLACES", "earlier_submission": first}
    moved = spoilt(tmp_path / "moved.xlsx", **metadata)

    def insert(book: openpyxl.Workbook) -> None:
        sheet = book["Victim"]
        sheet.insert_rows(3)
        for column in range(1, sheet.max_column + 1):
            sheet.cell(3, column).value = sheet.cell(13, column).value
        sheet.cell(3, 3).value = "VI-0099"

    checked = run("-w", office, "check", edit(moved, insert, moved))
    assert f"{first} (accepted); findings: 0 mended, 4 left, 0 new" in checked.text


def test_findings_of_before_that_cannot_be_read_keep_no_return_from_being_checked(
    office: Path, tmp_path: Path
) -> None:
    first = submission_of(run("-w", office, "load", spoilt(tmp_path / "police.xlsx")))
    findings = office / "landing" / first / "findings.parquet"
    again = spoilt(tmp_path / "again.xlsx", intent="REPLACES", earlier_submission=first)
    assert f"the same return as {first}" in run("-w", office, "check", again).text
    findings.write_bytes(b"damaged")
    checked = run("-w", office, "check", again)
    assert checked.code == 1
    assert "the same return as" not in checked.text
    assert run("-w", office, "feedback", first).code == 3


def test_the_same_file_again_is_no_correction(office: Path, tmp_path: Path) -> None:
    path = spoilt(tmp_path / "police.xlsx", nil_return="Y")
    run("-w", office, "load", path)
    assert "the same return as" not in run("-w", office, "check", path).text


def test_another_period_is_another_return(office: Path, tmp_path: Path) -> None:
    run("-w", office, "load", spoilt(tmp_path / "police.xlsx"))
    later = {"period_start": "2025-01-01", "period_end": "2025-12-31"}
    other = spoilt(tmp_path / "other.xlsx", extraction_date="2026-01-31", **later)
    assert "the same return as" not in run("-w", office, "check", other).text


def test_another_entity_of_the_same_sender_and_period_is_another_return(
    office: Path, tmp_path: Path
) -> None:
    run(
        "-w", office, "entity", "add", "XXA-POLICE-NORTH", "--name", "North", "--type", "POLICE",
        "--area", "XXA", "--parent", "XXA-POLICE", "--new",
    )  # fmt: skip
    run("-w", office, "load", spoilt(tmp_path / "police.xlsx"))
    rows = {
        "event": [event(n, reporting_entity="XXA-POLICE-NORTH") for n in (1, 2)],
        "victim": [victim(n, reporting_entity="XXA-POLICE-NORTH") for n in (1, 2)],
    }
    north = police_return(tmp_path / "north.xlsx", rows)
    assert "the same return as" not in run("-w", office, "check", north).text


def test_every_sheet_of_a_reply_bears_its_mark(office: Path, tmp_path: Path) -> None:
    path = spoilt(tmp_path / "police.xlsx")
    copy = replied(run("-w", office, "feedback", "--file", path))
    book = openpyxl.load_workbook(copy)
    for name in ("Feedback", "Findings"):
        assert book[name]["A1"].value == REPLY_MARK
        assert book[name].row_dimensions[1].hidden


# ── what never leaves ─────────────────────────────────────────────────────────────────────────


def everything_said(copy: Path) -> str:
    """Every text of a reply but the sender's own sheets: notes, own sheets, CSV and JSON."""
    book = openpyxl.load_workbook(copy)
    notes = [c.comment.text for s in book for row in s.iter_rows() for c in row if c.comment]
    own = [text for name in ("Feedback", "Findings") for text in texts_of(copy, name)]
    files = [copy.with_suffix(ending).read_text(encoding="utf-8") for ending in (".csv", ".json")]
    return "\n".join([*notes, *own, *files])


def test_values_of_persons_are_never_shown(office: Path, tmp_path: Path) -> None:
    secrets = ("Xiomara Quetzalcoatl", "PX9981776655", "1987-06-05x")
    victims = [victim(n) for n in range(1, 11)]
    victims[0] |= {"event_ref": secrets[0]}
    victims[1] |= {"person_id": secrets[1], "victim_ref": "VI-0003", "event_ref": "EV-0003"}
    victims[2] |= {"birth_date": secrets[2], "victim_ref": "VI-0003"}
    path = police_return(tmp_path / "police.xlsx", {"victim": victims})
    copy = replied(run("-w", office, "feedback", "--file", path))
    said = everything_said(copy)
    assert [rule for rule in ("TIP-421", "TIP-403", "TIP-301") if rule not in said] == []
    assert [secret for secret in (*secrets, "VI-0003") if secret in said] == []


def test_a_value_that_stands_in_a_finding_by_mistake_is_not_shown_either(office: Path) -> None:
    ws = Workspace.open(office)
    account = Account("f", "", "checked", "XXA-POLICE", "police", "XXA", "", "", "es", {}, {})
    with duckdb.connect() as con:
        con.execute(
            "create table finding as select 'TIP-201' as rule_id, 'error-value' as severity, "
            "'victim' as record_type, 'Victim' as sheet, 'C3' as cell, 3 as \"row\", 'C' as "
            "column_letter, variable, 'Maria' as value, '' as expected, '' as nearest, "
            "'unknown code' as message, 1 as n, 2 as severity_rank, 1 as place "
            "from (values ('victim_ref'), ('person_id'), ('birth_date'), ('sex')) v(variable)"
        )
        shown = {row["variable"]: row["value"] for row in make_reply(con, account, ws).findings()}
    assert shown == {"victim_ref": None, "person_id": None, "birth_date": None, "sex": "Maria"}


def test_nothing_of_another_entity_is_told(office: Path, tmp_path: Path) -> None:
    """Neither whom else the office knows, nor what another sender has sent."""
    for name, parent in (("XXA-SHELTERX", None), ("XXA-POLICE-NORTH", "XXA-POLICE")):
        above = ["--parent", parent] if parent else []
        added = run(
            "-w", office, "entity", "add", name, "--name", name.title(), "--type", "POLICE",
            "--area", "XXA", "--new", *above,
        )  # fmt: skip
        assert added.code == 0, added.text
    victims = [victim(n) for n in range(1, 11)]
    victims[0] |= {"reporting_entity": "XXA-SHELTER"}
    victims[1] |= {"reporting_entity": "XXA-POLICE-NORT"}
    path = police_return(tmp_path / "police.xlsx", {"victim": victims})
    office_sees = run("-w", office, "check", path).text
    assert "XXA-SHELTERX" in office_sees
    said = everything_said(replied(run("-w", office, "feedback", "--file", path)))
    assert "XXA-SHELTERX" not in said
    assert "XXA-POLICE-NORTH" in said, "what is the sender's own may be named"


def test_the_submission_of_another_sender_is_not_named(office: Path, tmp_path: Path) -> None:
    run(
        "-w", office, "entity", "add", "XXA-HQ", "--name", "Headquarters", "--type", "POLICE",
        "--area", "XXA",
    )  # fmt: skip
    loaded = run("-w", office, "load", police_return(tmp_path / "police.xlsx"))
    accepted = submission_of(loaded)
    for sender, named in (("XXA-HQ", False), ("XXA-POLICE", True)):
        path = police_return(tmp_path / f"{sender}.xlsx", maturity="PROVISIONAL", sender=sender)
        assert accepted in run("-w", office, "check", path).text
        said = everything_said(replied(run("-w", office, "feedback", "--file", path)))
        assert "TIP-540" in said
        assert (accepted in said) == named


# ── what is refused ───────────────────────────────────────────────────────────────────────────


def test_a_reply_replaces_neither_the_return_nor_an_earlier_reply(
    office: Path, tmp_path: Path
) -> None:
    path = spoilt(tmp_path / "police.xlsx")
    before = path.read_bytes()
    over = run("-w", office, "feedback", "--file", path, "-o", path, "--force")
    assert (over.code, "TIP-723" in over.text) == (2, True)
    assert path.read_bytes() == before
    replied(run("-w", office, "feedback", "--file", path))
    again = run("-w", office, "feedback", "--file", path)
    assert (again.code, "TIP-960" in again.text) == (2, True)
    assert run("-w", office, "feedback", "--file", path, "--force").code == 0


def test_the_findings_of_a_workbook_that_cannot_be_marked_replace_nothing_either(
    office: Path, tmp_path: Path
) -> None:
    path = spoilt(tmp_path / "p.xlsx").rename(tmp_path / "p.xlsm")
    (tmp_path / "p_feedback.xlsx").write_text("of another day")
    ran = run("-w", office, "feedback", "--file", path)
    assert (ran.code, "TIP-960" in ran.err) == (2, True)
    assert (tmp_path / "p_feedback.xlsx").read_text() == "of another day"


def test_no_copy_of_the_records_is_written_into_the_workspace(office: Path, tmp_path: Path) -> None:
    path = spoilt(tmp_path / "police.xlsx")
    inside = run("-w", office, "feedback", "--file", path, "-o", office / "outputs" / "reply.xlsx")
    assert (inside.code, "TIP-725" in inside.text) == (2, True)
    assert list((office / "outputs").iterdir()) == []
    replied(run("-w", office, "feedback", "--file", path))
    assert list((office / "outputs").iterdir()) == []


def test_a_reply_needs_a_submission_or_a_file(office: Path) -> None:
    nothing = run("-w", office, "feedback")
    assert (nothing.code, "TIP-721" in nothing.text) == (2, True)
    unknown = run("-w", office, "feedback", "police-x-20241231-00000000-0000")
    assert "TIP-922" in unknown.text


def test_of_a_destroyed_submission_there_is_no_reply(office: Path, tmp_path: Path) -> None:
    submission = submission_of(run("-w", office, "load", spoilt(tmp_path / "police.xlsx")))
    purged = run(
        "-w", office, "purge", "submission", submission, "--ground", "DATA_SUBJECT_REQUEST",
        "--note", "order 1", "--yes",
    )  # fmt: skip
    assert purged.code == 0, purged.text
    gone = run("-w", office, "feedback", submission)
    assert (gone.code, "TIP-722" in gone.text) == (3, True)


def test_a_place_that_cannot_be_written_is_told(office: Path, tmp_path: Path) -> None:
    path = spoilt(tmp_path / "police.xlsx")
    (tmp_path / "reply.csv").mkdir()
    failed = run("-w", office, "feedback", "--file", path, "-o", tmp_path / "reply.xlsx", "--force")
    assert (failed.code, "TIP-724" in failed.text) == (3, True)
