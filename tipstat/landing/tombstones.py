"""``tombstone.json``: what was destroyed of a submission; counts and grounds, never content."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tipstat.errors import WorkplaceError
from tipstat.landing import folders
from tipstat.rules import refuse
from tipstat.workspace import Workspace

TOMBSTONE_FILE = "tombstone.json"
WHOLE, RECORDS = "SUBMISSION", "RECORDS"


@dataclass(frozen=True)
class Tombstone:
    """One purge as the landing keeps it.

    Attributes:
        purge_id: id of the purge in the registry.
        scope: ``SUBMISSION`` or ``RECORDS``.
        counts: destroyed records by record type, held-out ones among them.
    """

    purge_id: str
    scope: str
    ground: str
    note: str
    actor: str
    at: datetime
    counts: dict[str, int]


def read_tombstones(folder: Path) -> tuple[Tombstone, ...]:
    """The purges of a landed submission, oldest first; none where nothing was destroyed.

    Raises:
        WorkplaceError: TIP-926 the file cannot be read.
    """
    path = folder / TOMBSTONE_FILE
    if not path.is_file():
        return ()
    content = folders.read_json(path)
    try:
        return tuple(_from_json(entry) for entry in content["purges"])
    except (KeyError, TypeError, ValueError):
        where = f"{folder.name}/{TOMBSTONE_FILE}"
        raise refuse("TIP-926", WorkplaceError, where=where, found="another content") from None


def _from_json(entry: dict[str, Any]) -> Tombstone:
    return Tombstone(**(entry | {"at": datetime.fromisoformat(entry["at"])}))


def write_tombstones(folder: Path, submission_id: str, stones: tuple[Tombstone, ...]) -> None:
    """Write the purges of a submission into its folder."""
    purges = [asdict(stone) | {"at": stone.at.isoformat()} for stone in stones]
    content = {"format": folders.FORMAT, "id": submission_id, "purges": purges}
    folders.write_json(folder / TOMBSTONE_FILE, content)


def tombstones_of(ws: Workspace, submission_id: str) -> tuple[Tombstone, ...]:
    """The purges that the landing of a submission tells of."""
    return read_tombstones(folders.final_folder(ws, submission_id))


def is_destroyed(stones: tuple[Tombstone, ...]) -> bool:
    """Whether the whole submission was destroyed."""
    return any(stone.scope == WHOLE for stone in stones)
