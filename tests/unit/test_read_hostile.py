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

from loaders import read, reader
from loaders.layout_model import Repair
from loaders.read import read_ahead, read_source
from loaders.reader import readers
from tipstat.errors import ReturnRefused, UsageError, WorkplaceError
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


# ── the reader's own process ──────────────────────────────────────────────────────────────────


@posix
def test_a_reader_that_needs_too_much_memory_is_ended_and_the_file_refused(tmp_path):
    with zipfile.ZipFile(workbook(tmp_path / "small.xlsx")) as small:
        parts = {name: small.read(name).decode() for name in small.namelist()}
    cells = "".join(f'<row r="{n}"><c><v>{n}</v></c></row>' for n in range(1, 800_001))
    head, rest = parts["xl/worksheets/sheet1.xml"].split("<sheetData>")
    end = rest.partition("</sheetData>")[2]
    parts["xl/worksheets/sheet1.xml"] = f"{head}<sheetData>{cells}</sheetData>{end}"
    refused = refusal(zipped(tmp_path / "a.xlsx", **parts), Limits(memory_mb=300))
    assert refused.rule == "TIP-151"
    assert "memory" in refused.found


def test_a_reader_that_takes_too_long_is_ended_and_the_file_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_PROGRAM", "import time; time.sleep(60)")
    started = time.monotonic()
    refused = refusal(workbook(tmp_path / "a.xlsx"), Limits(seconds=1))
    assert (refused.rule, refused.found) == ("TIP-151", "more than 1 seconds of reading")
    assert time.monotonic() - started < 20


