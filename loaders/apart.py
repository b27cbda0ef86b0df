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
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict
from threading import Event, Timer
from typing import IO, TYPE_CHECKING, Any, NoReturn

import pyarrow as pa

from loaders.findings import Finding
from loaders.parse import Parsed, Reading, load_parser, parse
from loaders.reader import CODE, CORES, Reader, readers
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

#: Bytes that tell how long a part is.
_LENGTH = 8
#: What reading an answer ends in that is none.
_NO_ANSWER = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    OSError,
    EOFError,
    MemoryError,
    pa.ArrowException,
)


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
        "size": len(data),
        "encoding": how.encoding,
        "delimiter": how.delimiter,
        "repairs": [asdict(repair) for repair in how.repairs],
        "limits": asdict(how.limits),
    }
    process = readers.take()
    with _ended_after(process, how.limits.seconds) as out_of_time:
        parsed, begun = _exchanged(process, json.dumps(asked).encode(), data, how.limits)
        code = process.wait()
    if out_of_time.is_set():
        found = f"more than {how.limits.seconds:,} seconds of reading"
        raise refuse("TIP-151", ReturnRefused, where=name, found=found)
    _look_at_end(name, code, how.limits, begun=begun)
    if parsed is None:
        raise _broken(name)
    if isinstance(parsed, ReturnRefused):
        raise parsed
    return parsed


@contextmanager
def _ended_after(process: Reader, seconds: int) -> Iterator[Event]:
    """End the process when its time is over, or what is done with it breaks off."""
    out_of_time = Event()

    def end() -> None:
        out_of_time.set()
        process.kill()

    clock = Timer(seconds, end)
    clock.daemon = True
    clock.start()
    try:
        yield out_of_time
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        clock.cancel()


def _exchanged(
    process: Reader, asked: bytes, data: bytes, limits: Limits
) -> tuple[Parsed | ReturnRefused | None, bool]:
    """Put the question and read the answer as it is written.

    Returns:
        The answer, ``None`` where it makes no sense; and whether there was any.
    """
    with suppress(OSError):  # the process has ended; its code says why
        process.question.write(_framed(asked))
        process.question.write(data)
    with suppress(OSError):
        process.question.close()
    answer = _Answer(process.answer, limits.memory_mb * MEGABYTE)
    parsed: Parsed | ReturnRefused | None = None
    with suppress(*_NO_ANSWER), process.answer:
        parsed = _parsed(answer)
    return parsed, answer.begun


class _Answer(io.RawIOBase):
    """What a process writes, as a file that is read once and up to a size."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self._stream, self._left = stream, most
        self.begun = False

    def readable(self) -> bool:
        """Arrow asks."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Exactly so many bytes; an answer that has fewer, or is beyond its size, is none."""
        if not 0 <= size <= self._left:
            raise ValueError("an answer of more than it may hold")
        data = self._stream.read(size)
        self._left -= size
        self.begun = self.begun or bool(data)
        if len(data) < size:
            raise EOFError
        return data


def _look_at_end(name: str, code: int, limits: Limits, *, begun: bool) -> None:
    """Refuse the file, or tell the workplace, where the process did not end well."""
    if code == OUT_OF_MEMORY or code < 0:
        raise refuse("TIP-151", ReturnRefused, where=name, found=_ended(code, limits))
    if code == BROKE_OFF or (code and begun):
        raise _broken(name)
    if code:
        found = "the process that reads files did not start"
        raise refuse("TIP-199", WorkplaceError, where=f"{name} › reading", found=found)


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


def _parsed(answer: _Answer) -> Parsed | ReturnRefused:
    size = int.from_bytes(answer.read(_LENGTH), "big")
    head = json.loads(answer.read(size))
    if "refused" in head:
        refused = head["refused"]
        return ReturnRefused(refused.pop("rule"), refused.pop("title"), **refused)
    sheets = tuple(Sheet(one["name"], one["hidden"], _table(answer)) for one in head["sheets"])
    return Parsed(
        head["format"],
        sheets,
        tuple(ErrorCell(**cell) for cell in head["error_cells"]),
        tuple(Finding(**note) for note in head["notes"]),
        head["read_as"],
        head["date_1904"],
        head["encoding"],
        head["delimiter"],
    )


