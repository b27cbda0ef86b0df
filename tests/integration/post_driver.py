"""One of several processes that load the same post; prints what it was told and its write times.

Usage: post_driver.py WORKSPACE FIRST NUMBER
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from registry_support import header, write_events

from tipstat.landing import land
from tipstat.registry import Registry
from tipstat.workspace import Workspace


def measure(spent: list[float]) -> None:
    """Note how long each write transaction keeps other writers waiting, its commit included."""
    real = Registry.write

    @contextmanager
    def timed(self: Registry) -> Iterator[Any]:
        started = time.perf_counter()
        with real(self) as session:
            started = time.perf_counter()  # from here on the lock of the writers is held
            yield session
        spent.append(time.perf_counter() - started)

    Registry.write = timed  # type: ignore[method-assign]  # the measured one does the same


def main() -> None:
    """Load returns of so many years, each process in another order, and one that is its own."""
    workspace, first, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    spent: list[float] = []
    measure(spent)
    ids = {}
    years = [2000 + (first + step) % number for step in range(number)]
    for year in [*years, 2100 + first]:
        period = {"period_start": date(year, 1, 1), "period_end": date(year, 12, 31)}
        one = header(file_sha256=f"{year:064d}", **period)
        ids[year] = land(Workspace.find(workspace), one, write_events)
    print(json.dumps({"ids": ids, "spent": spent}))


if __name__ == "__main__":
    main()
