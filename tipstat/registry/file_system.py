"""Whether a folder is on a network file system, where SQLite's WAL and locks do not hold."""

from __future__ import annotations

import re
import sys
from pathlib import Path, PureWindowsPath

#: File system types of ``/proc/mounts`` whose locks or shared memory do not serve SQLite.
NETWORK_TYPES = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "drvfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "smb",
        "smb2",
        "smb3",
        "smbfs",
        "vboxsf",
    }
)
_LOCAL_FUSE = frozenset({"fuse.ext2", "fuse.fuseblk", "fuse.ntfs", "fuse.ntfs-3g", "fuseblk"})
_MOUNTS = Path("/proc/mounts")


def network_file_system(path: Path, mounts: str | None = None) -> str | None:
    """The type of the network file system that holds a path.

    Args:
        path: a file or folder, which need not exist.
        mounts: text in the form of ``/proc/mounts``; by default that of this machine.

    Returns:
        The type, such as ``nfs4`` or ``fuse.sshfs``; ``None`` where the path is local or the
        machine does not tell (macOS).
    """
    if sys.platform == "win32":
        return _windows_share(path)
    if mounts is None:
        if not _MOUNTS.exists():
            return None
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    kind = _type_of_mount(path.resolve(), mounts)
    return kind if _is_network(kind) else None


def _is_network(kind: str) -> bool:
    return kind in NETWORK_TYPES or (kind.startswith("fuse.") and kind not in _LOCAL_FUSE)


def _type_of_mount(path: Path, mounts: str) -> str:
    """Type of the mount nearest above the path; of two on one folder the later one counts."""
    best, depth = "", -1
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(_unescaped(fields[1]))
        if path.is_relative_to(point) and len(point.parts) >= depth:
            best, depth = fields[2], len(point.parts)
    return best


def _unescaped(text: str) -> str:
    """Blanks, tabs and backslashes stand as octal numbers in ``/proc/mounts``."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def _windows_share(path: Path) -> str | None:
    drive = PureWindowsPath(path.resolve()).drive
    if drive.startswith("\\\\"):
        return "smb"
    if sys.platform == "win32":
        import ctypes

        remote = 4
        if ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") == remote:
            return "smb"
    return None
