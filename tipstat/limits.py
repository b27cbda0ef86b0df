"""How large a received file may be, and how much memory and time reading it may take."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """The table ``[limits]`` of ``tipstat.toml``; every limit holds before a file is parsed.

    Attributes:
        file_mb: largest file that is opened, in megabytes.
        unpacked_mb: most megabytes that the parts of a zip (xlsx, ods, zipped CSV) may declare.
        unpack_ratio: how many times its own size a zip may unpack to.
        members: most parts of a zip.
        cells: most cells in the rectangle that a sheet uses.
        memory_mb: memory of the process that reads or marks a file.
        seconds: time of that process.
        child_process: whether that is a process of its own, under both limits.
    """

    file_mb: int = 512
    unpacked_mb: int = 1024
    unpack_ratio: int = 200
    members: int = 5_000
    cells: int = 80_000_000
    memory_mb: int = 4_096
    seconds: int = 300
    child_process: bool = True
