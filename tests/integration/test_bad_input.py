"""Bad input: each a finding or a four-part refusal, nothing landed when refused, no traceback."""

from __future__ import annotations

import io
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from cli_support import event, police_return, run, victim, workspace

from loaders.templates import write_template
from tipstat.cli.common import printable, progress, steps


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workspace(tmp_path_factory.mktemp("bad_input") / "office")


def landed(office: Path) -> set[str]:
    return {folder.name for folder in (office / "landing").iterdir() if folder.is_dir()}


def records(office: Path) -> list[Path]:
    """Parquet files of records, which a refused load must not leave."""
    aside = {"findings.parquet", "mapping.parquet"}
    return [p for p in (office / "landing").rglob("*.parquet") if p.name not in aside]


def edited(path: Path, edit: Callable[[openpyxl.Workbook], None]) -> Path:
    book = openpyxl.load_workbook(path)
    edit(book)
    book.save(path)
    return path


def sheet(book: openpyxl.Workbook, part: str) -> openpyxl.worksheet.worksheet.Worksheet:
    return next(book[name] for name in book.sheetnames if part in name.lower())


def wrong_type(folder: Path) -> Path:
    path = folder / "return.xlsx"
    path.write_bytes(b"%PDF-1.7 a report that somebody renamed")
    return path


def empty_file(folder: Path) -> Path:
    path = folder / "return.xlsx"
    path.touch()
    return path


def wrong_workbook(folder: Path) -> Path:
    path = folder / "budget.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["month", "cost"])
    book.active.append(["January", 12])
    book.save(path)
    return path


def no_records(folder: Path) -> Path:
    path = folder / "police.xlsx"
    write_template("police", "en", path, reference_area="XXA")
    return path


def unknown_column(folder: Path) -> Path:
    def edit(book: openpyxl.Workbook) -> None:
        page = sheet(book, "victim")
        column = page.max_column + 1
        for row in range(1, 4):
            page.cell(row, column, "shoe size")

    return edited(police_return(folder / "police.xlsx"), edit)


def doubled_column(folder: Path) -> Path:
    def edit(book: openpyxl.Workbook) -> None:
        page = sheet(book, "victim")
        column = page.max_column + 1
        for row in range(1, 4):
            page.cell(row, column, page.cell(row, 3).value)

    return edited(police_return(folder / "police.xlsx"), edit)


def missing_key_column(folder: Path) -> Path:
    def edit(book: openpyxl.Workbook) -> None:
        sheet(book, "victim").delete_cols(2)

    return edited(police_return(folder / "police.xlsx"), edit)


def unknown_sender(folder: Path) -> Path:
    return police_return(folder / "police.xlsx", sender="XXA-POLIZEI")


def too_many_held_out(folder: Path) -> Path:
    lost = [victim(n, event_ref="EV-9999") for n in range(1, 9)]
    return police_return(folder / "police.xlsx", {"victim": lost})


