"""Folders and files of the landing: written once, brought to the disk, moved into place."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tipstat.errors import WorkplaceError
from tipstat.rules import refuse
from tipstat.workspace import Workspace, write_private

SUBMISSION_FILE = "submission.json"
STATUS_FILE = "status.json"
FORMAT = 1
_TEMPORARY = ".tmp-"
_LOCK_FILE = ".sweep.lock"


def landing_of(ws: Workspace) -> Path:
    """The landing folder of a workspace.

    Raises:
        WorkplaceError: TIP-920 it is not there.
    """
    folder = ws.landing_dir
    if not folder.is_dir():
        raise refuse("TIP-920", WorkplaceError, where=str(folder), found="no such folder")
    return folder


def final_folder(ws: Workspace, submission_id: str) -> Path:
    """The folder of a landed submission."""
    return ws.landing_dir / submission_id


def temporary_folder(ws: Workspace, submission_id: str) -> Path:
    """The folder in which a submission is written before it is moved into place."""
    return ws.landing_dir / f"{_TEMPORARY}{submission_id}"


def landed_ids(ws: Workspace) -> list[str]:
    """Ids of the folders in place, sorted."""
    folders = (path for path in landing_of(ws).iterdir() if path.is_dir())
    return sorted(path.name for path in folders if not path.name.startswith("."))


def temporary_ids(ws: Workspace) -> list[str]:
    """Ids of the temporary folders, sorted."""
    names = (path.name for path in landing_of(ws).iterdir() if path.is_dir())
    return sorted(n.removeprefix(_TEMPORARY) for n in names if n.startswith(_TEMPORARY))


def make_temporary(ws: Workspace, submission_id: str) -> Path:
    """Make the temporary folder of a load; TIP-920 where the landing cannot be written."""
    folder = temporary_folder(ws, submission_id)
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        found = error.strerror or "not writable"
        raise refuse("TIP-920", WorkplaceError, where=str(ws.landing_dir), found=found) from error
    return folder


def sync_folder(folder: Path) -> None:
    """Bring every file of a folder, and the folder, to the disk, readable by the owner only."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            path.chmod(0o600)
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    sync_directory(folder)


def sync_directory(folder: Path) -> None:
    """Bring a folder's list of names to the disk; Windows does so by itself."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish_folder(temporary: Path, final: Path) -> None:
    """Move a complete folder into place, in one step that survives a power cut."""
    temporary.rename(final)
    sync_directory(final.parent)


def remove_folders(ws: Workspace, submission_id: str) -> list[str]:
    """Remove what a load left, in place or temporary; the names of the folders removed."""
    removed = []
    for folder in (temporary_folder(ws, submission_id), final_folder(ws, submission_id)):
        if folder.is_dir():
            _remove_tree(folder)
            removed.append(folder.name)
    if removed:
        sync_directory(ws.landing_dir)
    return removed


def _remove_tree(folder: Path) -> None:
    """Remove a folder, also while another process removes it (a loser's own end, and the sweep)."""
    while folder.is_dir():
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)


def file_sizes(folder: Path) -> dict[str, int]:
    """Size in bytes of each file in a folder, by name."""
    return {path.name: path.stat().st_size for path in sorted(folder.iterdir()) if path.is_file()}


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object that tipstat wrote.

    Raises:
        WorkplaceError: TIP-926 it is not there, or is no such file.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else "an unreadable file"
        raise refuse("TIP-926", WorkplaceError, where=where, found=found) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise refuse("TIP-926", WorkplaceError, where=where, found="another content")
    return content


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write a JSON object so that after a crash the old or the new one stands, never a part."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    write_private(draft, json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    draft.replace(path)
    sync_directory(path.parent)


@contextmanager
def sweep_lock(ws: Workspace, *, wait: bool) -> Iterator[bool]:
    """Hold the lock of the sweep.

    Args:
        wait: wait for another sweep to end; otherwise yield ``False`` where one is under way.

    Yields:
        Whether the lock is held. The system releases it when the process dies.
    """
    path = landing_of(ws) / _LOCK_FILE
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _lock(handle, wait=wait)
    finally:
        os.close(handle)


def _lock(handle: int, *, wait: bool) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True
