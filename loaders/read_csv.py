"""Read delimited text: detect encoding and delimiter, count the rows, point at ragged ones."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from loaders.encoding import decoded, encoding_findings
from loaders.findings import Finding
from loaders.source import Sheet, column_letter
from loaders.tables import row_numbers, text_array, trimmed
from tipstat.errors import ReturnRefused
from tipstat.rules import refuse, rule

if TYPE_CHECKING:
    from pathlib import Path

    from loaders.layout_model import Repair
    from loaders.tables import Column

DELIMITERS = (",", ";", "\t", "|")
DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}

#: Records at the head of the file on which the delimiter is judged.
SAMPLE_RECORDS = 50
SAMPLE_CHARACTERS = 256 * 1024

#: Bytes examined at a time when rows are counted; bounds the memory of the masks.
CHUNK = 16 * 1024 * 1024

#: Bytes that one core parses at a time, in a file without ragged records.
PIECE = 4 * 1024 * 1024

#: Ragged rows that are named one by one; the rest are one finding with their count.
NAMED_RAGGED = 100


@dataclass(frozen=True)
class Text:
    """A delimited text as read.

    Attributes:
        sheet: named after the file.
        notes: findings on encoding, delimiter, ragged rows and stray quotation marks.
        encoding: in which it was read.
        delimiter: by which its fields were divided.
        ascii: whether the text holds no letter beyond the English alphabet.
    """

    sheet: Sheet
    notes: tuple[Finding, ...]
    encoding: str
    delimiter: str
    ascii: bool

    @property
    def read_as(self) -> str:
        """Encoding and delimiter, in words."""
        return f"{self.encoding}, fields divided by {_named(self.delimiter)}"


def read_csv(
    path: Path,
    data: bytes,
    *,
    encoding: str | None,
    delimiter: str | None,
    repairs: Sequence[Repair] = (),
) -> Text:
    """Read a text as one sheet named after the file.

    Args:
        path: for its name; nothing is read from it.
        data: the bytes received.
        encoding: overrides detection.
        delimiter: overrides detection.
        repairs: known faults of lines, which are mended and reported one by one.

    Returns:
        The sheet, and what reading it showed.

    Raises:
        ReturnRefused: NUL bytes, an encoding that does not fit, or rows that do not add up.
    """
    csv.field_size_limit(2**31 - 1)
    as_utf8 = _utf8(path.name, data, encoding)
    divider = delimiter or detect_delimiter(as_utf8.sample)
    width = _modal_width(_records(as_utf8.sample, divider))
    notes = [*as_utf8.notes, *_delimiter_notes(divider, detected=delimiter is None)]
    raw = as_utf8.raw
    regular, ragged = _parsed(path.name, raw, divider, width)
    mended = _mended(ragged, repairs, width, divider)
    table = _with_ragged(regular, ragged)
    counted, stray = count_records(raw, divider)
    if counted != table.num_rows:
        raise refuse(
            "TIP-111",
            ReturnRefused,
            where=path.name,
            found=f"{table.num_rows:,} rows read, {counted:,} counted",
        )
    sheet = Sheet(path.stem, False, trimmed(table, nulled=not ragged))
    unmended = {row: fields for row, fields in ragged.items() if row not in mended}
    findings = [
        *notes,
        *_ragged_findings(sheet, unmended, width),
        *_mended_findings(sheet, mended),
        *_stray_findings(sheet, stray),
    ]
    return Text(sheet, tuple(findings), as_utf8.encoding, divider, as_utf8.ascii)


@dataclass(frozen=True)
class _Utf8:
    """A text as UTF-8.

    Attributes:
        raw: without a byte-order mark.
        sample: its beginning.
        encoding: what the bytes received are.
        ascii: whether it holds no letter beyond the English alphabet.
        notes: findings on the encoding.
    """

    raw: bytes
    sample: str
    encoding: str
    ascii: bool
    notes: tuple[Finding, ...] = ()


def _utf8(name: str, data: bytes, encoding: str | None) -> _Utf8:
    """A text as UTF-8; one that is so already is not made twice."""
    if data.isascii() and b"\0" not in data and encoding in (None, "utf-8", "UTF-8"):
        return _Utf8(data, data[:SAMPLE_CHARACTERS].decode("ascii"), "UTF-8", True)
    found = decoded(name, data, encoding)
    as_sent = found.encoding == "UTF-8" and not data.startswith(codecs.BOM_UTF8)
    raw = data if as_sent else found.text.encode("utf-8")
    sample = found.text[:SAMPLE_CHARACTERS]
    return _Utf8(raw, sample, found.encoding, found.text.isascii(), tuple(encoding_findings(found)))


def detect_delimiter(sample: str) -> str:
    """The delimiter under which most records of the sample have the same number of fields.

    A tie goes to the delimiter that gives more fields; a text of one column gives a comma.
    """
    best, best_score = ",", (0.0, 0)
    for candidate in DELIMITERS:
        widths = Counter(len(record) for record in _records(sample, candidate) if record)
        width, times = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        score = (times / max(widths.total(), 1), width)
        if width > 1 and score > best_score:
            best, best_score = candidate, score
    return best


def _records(sample: str, delimiter: str) -> list[list[str]]:
    """The first records, without the last one, which the sample may have cut in two."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    records: list[list[str]] = []
    try:
        for record in reader:
            records.append(record)
            if len(records) > SAMPLE_RECORDS:
                break
    except csv.Error:
        # A field longer than the reader's limit: what was read before it is sample enough.
        return records
    return records[:-1] if len(sample) == SAMPLE_CHARACTERS and len(records) > 1 else records


