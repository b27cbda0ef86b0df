"""Work on a received file in a process of its own, under limits of memory and time.

What a library does wrong with a hostile file, such as running out of memory, looping or breaking
off, ends that process and not ours. It gets the bytes through a pipe and gives back a JSON text
and what follows it, nothing that could run here; it can write no file and its environment holds no
secret.
"""

from __future__ import annotations

import io
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from importlib import import_module
from threading import Event, Timer
from typing import IO, Any, NoReturn, TypeVar

import pyarrow as pa

from loaders.reader import CODE, CORES, Reader, readers
from tipstat.errors import ReturnRefused, WorkplaceError
from tipstat.limits import MEGABYTE, Limits
from tipstat.rules import refuse

#: What can be done with a file: the module whose ``answer`` does it in the process.
_WORK = {"parse": "loaders.parse_apart", "mark": "loaders.mark_apart"}
#: How the process ends that ran out of memory in an orderly way.
OUT_OF_MEMORY = 77
#: How it ends when what works on the file broke off.
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
Believed = TypeVar("Believed")


class Answer(io.RawIOBase):
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

    def part(self) -> bytes:
        """The next part, before which its length stands."""
        return self.read(int.from_bytes(self.read(_LENGTH), "big"))


def work_apart(
    work: str,
    name: str,
    data: bytes,
    limits: Limits,
    *,
    asked: Mapping[str, Any],
    believed: Callable[[dict[str, Any], Answer], Believed],
) -> Believed:
    """Have a file worked on in a process of its own.

    Args:
        work: what is done, one of ``_WORK``.
        name: of the file, for messages.
        data: the bytes received.
        limits: of the workspace.
        asked: what the work needs to know besides, fit for JSON.
        believed: makes the result of the JSON text that heads the answer and of what follows it;
            it trusts neither, and an exception of ``_NO_ANSWER`` says that they are no answer.

    Returns:
        The result.

    Raises:
        ReturnRefused: what the work refused; TIP-151 where the process took too much memory or
            time, and TIP-103 where it broke off.
        WorkplaceError: TIP-199 the process did not start.
    """
    told = {"work": work, "name": name, "size": len(data), "limits": asdict(limits), **asked}
    process = readers.take()
    with _ended_after(process, limits.seconds) as out_of_time:
        _ask(process, json.dumps(told).encode(), data)
        answer = Answer(process.answer, limits.memory_mb * MEGABYTE)
        result: Believed | ReturnRefused | None = None
        with suppress(*_NO_ANSWER), process.answer:
            head = json.loads(answer.part())
            result = _refusal(head) or believed(head, answer)
        code = process.wait()
    if out_of_time.is_set():
        found = f"more than {limits.seconds:,} seconds of reading"
        raise refuse("TIP-151", ReturnRefused, where=name, found=found)
    _look_at_end(name, code, limits, begun=answer.begun)
    if result is None:
        raise _broken(name)
    if isinstance(result, ReturnRefused):
        raise result
    return result


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


def _ask(process: Reader, told: bytes, data: bytes) -> None:
    with suppress(OSError):  # the process has ended; its code says why
        put(process.question, told)
        process.question.write(data)
    with suppress(OSError):
        process.question.close()


def _refusal(head: dict[str, Any]) -> ReturnRefused | None:
    if "refused" not in head:
        return None
    refused = head["refused"]
    return ReturnRefused(refused.pop("rule"), refused.pop("title"), **refused)


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


def put(out: IO[bytes], part: bytes | memoryview) -> None:
    """Write a part with its length before it, as ``Answer.part`` reads it."""
    out.write(len(part).to_bytes(_LENGTH, "big"))
    out.write(part)


# ── in the process ────────────────────────────────────────────────────────────────────────────


def main(control: int | None = None) -> None:
    """Work on the file that comes on standard input, and answer on standard output.

    Args:
        control: handle of a socket; over it the handles of input and output come, again and
            again, for each of which a process of its own is forked.
    """
    import loaders.parse_apart
    import loaders.read_workbook  # noqa: F401  # what most files need is there before they come

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
    """Work on one file and end, with the code that tells how."""
    told, out = os.fdopen(question, "rb"), os.fdopen(answer, "wb")
    size = int.from_bytes(told.read(_LENGTH), "big")
    asked = json.loads(told.read(size))
    limits = Limits(**asked["limits"])
    work = import_module(_WORK[asked["work"]])
    confine(limits)
    try:
        data = told.read(asked["size"])
        try:
            work.answer(asked, data, limits, out)
        except ReturnRefused as refusal:
            put(out, json.dumps({"refused": _refused(refusal)}).encode())
        out.flush()
        # Taking the engines down orderly can itself break off; the answer is already given.
        os._exit(0)
    except (MemoryError, pa.ArrowMemoryError):
        os._exit(OUT_OF_MEMORY)
    except BaseException:  # whatever it is, the file caused it, and its text may quote the file
        os._exit(BROKE_OFF)


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


def _refused(refusal: ReturnRefused) -> dict[str, str]:
    names = ("rule", "title", "where", "found", "expected", "nearest", "do")
    return {name: getattr(refusal, name) for name in names}
