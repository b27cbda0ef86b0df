"""Workbooks in the formats that nothing installed here writes, byte by byte as tests need them."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

#: A cell: text, number, logical value, nothing, or an error such as ``Error("#REF!")``.
Cell = object

ERRORS = {"#NULL!": 0, "#DIV/0!": 7, "#VALUE!": 15, "#REF!": 23, "#NAME?": 29, "#NUM!": 36,
          "#N/A": 42}  # fmt: skip


@dataclass(frozen=True)
class Error:
    """An error in a cell, by itself or as what a formula came to."""

    text: str
    formula: bool = False


@dataclass(frozen=True)
class Day:
    """A number that its format shows as a date."""

    serial: float


@dataclass
class Page:
    """A sheet to be written; rows and columns are counted from 0."""

    name: str
    rows: Sequence[Sequence[Cell]]
    hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    merged: Sequence[tuple[int, int, int, int]] = ()
    first: tuple[int, int] = (0, 0)
    dimension: tuple[int, int] | None = None
    extra: dict[str, str] = field(default_factory=dict)


# ── OpenDocument ──────────────────────────────────────────────────────────────────────────────

_CALCEXT = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"
_NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text", "style")
)


def ods(path: Path, *pages: Page, head: str = "", kind: str = "spreadsheet") -> Path:
    """Write an OpenDocument spreadsheet; ``head`` stands before the root element."""
    styles = "".join(
        f'<style:style style:name="ta{n}" style:family="table"><style:table-properties '
        f'table:display="{"false" if page.hidden else "true"}"/></style:style>'
        for n, page in enumerate(pages)
    )
    tables = "".join(_ods_table(page, n) for n, page in enumerate(pages))
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<office:document-content {_NAMES} '
        f'xmlns:calcext="{_CALCEXT}">'
        f"<office:automatic-styles>{styles}</office:automatic-styles><office:body>"
        f"<office:spreadsheet>{tables}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content)
    return path


def _ods_table(page: Page, number: int) -> str:
    width = max((len(row) for row in page.rows), default=1)
    columns = "".join(
        f"<table:table-column{_collapsed(n in page.hidden_columns)}/>" for n in range(width)
    )
    rows = "".join(
        f"<table:table-row{_collapsed(n in page.hidden_rows)}{page.extra.get('row', '')}>"
        + "".join(_ods_cell(cell, _span(page, n, column)) for column, cell in enumerate(row))
        + "</table:table-row>"
        for n, row in enumerate(page.rows)
    )
    about = f'table:name="{escape(page.name, quote=True)}" table:style-name="ta{number}"'
    return f"<table:table {about}>{columns}{rows}</table:table>"


def _collapsed(hidden: bool) -> str:
    return ' table:visibility="collapse"' if hidden else ""


def _span(page: Page, row: int, column: int) -> str:
    for first_row, first, last_row, last in page.merged:
        if (first_row, first) == (row, column):
            return (
                f' table:number-rows-spanned="{last_row - first_row + 1}"'
                f' table:number-columns-spanned="{last - first + 1}"'
            )
    return ""


def _ods_cell(cell: Cell, span: str) -> str:
    if cell is None:
        return f"<table:table-cell{span}/>"
    shown = escape(str(cell))
    if isinstance(cell, Error):
        shown = cell.text
        kind = 'office:value-type="string" office:string-value="" calcext:value-type="error"'
        kind += ' table:formula="of:=1/0"' if cell.formula else ""
    elif isinstance(cell, bool):
        kind = f'office:value-type="boolean" office:boolean-value="{str(cell).lower()}"'
    elif isinstance(cell, int | float):
        kind = f'office:value-type="float" office:value="{cell}"'
    else:
        kind = 'office:value-type="string"'
    return f"<table:table-cell {kind}{span}><text:p>{shown}</text:p></table:table-cell>"


# ── Excel 97-2003 ─────────────────────────────────────────────────────────────────────────────


def xls(path: Path, *pages: Page, date_1904: bool = False, password: bool = False) -> Path:
    """Write an Excel 97-2003 workbook: records ([MS-XLS]) in a compound file ([MS-CFB])."""
    path.write_bytes(compound({"Workbook": _book(pages, date_1904, password)}))
    return path


def _record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _book(pages: Sequence[Page], date_1904: bool, password: bool) -> bytes:
    sheets = [_xls_sheet(page) for page in pages]
    head = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    head += _record(0x002F, b"\1" * 6) if password else b""
    head += _record(0x0022, struct.pack("<H", date_1904))
    # Two cell formats: general, and a day (number format 14).
    head += b"".join(_record(0x00E0, struct.pack("<HHH14x", 0, form, 0)) for form in (0, 14))
    names = [page.name.encode("utf-16-le") for page in pages]
    size = len(head) + sum(4 + 8 + len(name) for name in names) + 4
    bound, place = b"", size
    for page, name, sheet in zip(pages, names, sheets, strict=True):
        about = struct.pack("<IBBBB", place, page.hidden, 0, len(name) // 2, 1)
        bound += _record(0x0085, about + name)
        place += len(sheet)
    return head + bound + _record(0x000A) + b"".join(sheets)


def _xls_sheet(page: Page) -> bytes:
    data = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
    rows, columns = page.dimension or (len(page.rows), max((len(r) for r in page.rows), default=0))
    data += _record(0x0200, struct.pack("<IIHHH", 0, rows, 0, columns, 0))
    for column in sorted(page.hidden_columns):
        data += _record(0x007D, struct.pack("<HHHHHH", column, column, 2048, 0, 1, 0))
    for row in sorted(page.hidden_rows):
        data += _record(0x0208, struct.pack("<HHHHHHI", row, 0, 1, 255, 0, 0, 0x20))
    for n, row in enumerate(page.rows):
        for m, cell in enumerate(row):
            data += _xls_cell(n + page.first[0], m + page.first[1], cell)
    for first_row, first, last_row, last in page.merged:
        data += _record(0x00E5, struct.pack("<HHHHH", 1, first_row, last_row, first, last))
    return data + _record(0x000A)


def _xls_cell(row: int, column: int, cell: Cell) -> bytes:
    place = struct.pack("<HHH", row, column, isinstance(cell, Day))
    if cell is None:
        return b""
    if isinstance(cell, Error) and cell.formula:
        result = bytes((2, 0, ERRORS[cell.text], 0, 0, 0, 0xFF, 0xFF))
        return _record(0x0006, place + result + struct.pack("<HIH", 0, 0, 0))
    if isinstance(cell, Error | bool):
        error = isinstance(cell, Error)
        return _record(0x0205, place + bytes((ERRORS[cell.text] if error else cell, error)))
    if isinstance(cell, Day | int | float):
        number = cell.serial if isinstance(cell, Day) else cell
        return _record(0x0203, place + struct.pack("<d", number))
    text = str(cell).encode("utf-16-le")
    return _record(0x0204, place + struct.pack("<HB", len(text) // 2, 1) + text)


def compound(streams: dict[str, bytes]) -> bytes:
    """A compound file of sectors of 512 bytes, each stream large enough to have its own."""
    sector, end, free, fat_mark = 512, 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    body, entries, fat = b"", [], []
    for name, data in streams.items():
        size = max(len(data), 4096)
        count = -(-size // sector)
        entries.append((name, len(fat), size))
        fat += [*range(len(fat) + 1, len(fat) + count), end]
        body += data.ljust(count * sector, b"\0")
    directory = _entry("Root Entry", 5, end, 0, 1 if entries else free)
    for n, (name, start, size) in enumerate(entries, start=1):
        directory += _entry(name, 2, start, size, free, right=n + 1 if n < len(entries) else free)
    directory = directory.ljust(-(-len(directory) // sector) * sector, b"\0")
    count = len(directory) // sector
    first_directory = len(fat)
    fat += [*range(first_directory + 1, first_directory + count), end]
    needed = 1
    while needed * 128 < len(fat) + needed:
        needed += 1
    first_fat = len(fat)
    fat += [fat_mark] * needed
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(needed * sector, b"\xff")
    listed = [first_fat + n for n in range(needed)]
    assert needed <= 109, "a file of a test is small"
    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16
        + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
        + struct.pack("<IIIIIIIII", 0, needed, first_directory, 0, 4096, end, 0, end, 0)
        + struct.pack("<109I", *listed, *[free] * (109 - needed))
    )  # fmt: skip
    return header + body + directory + table


def _entry(
    name: str, kind: int, start: int, size: int, child: int, *, right: int = 0xFFFFFFFF
) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    return (
        text.ljust(64, b"\0")
        + struct.pack("<HBB", len(text), kind, 1)
        + struct.pack("<III", 0xFFFFFFFF, right, child if kind == 5 else 0xFFFFFFFF)
        + b"\0" * 36
        + struct.pack("<IQ", start, size)
    )


# ── binary workbook ───────────────────────────────────────────────────────────────────────────


def xlsb(path: Path, *pages: Page, date_1904: bool = False) -> Path:
    """Write a binary workbook ([MS-XLSB]) with in-line texts and two cell formats."""
    bundle = b"".join(
        _b(156, struct.pack("<II", page.hidden, n) + _wide(f"rId{n}") + _wide(page.name))
        for n, page in enumerate(pages, start=1)
    )
    book = _b(131) + _b(153, struct.pack("<II", date_1904, 0) + _wide("")) + _b(143) + bundle
    book += _b(144) + _b(132)
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="x/worksheet" Target="worksheets/sheet{n}.bin"/>'
        for n in range(1, len(pages) + 1)
    )
    formats = [struct.pack("<HHHHHBBHH", 0xFFFF, form, 0, 0, 0, 0, 0, 0, 0) for form in (0, 14)]
    styles = _b(278) + _b(617, struct.pack("<I", 2)) + b"".join(_b(47, f) for f in formats)
    styles += _b(618) + _b(279)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.bin", book)
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            f'<?xml version="1.0"?><Relationships>{relations}</Relationships>',
        )
        archive.writestr("xl/styles.bin", styles)
        for n, page in enumerate(pages, start=1):
            archive.writestr(f"xl/worksheets/sheet{n}.bin", _xlsb_sheet(page))
    return path


def _b(kind: int, data: bytes = b"") -> bytes:
    number = bytes((kind,)) if kind < 128 else bytes((kind & 0x7F | 0x80, kind >> 7))
    size, length = len(data), b""
    while True:
        length += bytes((size & 0x7F | (0x80 if size > 127 else 0),))
        size >>= 7
        if not size:
            return number + length + data


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def _xlsb_sheet(page: Page) -> bytes:
    rows, columns = page.dimension or (len(page.rows), max((len(r) for r in page.rows), default=1))
    data = _b(129) + _b(148, struct.pack("<IIII", 0, max(rows - 1, 0), 0, max(columns - 1, 0)))
    if page.hidden_columns:
        hidden = [struct.pack("<IIIIH", c, c, 0, 0, 1) for c in sorted(page.hidden_columns)]
        data += _b(390) + b"".join(_b(60, column) for column in hidden) + _b(391)
    data += _b(145)
    for n, row in enumerate(page.rows):
        flags = 0x10 if n in page.hidden_rows else 0
        data += _b(0, struct.pack("<IIHBBBI", n + page.first[0], 0, 300, 0, flags, 0, 0))
        data += b"".join(_xlsb_cell(m + page.first[1], cell) for m, cell in enumerate(row))
    data += _b(146)
    if page.merged:
        ranges = [struct.pack("<IIII", r, s, c, d) for r, c, s, d in page.merged]
        data += _b(177) + b"".join(_b(176, each) for each in ranges) + _b(178)
    return data + _b(130)


def _xlsb_cell(column: int, cell: Cell) -> bytes:
    place = struct.pack("<II", column, isinstance(cell, Day))
    if cell is None:
        return b""
    if isinstance(cell, Error):
        code = bytes((ERRORS[cell.text],))
        return _b(11, place + code + b"\0" * 10) if cell.formula else _b(3, place + code)
    if isinstance(cell, bool):
        return _b(4, place + bytes((cell,)))
    if isinstance(cell, Day | int | float):
        return _b(5, place + struct.pack("<d", cell.serial if isinstance(cell, Day) else cell))
    return _b(6, place + _wide(str(cell)))