def _modal_width(records: list[list[str]]) -> int:
    widths = Counter(len(record) for record in records if record)
    return max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))[0]


def _parsed(
    name: str, raw: bytes, delimiter: str, width: int
) -> tuple[pa.Table, dict[int, list[str]]]:
    """The regular records in order, and the fields of those that have too many or too few.

    Ragged records keep their place and their fields: a short one ends in nulls, a long one adds
    columns. They are pointed at in findings, and mended only where a layout says how.
    """
    names = [f"c{i + 1}" for i in range(width)]
    ragged: dict[int, list[str]] = {}

    def keep(row: arrow_csv.InvalidRow) -> Literal["skip"]:
        # Arrow numbers the rows where, as here, it reads in one thread.
        ragged[row.number or 0] = _fields(row.text, delimiter)
        return "skip"

    with suppress(pa.ArrowInvalid):
        # Most files have no ragged record, and are read in pieces by all cores.
        return _read(raw, delimiter, names, None), {}
    try:
        return _read(raw, delimiter, names, keep), ragged
    except pa.ArrowInvalid as error:
        raise refuse("TIP-103", ReturnRefused, where=name, found="text that cannot be split into"
                     " rows and fields") from error  # fmt: skip


def _read(
    raw: bytes,
    delimiter: str,
    names: list[str],
    keep: Callable[[arrow_csv.InvalidRow], Literal["skip"]] | None,
) -> pa.Table:
    """Text columns; without a handler of ragged records such a record is an ``ArrowInvalid``."""
    pieces = PIECE if keep is None else min(len(raw) + 1, 2**31 - 1)
    return arrow_csv.read_csv(
        io.BytesIO(raw),
        read_options=arrow_csv.ReadOptions(
            use_threads=keep is None, column_names=names, block_size=pieces
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter,
            # Without quotation marks no field holds a line end, and pieces are found faster.
            newlines_in_values=b'"' in raw,
            ignore_empty_lines=False,
            invalid_row_handler=keep,
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types={column: pa.string() for column in names},
            strings_can_be_null=True,
            null_values=[""],
        ),
    )


def _fields(text: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])


def _mended(
    ragged: dict[int, list[str]], repairs: Sequence[Repair], width: int, delimiter: str
) -> dict[int, Repair]:
    """Mend the ragged records that a repair describes, in place; which record by which repair."""
    mended = {}
    for row, fields in ragged.items():
        for repair in repairs:
            first, last = repair.join[0] - 1, repair.join[-1]
            joined = delimiter.join(fields[first:last])
            if len(fields) == repair.fields and re.search(repair.matches, joined):
                whole = [*fields[:first], joined, *fields[last:]]
                if len(whole) == width:
                    ragged[row], mended[row] = whole, repair
                    break
    return mended


def _with_ragged(regular: pa.Table, ragged: dict[int, list[str]]) -> pa.Table:
    """Put the ragged records back in their places and number all rows."""
    total = regular.num_rows + len(ragged)
    numbers = np.arange(1, total + 1, dtype=np.int64)
    if not ragged:
        return regular.append_column("_row", row_numbers(numbers))
    width = max([regular.num_columns, *(len(fields) for fields in ragged.values())])
    odd = np.array(sorted(ragged), dtype=np.int64)
    columns: list[Column] = []
    for index in range(width):
        name = f"c{index + 1}"
        extra = text_array(
            [row[index] if index < len(row) else None for _, row in sorted(ragged.items())]
        )
        known = (
            regular.column(name).chunks
            if name in regular.column_names
            else [pa.nulls(regular.num_rows, pa.string())]
        )
        columns.append(pa.chunked_array([*known, extra], pa.string()))
    rows = row_numbers(np.concatenate([np.setdiff1d(numbers, odd), odd]))
    names = [f"c{index + 1}" for index in range(width)]
    arrays = [*columns, pa.chunked_array([rows], pa.int32())]
    return pa.Table.from_arrays(arrays, names=[*names, "_row"]).sort_by("_row")


