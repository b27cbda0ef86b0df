"""A copy of the sender's workbook with coloured cells, notes, and the sheets of the reply."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

from loaders.archive import open_archive
from loaders.findings import SEVERITIES
from loaders.package import Package, write_skeleton
from loaders.reply_cells import CellColours, Place, merged_areas, place_of, shown_at
from loaders.reply_content import Content
from loaders.reply_notes import Notes
from loaders.reply_sheets import Book
from loaders.reply_styles import Styles
from loaders.reply_summary import Target, note_of, sheets_of
from loaders.xml_edit import UnchangeableError
from tipstat.limits import Limits

Found = Mapping[str, Any]


class MarkedCopy:
    """A workbook that is marked; what is not marked stays as it was, to the byte."""

    def __init__(self, archive: zipfile.ZipFile, content: Content) -> None:
        """Look the workbook over.

        Raises:
            UnchangeableError: its list of sheets or styles are of another form.
        """
        self._content = content
        self._package = Package(archive)
        self._styles, self._book = Styles(self._package), Book(self._package)
        self._notes = Notes(self._package)

    def mark(self) -> int:
        """Mark the cells in which something was found; how many these are."""
        by_sheet: dict[str, list[Found]] = {}
        for cell in self._content.cells:
            if cell["sheet"] in self._book.paths:
                by_sheet.setdefault(str(cell["sheet"]), []).append(cell)
        # A copy that came back bears the marks of the reply before on any sheet.
        again = self._styles.worn or self._book.replies
        gone_over = [name for name in self._book.paths if again or name in by_sheet]
        marked = sum(self._mark_sheet(name, by_sheet.get(name, ())) for name in gone_over)
        self._book.unselect([self._book.paths[name] for name in gone_over])
        target = Target(frozenset(self._book.paths), marked)
        self._book.put_first(sheets_of(self._content, self._book.free_name, target), self._styles)
        self._styles.save()
        return marked

    def _mark_sheet(self, name: str, cells: Iterable[Found]) -> int:
        sheet = self._book.paths[name]
        severities, texts = self._gathered(cells, merged_areas(self._package.chunks(sheet)))
        colours = CellColours(severities, self._styles).run(self._package.chunks(sheet))
        self._notes.strip(sheet)
        if texts:
            self._notes.put(sheet, colours, texts)
        self._package.edits[sheet] = colours.edits
        return len(severities)

    def _gathered(
        self, cells: Iterable[Found], areas: list[tuple[int, int, int, int]]
    ) -> tuple[dict[Place, str], dict[Place, str]]:
        """Severity and note of each cell; in a merged area those of all its cells together."""
        severities: dict[Place, str] = {}
        texts: dict[Place, list[str]] = {}
        for cell in cells:
            place = place_of(cell["cell"])
            if place is not None:
                place = shown_at(place, areas)
                known = severities.get(place, "note")
                severities[place] = min(known, cell["severity"], key=SEVERITIES.index)
                text = note_of(cell, self._content.account.language)
                texts.setdefault(place, []).append(text)
        return severities, {place: "\n\n".join(parts) for place, parts in texts.items()}

    def write(self, file: BinaryIO) -> None:
        """Write the copy."""
        self._package.write(file)


def write_marked(name: str, data: bytes, content: Content, file: BinaryIO, limits: Limits) -> int:
    """Write a marked copy of a workbook.

    Args:
        name: of the workbook, for messages.
        data: its bytes.
        content: what is replied.
        file: the copy.
        limits: of the workspace.

    Returns:
        How many cells are marked.

    Raises:
        UnchangeableError: the workbook cannot be edited.
        ReturnRefused: it is beyond the limits, or no zip.
    """
    try:
        with open_archive(name, data, limits) as archive:
            copy = MarkedCopy(archive, content)
            marked = copy.mark()
            copy.write(file)
    except _DAMAGED as error:
        raise UnchangeableError("a part that is damaged") from error
    return marked


#: What parts give that do not hold what they must.
_DAMAGED = (
    ValueError,
    LookupError,
    EOFError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


def write_findings_book(content: Content, file: BinaryIO) -> None:
    """Write a workbook of the sheets of the reply alone."""
    skeleton = io.BytesIO()
    write_skeleton(skeleton)
    with zipfile.ZipFile(skeleton) as archive:
        package = Package(archive)
        styles, book = Styles(package), Book(package)
        book.put_first(sheets_of(content, book.free_name, None), styles)
        styles.save()
        package.write(file)
