"""The sheets of a reply: what was found in sum, and the list of findings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loaders.package import Package, declared
from loaders.reply_cells import unselected
from loaders.reply_mark import REPLY_MARK
from loaders.reply_styles import Styles
from loaders.source import column_letter
from loaders.xml_edit import Edit, Scan, Tag, UnchangeableError, changed, escaped
from tipstat.formulas import neutral

WORKBOOK = "xl/workbook.xml"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
#: Longest text of a cell that is written; Excel takes 32,767 characters.
_LONGEST = 2_000


@dataclass(frozen=True)
class Cell:
    """A cell of a sheet of the reply.

    Attributes:
        font, colour, wrap: as :meth:`loaders.reply_styles.Styles.named` takes them.
        target: sheet and cell that a click leads to.
    """

    value: str | int = ""
    font: str = "plain"
    colour: str = ""
    wrap: bool = False
    target: tuple[str, str] | None = None


@dataclass
class ReplySheet:
    """A sheet of the reply, row by row.

    Attributes:
        name: of the sheet.
        widths: of the columns, in characters.
        rows: number of the row -> its cells from column A.
        filtered: row of the headings of a list to its end, if there is one.
    """

    name: str
    widths: Sequence[float]
    rows: dict[int, Sequence[Cell]] = field(default_factory=dict)
    filtered: int = 0
    _next: int = 2

    def add(self, *cells: Cell) -> int:
        """Add a row; its number."""
        self.rows[self._next] = cells
        self._next += 1
        return self._next - 1

    def skip(self) -> None:
        """Leave a row empty."""
        self._next += 1

    def xml(self, styles: Styles, *, selected: bool) -> str:
        """The sheet as XML, in the transitional namespace."""
        columns = "".join(
            f'<col min="{n}" max="{n}" width="{width}" customWidth="1"/>'
            for n, width in enumerate(self.widths, start=1)
        )
        mark = (
            f'<row r="1" hidden="1"><c r="A1" t="inlineStr"><is><t>{REPLY_MARK}</t></is></c></row>'
        )
        rows = "".join(self._row(styles, number, cells) for number, cells in self.rows.items())
        pane = ""
        if self.filtered:
            pane = f'<pane ySplit="{self.filtered}" topLeftCell="A{self.filtered + 1}" '
            pane += 'activePane="bottomLeft" state="frozen"/>'
        return (
            f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="{_MAIN}">'
            '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
            f'<sheetViews><sheetView showGridLines="0" tabSelected="{int(selected)}" '
            f'workbookViewId="0">{pane}</sheetView></sheetViews>'
            f"<cols>{columns}</cols><sheetData>{mark}{rows}</sheetData>{self._filter()}"
            f'{self._links()}<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/>'
            "</worksheet>"
        )

    def _row(self, styles: Styles, number: int, cells: Sequence[Cell]) -> str:
        written = "".join(
            _cell(styles, f"{column_letter(n)}{number}", cell)
            for n, cell in enumerate(cells, start=1)
        )
        lines = max(
            (
                sum(1 + int(len(text) * 1.05 / self.widths[n]) for text in _lines(cell))
                for n, cell in enumerate(cells)
                if cell.wrap and n < len(self.widths)
            ),
            default=1,
        )
        lines = max(lines, 2 if any(cell.font == "title" for cell in cells) else 1)
        # Programs other than Excel do not fit the height of a row to its text.
        height = f' ht="{15 * min(lines, 20)}" customHeight="1"' if lines > 1 else ""
        return f'<row r="{number}"{height}>{written}</row>'

    def _filter(self) -> str:
        if not self.filtered or self._next - 1 <= self.filtered:
            return ""
        last = column_letter(len(self.rows[self.filtered]))
        return f'<autoFilter ref="A{self.filtered}:{last}{self._next - 1}"/>'

    def _links(self) -> str:
        links = [
            f'<hyperlink ref="{column_letter(n)}{number}" '
            f'location="{escaped(_location(*cell.target))}" display="{escaped(str(cell.value))}"/>'
            for number, cells in self.rows.items()
            for n, cell in enumerate(cells, start=1)
            if cell.target
        ]
        return f"<hyperlinks>{''.join(links)}</hyperlinks>" if links else ""


def _lines(cell: Cell) -> list[str]:
    return str(cell.value).splitlines()


def _location(sheet: str, cell: str) -> str:
    quoted = sheet.replace("'", "''")
    return f"'{quoted}'!{cell}"


def _cell(styles: Styles, address: str, cell: Cell) -> str:
    style = styles.named(cell.font, cell.colour, wrap=cell.wrap)
    if isinstance(cell.value, int):
        return f'<c r="{address}" s="{style}"><v>{cell.value}</v></c>'
    if not cell.value:
        return f'<c r="{address}" s="{style}"/>'
    text = escaped(neutral(cell.value)[:_LONGEST])
    shown = f'<is><t xml:space="preserve">{text}</t></is>'
    return f'<c r="{address}" s="{style}" t="inlineStr">{shown}</c>'


class Book:
    """The list of sheets of a workbook, before which those of a reply are put."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._part = package.read(WORKBOOK)
        self.names: dict[str, str] = {}
        self._ids: list[int] = []
        self._views: list[Tag] = []
        self._local: list[tuple[Tag, int]] = []
        self._sheets: Tag | None = None
        self._scan = Scan(self._start).run([self._part])
        relations = package.relations(WORKBOOK)
        paths = {
            name: relations[found].target
            for name, found in self.names.items()
            if found in relations and relations[found].type == "worksheet"
        }
        #: Name of each sheet of an earlier reply -> its path; and of each other sheet.
        self.replies = _replies(package, paths)
        self.paths = {name: path for name, path in paths.items() if name not in self.replies}

    def _start(self, name: str, given: dict[str, str], tag: object) -> None:
        found = tag() if callable(tag) and name in _LOOKED_AT else None
        if found is None:
            return
        if name == "sheets":
            self._sheets = found
        elif name == "sheet":
            relation = next((v for k, v in given.items() if k.endswith(" id")), "")
            self.names[given.get("name", "")] = relation
            self._ids.append(int(given.get("sheetId", "0")))
        elif name == "workbookView":
            self._views.append(found)
        elif "localSheetId" in given:
            self._local.append((found, int(given["localSheetId"])))

    def free_name(self, wanted: str) -> str:
        """A name for a sheet that none has yet."""
        taken = {name.casefold() for name in self.names}
        names = (wanted, *(f"{wanted[:26]} ({n})" for n in range(2, len(taken) + 3)))
        return next(name for name in names if name.casefold() not in taken)

    def put_first(self, sheets: Sequence[ReplySheet], styles: Styles) -> None:
        """Put the sheets of the reply before all others, and open the workbook on the first.

        Sheets of an earlier reply are written over where they stand. Names of single sheets are
        kept: their number counts from the first sheet.
        """
        if self._sheets is None:
            raise UnchangeableError("no list of sheets")
        for n, (name, path) in enumerate(self.replies.items()):
            sheet = sheets[n] if n < len(sheets) else ReplySheet(name, (10,))
            self._package.whole[path] = sheet.xml(styles, selected=not n).encode()
        added = sheets[len(self.replies) :]
        listed = "".join(
            self._entry(sheet, styles, selected=not n and not self.replies)
            for n, sheet in enumerate(added)
        ).encode()
        place = self._sheets
        edits = [Edit(place.end, place.end, listed)]
        if place.closed:
            edits = [Edit(place.start, place.end, place.filled(listed))]
        for tag, number in self._local:
            edits.append(Edit(tag.start, tag.end, tag.having(localSheetId=number + len(added))))
        first = list(self.names).index(next(iter(self.replies))) if self.replies else 0
        first += len(added) if self.replies else 0
        edits += [
            Edit(t.start, t.end, t.having(activeTab=first, firstSheet=0)) for t in self._views
        ]
        self._package.whole[WORKBOOK] = changed(self._part, edits)

    def _entry(self, sheet: ReplySheet, styles: Styles, *, selected: bool) -> str:
        path = self._package.unused("xl/worksheets/sheet{}.xml")
        content = sheet.xml(styles, selected=selected)
        self._package.add(path, content.encode(), _SHEET_TYPE)
        relation = self._package.relate(WORKBOOK, "worksheet", path)
        self._ids.append(max(self._ids, default=0) + 1)
        uri = self._scan.namespace.replace("spreadsheetml/2006/main", "officeDocument/2006/")
        uri = uri.replace("spreadsheetml/main", "officeDocument/") + "relationships"
        return declared(
            f'<sheet name="{escaped(sheet.name)}" sheetId="{self._ids[-1]}" xmlns:r="{uri}" '
            f'r:id="{relation}"/>',
            self._scan,
        )

    def unselect(self, done: Sequence[str]) -> None:
        """Take the selection off every sheet but those that were gone over already."""
        for path in self.paths.values():
            if path not in done:
                edits = unselected(self._package.chunks(path))
                if edits:
                    self._package.edits[path] = edits


