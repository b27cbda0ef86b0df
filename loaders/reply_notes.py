"""Notes on cells: in the comments and the drawing that a sheet has already, or in new ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from loaders.package import RELATIONS, Package, Relation, declared
from loaders.reply_cells import CellColours, Place, place_of
from loaders.source import column_letter
from loaders.xml_edit import Edit, Scan, Tag, UnchangeableError, changed, element, escaped

#: Who writes the notes.
AUTHOR = "tipstat"

_SHEET_ML = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_VML = (
    'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel"'
)
_SHAPE_TYPE = (
    '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" '
    'path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/>'
    '<v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_SHAPE = re.compile(rb"<(?:\w+:)?shape\b.*?</(?:\w+:)?shape>", re.S)
_SHAPE_CELL = re.compile(
    rb"<(?:\w+:)?Row>(\d+)</(?:\w+:)?Row>\s*<(?:\w+:)?Column>(\d+)</(?:\w+:)?Column>"
)
_SHAPE_ID = re.compile(rb"_x0000_s(\d+)")
_IDS = re.compile(rb'(<(?:\w+:)?idmap\b[^<>]*\bdata=")([\d,]+)(")')
#: Shapes are numbered in blocks of so many, one or more of them to a drawing.
_BLOCK = 1024
#: What a text of ours begins with, as spreadsheets begin a note with its author, and how programs
#: write it: not all keep who the author is, and some make one text of two.
_OPENING = f"{AUTHOR}:\n"
_END_OF_LINE = rb"(?:\s|&#10;|&#xA;|_x000[aA]_)"
_OURS = re.compile(_END_OF_LINE + rb"*" + AUTHOR.encode() + rb":" + _END_OF_LINE)
_NOTE_COLUMNS, _LINE, _LONGEST = 4, 46, 40


class Notes:
    """Puts notes into the sheets of a workbook."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._used = {0}
        for path in package.archive.namelist():
            if path.lower().endswith(".vml"):
                drawing = package.read(path)
                for found in _IDS.finditer(drawing):
                    self._used |= {int(n) for n in found[2].split(b",") if n}
                self._used |= {int(n) // _BLOCK for n in _SHAPE_ID.findall(drawing)}

    def put(self, sheet: str, colours: CellColours, notes: Mapping[Place, str]) -> None:
        """Put notes on cells of a sheet.

        Args:
            sheet: path of the sheet.
            colours: the pass over the sheet; it gets the edit that relates a new drawing.
            notes: cell -> text.

        Raises:
            UnchangeableError: comments or drawing of the sheet are not of the expected form.
        """
        relations = self._package.relations(sheet)
        comments = _one(relations, "comments")
        fresh = dict(notes)
        if comments is None:
            self._new_comments(sheet, notes)
        else:
            fresh = self._more_comments(comments.target, notes)
        if not fresh:
            return
        if colours.drawing in relations:
            self._more_shapes(relations[colours.drawing].target, fresh)
        else:
            self._new_drawing(sheet, colours, fresh)

    def strip(self, sheet: str) -> None:
        """Take the notes of an earlier reply off a sheet."""
        relations = self._package.relations(sheet)
        comments = _one(relations, "comments")
        if comments is None or AUTHOR.encode() not in self._package.read(comments.target):
            return
        part = self._package.read(comments.target)
        found = _Comments(part)
        edits = [Edit(start, end, b"") for start, end in (*found.ours.values(), *found.cuts)]
        self._package.whole[comments.target] = changed(part, edits)
        for relation in relations.values():
            if relation.type == "vmlDrawing":
                drawing = self._package.read(relation.target)
                self._package.whole[relation.target] = _without_shapes(drawing, set(found.ours))

    # ── texts ─────────────────────────────────────────────────────────────────────────────────

    def _new_comments(self, sheet: str, notes: Mapping[Place, str]) -> None:
        path = self._package.unused("xl/comments{}.xml")
        uri = _MAIN[1] if _MAIN[1].encode() in next(self._package.chunks(sheet)) else _MAIN[0]
        written = "".join(_comment(place, text, 0) for place, text in sorted(notes.items()))
        content = (
            f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<comments xmlns="{uri}">'
            f"<authors><author>{AUTHOR}</author></authors><commentList>{written}</commentList>"
            "</comments>"
        )
        self._package.add(path, content.encode(), f"{_SHEET_ML}.comments+xml")
        self._package.relate(sheet, "comments", path)

    def _more_comments(self, path: str, notes: Mapping[Place, str]) -> dict[Place, str]:
        """Add to the comments of a sheet; the notes of cells that had none."""
        part = self._package.read(path)
        found = _Comments(part)
        author, edits = found.author, []
        if author is None:
            author = found.authors
            edits.append(Edit(found.authors_end, found.authors_end, found.element(_author())))
        fresh = {place: text for place, text in notes.items() if place not in found.texts}
        for place in notes.keys() & found.texts.keys():
            edits += found.longer(part, place, notes[place])
        new = b"".join(
            found.element(_comment(place, text, author)) for place, text in sorted(fresh.items())
        )
        edits.append(Edit(found.list_end, found.list_end, new))
        self._package.whole[path] = changed(part, edits)
        return fresh

    # ── shapes ────────────────────────────────────────────────────────────────────────────────

    def _new_drawing(self, sheet: str, colours: CellColours, notes: Mapping[Place, str]) -> None:
        path = self._package.unused("xl/drawings/vmlDrawing{}.vml")
        first, blocks = self._numbers(len(notes))
        content = (
            f'<xml {_VML}><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="{blocks}"/>'
            f"</o:shapelayout>{_SHAPE_TYPE}{_shapes(notes, first)}</xml>"
        )
        self._package.default_type("vml", _DRAWING_TYPE)
        self._package.whole[path] = content.encode()
        relation = self._package.relate(sheet, "vmlDrawing", path)
        uri = _relations_of(next(self._package.chunks(sheet)))
        link = f'<legacyDrawing{colours.declared} xmlns:r="{uri}" r:id="{relation}"/>'
        colours.edits.append(Edit(colours.drawing_at, colours.drawing_at, link.encode()))

    def _more_shapes(self, path: str, notes: Mapping[Place, str]) -> None:
        part = self._package.read(path)
        end = part.rfind(b"</xml>")
        if end < 0:
            raise UnchangeableError("a drawing of another form")
        first, blocks = self._numbers(len(notes))
        usual = all(name.encode() in part[:end] for name in _VML.split())
        kind = "" if b'"_x0000_t202"' in part[:end] else _SHAPE_TYPE
        new = kind + _shapes(notes, first)
        if not usual:
            new = re.sub(r"<v:shape(type)?\b", rf"\g<0> {_VML}", new)
        part = part[:end] + new.encode() + part[end:]
        listed = rb"\g<1>\g<2>," + blocks.encode() + rb"\g<3>"
        self._package.whole[path] = _IDS.sub(listed, part, count=1)

    def _numbers(self, n: int) -> tuple[int, str]:
        """The number of the first of n shapes, and the blocks of numbers that they take."""
        first = max(self._used) + 1
        blocks = range(first, first + 1 + n // _BLOCK)
        self._used.update(blocks)
        return first * _BLOCK + 1, ",".join(map(str, blocks))


def _relations_of(head: bytes) -> str:
    return RELATIONS[1] if _MAIN[1].encode() in head else RELATIONS[0]


def _one(relations: Mapping[str, Relation], kind: str) -> Relation | None:
    return next((found for found in relations.values() if found.type == kind), None)


class _Comments:
    """Where things stand in the comments of a sheet."""

    def __init__(self, part: bytes) -> None:
        self.authors = 0
        self.authors_end = self.list_end = -1
        #: Number of the author of our notes; cell -> where each of them stands; our text in others.
        self.author: int | None = None
        self.ours: dict[Place, tuple[int, int]] = {}
        self.cuts: list[tuple[int, int]] = []
        self._lines: list[tuple[int, int]] = []
        self._part = part
        #: Cell -> the tag of its text, the tags of its first children, and the end of the text.
        self.texts: dict[Place, tuple[Tag, list[tuple[str, Tag, int]], int]] = {}
        self._path: list[str] = []
        self._place: Place | None = None
        self._children: list[tuple[str, Tag, int]] = []
        self._scan = Scan(self._start, self._end).run([part])
        if self.authors_end < 0 or self.list_end < 0:
            raise UnchangeableError("comments of another form")

    def element(self, text: str) -> bytes:
        return declared(text, self._scan).encode()

    def _start(self, name: str, given: dict[str, str], tag: Callable[[], Tag]) -> None:
        self._path.append(name)
        depth = len(self._path)
        self.authors += depth == 3 and name == "author"
        if depth == 2 and name in ("authors", "commentList") and tag().closed:
            raise UnchangeableError("comments of another form")
        if depth == 3 and name in ("author", "comment"):
            self._tag, self._by = tag(), given.get("authorId")
        if depth == 3 and name == "comment":
            self._place, self._lines = place_of(given.get("ref", "")), []
        if name == "t":
            self._line = tag()
        if depth == 4 and name == "text":
            self._text, self._children = tag(), []
        if depth == 5 and self._path[3] == "text":
            self._children.append((name, tag(), -1))

    def _end(self, name: str, at: int) -> None:
        depth = len(self._path)
        if name == "t" and not self._line.closed:
            self._lines.append((self._line.end, at))
        if depth == 3:
            self._end_entry(name, element(self._part, self._tag, at))
        if depth == 5 and self._path[3] == "text":
            kind, tag, _ = self._children.pop()
            self._children.append((kind, tag, at))
        if depth == 4 and name == "text" and self._place and not self._text.closed:
            self.texts[self._place] = (self._text, self._children, at)
        if depth == 2 and name == "authors":
            self.authors_end = at
        if depth == 2 and name == "commentList":
            self.list_end = at
        self._path.pop()

    def _end_entry(self, name: str, raw: bytes) -> None:
        """The end of an author or of a comment."""
        if name == "author" and AUTHOR.encode() == raw[len(self._tag.raw) : raw.rfind(b"</")]:
            self.author = self.authors - 1
        if name == "comment" and self._place:
            start, found = self._tag.start, self._ours_in_lines()
            whole = bool(found) and found[0][0] == self._lines[0][0]
            if whole or (self._by is not None and self._by == str(self.author)):
                self.ours[self._place] = (start, start + len(raw))
            else:
                self.cuts += found

    def _ours_in_lines(self) -> list[tuple[int, int]]:
        """Where our text stands in a comment: from its opening to the end."""
        for n, (start, end) in enumerate(self._lines):
            found = _OURS.search(self._part[start:end])
            if found:
                return [(start + found.start(), end), *self._lines[n + 1 :]]
        return []

    def longer(self, part: bytes, place: Place, text: str) -> list[Edit]:
        """Edits that add a text to the comment of a cell, as a run of its own."""
        _, children, end = self.texts[place]
        edits = []
        at = next((tag.start for kind, tag, _ in children if kind not in ("t", "r")), end)
        for kind, tag, last in children:
            # A text beside runs is not shown everywhere, so it becomes a run too.
            if kind == "t":
                behind = tag.end if tag.closed else part.index(b">", last) + 1
                edits.append(Edit(tag.start, tag.start, self.element("<r>")))
                edits.append(Edit(behind, behind, _closing(tag, b"r")))
        run = self.element(f"<r>{_text(f'{chr(10)}{chr(10)}{_OPENING}{text}')}</r>")
        return [*edits, Edit(at, at, run)]


def _closing(tag: Tag, name: bytes) -> bytes:
    """The end tag that belongs to an element declared without a prefix."""
    return b"</" + name + b">"


def _author() -> str:
    return f"<author>{AUTHOR}</author>"


def _text(text: str) -> str:
    return f'<t xml:space="preserve">{escaped(text)}</t>'


def _comment(place: Place, text: str, author: int) -> str:
    cell = f"{column_letter(place[1])}{place[0]}"
    run = f"<r>{_text(_OPENING + text)}</r>"
    return f'<comment ref="{cell}" authorId="{author}"><text>{run}</text></comment>'


def _without_shapes(drawing: bytes, cells: set[Place]) -> bytes:
    """A drawing without the boxes of the notes on these cells."""

    def kept(shape: re.Match[bytes]) -> bytes:
        cell = _SHAPE_CELL.search(shape[0])
        gone = cell is not None and (int(cell[1]) + 1, int(cell[2]) + 1) in cells
        return b"" if gone else shape[0]

    return _SHAPE.sub(kept, drawing)


def _shapes(notes: Mapping[Place, str], first: int) -> str:
    shapes = [
        _shape(place, text, number)
        for number, (place, text) in enumerate(sorted(notes.items()), start=first)
    ]
    return "".join(shapes)


def _shape(place: Place, text: str, number: int) -> str:
    """The box of a note, to the right of its cell and high enough for its text."""
    row, column = place[0] - 1, place[1] - 1
    lines = sum(1 + len(line) // _LINE for line in text.splitlines())
    bottom = max(row - 1, 0) + min(lines, _LONGEST) + 1
    anchor = (
        f"{column + 1}, 15, {max(row - 1, 0)}, 10, {column + 1 + _NOTE_COLUMNS}, 15, {bottom}, 4"
    )
    return (
        f'<v:shape id="_x0000_s{number}" type="#_x0000_t202" '
        'style="position:absolute;visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto">'
        '<v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/>'
        '<v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto">'
        '<div style="text-align:left"></div></v:textbox><x:ClientData ObjectType="Note">'
        f"<x:MoveWithCells/><x:SizeWithCells/><x:Anchor>{anchor}</x:Anchor>"
        f"<x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{column}</x:Column>"
        "</x:ClientData></v:shape>"
    )
