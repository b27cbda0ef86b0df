"""Scan the XML of an Excel workbook (.xlsx, .xlsm) for what its values do not say.

Also the sizes that its cells declare, long numbers as they are written, and numbers that a format
shows with leading zeros. Source of the layout: ECMA-376 part 1, chapter 18.
"""

from __future__ import annotations

import html
import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from loaders.archive import BROKEN, chunks_of, open_archive, refuse_doctype, too_large
from loaders.scan import NO_VALUE, SheetScan, WorkbookScan
from loaders.source import column_number
from tipstat.errors import ReturnRefused
from tipstat.limits import Limits
from tipstat.rules import refuse

if TYPE_CHECKING:
    import numpy.typing as npt

ERROR_CELL = re.compile(
    rb"<(?:\w+:)?c\b([^<>]*\bt=[\"']e[\"'][^<>]*)>(?:<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]*</[^<>]*>))?"
    rb"\s*<(?:\w+:)?v>([^<]*)<"
)
VALUELESS = re.compile(
    rb"<(?:\w+:)?c\b([^<>]*)>\s*<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
LONG_NUMBER = re.compile(rb"<(?:\w+:)?c\b([^<>]*)>\s*<(?:\w+:)?v>(-?\d{16,})(?:\.0*)?</")
ROW_NUMBER = re.compile(rb"\s[^<>]*?\br=[\"'](\d+)")
CELL_COLUMN = re.compile(rb"r=[\"']([A-Z]{1,3})\d")
COLUMN_OF = {letters: re.compile(rb"r=[\"'][A-Z]{%d}\d" % letters) for letters in (2, 3)}
ADDRESS = re.compile(rb"\br=[\"']([A-Z]{1,3}\d+)[\"']")
HIDDEN = re.compile(rb"\bhidden=[\"'](?:1|true)[\"']")
ROW_OR_COLUMN = re.compile(rb"<(?:\w+:)?(row|col)(\s[^<>]*)")
FIRST_AND_LAST = re.compile(rb"\b(min|max)=[\"'](\d+)")
MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^<>]*?\bref=[\"']([A-Z]+\d+:[A-Z]+\d+)[\"']")
DIMENSION = re.compile(
    rb"<(?:\w+:)?dimension\s[^<>]*?\bref=[\"']([A-Z]{1,3}\d{1,7}(?::[A-Z]{1,3}\d{1,7})?)[\"']"
)
STYLED_NUMBER = re.compile(rb"<(?:\w+:)?c\b([^<>]*\bs=[^<>]*)><(?:\w+:)?v>(\d+)</")
STYLE = re.compile(rb"\bs=[\"'](\d+)[\"']")
ATTRIBUTE = re.compile(r"([\w:]+)\s*=\s*\"([^\"]*)\"|([\w:]+)\s*=\s*'([^']*)'")

#: What follows the name of a formula's element; the ``<formula1>`` of a drop-down is none.
_ENDS_NAME = np.frombuffer(b">/ \t\r\n", dtype=np.uint8)
#: Digits of a row number that are read, one more than any sheet has, and the tag up to its end.
_ROW_DIGITS = 8
_ROW_TAG = 8 + _ROW_DIGITS

#: A sheet says within so many bytes from its beginning what range it uses.
_HEAD = 10_000

#: Beginnings of the names of parts that act when a workbook is opened.
_ACTIVE = (
    ("xl/vbaProject", "macros"),
    ("xl/macrosheets/", "macro sheets"),
    ("xl/externalLinks/", "links to other workbooks"),
    ("xl/connections.xml", "data connections"),
    ("xl/embeddings/", "embedded objects"),
    ("xl/activeX/", "controls"),
)


def scan_xlsx(name: str, data: bytes, limits: Limits) -> WorkbookScan:
    """Unpack every XML part that is read, within limits.

    Args:
        name: of the file, for messages.
        data: the bytes received.
        limits: of the workspace.

    Returns:
        What the parts say, by sheet.

    Raises:
        ReturnRefused: TIP-103 damaged or with a document type, TIP-104 encrypted, TIP-105 beyond
            the limits, TIP-152 parts with names that lead elsewhere.
    """
    try:
        with open_archive(name, data, limits) as archive:
            for part in ("xl/sharedStrings.xml", "xl/styles.xml"):
                if part in archive.namelist():
                    for chunk in chunks_of(archive, part):
                        refuse_doctype(name, chunk)
            padded = _padded_styles(archive)
            scans = {
                title: _scan_sheet(name, partial(chunks_of, archive, path), limits, padded)
                for title, path in _sheet_paths(archive).items()
            }
            properties = tags(archive.read("xl/workbook.xml"), "workbookPr")
            date_1904 = any(tag.get("date1904") in ("1", "true") for tag in properties)
            return WorkbookScan(scans, date_1904, active_content(archive))
    except BROKEN as error:
        raise refuse("TIP-103", ReturnRefused, where=name, found="a broken archive") from error


