"""Colour cells of a sheet, in one pass over its XML; missing cells and rows are put in."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from loaders.reply_styles import Styles
from loaders.source import column_letter, column_number
from loaders.xml_edit import Edit, Scan, Tag

#: What may stand in a sheet behind ``legacyDrawing``; alternatives wrap objects and controls.
_BEHIND = {
    "",
    "legacyDrawingHF",
    "drawingHF",
    "picture",
    "oleObjects",
    "controls",
    "webPublishItems",
    "tableParts",
    "extLst",
}
_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b[^<>]*?\bref=[\"']([A-Z]+)(\d+):([A-Z]+)(\d+)[\"']")
_DATA = re.compile(rb"<((?:\w+:)?)sheetData\b")
_ROW_NUMBER = re.compile(rb"<[\w:]+\s(?:[^<>]*?\s)?r=[\"'](\d+)[\"']")
#: A row of more bytes than this is not looked for.
_LONGEST_ROW = 32 * 1024 * 1024
#: The end of a piece that is looked at again with the next one.
_OVERLAP = 256

#: (row, column), both from 1.
Place = tuple[int, int]


def place_of(cell: str) -> Place | None:
    """Row and column of an address such as ``C17``; ``None`` for anything else."""
    found = _ADDRESS.fullmatch(cell)
    return (int(found[2]), column_number(found[1])) if found else None


def merged_areas(chunks: Iterable[bytes]) -> list[tuple[int, int, int, int]]:
    """The merged areas of a sheet: first row and column, last row and column."""
    found: dict[tuple[int, int, int, int], None] = {}
    tail = b""
    for chunk in chunks:
        for match in _MERGED.finditer(tail + chunk):
            first, top, last, bottom = (part.decode() for part in match.groups())
            area = (int(top), column_number(first), int(bottom), column_number(last))
            found[area] = None
        tail = chunk[-_OVERLAP:]
    return list(found)


def shown_at(place: Place, areas: Iterable[tuple[int, int, int, int]]) -> Place:
    """Where a cell is seen: in a merged area, at its first cell."""
    row, column = place
    for top, left, bottom, right in areas:
        if top <= row <= bottom and left <= column <= right:
            return top, left
    return place


def sparse(chunks: Iterable[bytes], wanted: Container[int]) -> Iterator[bytes]:
    """A sheet in which the cells of most rows are blanks: as long as before, and fast to go over.

    Blanks keep every position. In XML without comments and the like, ``<`` only begins a tag, so
    rows can be told without parsing; from the first ``<!`` on nothing is blanked.

    Args:
        chunks: the sheet.
        wanted: rows whose cells stay.

    Yields:
        The sheet, in pieces.
    """
    rest, prefix = b"", None
    pieces = iter(chunks)
    for chunk in pieces:
        rest += chunk
        if prefix is None and (data := _DATA.search(rest)):
            prefix = data[1]
        if b"<!" in rest or len(rest) > _LONGEST_ROW:
            break
        if prefix is not None:
            done, rest = _blanked(rest, prefix, wanted)
            yield done
    yield rest
    yield from pieces


def _blanked(part: bytes, prefix: bytes, wanted: Container[int]) -> tuple[bytes, bytes]:
    """The part up to the end of its last whole row, with blanks for cells; and what follows."""
    opening, closing = b"<" + prefix + b"row", b"</" + prefix + b"row>"
    done: list[bytes] = []
    at = 0
    while (end := part.find(closing, at)) >= 0:
        start = part.rfind(opening, at, end)
        inner = part.find(b">", start, end) + 1 if start >= 0 else end
        number = _ROW_NUMBER.match(part, start, inner) if start >= 0 else None
        if number is None or int(number[1]) in wanted:
            done.append(part[at : end + len(closing)])
        else:
            done += (part[at:inner], b" " * (end - inner), closing)
        at = end + len(closing)
    return b"".join(done), part[at:]


@dataclass
class CellColours:
    """One pass over a sheet that gives cells the colour of a severity.

    The colour of an earlier reply is taken off every other cell.

    Attributes:
        severities: cell -> severity.
        styles: of the workbook.
        edits: what changes in the sheet.
        drawing: id of the relation to the drawing of notes, if the sheet has one.
        drawing_at: where an element for one would stand.
    """

    severities: Mapping[Place, str]
    styles: Styles
    edits: list[Edit] = field(default_factory=list)
    drawing: str = ""
    drawing_at: int = 0
    _path: list[str] = field(default_factory=list)
    _columns: list[tuple[int, int, int]] = field(default_factory=list)

    def run(self, chunks: Iterable[bytes]) -> CellColours:
        """Go over the sheet; ``UnchangeableError`` where it cannot be edited."""
        self._rows: dict[int, list[int]] = {}
        for row, column in sorted(self.severities):
            self._rows.setdefault(row, []).append(column)
        self._waiting = list(self._rows)[::-1]
        self._row = self._column = self._row_style = 0
        self._due: list[int] = []
        self._row_tag: Tag | None = None
        self._behind: int | None = None
        self._scan = Scan(self._start, self._end)
        self._scan.run(chunks if self.styles.worn else sparse(chunks, self._rows))
        return self

    @property
    def _looked_at(self) -> bool:
        return bool(self._due or self.styles.worn)

    @property
    def declared(self) -> str:
        """What an inserted element needs to be in the namespace of the sheet."""
        return self._scan.declared.decode()

    def _start(self, name: str, given: dict[str, str], tag: Callable[[], Tag]) -> None:
        self._path.append(name)
        depth = len(self._path)
        if depth == 2:
            self._part_of_sheet(name, given, tag)
        elif depth == 3 and name == "row" and self._path[1] == "sheetData":
            self._start_row(given, tag)
        elif depth == 3 and name == "col":
            self._columns.append(
                (int(given["min"]), int(given["max"]), int(given.get("style", "0")))
            )
        elif depth == 3 and name == "sheetView" and given.get("tabSelected") in ("1", "true"):
            self._replace(tag(), tag().having(tabSelected=0))
        elif depth == 4 and name == "c" and self._path[2] == "row":
            self._cell(given, tag)

    def _part_of_sheet(self, name: str, given: dict[str, str], tag: Callable[[], Tag]) -> None:
        if name in _BEHIND:
            self._behind = tag().start if self._behind is None else self._behind
        else:
            self._behind = None
        if name == "legacyDrawing":
            self.drawing = next((v for k, v in given.items() if k.endswith(" id")), "")
        if name == "sheetData":
            self._data_tag = tag()

    def _start_row(self, given: dict[str, str], tag: Callable[[], Tag]) -> None:
        self._row = int(given.get("r", self._row + 1))
        if self._waiting and self._waiting[-1] < self._row:
            self._insert(tag().start, self._missing_rows(self._row))
        self._column, self._due, self._row_tag = 0, [], None
        if self._waiting and self._waiting[-1] == self._row:
            self._due = self._rows[self._waiting.pop()][::-1]
            self._row_tag = tag()
            self._row_style = int(given.get("s", "0")) if "customFormat" in given else 0

    def _cell(self, given: dict[str, str], tag: Callable[[], Tag]) -> None:
        address = _ADDRESS.fullmatch(given.get("r", "")) if self._looked_at else None
        self._column = column_number(address[1]) if address else self._column + 1
        worn = self.styles.worn and int(given.get("s", "0")) in self.styles.worn
        if worn and (self._row, self._column) not in self.severities:
            self._replace(tag(), tag().having(s=self.styles.bare(int(given["s"]))))
        if not self._due:
            return
        if self._due[-1] < self._column:
            self._insert(tag().start, self._missing_cells(self._column))
        if self._due and self._due[-1] == self._column:
            self._due.pop()
            style = self._coloured(int(given.get("s", "0")), self._row, self._column)
            self._replace(tag(), tag().having(s=style))

    def _end(self, name: str, at: int) -> None:
        depth = len(self._path)
        if depth == 3 and name == "row" and self._due and self._row_tag is not None:
            self._append(self._row_tag, at, self._missing_cells())
        elif depth == 2 and name == "sheetData" and self._waiting:
            self._append(self._data_tag, at, self._missing_rows())
        elif depth == 1:
            self.drawing_at = at if self._behind is None else self._behind
        self._path.pop()

    def _missing_rows(self, before: int | None = None) -> str:
        """The rows that are not in the sheet but hold cells to be coloured."""
        rows = []
        while self._waiting and (before is None or self._waiting[-1] < before):
            row = self._waiting.pop()
            self._due, self._row_style = self._rows[row][::-1], 0
            rows.append(f'<row{self.declared} r="{row}">{self._missing_cells(row=row)}</row>')
        return "".join(rows)

    def _missing_cells(self, before: int | None = None, row: int | None = None) -> str:
        cells = []
        row = row or self._row
        while self._due and (before is None or self._due[-1] < before):
            column = self._due.pop()
            style = self._coloured(self._row_style or self._column_style(column), row, column)
            cells.append(f'<c{self.declared} r="{column_letter(column)}{row}" s="{style}"/>')
        return "".join(cells)

    def _column_style(self, column: int) -> int:
        """The format of a column, which a cell takes that is not there yet."""
        return next((s for first, last, s in self._columns if first <= column <= last), 0)

    def _coloured(self, base: int, row: int, column: int) -> int:
        return self.styles.coloured(base, self.severities[row, column])

    def _insert(self, at: int, text: str) -> None:
        self.edits.append(Edit(at, at, text.encode()))

    def _replace(self, tag: Tag, new: bytes) -> None:
        self.edits.append(Edit(tag.start, tag.end, new))

    def _append(self, tag: Tag, at: int, text: str) -> None:
        """Add to the end of an element, whether it is empty or not."""
        if tag.closed:
            self._replace(tag, tag.filled(text.encode()))
        else:
            self._insert(at, text)


def unselected(chunks: Iterable[bytes]) -> list[Edit]:
    """Edits that take the selection off a sheet; none where it is not selected.

    Two selected sheets are a group, in which whatever is typed goes into both.
    """
    edits: list[Edit] = []

    def start(name: str, given: dict[str, str], tag: Callable[[], Tag]) -> None:
        if name == "sheetView" and given.get("tabSelected") in ("1", "true"):
            found = tag()
            edits.append(Edit(found.start, found.end, found.having(tabSelected=0)))

    Scan(start).run(_head(chunks))
    return edits


def _head(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A sheet up to its data, closed there."""
    head = b""
    for chunk in chunks:
        head += chunk
        found = re.search(rb"<((?:\w+:)?)sheetData\b", head)
        if found:
            yield head[: found.start()] + b"</" + found[1] + b"worksheet>"
            return
    yield head
