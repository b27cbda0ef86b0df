"""The processes in which files are worked on (``loaders/apart.py``), started as early as may be.

Starting one and loading what it needs takes longer than reading a small file; a command that will
need one calls ``readers.prepare`` before it loads its own libraries, and both load at once. On
Linux a process that was started so reads no file itself: it forks one that does for each file, so
that nothing of a file outlives it. Elsewhere each file gets a process that was started for it.
Only the standard library is imported here.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

#: Whether a process forks for each file; other systems have no fork, or none that is sure.
_FORKS = sys.platform == "linux"
#: The only variables of our environment that the process gets.
_ENVIRONMENT = ("SYSTEMROOT", "WINDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
#: Most cores that one process may work with: each claims memory.
CORES = 4
#: What computes with matrices, which no parser does, gets one thread; and threads share what the
#: C library keeps, which otherwise maps memory for each.
_THREADS = {
    "OMP_NUM_THREADS": str(min(os.cpu_count() or 1, CORES)),
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
}
#: Bytes that may wait in a pipe; a Linux pipe otherwise holds so little that both sides wait.
_PIPE = 1024 * 1024
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from loaders.apart import main; main(*map(int, sys.argv[2:]))"
)
#: How a forking process tells the exit code of the process that it forked.
CODE = struct.Struct("!i")


@dataclass(frozen=True)
class Reader:
    """A process that works on one file.

    Attributes:
        question: where it is told what to do, and gets the file.
        answer: where it tells what came of it.
        kill: ends it.
        wait: waits for its end; its exit code, negative where the system ended it.
    """

    question: IO[bytes]
    answer: IO[bytes]
    kill: Callable[[], None]
    wait: Callable[[], int]


class Readers:
    """The processes that wait for a file."""

    def __init__(self) -> None:
        self.waiting: list[_Started] = []

    def prepare(self) -> None:
        """Start a process for the file that a command is about to read."""
        if not self.waiting:
            self.waiting.append(_Forking(self.waiting) if _FORKS else _Started())

    def take(self) -> Reader:
        """A process that reads one file; the caller waits for its end.

        One that the system has ended while it waited is passed over: no file is at fault.
        """
        while self.waiting:
            process = self.waiting.pop()
            if process.lives():
                return process.reader()
            process.wait()
        self.prepare()
        return self.waiting.pop().reader()

    def end(self) -> None:
        """End the processes for which no file came any more."""
        while self.waiting:
            process = self.waiting.pop()
            process.kill()
            process.wait()


class _Started:
    """A process that waits for one file."""

    def __init__(self, *handles: int) -> None:
        self._process = _started(handles)

    def reader(self) -> Reader:
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise ValueError("a process is started with pipes")
        return Reader(process.stdin, _widened(process.stdout), self.kill, self.wait)

    def lives(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()

    def wait(self) -> int:
        return self._process.wait()


class _Forking(_Started):
    """A process that waits for files, and forks one for each."""

    def __init__(self, waiting: list[_Started]) -> None:
        self._waiting = waiting
        self._control, theirs = socket.socketpair()
        with theirs:
            super().__init__(theirs.fileno())

    def reader(self) -> Reader:
        question_read, question_write = os.pipe()
        answer_read, answer_write = os.pipe()
        with suppress(OSError):  # it has ended; its code says why
            socket.send_fds(self._control, [b"\0"], [question_read, answer_write])
        os.close(question_read)
        os.close(answer_write)
        question, answer = os.fdopen(question_write, "wb"), os.fdopen(answer_read, "rb")
        return Reader(_widened(question), _widened(answer), self.kill, self._forked_ended)

    def kill(self) -> None:
        """End it together with the process that it forked."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self) -> int:
        self._control.close()
        return super().wait()

    def _forked_ended(self) -> int:
        """How the forked process ended, or else this one, which then forks no more."""
        try:
            code: int = CODE.unpack(self._control.recv(CODE.size))[0]
        except (OSError, struct.error):
            return self.wait()
        self._waiting.append(self)
        return code


def _started(handles: Sequence[int]) -> subprocess.Popen[bytes]:
    """The program, spoken to through pipes, or through a socket where it gets a handle."""
    pipes = subprocess.DEVNULL if handles else subprocess.PIPE
    environment = {key: os.environ[key] for key in _ENVIRONMENT if key in os.environ}
    return subprocess.Popen(  # noqa: S603  # our own interpreter and program
        [sys.executable, "-I", "-c", _PROGRAM, json.dumps(sys.path), *map(str, handles)],
        stdin=pipes,
        stdout=pipes,
        stderr=subprocess.DEVNULL,  # it could quote values of the file
        env={**environment, **_THREADS},
        pass_fds=handles,
        # What forks has a group of its own, and is ended with it.
        process_group=0 if handles else None,
    )


def _widened(pipe: IO[bytes]) -> IO[bytes]:
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):  # the system may allow no more of such pipes
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
    return pipe


readers = Readers()
atexit.register(readers.end)
if hasattr(os, "register_at_fork"):
    # Two processes must not give orders to one.
    os.register_at_fork(after_in_child=readers.waiting.clear)