def active_content(archive: zipfile.ZipFile) -> tuple[str, ...]:
    """What a workbook holds that would act if it were opened in a spreadsheet program."""
    members = archive.namelist()
    return tuple(
        what for start, what in _ACTIVE if any(member.startswith(start) for member in members)
    )


def relations(part: bytes) -> dict[str, str]:
    """Id -> path in the archive, of relations that stay within it."""
    return {
        tag["Id"]: posixpath.normpath(posixpath.join("xl", tag["Target"])).lstrip("/")
        if not tag["Target"].startswith("/")
        else tag["Target"].lstrip("/")
        for tag in tags(part, "Relationship")
        if "Id" in tag and "Target" in tag and tag.get("TargetMode") != "External"
    }


def _sheet_paths(archive: zipfile.ZipFile) -> dict[str, str]:
    """Sheet name -> path of its XML in the archive."""
    workbook = archive.read("xl/workbook.xml")
    related = archive.read("xl/_rels/workbook.xml.rels")
    for part in (workbook, related):
        refuse_doctype("xl/workbook.xml", part)
    targets = relations(related)
    members = set(archive.namelist())
    paths = {}
    for tag in tags(workbook, "sheet"):
        relation = next((value for key, value in tag.items() if key.endswith(":id")), "")
        path = targets.get(relation, "")
        if "name" in tag and path in members and "worksheets" in path:
            paths[tag["name"]] = path
    return paths


