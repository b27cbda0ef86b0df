"""Every file is parsed and marked in a process of its own, whose end and whose lies harm nobody.

A file gets its process in one of two ways: forked by one that waits for files, on Linux, or
started for it. Every test runs both ways.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest
from test_read_hostile import MADE, posix, refusal, text, workbook, zipped
from test_reply_copy import MAIN, found, reply
from test_reply_copy import workbook as filled

from loaders import reader
from loaders.apart import _ended
from loaders.feedback import Written, write_reply
from loaders.layout_model import Repair
from loaders.read import read_source
from loaders.reader import readers
from tipstat.errors import WorkplaceError
from tipstat.limits import Limits

#: Puts a program in the place of the one that parses.
Program = Callable[[str], None]

FORKS = reader._FORKS
#: Of the program, under the names that a change of it uses.
MODULES = "loaders.formats as f, loaders.mark_apart as m, loaders.parse_apart as p"
BROKE_OFF = ("TIP-103", "a file on which its reader broke off")
forking = pytest.mark.skipif(not FORKS, reason="processes fork on Linux only")


@pytest.fixture(autouse=True, params=[False, pytest.param(True, marks=forking)])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    """Whether processes are forked; none is left from before."""
    readers.end()
    monkeypatch.setattr(reader, "_FORKS", request.param)
    yield request.param
    readers.end()


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Program:
    return lambda text: monkeypatch.setattr(reader, "_PROGRAM", text)


def altered(change: str) -> str:
    """The program, with a change of its modules."""
    return reader._PROGRAM.replace(
        "from loaders.apart import main;",
        f"import os, loaders.apart as a, {MODULES}; exec({change!r}); main = a.main;",
    )


# ── what it gives ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", MADE)
def test_a_file_of_any_format_is_parsed_there_as_it_is_here(
    tmp_path: Path, program: Program, kind: str
) -> None:
    path = MADE[kind](tmp_path)
    there, here = (read_source(path, limits=Limits(child_process=own)) for own in (True, False))
    assert len(there.sheets) == len(here.sheets) > 0
    for apart, own in zip(there.sheets, here.sheets, strict=True):
        assert apart.name == own.name
        assert apart.table.equals(own.table)
    told = ("notes", "read_as", "sha256", "error_cells", "format")
    assert [getattr(there, name) for name in told] == [getattr(here, name) for name in told]
    readers.end()
    program(altered("p.parse_file = lambda *_: 1 / 0"))
    refused = refusal(path)
    assert (refused.rule, refused.found) == BROKE_OFF, "it was parsed there"


def test_a_text_with_known_faults_is_mended_there_too(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\nx,1\ny, 1990,2\n")
    repair = Repair(3, (1, 2), "y", "the name holds a comma")
    there, here = (
        read_source(path, repairs=[repair], limits=Limits(child_process=own))
        for own in (True, False)
    )
    assert there == here
    assert "TIP-116" in {note.rule_id for note in there.notes}


def test_what_one_file_leaves_behind_meets_no_other(tmp_path: Path, program: Program) -> None:
    program(
        altered(
            "met, whole = [], p.parse_file\n"
            "def parse(*given):\n"
            "    met.append(given)\n"
            "    return whole(*given) if len(met) == 1 else 1 / 0\n"
            "p.parse_file = parse"
        )
    )
    for _ in range(3):
        assert read_source(text(tmp_path / "a.csv")).sheets


# ── how it ends ───────────────────────────────────────────────────────────────────────────────


@posix
def test_a_workbook_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(workbook(tmp_path / "small.xlsx")) as small:
        parts = {name: small.read(name).decode() for name in small.namelist()}
    cells = "".join(f'<row r="{n}"><c><v>{n}</v></c></row>' for n in range(1, 800_001))
    head, rest = parts["xl/worksheets/sheet1.xml"].split("<sheetData>")
    end = rest.partition("</sheetData>")[2]
    parts["xl/worksheets/sheet1.xml"] = f"{head}<sheetData>{cells}</sheetData>{end}"
    refused = refusal(zipped(tmp_path / "a.xlsx", **parts), Limits(memory_mb=300))
    assert refused.rule == "TIP-151"
    assert "300 MB of memory" in refused.found


@posix
@pytest.mark.parametrize("encoding", ["utf-8", "cp1251"])
def test_a_text_that_needs_too_much_memory_is_refused(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(("Кишинёв,2024,жертва\n" * 2_000_000).encode(encoding))
    refused = refusal(path, Limits(memory_mb=400))
    assert (refused.rule, refused.found) == ("TIP-151", "more than 400 MB of memory")


@pytest.mark.parametrize(
    "sleeper",
    [
        "import time; time.sleep(60)",
        altered("import time; p.parse_file = lambda *_: time.sleep(60)"),
        altered("p.parse_file = lambda *_: any(iter(int, 1))"),
        altered("f._recognised = lambda *_: any(iter(int, 1))"),
    ],
    ids=["before it parses", "while it waits", "while it computes", "before it knows the file"],
)
def test_a_reader_that_takes_too_long_is_ended_and_the_file_refused(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch, sleeper: str
) -> None:
    program(sleeper)
    started = time.monotonic()
    refused = refusal(text(tmp_path / "a.csv"), Limits(seconds=1))
    assert (refused.rule, refused.found) == ("TIP-151", "more than 1 seconds of reading")
    assert time.monotonic() - started < 20
    monkeypatch.undo()
    assert read_source(tmp_path / "a.csv").sheets, "the next file is read"


@posix
def test_a_reader_that_nobody_waits_for_any_more_ends_by_itself() -> None:
    code = (
        "import loaders.apart as a; from tipstat.limits import Limits\n"
        "a.CORES = 1; a.confine(Limits(seconds=1))\n"
        "while True: pass"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode
    assert ended == -signal.SIGXCPU
    assert _ended(ended, Limits(seconds=1)) == "more than 1 seconds of reading"


@posix
@pytest.mark.parametrize(
    "aborts",
    ["import os; os.abort()", altered("p.parse_file = lambda *_: os.abort()")],
    ids=["before it parses", "while it parses"],
)
def test_a_reader_that_the_system_ends_is_a_refusal(
    tmp_path: Path, program: Program, aborts: str
) -> None:
    program(aborts)
    for _ in range(2):
        refused = refusal(workbook(tmp_path / "a.xlsx"))
        assert refused.rule == "TIP-151"
        assert "SIGABRT" in refused.found


def test_a_reader_that_breaks_off_is_a_refusal_without_a_word_of_the_file(
    tmp_path: Path, program: Program
) -> None:
    program(altered("p.parse_file = lambda name, kind, data, how: {}[data]"))
    refused = refusal(text(tmp_path / "a.csv"))
    assert (refused.rule, refused.found) == BROKE_OFF
    assert "Ortiz" not in str(refused)


def test_a_reader_that_does_not_start_is_no_fault_of_the_file(
    tmp_path: Path, program: Program
) -> None:
    program("import nothing_of_this_name")
    with pytest.raises(WorkplaceError, match="TIP-199"):
        read_source(workbook(tmp_path / "a.xlsx"))


# ── what it may do and say ────────────────────────────────────────────────────────────────────


@posix
def test_the_reader_can_write_no_file_and_sees_no_secret(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIPSTAT_REGISTRY_URL", "postgresql://somebody:password@host/db")
    program(
        altered(
            "def parse(*_):\n"
            f"    open({str(tmp_path / 'env')!r}, 'w').close()\n"
            "    try:\n"
            f"        with open({str(tmp_path / 'out')!r}, 'wb') as out: out.write(b'x' * 10)\n"
            "    except OSError: pass\n"
            "    if any('TIPSTAT' in name for name in os.environ):\n"
            f"        os.mkdir({str(tmp_path / 'leaked')!r})\n"
            "    return 1 / 0\n"
            "p.parse_file = parse"
        )
    )
    refusal(workbook(tmp_path / "a.xlsx"))
    assert (tmp_path / "env").exists(), "the spy ran"
    assert (tmp_path / "out").stat().st_size == 0
    assert not (tmp_path / "leaked").exists()


@pytest.mark.parametrize(
    "answer", [b"x", b"\0" * 8, b"\0\0\0\0\0\0\0\4null", b"\0\0\0\0\0\0\0\2{}"]
)
def test_an_answer_that_makes_no_sense_is_a_refusal(
    tmp_path: Path, program: Program, answer: bytes
) -> None:
    program(altered(f"a._serve = lambda _, out: (os.write(out, {answer!r}), os._exit(0))"))
    assert refusal(workbook(tmp_path / "a.xlsx")).rule == "TIP-103"


#: Columns that no reader makes of a file, and that would lead astray whoever believed them.
ASTRAY = {
    "offsets that go back": "text([0, 9, 3], b'x' * 64)",
    "letters that are none": "text([0, 1], b'\\xff')",
    "another type": "pa.array([[1], [2]])",
}


@pytest.mark.parametrize("column", ASTRAY.values(), ids=list(ASTRAY))
def test_an_answer_is_looked_through_before_it_is_believed(
    tmp_path: Path, program: Program, column: str
) -> None:
    program(
        altered(
            "import pyarrow as pa\n"
            "def text(offsets, data):\n"
            "    places = b''.join(place.to_bytes(4, 'little') for place in offsets)\n"
            "    buffers = [None, pa.py_buffer(places), pa.py_buffer(data)]\n"
            "    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers)\n"
            f"column = {column}\n"
            "sheet = p.Sheet('s', False, pa.table({'c1': column}))\n"
            "p.parse_file = lambda *_: p.Parsed('csv', (sheet,))"
        )
    )
    refused = refusal(text(tmp_path / "a.csv"))
    assert (refused.rule, refused.found) == BROKE_OFF


def test_an_answer_whose_text_leads_out_of_it_is_not_believed(
    tmp_path: Path, program: Program
) -> None:
    program(
        altered(
            "import io, pyarrow as pa\n"
            "tell, place = p._tell, (61).to_bytes(4, 'little')\n"
            "def forged(parsed, out):\n"
            "    honest = io.BytesIO()\n"
            "    tell(parsed, honest)\n"
            "    assert honest.getvalue().count(bytes(4) + place) == 1\n"
            "    beyond = bytes(4) + (2**24).to_bytes(4, 'little')\n"
            "    out.write(honest.getvalue().replace(bytes(4) + place, beyond))\n"
            "p._tell = forged\n"
            "table = pa.table({'c1': ['x' * 61]})\n"
            "p.parse_file = lambda *_: p.Parsed('csv', (p.Sheet('s', False, table),))"
        )
    )
    refused = refusal(text(tmp_path / "a.csv"))
    assert (refused.rule, refused.found) == BROKE_OFF


@pytest.mark.parametrize("told", [2**40, 2**62])
def test_an_answer_of_more_than_the_memory_is_not_waited_for(
    tmp_path: Path, program: Program, told: int
) -> None:
    program(
        altered(
            "def serve(_, out):\n"
            f"    os.write(out, ({told}).to_bytes(8, 'big'))\n"
            "    while True: os.write(out, b'x' * 65536)\n"
            "a._serve = serve"
        )
    )
    started = time.monotonic()
    assert refusal(text(tmp_path / "a.csv"), Limits(seconds=60)).rule == "TIP-103"
    assert time.monotonic() - started < 30


# ── what marks a workbook ─────────────────────────────────────────────────────────────────────


def replied(folder: Path, limits: Limits | None = None) -> Written:
    """A reply that marks a cell of a workbook, which is made if it is not there."""
    path = folder / "sent.xlsx"
    path = path if path.exists() else filled(path)
    return write_reply(reply(found("B2")), folder / "reply", path, limits=limits)


def test_a_workbook_is_marked_there_as_it_is_here(tmp_path: Path, program: Program) -> None:
    copies = []
    for child_process in (True, False):
        written = replied(tmp_path, Limits(child_process=child_process))
        assert (written.marked, written.cells, written.reason) == (1, 1, "")
        copies.append(written.workbook.read_bytes())
    assert copies[0] == copies[1]
    readers.end()
    program(altered("m.write_marked = lambda *_: 1 / 0"))
    assert replied(tmp_path).reason == BROKE_OFF[1], "it was marked there"


def test_why_a_workbook_cannot_be_marked_is_told_from_there(tmp_path: Path, way: bool) -> None:
    path = filled(tmp_path / "sent.xlsx", {"xl/styles.xml": f'<styleSheet xmlns="{MAIN}"/>'})
    written = write_reply(reply(found("B2")), tmp_path / "reply", path)
    assert written.reason == "styles without fonts, fills or formats"
    assert readers.waiting if way else not readers.waiting


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("m.write_marked = lambda *_: any(iter(int, 1))", "more than 2 seconds of reading"),
        ("m.write_marked = lambda *_: [bytes(2**26) for _ in range(99)]", "400 MB of memory"),
        ("m.write_marked = lambda *_: os.abort()", "SIGABRT"),
        ("m.write_marked = lambda *_: 'many'", BROKE_OFF[1]),
        ("m.put = lambda out, part: (a.put(out, part), os._exit(0))", BROKE_OFF[1]),
        ("m.put = lambda out, part: out.write(b'\\xff' * 8 + part)", BROKE_OFF[1]),
    ],
    ids=["too long", "too much", "ended", "no number", "too short", "endless"],
)
@posix
def test_a_workbook_that_cannot_be_marked_is_answered_with_its_findings(
    tmp_path: Path, program: Program, change: str, reason: str
) -> None:
    program(altered(change))
    written = replied(tmp_path, Limits(seconds=2, memory_mb=400))
    assert reason in written.reason
    assert (written.marked, written.cells) == (0, 1)
    assert openpyxl.load_workbook(written.workbook).sheetnames == ["Feedback", "Findings"]
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"sent.xlsx", "reply.xlsx", "reply.csv", "reply.json"}


# ── the processes that wait ───────────────────────────────────────────────────────────────────


def test_a_process_that_was_started_early_reads_the_file_and_none_is_left(
    tmp_path: Path, way: bool
) -> None:
    readers.prepare()
    readers.prepare()
    (early,) = readers.waiting
    for _ in range(2):
        assert read_source(text(tmp_path / "a.csv")).sheets
    assert readers.waiting == ([early] if way else [])
    readers.end()
    assert not readers.waiting


@posix
def test_a_process_that_the_system_ended_while_it_waited_is_passed_over(tmp_path: Path) -> None:
    readers.prepare()
    (early,) = readers.waiting
    early.kill()
    early._process.wait()
    assert read_source(text(tmp_path / "a.csv")).sheets


@forking
def test_two_files_at_once_have_two_processes(tmp_path: Path, way: bool) -> None:
    one, two = readers.take(), readers.take()
    assert one is not two
    for process in (one, two):
        process.question.close()
        process.answer.close()
        process.wait()
    assert len(readers.waiting) == (2 if way else 0)
    assert read_source(text(tmp_path / "a.csv")).sheets


@forking
@pytest.mark.parametrize("end", ["sys.exit()", "os.kill(os.getpid(), 9)"])
def test_when_we_end_no_process_that_waits_is_left(end: str) -> None:
    code = (
        "import os, sys; from loaders.reader import readers; readers.prepare()\n"
        f"print(readers.waiting[0]._process.pid, flush=True)\n{end}"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=False, stdout=subprocess.PIPE)
    pid, latest = int(ran.stdout), time.monotonic() + 20
    while time.monotonic() < latest and Path(f"/proc/{pid}/stat").exists():
        if " Z " in Path(f"/proc/{pid}/stat").read_text():
            break
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{pid}/stat").exists()


@forking
def test_a_process_that_waits_takes_orders_of_one_process_only() -> None:
    code = (
        "import os, sys; from loaders.reader import readers; readers.prepare()\n"
        "forked = os.fork()\n"
        "if not forked: os._exit(len(readers.waiting))\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]) or len(readers.waiting) - 1)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
