"""The process in which files are parsed apart (``loaders/apart.py``), started as early as may be.

Starting it and loading what it needs takes as long as reading a small workbook; a command that
will need one calls ``prepare`` before it loads its own libraries, and both load at once. Of
several files the process of the next starts while one is read. Only the standard library is
imported here.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from contextlib import suppress

#: The only variables of our environment that the process gets.
_ENVIRONMENT = ("SYSTEMROOT", "WINDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
#: Most cores that one process may parse with: each claims memory.
_CORES = 4
#: What computes with matrices, which no parser does, gets one thread; and threads share what the
#: C library keeps, which otherwise maps memory for each.
_THREADS = {
    "OMP_NUM_THREADS": str(min(os.cpu_count() or 1, _CORES)),
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
}
#: Bytes that may wait in a pipe; a Linux pipe otherwise holds so little that both sides wait.
_PIPE = 1024 * 1024
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from loaders.apart import main; main()"
)

Reader = subprocess.Popen[bytes]


def _started() -> Reader:
    environment = {key: os.environ[key] for key in _ENVIRONMENT if key in os.environ}
    process = subprocess.Popen(  # noqa: S603  # our own interpreter and program
        [sys.executable, "-I", "-c", _PROGRAM, json.dumps(sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # it could quote values of the file
        env={**environment, **_THREADS},
    )
    if sys.platform == "linux":
        import fcntl

        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # the system may allow no more of such pipes
                    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
    return process


class Readers:
    """The process that waits for a file, and how many files are still to come."""

    def __init__(self) -> None:
        self.waiting: list[Reader] = []
        self._to_come = 0

    def prepare(self, files: int = 1) -> None:
        """Start a process for the first of the files that a command is about to read.

        Args:
            files: how many there are; while one is read, the process of the next starts.
        """
        self._to_come = files - 1
        if files and not self.waiting:
            self.waiting.append(_started())

    def take(self) -> Reader:
        """A process that reads one file: the one that waits, or a new one."""
        process = self.waiting.pop() if self.waiting else _started()
        if self._to_come > 0:
            self._to_come -= 1
            self.waiting.append(_started())
        return process

    def end(self) -> None:
        """End the process that waits for a file that never came."""
        while self.waiting:
            process = self.waiting.pop()
            process.kill()
            process.communicate()


readers = Readers()
atexit.register(readers.end)