def _padded_styles(archive: zipfile.ZipFile) -> dict[str, int]:
    """Style of cells -> how many digits it shows, where it fills numbers up with zeros."""
    if "xl/styles.xml" not in archive.namelist():
        return {}
    styles = archive.read("xl/styles.xml")
    digits = {
        tag["numFmtId"]: len(tag["formatCode"])
        for tag in tags(styles, "numFmt")
        if re.fullmatch("0{2,}", tag.get("formatCode", "")) and "numFmtId" in tag
    }
    cells = re.search(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", styles, re.DOTALL)
    if not digits or cells is None:
        return {}
    formats = [tag.get("numFmtId", "") for tag in tags(cells[0], "xf")]
    return {str(style): digits[name] for style, name in enumerate(formats) if name in digits}


def tags(part: bytes, element: str) -> list[dict[str, str]]:
    """Attributes of every element of that name, in order."""
    text = part.decode("utf-8-sig", errors="replace")
    found = re.findall(rf"<(?:\w+:)?{element}\s([^<>]*?)/?>", text)
    return [
        {(m[1] or m[3]): html.unescape(m[2] or m[4] or "") for m in ATTRIBUTE.finditer(attributes)}
        for attributes in found
    ]


def _scan_sheet(
    name: str,
    chunks: Callable[[], Iterator[bytes]],
    limits: Limits,
    padded: dict[str, int],
) -> SheetScan:
    """What the XML of one sheet says.

    Args:
        name: of the file, for messages.
        chunks: starts reading the sheet's XML anew.
        limits: of the workspace.
        padded: of ``_padded_styles``.
    """
    found, letters = SheetScan(), 1
    for chunk in chunks():
        pairs = _Pairs(chunk)
        if pairs.hold(b"<!") or chunk[:4].count(0):
            refuse_doctype(name, chunk)
        if not found.rows and (said := DIMENSION.search(chunk, 0, _HEAD)):
            found.declared = said[1].decode()
        found.rows = max(found.rows, _last_row(chunk, pairs))
        letters = max(letters, _letters(chunk, letters))
        if (pairs.hold(b'"e') or pairs.hold(b"'e")) and (b't="e"' in chunk or b"t='e'" in chunk):
            found.errors.update(_located(ERROR_CELL, chunk))
        if pairs.followed((b"<f", b":f"), _ENDS_NAME):
            found.errors.update(dict.fromkeys(_located(VALUELESS, chunk), NO_VALUE))
        if padded:
            found.shown.update(_padded(chunk, padded))
        _scan_arrangement(chunk, pairs, found)
    found.columns = 26**letters
    if found.rows * found.columns > limits.cells:
        _refuse_vast(name, found.rows, chunks(), limits)
    return found


class _Pairs:
    """Where two bytes stand beside each other: in the bytes from the first, and from the second.

    Comparing two at a time is several times faster than a search, and rules most pieces out.
    """

    def __init__(self, chunk: bytes) -> None:
        self.chunk = chunk
        self.views = tuple(
            np.frombuffer(chunk, dtype="<u2", count=(len(chunk) - start) // 2, offset=start)
            for start in (0, 1)
            if len(chunk) > start + 1
        )

    def hold(self, pair: bytes) -> bool:
        """Whether the pair stands anywhere."""
        wanted = int.from_bytes(pair, "little")
        return any(bool((view == wanted).any()) for view in self.views)

    def followed(self, pairs: Sequence[bytes], signs: npt.NDArray[np.uint8]) -> bool:
        """Whether one of the signs stands behind one of the pairs anywhere."""
        data = np.frombuffer(self.chunk, dtype=np.uint8)
        behind = np.concatenate([self.places(pair) for pair in pairs]) + 2
        return bool(np.isin(data[behind[behind < len(data)]], signs).any())

    def places(self, pair: bytes) -> npt.NDArray[np.int64]:
        """Where the pair begins."""
        wanted = int.from_bytes(pair, "little")
        found = [2 * np.flatnonzero(v == wanted) + start for start, v in enumerate(self.views)]
        return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def _scan_arrangement(chunk: bytes, pairs: _Pairs, found: SheetScan) -> None:
    """Hidden rows and columns, and merged cells."""
    if pairs.hold(b"n=") and b"hidden=" in chunk:
        for match in HIDDEN.finditer(chunk):
            _note_hidden(chunk, match.start(), found)
    if pairs.hold(b"eC") and b"mergeCell" in chunk:
        found.merged.update((match[1].decode(), None) for match in MERGED.finditer(chunk))


def _note_hidden(chunk: bytes, place: int, found: SheetScan) -> None:
    """Note the row or the columns whose tag says at a place that they are hidden."""
    tag = ROW_OR_COLUMN.match(chunk, chunk.rfind(b"<", 0, place))
    if tag is None or tag.end() < place:
        return
    if tag[1] == b"row":
        number = ROW_NUMBER.match(tag[2])
        found.hidden_rows |= {int(number[1])} if number else set()
    else:
        limits = {m[1]: m[2] for m in FIRST_AND_LAST.finditer(tag[2])}
        found.hidden_columns.add((int(limits.get(b"min", 1)), int(limits.get(b"max", 1))))


def _padded(chunk: bytes, padded: dict[str, int]) -> dict[str, str]:
    """Whole numbers that their format shows with leading zeros, as they are shown."""
    shown = {}
    for match in STYLED_NUMBER.finditer(chunk):
        style, place = STYLE.search(match[1]), ADDRESS.search(match[1])
        digits = padded.get(style[1].decode(), 0) if style else 0
        if place and len(match[2]) < digits and b"t=" not in match[1]:
            shown[place[1].decode()] = match[2].decode().zfill(digits)
    return shown


def _last_row(chunk: bytes, pairs: _Pairs) -> int:
    """The highest row number of the piece.

    The numbers that stand where every program writes them, ``<row r="12"``, are read all at once.
    """
    if pairs.hold(b":r"):
        found = (ROW_NUMBER.match(piece) for piece in chunk.split(b"row")[1:])
        return max((int(match[1]) for match in found if match), default=0)
    data = np.frombuffer(chunk, dtype=np.uint8)
    starts = pairs.places(b"<r")
    starts = starts[starts < len(data) - _ROW_TAG]
    starts = starts[(data[starts + 2] == ord("o")) & (data[starts + 3] == ord("w"))]
    usual = np.ones(len(starts), dtype=np.bool_)
    for place, sign in enumerate(b' r="', start=4):
        usual &= data[starts + place] == sign
    odd = (ROW_NUMBER.match(chunk, int(start) + 4) for start in starts[~usual])
    return max([_highest(data, starts[usual] + 8), *(int(match[1]) for match in odd if match)])


def _highest(data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64]) -> int:
    """The highest of the numbers that begin at some places."""
    numbers = np.zeros(len(starts), dtype=np.int64)
    going = np.ones(len(starts), dtype=np.bool_)
    for place in range(_ROW_DIGITS):
        digits = data[starts + place] - np.uint8(ord("0"))
        going &= digits < 10
        numbers = np.where(going, numbers * 10 + digits, numbers)
    return int(numbers.max(initial=0))


def _letters(chunk: bytes, known: int) -> int:
    """How many letters the column of any cell has at most, where more are known than before."""
    for letters in (3, 2):
        if letters > known and COLUMN_OF[letters].search(chunk):
            return letters
    return known


def _refuse_vast(name: str, rows: int, chunks: Iterator[bytes], limits: Limits) -> None:
    """Refuse a sheet whose few cells lie so far apart that their rectangle fills the memory."""
    columns: set[bytes] = set()
    for chunk in chunks:
        columns.update(CELL_COLUMN.findall(chunk))
    width = max((column_number(column.decode()) for column in columns), default=1)
    if rows * width > limits.cells:
        raise too_large(name, f"a sheet of {rows:,} rows and {width:,} columns", limits)


def _located(pattern: re.Pattern[bytes], chunk: bytes) -> dict[str, str]:
    """Address -> text of every match; a cell without an address is told as ``?``."""
    found = {}
    for match in pattern.finditer(chunk):
        address = ADDRESS.search(match[1])
        text = match[2].decode("utf-8", "replace") if pattern.groups > 1 else ""
        found[address[1].decode() if address else "?"] = html.unescape(text)
    return found


def long_numbers(data: bytes, sheet: str) -> dict[str, str]:
    """Whole numbers of sixteen digits and more as they are written, by address.

    Args:
        data: a workbook that was scanned before.
        sheet: its name.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        numbers: dict[str, str] = {}
        path = _sheet_paths(archive).get(sheet)
        for chunk in chunks_of(archive, path) if path else ():
            numbers.update(_located(LONG_NUMBER, chunk))
        return numbers