def _replies(package: Package, paths: Mapping[str, str]) -> dict[str, str]:
    """Of these sheets those that bear the mark of a reply in their first cell, as a text."""
    heads = {name: _first_cell(package, path) for name, path in paths.items()}
    shared = {
        name: int(found[1]) for name, head in heads.items() if (found := _SHARED.search(head))
    }
    marked = _shared_mark(package) if shared else -1
    return {
        name: path
        for name, path in paths.items()
        if REPLY_MARK.encode() in heads[name] or shared.get(name, -2) == marked
    }


def _first_cell(package: Package, sheet: str) -> bytes:
    found = _FIRST_CELL.search(next(iter(package.chunks(sheet)), b""))
    return found[0] if found else b""


def _shared_mark(package: Package) -> int:
    """The number of the mark among the shared texts; -1 where it is not there."""
    mark, number, rest = f">{REPLY_MARK}<".encode(), -1, b""
    for chunk in package.chunks(_TEXTS) if package.has(_TEXTS) else ():
        part = rest + chunk
        at = part.find(mark)
        if at >= 0:
            return number + len(_TEXT.findall(part[:at]))
        # From the last text on, which may go on in the next piece.
        starts = [found.start() for found in _TEXT.finditer(part)]
        number += len(starts[:-1])
        rest = part[starts[-1] :] if starts else part
    return -1


_TEXTS = "xl/sharedStrings.xml"
_TEXT = re.compile(rb"<(?:\w+:)?si\b")
_FIRST_CELL = re.compile(rb"<(?:\w+:)?c\b[^<>]*\br=[\"']A1[\"'][^<>]*>.*?</(?:\w+:)?c>", re.S)
_SHARED = re.compile(rb"\bt=[\"']s[\"'][^<>]*>\s*<(?:\w+:)?v>(\d+)<")
_LOOKED_AT = ("sheets", "sheet", "workbookView", "definedName")
