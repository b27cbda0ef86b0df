"""A workbook as a zip of parts: some are added or edited, all others are copied as they are."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from loaders.xml_edit import Edit, Scan, Tag, UnchangeableError, changed, edited, escaped

#: Namespaces of relations, of the usual form of the standard and of its strict one.
RELATIONS = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_EMPTY_RELATIONS = f'<?xml version="1.0"?><Relationships xmlns="{_PACKAGE}/relationships"/>'
_TYPES = "[Content_Types].xml"
_CHUNK = 1024 * 1024
#: Largest part that is held in memory as a whole: styles, comments, relations.
_WHOLE = 64 * 1024 * 1024


@dataclass(frozen=True)
class Relation:
    """A relation of a part: its id, the last word of its type, and the part that it leads to."""

    id: str
    type: str
    target: str


@dataclass
class Package:
    """A workbook that is copied with changes.

    Attributes:
        archive: the file as received.
        whole: path -> new content of a part.
        edits: path -> edits of a part that stays in its place.
    """

    archive: zipfile.ZipFile
    whole: dict[str, bytes] = field(default_factory=dict)
    edits: dict[str, list[Edit]] = field(default_factory=dict)

    def has(self, path: str) -> bool:
        """Whether there is such a part."""
        return path in self.whole or path in self.archive.namelist()

    def read(self, path: str) -> bytes:
        """A part as it will be written, but for ``edits``.

        Raises:
            UnchangeableError: there is none, or it is too large to be held.
        """
        if path in self.whole:
            return self.whole[path]
        if not self.has(path) or self.archive.getinfo(path).file_size > _WHOLE:
            raise UnchangeableError(f"no usable part {path}")
        return self.archive.read(path)

    def chunks(self, path: str) -> Iterator[bytes]:
        """A part in pieces, as received."""
        with self.archive.open(path) as part:
            while piece := part.read(_CHUNK):
                yield piece

    def unused(self, pattern: str) -> str:
        """A path that no part has; ``{}`` in the pattern becomes a number."""
        taken = {name.lower() for name in (*self.archive.namelist(), *self.whole)}
        numbers = (pattern.format(n) for n in range(1, len(taken) + 2))
        return next(path for path in numbers if path.lower() not in taken)

    def add(self, path: str, content: bytes, content_type: str) -> None:
        """Add a part with its content type."""
        self.whole[path] = content
        entry = f'<Override PartName="/{escaped(path)}" ContentType="{content_type}"/>'
        self.append(_TYPES, entry)

    def default_type(self, ending: str, content_type: str) -> None:
        """Say the content type of every part whose name ends so, unless it is said already."""
        if not re.search(rf'Extension\s*=\s*"{ending}"', self.read(_TYPES).decode(), re.I):
            self.append(_TYPES, f'<Default Extension="{ending}" ContentType="{content_type}"/>')

    def append(self, path: str, element: str) -> None:
        """Add an element at the end of the root of a small part."""
        self.whole[path] = appended(self.read(path), element)

    def relations(self, path: str) -> dict[str, Relation]:
        """The relations of a part by id; external ones are left out."""
        found: dict[str, Relation] = {}
        place = relations_path(path)
        if not self.has(place):
            return found

        def start(name: str, given: dict[str, str], _: object) -> None:
            if name == "Relationship" and given.get("TargetMode") != "External":
                target = resolved(path, given.get("Target", ""))
                kind = given.get("Type", "").rsplit("/", 1)[-1]
                found[given.get("Id", "")] = Relation(given.get("Id", ""), kind, target)

        Scan(start).run([self.read(place)])
        return found

    def relate(self, path: str, kind: str, target: str) -> str:
        """Relate a part to another one; the id of the new relation."""
        place = relations_path(path)
        if not self.has(place):
            self.whole[place] = _EMPTY_RELATIONS.encode()
        known = self.read(place)
        numbers = (f"rIdTip{n}" for n in range(1, known.count(b"<") + 2))
        new = next(name for name in numbers if f'"{name}"'.encode() not in known)
        base = RELATIONS[1] if RELATIONS[1].encode() in known else RELATIONS[0]
        link = posixpath.relpath(target, posixpath.dirname(path))
        entry = f'<Relationship Id="{new}" Type="{base}/{kind}" Target="{escaped(link)}"/>'
        self.append(place, entry)
        return new

    def write(self, file: BinaryIO) -> None:
        """Write the workbook: parts in their order, new ones at the end."""
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
            for member in self.archive.infolist():
                if not member.is_dir():
                    self._copy(out, member)
            for path in sorted(self.whole.keys() - set(self.archive.namelist())):
                out.writestr(_entry(path), self.whole[path])

    def _copy(self, out: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        path = member.filename
        pieces: Iterable[bytes] = self.chunks(path)
        if path in self.whole:
            pieces = [self.whole[path]]
        if path in self.edits:
            pieces = edited(pieces, self.edits[path])
        entry = _entry(path, member.date_time)
        entry.file_size = member.file_size
        with out.open(entry, "w", force_zip64=member.file_size > 2**30) as part:
            for piece in pieces:
                part.write(piece)


def _entry(path: str, moment: tuple[int, int, int, int, int, int] = (1980, 1, 1, 0, 0, 0)) -> (
    zipfile.ZipInfo
):  # fmt: skip
    entry = zipfile.ZipInfo(path, moment)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def relations_path(path: str) -> str:
    """The part that holds the relations of a part."""
    folder, name = posixpath.split(path)
    return posixpath.join(folder, "_rels", name + ".rels")


def resolved(path: str, target: str) -> str:
    """The path of a target as a part names it."""
    if target.startswith("/"):
        return target.lstrip("/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))


def appended(part: bytes, element: str) -> bytes:
    """A part with an element at the end of its root, in the namespace of the root."""
    root: list[Tag] = []
    ends: list[int] = []

    def start(_: str, __: object, tag: Callable[[], Tag]) -> None:
        if not root:
            root.append(tag())

    scan = Scan(start, lambda _, at: ends.append(at)).run([part])
    new = declared(element, scan).encode()
    if root[0].closed:
        return changed(part, [Edit(root[0].start, root[0].end, root[0].filled(new))])
    return changed(part, [Edit(ends[-1], ends[-1], new)])


def declared(element: str, scan: Scan) -> str:
    """An element in the namespace of the part, whatever prefix the part gives it."""
    return re.sub(r"^<\w+", lambda name: name[0] + scan.declared.decode(), element)


def write_skeleton(file: BinaryIO) -> None:
    """Write a workbook without sheets, to which the sheets of a reply are added."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        _TYPES: f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{RELATIONS[0]}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}"><bookViews><workbookView/></bookViews>'
        "<sheets/></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{RELATIONS[0]}/styles" Target="styles.xml"/>'
        "</Relationships>",
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><fonts count="1"><font><sz val="11"/>'
        '<name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill '
        'patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
        '</cellStyleXfs><cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" '
        'xfId="0"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" '
        'builtinId="0"/></cellStyles></styleSheet>',
    }
    with zipfile.ZipFile(file, "w") as out:
        for name, text in parts.items():
            out.writestr(_entry(name), '<?xml version="1.0" encoding="UTF-8"?>\n' + text)