@posix
def test_a_reader_that_the_system_ends_is_a_refusal(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_PROGRAM", "import os; os.abort()")
    assert "SIGABRT" in refusal(workbook(tmp_path / "a.xlsx")).found


def test_a_reader_that_breaks_off_is_a_refusal_without_a_word_of_the_file(tmp_path, monkeypatch):
    broken = reader._PROGRAM.replace(
        "from loaders.apart import main;",
        "import loaders.apart as a; a.parse = lambda *_: 1 / 0; main = a.main;",
    )
    monkeypatch.setattr(reader, "_PROGRAM", broken)
    refused = refusal(workbook(tmp_path / "a.xlsx"))
    assert (refused.rule, refused.found) == ("TIP-103", "a file on which its reader broke off")


def test_an_answer_that_makes_no_sense_is_a_refusal(tmp_path, monkeypatch):
    for answer in ("x", "\\0" * 8, "\\0\\0\\0\\0\\0\\0\\0\\4null", "\\0\\0\\0\\0\\0\\0\\0\\2{}"):
        monkeypatch.setattr(reader, "_PROGRAM", f"import sys; sys.stdout.write('{answer}')")
        assert refusal(workbook(tmp_path / "a.xlsx")).rule == "TIP-103"


#: Columns that no reader makes of a file, and that would lead astray whoever believed them.
ASTRAY = {
    "offsets beyond the buffer": "text([0, 2**24], b'x' * 64)",
    "offsets that go back": "text([0, 9, 3], b'x' * 64)",
    "letters that are none": "text([0, 1], b'\\xff')",
    "another type": "pa.array([[1], [2]])",
}


@pytest.mark.parametrize("column", ASTRAY.values(), ids=list(ASTRAY))
def test_an_answer_is_looked_through_before_it_is_believed(tmp_path, monkeypatch, column):
    program = f"""
import json, sys; sys.path[:] = json.loads(sys.argv[1])
import pyarrow as pa
import loaders.apart as a
from loaders.source import Sheet
def text(offsets, data):
    places = b"".join(place.to_bytes(4, "little") for place in offsets)
    buffers = [None, pa.py_buffer(places), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers)
a.parse = lambda *_: a.Parsed("csv", (Sheet("s", False, pa.table({{"c1": {column}}})),))
a.main()
"""
    monkeypatch.setattr(reader, "_PROGRAM", program)
    refused = refusal(text(tmp_path / "a.csv"))
    assert (refused.rule, refused.found) == ("TIP-103", "a file on which its reader broke off")


@pytest.mark.parametrize("told", [2**40, 2**62])
def test_an_answer_of_more_than_the_memory_is_not_waited_for(tmp_path, monkeypatch, told):
    program = (
        f"import sys; out = sys.stdout.buffer; out.write(({told}).to_bytes(8, 'big'))\n"
        "while True: out.write(b'x' * 65536)"
    )
    monkeypatch.setattr(reader, "_PROGRAM", program)
    started = time.monotonic()
    assert refusal(text(tmp_path / "a.csv"), Limits(seconds=60)).rule
    assert time.monotonic() - started < 30


def test_a_reader_that_does_not_start_is_no_fault_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_PROGRAM", "import nothing_of_this_name")
    with pytest.raises(WorkplaceError, match="TIP-199"):
        read_source(workbook(tmp_path / "a.xlsx"))


@posix
def test_the_reader_can_write_no_file_and_sees_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("TIPSTAT_REGISTRY_URL", "postgresql://somebody:password@host/db")
    spy = (
        "import os, sys; sys.path[:] = __import__('json').loads(sys.argv[1])\n"
        "from loaders.apart import confine\nfrom tipstat.limits import Limits\n"
        "confine(Limits())\n"
        f"open({str(tmp_path / 'env')!r}, 'w').close()\n"
        "try:\n"
        f"    with open({str(tmp_path / 'out')!r}, 'wb') as file: file.write(b'x' * 10)\n"
        "except OSError: pass\n"
        f"if [n for n in os.environ if 'TIPSTAT' in n]: os.mkdir({str(tmp_path / 'leaked')!r})\n"
    )
    monkeypatch.setattr(reader, "_PROGRAM", spy)
    refusal(workbook(tmp_path / "a.xlsx"))
    assert (tmp_path / "env").exists(), "the spy ran"
    assert (tmp_path / "out").stat().st_size == 0
    assert not (tmp_path / "leaked").exists()


@pytest.mark.parametrize("kind", MADE)
def test_every_format_is_parsed_in_a_process_of_its_own(tmp_path, monkeypatch, kind):
    path = MADE[kind](tmp_path)
    there, here = (read_source(path, limits=Limits(child_process=own)) for own in (True, False))
    assert len(there.sheets) == len(here.sheets) > 0
    for apart, own in zip(there.sheets, here.sheets, strict=True):
        assert apart.name == own.name
        assert apart.table.equals(own.table)
    told = ("notes", "read_as", "sha256", "error_cells", "format")
    assert [getattr(there, name) for name in told] == [getattr(here, name) for name in told]
    monkeypatch.setattr(reader, "_PROGRAM", "import os; os.abort()")
    assert "SIGABRT" in refusal(path).found


@posix
@pytest.mark.parametrize("encoding", ["utf-8", "cp1251"])
def test_a_text_that_needs_too_much_memory_is_refused(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes(("Кишинёв,2024,жертва\n" * 2_000_000).encode(encoding))
    refused = refusal(path, Limits(memory_mb=400))
    assert refused.rule == "TIP-151"
    assert "memory" in refused.found


def test_a_text_with_known_faults_is_mended_in_the_process_too(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\nx,1\ny, 1990,2\n")
    repair = Repair(3, (1, 2), "y", "the name holds a comma")
    there, here = (
        read_source(path, repairs=[repair], limits=Limits(child_process=own))
        for own in (True, False)
    )
    assert there == here
    assert "TIP-116" in {note.rule_id for note in there.notes}


def test_reading_a_workbook_imports_no_pandas_in_either_process(tmp_path):
    path = workbook(tmp_path / "a.xlsx")
    code = (
        "import sys; from loaders.read import read_source; from tipstat.limits import Limits\n"
        f"read_source({str(path)!r}, limits=Limits(child_process=False))\n"
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_reader_that_was_started_early_reads_the_file_and_none_is_left(tmp_path):
    path = workbook(tmp_path / "a.xlsx")
    readers.prepare()
    (process,) = readers.waiting
    assert read_source(path).sheets[0].table.num_rows == 3
    assert process.returncode is not None
    readers.prepare()
    (idle,) = readers.waiting
    readers.end()
    assert idle.returncode is not None
    assert not readers.waiting


def test_of_several_files_the_reader_of_the_next_starts_while_one_is_read(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.csv").write_text("a,b\n1,2\n")
    readers.prepare(2)
    waited = []
    for name in ("a", "b", "c"):
        waited.append(len(readers.waiting))
        read_source(tmp_path / f"{name}.csv")
    assert waited == [1, 1, 0]
    assert len(read_source(tmp_path).sheets) == 3
    assert not readers.waiting
    readers.prepare(0)
    assert not readers.waiting


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
    assert read._ahead == {}


def test_what_is_wrong_with_a_file_read_ahead_is_told_who_asks_for_it(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"a,b\n1,2\n")
    read_ahead([path], Limits())
    with pytest.raises(ReturnRefused, match="TIP-101"):
        read_source(path, limits=Limits())
