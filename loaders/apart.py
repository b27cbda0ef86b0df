"""Parse a file in a process of its own, under limits of memory and time.

What a parser does wrong with a hostile file, such as running out of memory, looping or breaking
off, ends that process and not ours. It gets the bytes through a pipe and gives back one JSON text
and Arrow streams, nothing that could run here; it can write no file and its environment holds no
secret.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from loaders import reader
from loaders.findings import Finding
from loaders.parse import Parsed, Reading, load_parser, parse
from loaders.source import ErrorCell, Sheet
from tipstat.errors import ReturnRefused, WorkplaceError
from tipstat.limits import MEGABYTE, Limits
from tipstat.rules import refuse

if TYPE_CHECKING:
    from loaders.layout_model import Repair

#: How the process ends that ran out of memory in an orderly way.
OUT_OF_MEMORY = 77
#: How it ends when its reader broke off on the file.
BROKE_OFF = 78

_LENGTH = 8


def parse_apart(name: str, file_format: str, data: bytes, how: Reading) -> Parsed:
    """Parse a file in a process of its own; the arguments are those of ``parse``.

    Returns:
        As ``parse``.

    Raises:
        ReturnRefused: as ``parse``; TIP-151 where the process took too much memory or time, and
            TIP-103 where it broke off.
    """
    asked = {
        "name": name,
        "format": file_format,
        "encoding": how.encoding,
        "delimiter": how.delimiter,
        "repairs": [asdict(repair) for repair in how.repairs],
        "limits": asdict(how.limits),
    }
    answer = _answer(name, _framed(json.dumps(asked).encode()) + data, how.limits)
    try:
        return _parsed(_frames(answer))
    except (ValueError, KeyError, IndexError, TypeError, StopIteration, pa.ArrowException) as error:
        raise _broken(name) from error


def _answer(name: str, question: bytes, limits: Limits) -> bytes:
    """Run the process; what it wrote, if it ended well."""
    with reader.take() as process:
        try:
            answer, _ = process.communicate(question, timeout=limits.seconds)
        except subprocess.TimeoutExpired as error:
            found = f"more than {limits.seconds:,} seconds of reading"
            raise refuse("TIP-151", ReturnRefused, where=name, found=found) from error
        finally:
            process.kill()
    if process.returncode == OUT_OF_MEMORY or process.returncode < 0:
        raise refuse("TIP-151", ReturnRefused, where=name, found=_ended(process.returncode, limits))
    if process.returncode == BROKE_OFF:
        raise _broken(name)
    if process.returncode:
        found = "the process that reads files did not start"
        raise refuse("TIP-199", WorkplaceError, where=f"{name} › reading", found=found)
    return answer


def _broken(name: str) -> ReturnRefused:
    found = "a file on which its reader broke off"
    return refuse("TIP-103", ReturnRefused, where=name, found=found)


def _ended(code: int, limits: Limits) -> str:
    """Why the process was ended: by its own word, or by the system (a negative code)."""
    if code == OUT_OF_MEMORY:
        return f"more than {limits.memory_mb:,} MB of memory"
    try:
        import signal

        told = signal.Signals(-code).name
    except ValueError:
        told = str(-code)
    if told == "SIGXCPU":
        return f"more than {limits.seconds:,} seconds of reading"
    return f"a reader that the system ended ({told}) at {limits.memory_mb:,} MB of memory at most"


def _parsed(frames: Iterator[memoryview]) -> Parsed:
    head = json.loads(bytes(next(frames)))
    if "refused" in head:
        refused = head["refused"]
        raise ReturnRefused(refused.pop("rule"), refused.pop("title"), **refused)
    sheets = []
    for sheet in head["sheets"]:
        with pa.ipc.open_stream(pa.py_buffer(next(frames))) as stream:
            sheets.append(Sheet(sheet["name"], sheet["hidden"], stream.read_all()))
    return Parsed(
        head["format"],
        tuple(sheets),
        tuple(ErrorCell(**cell) for cell in head["error_cells"]),
        tuple(Finding(**note) for note in head["notes"]),
        head["read_as"],
        head["date_1904"],
    )


def _framed(part: bytes) -> bytes:
    return len(part).to_bytes(_LENGTH, "big") + part


def _frames(data: bytes) -> Iterator[memoryview]:
    view, place = memoryview(data), 0
    while place < len(view):
        size = int.from_bytes(view[place : place + _LENGTH], "big")
        place += _LENGTH
        yield view[place : place + size]
        place += size


# ── in the process ────────────────────────────────────────────────────────────────────────────


def main() -> None:
    """Read a file from standard input, parse it, and write what it holds to standard output."""
    load_parser("")
    size = int.from_bytes(sys.stdin.buffer.read(_LENGTH), "big")
    asked = json.loads(sys.stdin.buffer.read(size))
    limits = Limits(**asked["limits"])
    load_parser(asked["format"])
    confine(limits)
    data = sys.stdin.buffer.read()
    how = Reading(asked["encoding"], asked["delimiter"], _repairs(asked["repairs"]), limits)
    try:
        try:
            frames = _told(parse(asked["name"], asked["format"], data, how))
        except ReturnRefused as refusal:
            frames = [json.dumps({"refused": _refused(refusal)}).encode()]
        for frame in frames:
            sys.stdout.buffer.write(_framed(frame))
        sys.stdout.buffer.flush()
        # Taking the engines down orderly can itself break off; the answer is already given.
        os._exit(0)
    except (MemoryError, pa.ArrowMemoryError):
        os._exit(OUT_OF_MEMORY)
    except BaseException:  # whatever it is, the file caused it, and its text may quote the file
        os._exit(BROKE_OFF)


def _repairs(asked: list[dict[str, Any]]) -> tuple[Repair, ...]:
    if not asked:
        return ()
    from loaders.layout_model import Repair

    return tuple(Repair(**{**repair, "join": tuple(repair["join"])}) for repair in asked)


def confine(limits: Limits, *, files: bool = False) -> None:
    """Limits of memory and time, no file to be written, and no dump of memory; POSIX only.

    Elsewhere the declared sizes, which are looked at first, and the time limit hold.

    Args:
        limits: of the workspace.
        files: whether files may be written all the same.
    """
    try:
        import resource
    except ImportError:
        return
    memory = limits.memory_mb * MEGABYTE
    for what, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, limits.seconds),
        (resource.RLIMIT_FSIZE, resource.RLIM_INFINITY if files else 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, most = resource.getrlimit(what)
        kept = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(what, (kept, kept))


def _told(parsed: Parsed) -> list[bytes]:
    head: dict[str, Any] = {
        "format": parsed.format,
        "sheets": [{"name": sheet.name, "hidden": sheet.hidden} for sheet in parsed.sheets],
        "error_cells": [asdict(cell) for cell in parsed.error_cells],
        "notes": [asdict(note) for note in parsed.notes],
        "read_as": parsed.read_as,
        "date_1904": parsed.date_1904,
    }
    return [json.dumps(head).encode(), *(_stream(sheet.table) for sheet in parsed.sheets)]


def _stream(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema) as stream:
        stream.write_table(table)
    return buffer.getvalue()


def _refused(refusal: ReturnRefused) -> dict[str, str]:
    names = ("rule", "title", "where", "found", "expected", "nearest", "do")
    return {name: getattr(refusal, name) for name in names}