def _table(answer: _Answer) -> pa.Table:
    """One sheet, which is looked through while it comes.

    Offsets that lead out of their buffers, or a text that is none, would lead our own process
    astray.
    """
    with pa.ipc.open_stream(answer) as stream, ThreadPoolExecutor(1) as beside:
        if not all(field.type in (pa.string(), pa.int32()) for field in stream.schema):
            raise ValueError("a sheet holds text and the numbers of its rows")
        batches, looked_through = [], []
        for batch in stream:
            batches.append(batch)
            looked_through.append(beside.submit(batch.validate, full=True))
        for one in looked_through:
            one.result()
        return pa.Table.from_batches(batches, stream.schema)


def _framed(part: bytes) -> bytes:
    return len(part).to_bytes(_LENGTH, "big") + part


# ── in the process ────────────────────────────────────────────────────────────────────────────


def main(control: int | None = None) -> None:
    """Read a file from standard input and tell on standard output what it holds.

    Args:
        control: handle of a socket; over it the handles of input and output come, again and
            again, for each of which a process of its own is forked.
    """
    load_parser("")
    if control is None:
        _serve(sys.stdin.fileno(), sys.stdout.fileno())
    with socket.socket(fileno=control) as orders:
        while handles := socket.recv_fds(orders, 1, 2)[1]:
            forked = os.fork()
            if not forked:
                orders.close()
                _serve(*handles)
            for handle in handles:
                os.close(handle)
            _, status = os.waitpid(forked, 0)
            orders.sendall(CODE.pack(os.waitstatus_to_exitcode(status)))


def _serve(question: int, answer: int) -> NoReturn:
    """Parse one file and end, with the code that tells how."""
    told, out = os.fdopen(question, "rb"), os.fdopen(answer, "wb")
    size = int.from_bytes(told.read(_LENGTH), "big")
    asked = json.loads(told.read(size))
    limits = Limits(**asked["limits"])
    load_parser(asked["format"])
    confine(limits)
    how = Reading(asked["encoding"], asked["delimiter"], _repairs(asked["repairs"]), limits)
    try:
        data = told.read(asked["size"])
        try:
            _tell(parse(asked["name"], asked["format"], data, how), out)
        except ReturnRefused as refusal:
            out.write(_framed(json.dumps({"refused": _refused(refusal)}).encode()))
        out.flush()
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
    for what, value, spare in (
        (resource.RLIMIT_AS, memory, 0),
        # Of all threads: it holds where nobody is left to look at the clock. At its second value
        # the system ends the process without saying why.
        (resource.RLIMIT_CPU, limits.seconds * CORES, 5),
        (resource.RLIMIT_FSIZE, resource.RLIM_INFINITY if files else 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        _, most = resource.getrlimit(what)
        kept = value if most == resource.RLIM_INFINITY else min(value, most)
        last = kept + spare if most == resource.RLIM_INFINITY else min(kept + spare, most)
        resource.setrlimit(what, (kept, last))


def _tell(parsed: Parsed, out: io.BufferedWriter) -> None:
    head: dict[str, Any] = {
        "format": parsed.format,
        "sheets": [{"name": sheet.name, "hidden": sheet.hidden} for sheet in parsed.sheets],
        "error_cells": [asdict(cell) for cell in parsed.error_cells],
        "notes": [asdict(note) for note in parsed.notes],
        "read_as": parsed.read_as,
        "date_1904": parsed.date_1904,
        "encoding": parsed.encoding,
        "delimiter": parsed.delimiter,
    }
    out.write(_framed(json.dumps(head).encode()))
    for sheet in parsed.sheets:
        with pa.ipc.new_stream(pa.PythonFile(out, mode="w"), sheet.table.schema) as stream:
            stream.write_table(sheet.table)


def _refused(refusal: ReturnRefused) -> dict[str, str]:
    names = ("rule", "title", "where", "found", "expected", "nearest", "do")
    return {name: getattr(refusal, name) for name in names}
