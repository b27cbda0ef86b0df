"""Several CSV files as one standard return: a folder, or the files one by one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cli_support import run, workspace

from loaders.read import name_of, read_source
from loaders.templates import recognise, returned
from tipstat.cli.demo import fill_return
from tipstat.errors import ReturnRefused
from tipstat.project import examples_dir

POLICE = examples_dir() / "sample_country" / "police"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The police return of the sample country, to be changed."""
    return Path(shutil.copytree(POLICE, tmp_path / "police_2024"))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workspace(tmp_path_factory.mktemp("office") / "ws")


def refused(*files: Path) -> ReturnRefused:
    with pytest.raises(ReturnRefused) as caught:
        recognise(read_source(list(files)))
    return caught.value


def test_a_folder_of_csv_files_is_one_source_with_a_sheet_for_each(folder: Path) -> None:
    source = read_source(folder)
    assert source.format == "csv"
    assert [sheet.name for sheet in source.sheets] == [
        "event", "metadata", "offence", "perpetrator", "relationship", "victim",
    ]  # fmt: skip


def test_order_and_folder_of_the_files_do_not_change_the_hash(folder: Path) -> None:
    files = sorted(folder.iterdir())
    digest = read_source(folder).sha256
    assert read_source(files).sha256 == read_source(files[::-1]).sha256 == digest
    (folder / "victim.csv").write_text("event_ref\nE-1\n")
    assert read_source(folder).sha256 != digest


def test_other_files_of_a_folder_are_not_read(folder: Path) -> None:
    (folder / "README.md").write_text("# no data")
    (folder / "note.txt").write_text("no data, either")
    (folder / "older").mkdir()
    assert len(read_source(folder).sheets) == 6


def test_the_return_is_recognised_without_a_layout(folder: Path) -> None:
    source = read_source(folder)
    info = recognise(source)
    assert info is not None
    assert info.kind == "police"
    laid_out = returned(source, info)
    assert laid_out.metadata["sender"] == "XXA-POLICE"
    assert laid_out.metadata_cells["sender"] == ("metadata", "B2")
    assert [table.record_type for table in laid_out.tables] == [
        "event", "offence", "victim", "perpetrator", "relationship",
    ]  # fmt: skip


def test_csv_files_and_the_workbook_have_the_same_findings(
    office: Path, folder: Path, tmp_path: Path
) -> None:
    workbook = tmp_path / "police.xlsx"
    fill_return("police", "en", workbook)
    by_csv = run("-w", office, "check", folder, "--format", "csv")
    by_workbook = run("-w", office, "check", workbook, "--format", "csv")

    def worth(text: str) -> list[tuple[str, ...]]:
        rows = [line.split(",") for line in text.splitlines()[1:]]
        return sorted((row[0], row[2], row[7], row[8]) for row in rows if row[1] != "note")

    assert by_csv.code == by_workbook.code == 1
    assert worth(by_csv.out) == worth(by_workbook.out) != []


def test_the_same_return_is_known_again_however_it_is_named(office: Path, folder: Path) -> None:
    first = run("-w", office, "load", folder)
    assert "accepted as" in first.out, first.text
    again = run("-w", office, "load", *sorted(folder.iterdir(), reverse=True))
    assert "already loaded as" in again.out


def test_the_kind_is_said_where_the_files_do_not_tell_it(folder: Path) -> None:
    files = [folder / "metadata.csv", folder / "victim.csv"]
    refusal = refused(*files)
    assert (refusal.rule, refusal.found) == ("TIP-971", "files of police or service")
    with files[0].open("a") as metadata:
        metadata.write("kind,police\n")
    info = recognise(read_source(files))
    assert info is not None
    assert info.kind == "police"


def test_a_kind_that_is_none_is_refused(folder: Path) -> None:
    with (folder / "metadata.csv").open("a") as metadata:
        metadata.write("kind,polis\n")
    assert refused(folder).found == "kind polis"


def test_files_that_cannot_be_one_return_are_refused(folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    twice = Path(shutil.copytree(folder, tmp_path / "twice"))
    workbook = tmp_path / "police.xlsx"
    fill_return("police", "en", workbook)
    assert refused(empty).rule == "TIP-970"
    assert "two files named event" in refused(folder, twice).found
    assert "police.xlsx" in refused(folder / "event.csv", workbook).found


def test_files_without_metadata_need_a_layout(office: Path, folder: Path) -> None:
    (folder / "metadata.csv").unlink()
    ran = run("-w", office, "check", folder)
    assert ran.code == 1
    assert "standard CSV files with a metadata.csv" in ran.out.split("TIP-150")[-1]


def test_an_item_of_the_metadata_that_is_none_is_a_warning(office: Path, folder: Path) -> None:
    with (folder / "metadata.csv").open("a") as metadata:
        metadata.write("cut_of_date,2025-01-31\n")
    ran = run("-w", office, "check", folder)
    assert "TIP-972" in ran.out
    last = len((folder / "metadata.csv").read_text().splitlines())
    assert f"metadata › A{last}" in ran.out


def test_a_file_of_no_record_type_is_noted_and_not_read(office: Path, folder: Path) -> None:
    (folder / "incident.csv").write_text("a,b\n1,2\n")
    ran = run("-w", office, "check", folder)
    assert "TIP-959" in ran.out
    assert "incident" in ran.out


def test_a_return_is_named_by_its_folder_or_its_files(folder: Path) -> None:
    assert name_of(folder) == "police_2024"
    assert name_of([folder]) == "police_2024"
    assert name_of([folder / "victim.csv", folder / "event.csv"]) == "event.csv + victim.csv"
