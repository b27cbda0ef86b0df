"""Measure a task in a process of its own: seconds as the task takes them, and peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

#: Seconds between two looks at the memory of a process and of those that it started.
_LOOK = 0.02
#: ``ru_maxrss`` counts kibibytes on Linux and bytes on macOS.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Measured:
    """One run of a task.

    Attributes:
        seconds: of the work itself where the task measured it, else of the whole process.
        peak: most memory held at once, in bytes, with the processes that it started.
        details: what else the task told.
    """

    seconds: float
    peak: int
    details: dict[str, Any] = field(default_factory=dict)


class TaskFailed(Exception):
    """A measured process ended with an error; its last lines are the message."""


def task(name: str, **arguments: object) -> Measured:
    """Run a task of :mod:`benchmarks.tasks` in a fresh process."""
    given = json.dumps(arguments, default=str)
    ended = command([sys.executable, "-m", "benchmarks.tasks", name, given])
    told = json.loads(ended.details["out"].splitlines()[-1])
    return Measured(float(told.pop("seconds")), ended.peak, told)


def best(runs: Sequence[Measured]) -> Measured:
    """The fastest run, with the most memory that any of them took."""
    fastest = min(runs, key=lambda run: run.seconds)
    return Measured(fastest.seconds, max(run.peak for run in runs), fastest.details)


def command(arguments: Sequence[str], codes: Sequence[int] = (0,)) -> Measured:
    """Run a command as a shell would, and wait for it.

    Args:
        arguments: program and arguments.
        codes: exit codes that are no failure.

    Raises:
        TaskFailed: any other exit code.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = time.perf_counter()
    process = subprocess.Popen(
        arguments,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with _watched(process.pid) as held:
        out = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in codes:
        raise TaskFailed("\n".join(out.splitlines()[-15:]))
    return Measured(seconds, max(usage.ru_maxrss * _RSS_UNIT, *held), {"out": out})


@contextmanager
def _watched(pid: int) -> Iterator[list[int]]:
    """What a process and those that it started hold together, looked at again and again.

    The system itself only counts the most that any one of them held. Pages that they share are
    counted in each, so that this is an upper bound; without ``/proc`` it is nothing.
    """
    held, over = [0], Event()

    def watch() -> None:
        while not over.wait(_LOOK):
            held[0] = max(held[0], _resident(pid))

    looking = Thread(target=watch, daemon=True)
    looking.start()
    try:
        yield held
    finally:
        over.set()
        looking.join()


def _resident(pid: int) -> int:
    """Bytes that a process and those that it started hold; none of what has ended."""
    process = Path("/proc") / str(pid)
    try:
        pages = int((process / "statm").read_text().split()[1])
        started = [t.read_text().split() for t in process.glob("task/*/children")]
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(_resident(int(p)) for t in started for p in t)
