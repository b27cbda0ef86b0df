"""The process in which files are parsed apart (``loaders/apart.py``), started as early as may be.

Starting it and loading what it needs takes as long as reading a small workbook; a command that
will need one calls ``prepare`` before it loads its own libraries, and both load at once. Only the
standard library is imported here.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

#: Endings of files that are parsed apart.
APART = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".zip", ".parquet")

#: The only variables of our environment that the process gets.
_ENVIRONMENT = ("SYSTEMROOT", "WINDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
#: One thread each: more would only claim memory.
_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from loaders.apart import main; main()"
)

Reader = subprocess.Popen[bytes]

_waiting: list[Reader] = []


def prepare(files: Iterable[Path]) -> None:
    """Start a process for the first of the files that will need one.

    Args:
        files: what a command was given; nothing of them is looked at but the names.
    """
    if not _waiting and any(file.suffix.lower() in APART for file in files):
        _waiting.append(_started())
        atexit.register(_end_waiting)


def take() -> Reader:
    """A process that reads one file: the one that waits, or a new one."""
    return _waiting.pop() if _waiting else _started()


def _started() -> Reader:
    environment = {key: os.environ[key] for key in _ENVIRONMENT if key in os.environ}
    return subprocess.Popen(  # noqa: S603  # our own interpreter and program
        [sys.executable, "-I", "-c", _PROGRAM, json.dumps(sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # it could quote values of the file
        env={**environment, **_THREADS},
    )


def _end_waiting() -> None:
    while _waiting:
        process = _waiting.pop()
        process.kill()
        process.communicate()