REFUSED = {
    "wrong file type": (wrong_type, "TIP-10"),
    "empty file": (empty_file, "TIP-102"),
    "wrong workbook": (wrong_workbook, "TIP-"),
    "no records and no nil declaration": (no_records, "TIP-"),
    "unknown column": (unknown_column, "TIP-"),
    "doubled column": (doubled_column, "TIP-"),
    "missing key column": (missing_key_column, "TIP-"),
    "unknown sender": (unknown_sender, "TIP-511"),
    "too many records held out": (too_many_held_out, "TIP-59"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_return_that_cannot_be_accepted_is_refused_and_nothing_of_it_lands(
    case: str, office: Path, tmp_path: Path
) -> None:
    make, rule = REFUSED[case]
    outcome = run("-w", office, "load", make(tmp_path))
    assert outcome.code in (1, 2), outcome.text
    assert rule in outcome.text
    assert "do  " in outcome.text
    assert "Traceback" not in outcome.text
    assert records(office) == []


def test_check_writes_nothing(office: Path, tmp_path: Path) -> None:
    before = landed(office)
    outcome = run("-w", office, "check", police_return(tmp_path / "police.xlsx"))
    assert outcome.code == 0, outcome.text
    assert landed(office) == before


FOUND = {
    "unknown code": ({"sex": "femal"}, "TIP-201", "femal"),
    "bad date": ({"registration_date": "31/02/2024"}, "TIP-30", "31/02/2024"),
    "impossible age": ({"age": "214"}, "TIP-320", "214"),
    "unknown entity": ({"reporting_entity": "XXA-POLIZE"}, "TIP-510", "XXA-POLICE"),
    "event that is not there": ({"event_ref": "EV-7777"}, "TIP-421", "TIP-421"),
    "duplicate key": ({"victim_ref": "VI-0002", "event_ref": "EV-0002"}, "TIP-403", "TIP-403"),
}


@pytest.mark.parametrize("case", FOUND)
def test_a_mistake_is_found_at_its_cell(case: str, office: Path, tmp_path: Path) -> None:
    changed, rule, shown = FOUND[case]
    people = [victim(n) for n in range(1, 11)]
    people[0] = victim(1, **changed)
    path = police_return(tmp_path / "police.xlsx", {"victim": people})
    outcome = run("-w", office, "check", path)
    assert rule in outcome.text
    assert shown in outcome.text
    assert "police.xlsx" in outcome.text
    assert "Traceback" not in outcome.text
    assert "EV-7777" not in outcome.text, "references are never shown"
    assert "VI-0002" not in outcome.text


def test_overlapping_periods_of_one_entity_are_refused(tmp_path: Path) -> None:
    office = workspace(tmp_path / "office")
    assert run("-w", office, "load", police_return(tmp_path / "year.xlsx")).code == 0
    again = {"event": [event(n) for n in range(20, 31)], "victim": []}
    half = police_return(
        tmp_path / "half.xlsx", again, period_start="2024-01-01", period_end="2024-06-30"
    )
    outcome = run("-w", office, "load", half)
    assert outcome.code != 0
    assert "TIP-540" in outcome.text
    assert len(records(office)) == len({p.name for p in records(office)})


def test_the_same_file_twice_is_recognised(tmp_path: Path) -> None:
    office = workspace(tmp_path / "office")
    path = police_return(tmp_path / "year.xlsx")
    first, second = run("-w", office, "load", path), run("-w", office, "load", path)
    assert (first.code, second.code) == (0, 0)
    assert "already" in second.text
    assert len(landed(office)) == 1


def test_a_layout_that_does_not_fit_is_refused(office: Path, tmp_path: Path) -> None:
    outcome = run("-w", office, "load", wrong_workbook(tmp_path), "--layout", "per_pnp_2017")
    assert outcome.code != 0
    assert "TIP-1" in outcome.text
    assert "Traceback" not in outcome.text
    assert records(office) == []


def test_a_layout_that_is_not_there_is_refused(office: Path, tmp_path: Path) -> None:
    outcome = run("-w", office, "load", wrong_workbook(tmp_path), "--layout", "per_pnp_2071")
    assert outcome.code != 0
    assert "per_pnp_2017" in outcome.text


def test_another_pseudonym_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office = tmp_path / "office"
    key = tmp_path / "keys" / "office.key"
    made = run("init", office, "--reference-area", "XXA", "--key-file", key)
    assert made.code == 0, made.text
    run(
        "-w", office, "entity", "add", "XXA-POLICE",
        "--name", "National Police", "--type", "POLICE", "--area", "XXA",
    )  # fmt: skip
    assert run("-w", office, "load", police_return(tmp_path / "year.xlsx")).code == 0
    other = tmp_path / "keys" / "other.key"
    run("init", tmp_path / "second", "--key-file", other)
    monkeypatch.setenv("TIPSTAT_KEY_FILE", str(other))
    later = police_return(
        tmp_path / "later.xlsx",
        {
            "event": [event(n, event_registration_date="2025-03-01") for n in range(40, 52)],
            "victim": [],
        },
        period_start="2025-01-01",
        period_end="2025-12-31",
        extraction_date="2026-02-01",
    )
    outcome = run("-w", office, "load", later)
    assert outcome.code != 0
    assert "TIP-9" in outcome.text
    assert len(landed(office)) == 1


@pytest.mark.parametrize(("revision", "rule"), [("9999", "TIP-913"), ("0000", "TIP-91")])
def test_a_registry_of_another_revision_is_refused(
    revision: str, rule: str, tmp_path: Path
) -> None:
    office = workspace(tmp_path / "office")
    with sqlite3.connect(office / "registry.sqlite") as connection:
        connection.execute("update alembic_version set version_num = ?", (revision,))
    outcome = run("-w", office, "load", police_return(tmp_path / "year.xlsx"))
    assert outcome.code == 3
    assert rule in outcome.text
    assert "upgrade" in outcome.text


def test_a_damaged_registry_is_refused(tmp_path: Path) -> None:
    office = workspace(tmp_path / "office")
    (office / "registry.sqlite").write_bytes(os.urandom(4096))
    outcome = run("-w", office, "submissions")
    assert outcome.code == 3
    assert "TIP-909" in outcome.text


def test_a_damaged_or_missing_warehouse_is_refused(tmp_path: Path) -> None:
    office = workspace(tmp_path / "office")
    missing = run("-w", office, "indicators")
    assert missing.code == 3
    assert "tipstat build" in missing.text
    (office / "warehouse").mkdir(exist_ok=True)
    (office / "warehouse" / "b1.duckdb").write_bytes(os.urandom(4096))
    (office / "warehouse" / "CURRENT").write_text("b1.duckdb\n")
    damaged = run("-w", office, "indicators")
    assert damaged.code == 3
    assert "TIP-807" in damaged.text
    assert "Traceback" not in damaged.text


# ── the terminal ──────────────────────────────────────────────────────────────────────────────

#: Clears the screen, in two ways, and turns the direction of what follows.
TRICKS = "a\x1b[2J\x9b2J\u202eb"


def test_what_a_file_and_its_name_hold_moves_no_cursor(tmp_path: Path) -> None:
    office, post = workspace(tmp_path / "office"), tmp_path / "post"
    post.mkdir()
    odd = police_return(post / f"{TRICKS}.xlsx", {"victim": [victim(1) | {"sex": TRICKS[6:]}]})
    broken = post / f"{TRICKS}.xls"
    broken.write_bytes(b"%PDF-1.7 ")
    for given in (["check", odd], ["check", broken], ["load", post]):
        text = run("-w", office, *given).text
        assert "a·[2J·2J·b" in text
        assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("name", ["[/]", "[red]", TRICKS])
def test_on_a_terminal_the_name_of_a_file_is_shown_as_it_is(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = io.StringIO()
    screen.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", screen)
    with progress(f"checking {name}"), steps("post") as show:
        show(name, 1, 2)
    assert screen.getvalue().count(printable(name)) >= 2