def count_records(raw: bytes, delimiter: str) -> tuple[int, list[int]]:
    """Count records without the parser: line ends outside quotation marks.

    Returns:
        The number of records, and the records (by number, the first hundred) in which a
        quotation mark stands where it neither opens nor closes a field.
    """
    if b'"' not in raw:
        ends = raw.count(b"\n")
        if b"\r" in raw:
            ends += raw.count(b"\r") - raw.count(b"\r\n")
        return ends + (not raw.endswith((b"\n", b"\r")) and bool(raw)), []
    data = np.frombuffer(raw, dtype=np.uint8)
    total, open_quote, previous = 0, 0, ord("\n")
    stray: list[int] = []
    for start in range(0, len(data), CHUNK):
        part = data[start : start + CHUNK]
        following = data[start + len(part)] if start + len(part) < len(data) else ord("\n")
        quotes = part == ord('"')
        inside = np.bitwise_xor.accumulate(quotes.astype(np.uint8)) ^ np.uint8(open_quote)
        before = np.concatenate([np.array([previous], dtype=np.uint8), part[:-1]])
        after = np.concatenate([part[1:], np.array([following], dtype=np.uint8)])
        ends = _line_ends(part, after) & (inside == 0)
        if quotes.any() and len(stray) < NAMED_RAGGED:
            wrong = np.flatnonzero(quotes & _misplaced(inside, before, after, delimiter))
            stray += [total + int(ends[:place].sum()) + 1 for place in wrong[:NAMED_RAGGED]]
        total += int(ends.sum())
        open_quote, previous = int(inside[-1]), int(part[-1])
    if len(data) and previous not in (ord("\n"), ord("\r")):
        total += 1
    return total, list(dict.fromkeys(stray))


def _line_ends(part: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Where a line ends: at LF, and at a CR that no LF follows."""
    ends: np.ndarray = (part == ord("\n")) | ((part == ord("\r")) & (after != ord("\n")))
    return ends


def _misplaced(
    inside: np.ndarray, before: np.ndarray, after: np.ndarray, delimiter: str
) -> np.ndarray:
    """Quotation marks that open after, or close before, something other than a field's border."""
    border = np.array([ord("\n"), ord("\r"), ord('"'), ord(delimiter)], dtype=np.uint8)
    opens = inside == 1
    wrong: np.ndarray = (opens & ~np.isin(before, border)) | (~opens & ~np.isin(after, border))
    return wrong


def _named(delimiter: str) -> str:
    return DELIMITER_NAMES.get(delimiter, repr(delimiter))


def _delimiter_notes(delimiter: str, *, detected: bool) -> list[Finding]:
    if not detected:
        return []
    message = f"fields divided by {_named(delimiter)}"
    return [Finding("TIP-109", rule("TIP-109").severity, message)]


def _ragged_findings(sheet: Sheet, ragged: dict[int, list[str]], width: int) -> list[Finding]:
    """One finding a ragged row; short rows above the first full one are headings, not ragged."""
    last = sheet.table.num_rows
    full = _first_full_row(last, ragged)
    odd = {
        row: len(fields)
        for row, fields in sorted(ragged.items())
        if (row > full or len(fields) > width) and row <= last and any(fields)
    }
    severity = rule("TIP-110").severity
    findings = [
        Finding(
            "TIP-110",
            severity,
            f"row {row} has {count} fields, {width} expected",
            sheet=sheet.name,
            row=row,
            expected=f"{width} fields",
        )
        for row, count in list(odd.items())[:NAMED_RAGGED]
    ]
    if len(odd) > NAMED_RAGGED:
        rest = len(odd) - NAMED_RAGGED
        message = f"{rest:,} more rows, the last one row {max(odd)}, do not have {width} fields"
        findings.append(
            Finding("TIP-110", severity, message, sheet=sheet.name, row=max(odd), count=rest)
        )
    return findings


def _mended_findings(sheet: Sheet, mended: dict[int, Repair]) -> list[Finding]:
    """One finding a mended record; what it holds is not repeated."""
    severity = rule("TIP-116").severity
    return [
        Finding(
            "TIP-116",
            severity,
            f"fields {repair.join[0]} to {repair.join[-1]} are read as one: {repair.reason}",
            sheet=sheet.name,
            cell=f"{column_letter(repair.join[0])}{row}",
            row=row,
            column_letter=column_letter(repair.join[0]),
            expected=rule("TIP-116").expected,
        )
        for row, repair in sorted(mended.items())
    ]


def _first_full_row(rows: int, ragged: dict[int, list[str]]) -> int:
    return next((row for row in range(1, rows + 1) if row not in ragged), 0)


def _stray_findings(sheet: Sheet, rows: list[int]) -> list[Finding]:
    severity = rule("TIP-115").severity
    return [
        Finding(
            "TIP-115",
            severity,
            f"row {row}: a quotation mark inside a field is not doubled",
            sheet=sheet.name,
            row=row,
        )
        for row in rows
    ]
