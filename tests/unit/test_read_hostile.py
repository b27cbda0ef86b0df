"""Files that would do harm are refused, and a reader that fails takes nothing with it."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import odd_files
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from odd_files import Error, Page

from loaders import read
from loaders.read import read_ahead, read_source
from tipstat.errors import ReturnRefused, UsageError
from tipstat.limits import Limits

posix = pytest.mark.skipif(os.name != "posix", reason="limits of a process are POSIX")


def workbook(path: Path, rows: int = 3) -> Path:
    book = openpyxl.Workbook()
    for row in range(rows):
        book.active.append([row, f"text {row}"])
    book.save(path)
    return path


def refusal(path: Path, limits: Limits | None = None) -> ReturnRefused:
    with pytest.raises(ReturnRefused) as caught:
        read_source(path, limits=limits)
    return caught.value


def zipped(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def parquet(path: Path) -> Path:
    pq.write_table(pa.table({"a": ["1", None], "b": ["x", "y"]}), path)
    return path


def text(path: Path) -> Path:
    path.write_text('a;b\n1;"née ""Ortiz"""\n2;3;4\n', encoding="cp1252")
    return path


#: A small file of each format that is read.
MADE: dict[str, Callable[[Path], Path]] = {
    "xlsx": lambda folder: workbook(folder / "a.xlsx", rows=50),
    "xls": lambda folder: odd_files.xls(folder / "a.xls", Page("S", [["a", 1]])),
    "xlsb": lambda folder: odd_files.xlsb(folder / "a.xlsb", Page("S", [["a", 1]])),
    "ods": lambda folder: odd_files.ods(folder / "a.ods", Page("S", [["a", Error("#REF!")]])),
    "csv": lambda folder: text(folder / "a.csv"),
    "zip": lambda folder: zipped(folder / "a.zip", **{"a.csv": "a,b\n1,2\n", "b.csv": "c,d\n"}),
    "parquet": lambda folder: parquet(folder / "a.parquet"),
}


# ── what is no plain file ─────────────────────────────────────────────────────────────────────


@posix
def test_a_pipe_is_refused_and_nobody_waits_for_it(tmp_path):
    os.mkfifo(tmp_path / "a.xlsx")
    started = time.monotonic()
    assert "pipe" in refusal(tmp_path / "a.xlsx").found
    assert time.monotonic() - started < 5


@posix
def test_a_device_is_refused():
    assert refusal(Path(os.devnull)).rule == "TIP-167"


@posix
def test_a_socket_cannot_be_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("a.csv")
        with pytest.raises((ReturnRefused, UsageError)):
            read_source(Path("a.csv"))


def test_a_folder_that_bears_the_name_of_a_workbook_is_refused(tmp_path):
    (tmp_path / "a.xlsx").mkdir()
    assert refusal(tmp_path / "a.xlsx").rule == "TIP-167"


@posix
def test_a_link_in_a_folder_of_tables_is_refused(tmp_path):
    folder = tmp_path / "return"
    folder.mkdir()
    (folder / "event.csv").write_text("a,b\n1,2\n")
    (tmp_path / "secret").write_text("a,b\n3,4\n")
    (folder / "victim.csv").symlink_to(tmp_path / "secret")
    assert "link" in refusal(folder).found


# ── archives ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name", ["../up.csv", "a/../../up.csv", "/etc/up.csv", "C:\\up.csv", "C:up.csv", "a\x1b[2J.csv"]
)
def test_a_part_whose_name_leads_elsewhere_is_refused(tmp_path, name):
    refused = refusal(zipped(tmp_path / "a.zip", **{name: "a,b\n1,2\n"}))
    assert refused.rule == "TIP-152"
    assert name not in str(refused)


def test_a_part_that_is_a_link_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("victim.csv")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "secret")
    assert "link" in refusal(tmp_path / "a.zip").found


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
        archive.writestr("A.csv", "a,b\n3,4\n")
    assert "one name" in refusal(tmp_path / "a.zip").found


def test_too_many_parts_are_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", **{f"{n}.csv": "a,b\n1,2\n" for n in range(30)})
    assert refusal(path, Limits(members=20)).rule == "TIP-105"


@pytest.mark.parametrize(
    ("member", "content"), [("b.zip", "x"), ("b.7z", "x"), ("b.csv", "PK\x03\x04 inside")]
)
def test_an_archive_in_an_archive_is_refused(tmp_path, member, content):
    refused = refusal(zipped(tmp_path / "a.zip", **{"a.csv": "a,b\n1,2\n", member: content}))
    assert (refused.rule, refused.found) == ("TIP-152", "an archive in the archive")


def test_a_part_that_unpacks_to_more_than_it_declares_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "a,b\n" + "1,2\n" * 50_000)
    data = path.read_bytes()
    size = (4 + 50_000 * 4).to_bytes(4, "little")
    assert data.count(size) == 2
    path.write_bytes(data.replace(size, (1_000).to_bytes(4, "little")))
    assert refusal(path).rule == "TIP-103"


# ── what is read early ────────────────────────────────────────────────────────────────────────


def test_reading_a_workbook_imports_no_pandas_in_either_process(tmp_path):
    path = workbook(tmp_path / "a.xlsx")
    code = (
        "import sys; from loaders.read import read_source; from tipstat.limits import Limits\n"
        f"read_source({str(path)!r}, limits=Limits(child_process=False))\n"
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_workbook_may_be_read_while_the_check_is_still_being_loaded(tmp_path):
    path, limits = workbook(tmp_path / "a.xlsx"), Limits()
    plain = read_source(path)
    read_ahead([path], limits)
    read._ahead[path][1].result()
    path.rename(tmp_path / "moved.xlsx")
    assert read_source(path, limits=limits) == plain
    with pytest.raises(UsageError, match="TIP-106"):
        read_source(path, limits=limits)


def test_what_was_read_ahead_under_other_limits_is_read_again(tmp_path):
    path = workbook(tmp_path / "a.xlsx")
    read_ahead([path], Limits())
    with pytest.raises(ReturnRefused, match="TIP-105"):
        read_source(path, limits=Limits(file_mb=0))


def test_only_a_single_workbook_is_read_ahead(tmp_path):
    first, second = workbook(tmp_path / "a.xlsx"), workbook(tmp_path / "b.xlsx")
    table = tmp_path / "a.csv"
    table.write_text("a,b\n1,2\n")
    for files in ([first, second], [table], [tmp_path]):
        read_ahead(files, Limits())
    assert not {first, second, table, tmp_path} & set(read._ahead)


def test_what_is_wrong_with_a_file_read_ahead_is_told_who_asks_for_it(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"a,b\n1,2\n")
    read_ahead([path], Limits())
    with pytest.raises(ReturnRefused, match="TIP-101"):
        read_source(path, limits=Limits())
