"""The post: a folder of returns, each told apart, given its layout, and checked or loaded.

A folder of standard CSV files (with a ``metadata.csv``) is one return; any other folder holds
returns. What a file is follows from its content: a standard workbook says so itself, any other
file is compared with the columns of every layout.
"""

from __future__ import annotations

import codecs
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from loaders.check import check_file, step
from loaders.land import Loaded, load_checked
from loaders.layout import apply_layout, fits, layout_paths, load_layout, takes
from loaders.read import TABLE_ENDINGS, read_source
from loaders.templates import recognise
from tipstat.errors import ReturnRefused, TipstatError, UsageError
from tipstat.rules import refuse

if TYPE_CHECKING:
    from loaders.check import CheckResult
    from loaders.layout import Layout
    from loaders.source import Source
    from tipstat.limits import Limits
    from tipstat.workspace import Workspace

#: Files that systems and editors leave in folders; they are nobody's return.
_LITTER = ("thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Piece:
    """One return of the post.

    Attributes:
        paths: its file, its folder, or its files.
        name: where it stands in the post.
        layout: id of its layout; empty for a standard return.
        refusal: why it is no return that can be loaded.
    """

    paths: tuple[Path, ...]
    name: str
    layout: str = ""
    refusal: TipstatError | None = None


@dataclass(frozen=True)
class Line:
    """What became of one return of the post.

    Attributes:
        outcome: ``accepted`` (``checked`` where nothing is to be loaded), ``refused``, ``known``
            (accepted before), or ``failed`` (the fault is not the file's: it may be loaded again).
        submission: its id, where it is recorded.
        findings: findings but notes.
        rule: first rule that refuses it.
        message: that rule's words, without values.
        clean: nothing worse than a warning.
    """

    file: str
    outcome: str
    layout: str = ""
    submission: str = ""
    records: int = 0
    held_out: int = 0
    findings: int = 0
    rule: str = ""
    message: str = ""
    clean: bool = False


def is_post(path: Path) -> bool:
    """Whether a path is a folder of returns and not one return of several files."""
    return path.is_dir() and not _is_return(path)


def _is_return(folder: Path) -> bool:
    """Standard CSV files are known by their ``metadata.csv``."""
    return any(
        one.stem.lower() == "metadata" and one.suffix.lower() in TABLE_ENDINGS
        for one in folder.iterdir()
    )


def places_in(folder: Path) -> Iterator[Path]:
    """The files of a folder and of those in it, and the folders that are one return, by name."""
    for path in sorted(folder.iterdir(), key=lambda one: (one.name.casefold(), one.name)):
        if path.name.startswith((".", "~$")) or path.name.lower() in _LITTER:
            continue
        if not path.is_dir() or _is_return(path):
            yield path
        elif not path.is_symlink():
            yield from places_in(path)


# ── what is what ──────────────────────────────────────────────────────────────────────────────


def layouts_of(ws: Workspace) -> tuple[list[Layout], list[Piece]]:
    """Every layout that can be used, and those of the workspace that are not valid."""
    usable, broken = [], []
    for name, path in sorted(layout_paths(ws.layouts_dir).items()):
        try:
            usable.append(load_layout(name, ws.layouts_dir, office=ws.correspondences_dir))
        except TipstatError as refusal:
            broken.append(Piece((path,), f"layouts/{path.name}", name, refusal))
    return usable, broken


def sort_post(
    folder: Path,
    layouts: Sequence[Layout],
    told: Callable[[str], None] = lambda name: None,
    *,
    limits: Limits | None = None,
) -> list[Piece]:
    """Tell the returns of a folder apart and choose the layout of each.

    Args:
        folder: the post.
        layouts: those to choose from.
        told: called with the name of each file before it is read.
        limits: of the workspace; the usual ones where not given.

    Returns:
        The returns in order of their names. One that no layout fits, or several do, carries its
        refusal (TIP-150, TIP-560); so does a file that cannot be read.
    """
    pieces, parts = [], defaultdict(list)
    for path in places_in(folder):
        name = path.relative_to(folder).as_posix()
        told(name)
        piece = _piece(path, name, layouts, limits)
        refusal = piece.refusal
        if refusal is not None and refusal.rule == "TIP-150" and path.suffix.lower() == ".csv":
            parts[path.parent].append(piece)
        else:
            pieces.append(piece)
    for pieces_of_folder in parts.values():
        pieces += _together(pieces_of_folder, [one for one in layouts if one.files], limits)
    return sorted(pieces, key=lambda piece: piece.name.casefold())


def _piece(path: Path, name: str, layouts: Sequence[Layout], limits: Limits | None) -> Piece:
    if path.is_dir():
        return Piece((path,), name)
    try:
        with step(f"{name} › reading"):
            sent = _Sent(read_source(path, limits=limits), limits)
            chosen = "" if recognise(sent.source) else _chosen(sent, layouts).id
    except TipstatError as refusal:
        return Piece((path,), name, refusal=refusal)
    return Piece((path,), name, chosen)


@dataclass(frozen=True)
class _Sent:
    """A file of the post, read as any file is, and anew where layouts read it otherwise."""

    source: Source
    limits: Limits | None
    otherwise: dict[tuple[object, ...], Source] = field(default_factory=dict)

    def read_for(self, layout: Layout) -> Source:
        own = (layout.encoding, layout.delimiter, layout.repairs)
        if layout.format != self.source.format or layout.files or self._is_as_read(layout):
            return self.source
        if own not in self.otherwise:
            self.otherwise[own] = self._anew(layout)
        return self.otherwise[own]

    def _is_as_read(self, layout: Layout) -> bool:
        """Whether encoding and delimiter are those of the layout, and no line is to be mended."""
        ragged = any(note.rule_id == "TIP-110" for note in self.source.notes)
        return (
            (not layout.encoding or _codec(layout.encoding) == _codec(self.source.encoding))
            and layout.delimiter in (None, "", self.source.delimiter)
            and not (layout.repairs and ragged)
        )

    def _anew(self, layout: Layout) -> Source:
        try:
            return read_source(
                self.source.path,
                encoding=layout.encoding,
                delimiter=layout.delimiter,
                repairs=layout.repairs,
                limits=self.limits,
            )
        except ReturnRefused:
            return self.source


def _codec(encoding: str) -> str:
    """The one name of an encoding that has several; one that is none has its own."""
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return encoding


def _chosen(sent: _Sent, layouts: Iterable[Layout]) -> Layout:
    """The one layout that fits a file by its columns, then by content, then by the file's name."""
    name = sent.source.path.name
    fitting = [layout for layout in layouts if fits(layout, sent.read_for(layout))]
    for narrower in (_accepts, _named):
        if len(fitting) > 1:
            fitting = [layout for layout in fitting if narrower(layout, sent)] or fitting
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        found = ", ".join(layout.id for layout in fitting)
        raise refuse("TIP-560", ReturnRefused, where=name, found=found)
    raise refuse("TIP-150", ReturnRefused, where=name, found="columns of no layout")


def _accepts(layout: Layout, sent: _Sent) -> bool:
    """Whether the rows are what the layout expects; two tables may have the same columns."""
    try:
        apply_layout(layout, sent.read_for(layout))
    except ReturnRefused:
        return False
    return True


def _named(layout: Layout, sent: _Sent) -> bool:
    name = sent.source.path.name
    return bool(layout.name_pattern) and bool(re.search(layout.name_pattern, name))


def _together(
    pieces: Sequence[Piece], layouts: Iterable[Layout], limits: Limits | None
) -> list[Piece]:
    """Files of one folder that only together are a return, as a layout of several files says."""
    left, found = list(pieces), []
    sources = {piece.name: read_source(piece.paths[0], limits=limits) for piece in pieces}
    for layout in layouts:
        taken = [piece for piece in left if takes(layout, sources[piece.name])]
        if len(taken) == len(layout.files):
            paths = tuple(path for piece in taken for path in piece.paths)
            name = " + ".join(piece.name for piece in taken)
            found.append(Piece(paths, name, layout.id))
            left = [piece for piece in left if piece not in taken]
    return found + left


# ── checking and loading ──────────────────────────────────────────────────────────────────────


def check_piece(piece: Piece, ws: Workspace, *, metadata: Mapping[str, str]) -> Line:
    """Check one return and write nothing; the arguments are those of ``load_piece``."""
    return _treated(piece, ws, metadata, lambda result: Loaded("", _outcome(result)))


def load_piece(
    piece: Piece,
    ws: Workspace,
    *,
    metadata: Mapping[str, str],
    actor: str | None,
    received: date | None = None,
) -> Line:
    """Check and load one return; whatever goes wrong with it is told and stops nothing else.

    Args:
        piece: the return.
        ws: the workspace.
        metadata: items over what the file or the layout says.
        actor: who loads, for the audit trail.
        received: day on which the office received it; by default it did so just now.
    """

    def finish(result: CheckResult) -> Loaded:
        return load_checked(result, ws, actor=actor, received=received)

    return _treated(piece, ws, metadata, finish)


def _outcome(result: CheckResult) -> str:
    return "refused" if result.refused else "checked"


def _treated(
    piece: Piece,
    ws: Workspace,
    metadata: Mapping[str, str],
    finish: Callable[[CheckResult], Loaded],
) -> Line:
    try:
        if piece.refusal is not None:
            raise piece.refusal
        one = piece.paths[0] if len(piece.paths) == 1 else list(piece.paths)
        result = check_file(one, ws, layout=piece.layout or None, metadata=metadata)
        with closing(result):
            return _finished(piece, result, finish)
    except TipstatError as refusal:
        return _failed(piece, refusal)
    except Exception as error:  # the next file must not suffer from this one
        found = type(error).__name__  # its text may quote values
        return _failed(piece, refuse("TIP-561", UsageError, where=piece.name, found=found))


def _failed(piece: Piece, refusal: TipstatError) -> Line:
    outcome = "refused" if isinstance(refusal, ReturnRefused) else "failed"
    message = f"{refusal.title}: {refusal.found}" if refusal.found else refusal.title
    return Line(piece.name, outcome, piece.layout, rule=refusal.rule, message=message)


def _finished(piece: Piece, result: CheckResult, finish: Callable[[CheckResult], Loaded]) -> Line:
    line = Line(piece.name, "known", piece.layout, result.known_as, clean=True)
    if result.known_as:
        return line
    loaded = finish(result)
    refused = loaded.outcome == "refused"
    counted = {name: n for name, n in result.severities.items() if name != "note"}
    worst = result.findings(1)[0] if refused else None
    return replace(
        line,
        outcome=loaded.outcome,
        submission=loaded.submission_id,
        records=0 if refused else sum(result.records.values()) - sum(result.held_out.values()),
        held_out=0 if refused else sum(result.held_out.values()),
        findings=sum(counted.values()),
        rule=worst.rule_id if worst else "",
        message=worst.message if worst else "",
        clean=result.clean,
    )
