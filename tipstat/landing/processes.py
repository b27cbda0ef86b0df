"""Which process a load belongs to, and whether it still runs."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

_PROC = Path("/proc")


def machine() -> str:
    """The name of this machine, with its process-id space where containers share the name."""
    name = socket.gethostname()
    try:
        return f"{name}/{(_PROC / 'self' / 'ns' / 'pid').readlink()}"
    except OSError:
        return name


def process_start(pid: int) -> str:
    """When a process started, in a form that only serves for comparison.

    Returns:
        Text that no later process of the same id has; empty where the system does not tell.
    """
    if sys.platform == "win32":
        return _windows_start(pid)
    try:
        boot = (_PROC / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
        return f"{boot}:{_stat(pid)[19]}"
    except OSError:
        return ""


def is_running(pid: int, started: str) -> bool:
    """Whether the process still runs that had this id and start.

    Args:
        pid: the process id.
        started: what :func:`process_start` said of it; empty compares by id alone.
    """
    if not _exists(pid):
        return False
    return not started or process_start(pid) == started


def _stat(pid: int) -> list[str]:
    """Fields of ``/proc/<pid>/stat`` after the name, which may itself hold blanks and brackets."""
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _exists(pid: int) -> bool:
    if sys.platform == "win32":
        return bool(_windows_start(pid))
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return _stat(pid)[0] not in ("Z", "X")
    except OSError:
        return True


def _windows_start(pid: int) -> str:
    """Creation time of a running process on Windows; ``os.kill`` would end it there."""
    if sys.platform != "win32":
        return ""
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.windll.kernel32
    query, still_active = 0x1000, 259
    handle = kernel.OpenProcess(query, False, pid)
    if not handle:
        return ""
    try:
        code = wintypes.DWORD()
        times = [wintypes.FILETIME() for _ in range(4)]
        kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        kernel.GetProcessTimes(handle, *(ctypes.byref(time) for time in times))
        if code.value != still_active:
            return ""
        return f"{times[0].dwHighDateTime}:{times[0].dwLowDateTime}"
    finally:
        kernel.CloseHandle(handle)
