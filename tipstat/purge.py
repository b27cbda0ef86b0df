"""Destroying records for good: in the landing, and in the warehouses made of them.

A purge holds the lock of the builds from beginning to end, so that no build reads the records
meanwhile (STATISTICS section 6, ``docs/purge.md``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from tipstat import warehouse
from tipstat.landing import purging
from tipstat.registry.entities import code_of
from tipstat.registry.expected import destroy_by

if TYPE_CHECKING:
    from tipstat.landing.destruction import Doomed
    from tipstat.landing.purging import PurgeRequest
    from tipstat.registry import Submission
    from tipstat.registry.models import Purge
    from tipstat.warehouse import Forgotten
    from tipstat.workspace import Workspace


@dataclass(frozen=True)
class Purged:
    """A purge that was carried out, and what became of the warehouses."""

    purge: Purge
    forgotten: Forgotten


def legal_ground(text: str) -> str:
    """A code of the list ``legal_ground`` as typed; TIP-930 with the nearest where it is none."""
    return code_of("legal_ground", text, rule="TIP-930", where="--ground")


def planned(ws: Workspace, request: PurgeRequest) -> Doomed:
    """What a purge would destroy; nothing is changed. Refusals as :func:`purge`."""
    return purging.plan(ws, request)


def purge(ws: Workspace, request: PurgeRequest, *, actor: str | None = None) -> Purged:
    """Destroy a submission or records of it, and delete the warehouses that hold them.

    Args:
        ws: the workspace.
        request: what, and on which ground.
        actor: who destroys, for the audit trail; by default the operating system's user.

    Returns:
        The purge, and the warehouse files that went, are held, or whose figures stay.

    Raises:
        WorkplaceError: TIP-803 a build is running; TIP-926 the landing cannot be read.
        UsageError: TIP-922 no such submission, TIP-932 destroyed already, TIP-933 no such
            records, TIP-934 no record would be left.
    """
    with warehouse.build_lock(ws):
        registry = ws.registry()
        # A build that died before its registry entry would else escape the mark.
        warehouse.repair(ws, registry, actor)
        done = purging.destroy(ws, request, actor=actor)
        return Purged(done, warehouse.forget_destroyed(ws, registry))


@dataclass(frozen=True)
class Due:
    """A submission whose records must be destroyed by a day.

    Attributes:
        destroy_by: the day that the return declares, or an earlier one of the expected return.
        days: days since then; negative while the day is still to come.
    """

    submission: Submission
    destroy_by: date
    days: int


def due(ws: Workspace, on: date) -> list[Due]:
    """The submissions to be destroyed by a day, the longest overdue first.

    What is superseded, withdrawn or refused is due as well: its records or findings are there.
    """
    registry = ws.registry()
    expected = registry.expected_returns()
    days = [(row, destroy_by(row, expected)) for row in registry.submissions()]
    rows = [
        Due(row, day, (on - day).days)
        for row, day in days
        if row.status != "purged" and day is not None and day <= on
    ]
    return sorted(rows, key=lambda entry: (-entry.days, entry.submission.id))


def read_record_ids(path: Path) -> tuple[str, ...]:
    """Record ids from a text file, one a line; empty lines do not count.

    Raises:
        OSError: the file cannot be read.
        UnicodeDecodeError: it is no text.
    """
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return tuple(dict.fromkeys(line.strip().lower() for line in lines if line.strip()))
