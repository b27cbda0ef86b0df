"""Read a file as sent: recognise it by its content, keep to limits, and change no text.

Dates become ISO text, whole numbers lose their ``.0``, logical values become TRUE and FALSE; any
other text is as it was sent. Nothing of the file is written anywhere, no macro is run and no
external link is followed. What a file is and holds is found out in a process of its own.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from loaders.formats import ENDINGS
from loaders.parse import Parsed, Reading, parse_file
from loaders.reply_mark import without_reply
from loaders.source import ErrorCell, Sheet, Source, family_of
from tipstat.errors import ReturnRefused, UsageError
from tipstat.limits import MEGABYTE, Limits
from tipstat.rules import refuse

if TYPE_CHECKING:
    from loaders.layout_model import Repair

__all__ = [
    "ErrorCell",
    "Sheet",
    "Source",
    "fingerprint",
    "name_of",
    "read_ahead",
    "read_source",
    "received",
]

#: What is read of a folder.
TABLE_ENDINGS = (".csv", ".tsv", ".parquet")
#: Endings of workbooks, which are read alike whatever a layout or the command line says.
_WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
#: Workbooks that are being read before they are asked for.
_ahead: dict[Path, tuple[Limits, Future[Source]]] = {}


def read_source(
    path: Path | str | Sequence[Path],
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    repairs: Sequence[Repair] = (),
    limits: Limits | None = None,
) -> Source:
    """Read a workbook, a table, a zip of tables, or several tables that form one return.

    Args:
        path: the file; a folder, whose CSV, TSV and Parquet files are read; or several of those.
        encoding: of a text; detected where not given.
        delimiter: of a text; detected where not given.
        repairs: known faults of a text's lines, from a layout.
        limits: of the workspace; the usual ones where not given.

    Returns:
        All sheets as text, with row numbers, error cells and notes. Each of several tables is a
        sheet named by its file, without the ending; their order does not matter. The sheets of an
        earlier reply in a workbook that comes back are left out.

    Raises:
        ReturnRefused: a file is empty, damaged, encrypted, too large or of a wrong type, the
            files cannot be one return (TIP-970), or reading takes too much (TIP-151).
        UsageError: there is no such file, or it cannot be opened.
    """
    how = Reading(encoding, delimiter, tuple(repairs), limits or Limits())
    files = [Path(path)] if isinstance(path, str | Path) else list(path)
    if len(files) != 1 or files[0].is_dir():
        return _read_tables(files, how)
    limits_begun, begun = _ahead.pop(files[0], (None, None))
    source = begun.result() if begun and limits_begun == how.limits else _read_file(files[0], how)
    return without_reply(source)


def read_ahead(files: Sequence[Path], limits: Limits) -> None:
    """Begin to read a workbook while the libraries of the check are loaded.

    Args:
        files: what a command was given; nothing is begun where they are no single workbook.
        limits: of the workspace.
    """
    if len(files) != 1 or files[0].suffix.lower() not in _WORKBOOKS or not limits.child_process:
        return
    begun: Future[Source] = Future()
    _ahead[files[0]] = (limits, begun)

    def read() -> None:
        try:
            begun.set_result(_read_file(files[0], Reading(None, None, (), limits)))
        except BaseException as error:  # whatever it is, who asks for the file is told
            begun.set_exception(error)

    Thread(target=read, daemon=True).start()


def fingerprint(files: Sequence[Path], limits: Limits | None = None) -> str:
    """The hash under which ``read_source`` knows a return; nothing of it is parsed.

    Args:
        files: one file, a folder, or the several files of one return.
        limits: of the workspace; the usual ones where not given.

    Raises:
        ReturnRefused: TIP-105 a file is too large, TIP-167 one is no file.
        UsageError: there is no such file, or it cannot be opened.
    """
    limits = limits or Limits()
    alone = len(files) == 1 and not files[0].is_dir()
    tables = list(files) if alone else [table for file in files for table in _tables_of(file)]
    digests = [hashlib.sha256(received(table, limits)).hexdigest() for table in tables]
    return digests[0] if alone else _joint(digests)


def _joint(digests: Sequence[str]) -> str:
    """Of the contents alone: neither the order nor the folder makes another return of it."""
    return hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()


def name_of(path: Path | str | Sequence[Path]) -> str:
    """The name under which a return is spoken of: its file, its folder, or its files."""
    if isinstance(path, str | Path):
        return Path(path).resolve().name if Path(path).is_dir() else Path(path).name
    return " + ".join(sorted(name_of(file) for file in path))


def _read_tables(files: Sequence[Path], how: Reading) -> Source:
    """Several tables as the sheets of one source."""
    where = name_of(files)
    tables = sorted(
        {table for file in files for table in _tables_of(file)},
        key=lambda table: table.stem.casefold(),
    )
    repeated = [stem for stem, n in Counter(t.stem.casefold() for t in tables).items() if n > 1]
    if not tables or repeated:
        found = f"two files named {repeated[0]}" if repeated else "a folder without tables"
        raise refuse("TIP-970", ReturnRefused, where=where, found=found)
    sources = [_read_file(table, how) for table in tables]
    for source in sources:
        if family_of(source.format) != "csv" or source.path.suffix.lower() == ".zip":
            found = f"{source.path.name}, {source.read_as}, beside other files"
            raise refuse("TIP-970", ReturnRefused, where=where, found=found)
    formats = {source.format for source in sources}
    return Source(
        files[0].resolve() if len(files) == 1 else tables[0].parent / where,
        formats.pop() if len(formats) == 1 else "csv",
        _joint([source.sha256 for source in sources]),
        tuple(sheet for source in sources for sheet in source.sheets),
        (),
        tuple(note for source in sources for note in source.notes),
        "; ".join(dict.fromkeys(source.read_as for source in sources)),
    )


def _tables_of(file: Path) -> list[Path]:
    """A file itself, or the tables of a folder; a note beside them (.txt) is none."""
    if not file.is_dir():
        return [file]
    if file.suffix.lower() in ENDINGS:
        found = f"a folder whose name ends in {file.suffix}"
        raise refuse("TIP-167", ReturnRefused, where=file.name, found=found)
    tables = [one for one in file.iterdir() if one.suffix.lower() in TABLE_ENDINGS]
    for table in tables:
        # What a folder received from elsewhere points to is nobody's return.
        if table.is_symlink():
            raise refuse("TIP-167", ReturnRefused, where=table.name, found="a link in a folder")
    return tables


def _read_file(path: Path, how: Reading) -> Source:
    data = received(path, how.limits)
    with ThreadPoolExecutor(1) as beside:
        digest = beside.submit(hashlib.sha256, data)
        parsed = _parser(how.limits)(path.name, data, how)
    return Source(
        path,
        parsed.format,
        digest.result().hexdigest(),
        parsed.sheets,
        parsed.error_cells,
        parsed.notes,
        parsed.read_as,
        parsed.date_1904,
        parsed.encoding,
        parsed.delimiter,
    )


def _parser(limits: Limits) -> Callable[[str, bytes, Reading], Parsed]:
    if not limits.child_process:
        return parse_file
    from loaders.parse_apart import parse_apart

    return parse_apart


def received(path: Path, limits: Limits) -> bytes:
    """The file's bytes, if it is a plain file and not too large.

    It is opened once and looked at through that handle, so that nothing can be put in its place;
    without waiting, so that a pipe that nobody writes to holds nothing up.

    Raises:
        ReturnRefused: TIP-105 it is too large, TIP-167 it is no plain file.
        UsageError: TIP-106 it cannot be opened.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except OSError as error:
        found = error.strerror or "it cannot be opened"
        raise refuse("TIP-106", UsageError, where=path.name, found=found) from error
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise refuse("TIP-167", ReturnRefused, where=path.name, found=_kind_of(about.st_mode))
        most = limits.file_mb * MEGABYTE
        data = file.read(about.st_size + 1) if about.st_size <= most else b""
    if max(about.st_size, len(data)) > most:
        found = f"{about.st_size / MEGABYTE:,.0f} MB"
        expected = f"at most {limits.file_mb:,} MB"
        raise refuse("TIP-105", ReturnRefused, where=path.name, found=found, expected=expected)
    return data


def _kind_of(mode: int) -> str:
    kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISDIR, "a folder"))
    return next((what for test, what in kinds if test(mode)), "a device")
