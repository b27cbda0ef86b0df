"""Files of every kind through the commands: what was detected is shown and can be said."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import duckdb
import pytest
from cli_support import METADATA, event, police_return, run, victim, workspace


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workspace(tmp_path_factory.mktemp("formats") / "office")


def tables(folder: Path, encoding: str = "utf-8", **changed: str) -> Path:
    """The standard CSV files of a sound return, in Spanish, divided by semicolons."""
    folder.mkdir()
    people = [victim(n, **changed) for n in range(1, 11)]
    records = {"event": [event(n) for n in range(1, 11)], "victim": people}
    lines = {
        name: [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
        for name, rows in records.items()
    }
    lines["metadata"] = [["variable", "value"], ["kind", "police"], *map(list, METADATA.items())]
    for name, table in lines.items():
        text = "".join(";".join(line) + "\n" for line in table)
        (folder / f"{name}.csv").write_bytes(text.encode(encoding))
    return folder


def shown(office: Path, *arguments: str | Path) -> dict[str, object]:
    outcome = run("-w", office, "check", *arguments, "--format", "json")
    return json.loads(outcome.out)


def test_what_was_detected_is_shown(office, tmp_path):
    folder = tables(tmp_path / "return", "cp1252", sex="Niña")
    outcome = run("-w", office, "check", folder)
    assert "read as UTF-8, fields divided by semicolon; cp1252, fields divided by semicolon" in (
        outcome.out
    )
    assert shown(office, police_return(tmp_path / "a.xlsx"))["read_as"] == (
        "Excel workbook, days counted from 1900"
    )


def test_encoding_and_delimiter_go_before_what_would_be_detected(office, tmp_path):
    folder = tables(tmp_path / "return")
    said = shown(office, folder, "--encoding", "latin-1", "--delimiter", ";")
    assert said["read_as"] == "latin-1, fields divided by semicolon"
    wrong = run("-w", office, "check", folder, "--delimiter", "::")
    assert wrong.code == 2
    assert "one character" in wrong.text
    none = run("-w", office, "check", folder, "--encoding", "klingon")
    assert (none.code, none.text.splitlines()[0]) == (2, "TIP-114 there is no such encoding")
    other = run("-w", office, "check", folder, "--encoding", "utf-16")
    assert (other.code, other.text.splitlines()[0].split("     ")[0]) == (
        1,
        "TIP-114 the text is not in the encoding named",
    )


def test_a_zip_a_folder_and_parquet_files_give_the_same_records(office, tmp_path):
    folder = tables(tmp_path / "return")
    with zipfile.ZipFile(tmp_path / "return.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    other = tmp_path / "parquet"
    other.mkdir()
    (other / "metadata.csv").write_bytes((folder / "metadata.csv").read_bytes())
    for name in ("event", "victim"):
        duckdb.execute(
            f"copy (from read_csv('{folder / name}.csv', all_varchar = true)) "
            f"to '{other / name}.parquet'"
        )
    found = [shown(office, path) for path in (folder, tmp_path / "return.zip", other)]
    assert [one["records"] for one in found] == [{"event": 10, "victim": 10}] * 3
    assert [one["held_out"] for one in found] == [{"event": 0, "victim": 0}] * 3
    assert [one["refused"] for one in found] == [False] * 3


def test_a_zip_is_loaded_once_and_known_again(tmp_path):
    office, folder = workspace(tmp_path / "office"), tables(tmp_path / "return")
    with zipfile.ZipFile(tmp_path / "return.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    first = run("-w", office, "load", tmp_path / "return.zip")
    assert first.code == 0, first.text
    assert "20 records" in first.out
    assert "already loaded" in run("-w", office, "load", tmp_path / "return.zip").text


def test_the_columns_of_dates_tell_their_order_and_the_sender_is_told(office, tmp_path):
    days = {1: "31/03/2024", 2: "05/06/2024"}
    people = [victim(n, registration_date=days.get(n, "2024-03-02")) for n in range(1, 11)]
    path = police_return(tmp_path / "a.xlsx", {"victim": people})
    outcome = run("-w", office, "check", path)
    assert outcome.code == 0, outcome.text
    assert "TIP-160" in outcome.out
    assert "read day, month" in outcome.out


def test_the_limits_of_the_workspace_hold(tmp_path):
    office = workspace(tmp_path / "office")
    path = police_return(tmp_path / "a.xlsx")
    settings = office / "tipstat.toml"
    text = settings.read_text(encoding="utf-8")
    assert "[limits]" in text
    settings.write_text(text.replace("members = 5000", "members = 3"), encoding="utf-8")
    refused = run("-w", office, "load", path)
    assert refused.code == 1
    assert "TIP-105" in refused.text
    settings.write_text(text.replace("members = 5000", "members = 0"), encoding="utf-8")
    assert "TIP-905" in run("-w", office, "check", path).text
    settings.write_text(text.replace("members =", "member ="), encoding="utf-8")
    assert "limits.members" in run("-w", office, "check", path).text


def test_a_workspace_from_before_the_limits_still_opens(tmp_path):
    office = workspace(tmp_path / "office")
    settings = office / "tipstat.toml"
    settings.write_text(settings.read_text(encoding="utf-8").partition("[limits]")[0])
    assert run("-w", office, "check", police_return(tmp_path / "a.xlsx")).code == 0


@pytest.mark.parametrize("make", [police_return, tables])
@pytest.mark.parametrize("command", ["check", "load"])
def test_a_return_passes_the_door_without_pandas(office, tmp_path, make, command):
    """Importing it takes longer than checking most returns."""
    path = make(tmp_path / "return.xlsx") if make is police_return else make(tmp_path / "return")
    program = (
        "import sys; from tipstat.cli.main import cli; "
        f"cli.main(['-w', {str(office)!r}, {command!r}, {str(path)!r}], standalone_mode=False); "
        "sys.exit('pandas' in sys.modules)"
    )
    done = subprocess.run(  # a fresh interpreter: others have imported what this must not
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-300:]
