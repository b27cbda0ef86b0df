"""Cell formats of a reply: each format in use once more with the colour of a severity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from loaders.package import Package, declared
from loaders.xml_edit import Edit, Scan, Tag, UnchangeableError, changed, element

STYLES = "xl/styles.xml"

#: Fill of each severity; uncommon shades, so that they are known again as ours.
COLOURS = {
    "refusal": "FFF4978F",
    "error-record": "FFF9BC98",
    "error-value": "FFFFD98B",
    "warning": "FFFFF4A9",
    "note": "FFCDE3F6",
}

#: Fonts of the sheets of a reply, and their formats: font, fill, and alignment.
_FONTS = {
    "plain": '<font><sz val="11"/><name val="Calibri"/></font>',
    "bold": '<font><b/><sz val="11"/><name val="Calibri"/></font>',
    "title": '<font><b/><sz val="16"/><name val="Calibri"/></font>',
    "link": '<font><u/><sz val="11"/><color rgb="FF0563C1"/><name val="Calibri"/></font>',
}
_HEAD = "FFE7E6E6"
#: Where new formats go.
_PLACES = ("fonts", "fills", "cellXfs")
_WRAP = '<alignment horizontal="left" vertical="top" wrapText="1"/>'
_TOP = '<alignment horizontal="left" vertical="top"/>'


@dataclass
class Styles:
    """The formats of a workbook, to which those of a reply are added.

    Attributes:
        package: the workbook.
        formats: every ``xf`` of ``cellXfs`` as it stands.
        worn: numbers of the formats that an earlier reply has coloured.
    """

    package: Package
    formats: list[bytes] = field(default_factory=list)
    worn: set[int] = field(default_factory=set)
    _marks: dict[str, Tag] = field(default_factory=dict)
    _ends: dict[str, int] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _new: dict[str, list[bytes]] = field(default_factory=lambda: {n: [] for n in _PLACES})
    _known: dict[tuple[int, str], int] = field(default_factory=dict)
    _named: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._part = self.package.read(STYLES)
        self._path: list[str] = []
        self._entry: Tag | None = None
        self._fills: set[int] = set()
        self._scan = Scan(self._start, self._end).run([self._part])
        if set(_PLACES) - self._counts.keys():
            raise UnchangeableError("styles without fonts, fills or formats")

    def _start(self, name: str, given: dict[str, str], tag: Callable[[], Tag]) -> None:
        self._path.append(name)
        if len(self._path) == 2 and name in _PLACES:
            self._marks[name] = tag()
        if len(self._path) == 3 and self._path[1] in _PLACES:
            self._counts[self._path[1]] = self._counts.get(self._path[1], 0) + 1
            self._entry = tag()
            if self._path[1] == "cellXfs" and int(given.get("fillId", "0")) in self._fills:
                self.worn.add(self._counts["cellXfs"] - 1)

    def _end(self, name: str, at: int) -> None:
        place = self._path[1] if len(self._path) == 3 else ""
        if self._entry and place == "cellXfs":
            self.formats.append(element(self._part, self._entry, at))
        elif self._entry and place == "fills":
            colours = element(self._part, self._entry, at).upper()
            if any(colour.encode() in colours for colour in COLOURS.values()):
                self._fills.add(self._counts["fills"] - 1)
        if len(self._path) == 2 and name in _PLACES:
            self._ends[name] = at
        self._path.pop()

    def coloured(self, base: int, severity: str) -> int:
        """The number of a format with the colour of a severity.

        Args:
            base: number of the format that the cell has.
            severity: whose colour it gets.
        """
        if (base, severity) not in self._known:
            fill = self._fill(COLOURS[severity]) if severity else 0
            raw = self.formats[base] if base < len(self.formats) else self.formats[0]
            found = Tag(0, raw[: raw.index(b">") + 1])
            new = found.having(fillId=fill, applyFill=1)
            self._known[base, severity] = self._add("cellXfs", new + raw[len(found.raw) :])
        return self._known[base, severity]

    def bare(self, base: int) -> int:
        """The number of a format without the colour that an earlier reply gave it."""
        return self.coloured(base, "")

    def named(self, font: str = "plain", colour: str = "", *, wrap: bool = False) -> int:
        """The number of a format of the reply's own sheets."""
        key = f"{font} {colour} {wrap}"
        if key not in self._named:
            fill = self._fill(_HEAD if colour == "head" else COLOURS[colour]) if colour else 0
            alignment = _WRAP if wrap else _TOP
            self._named[key] = self._add(
                "cellXfs",
                f'<xf numFmtId="0" fontId="{self._font(font)}" fillId="{fill}" borderId="0" '
                f'xfId="0" applyFont="1" applyFill="1" applyAlignment="1">{alignment}</xf>',
            )
        return self._named[key]

    def _fill(self, colour: str) -> int:
        key = f"fill {colour}"
        if key not in self._named:
            self._named[key] = self._add(
                "fills",
                '<fill><patternFill patternType="solid">'
                f'<fgColor rgb="{colour}"/><bgColor indexed="64"/></patternFill></fill>',
            )
        return self._named[key]

    def _font(self, font: str) -> int:
        key = f"font {font}"
        if key not in self._named:
            self._named[key] = self._add("fonts", _FONTS[font])
        return self._named[key]

    def _add(self, place: str, new: str | bytes) -> int:
        raw = declared(new, self._scan).encode() if isinstance(new, str) else new
        self._new[place].append(raw)
        return self._counts[place] + len(self._new[place]) - 1

    def save(self) -> None:
        """Put the new formats into the workbook; every number given out holds from then on."""
        edits = []
        for place, new in self._new.items():
            mark = self._marks[place]
            count = self._counts[place] + len(new)
            edits.append(Edit(mark.start, mark.end, mark.having(count=count)))
            edits.append(Edit(self._ends[place], self._ends[place], b"".join(new)))
        self.package.whole[STYLES] = changed(self._part, edits)
