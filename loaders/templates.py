"""Standard returns: read back without any layout.

A standard workbook is recognised by its hidden marker, standard CSV files by their names: one
for each record type, and ``metadata.csv``. Sheets and columns are found by the row of variable
names, or by the labels of any of the three languages where that row is gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from xlsxwriter.utility import xl_col_to_name

from loaders.findings import Finding
from loaders.returned import RecordTable, Returned
from loaders.source import family_of
from loaders.tables import row_numbers, text_array
from loaders.template_texts import record_type_label, texts, variable_label
from loaders.template_workbook import (
    CORE_MARK,
    LISTS_SHEET,
    MARKER,
    MARKER_SHEET,
    TEMPLATE_VERSION,
    write_template,
)
from tipstat.classification import LANGUAGES
from tipstat.contract import RecordType, load_contract
from tipstat.errors import ReturnRefused
from tipstat.rules import refuse, rule

if TYPE_CHECKING:
    from loaders.source import Sheet, Source

__all__ = ["TEMPLATE_VERSION", "TemplateInfo", "recognise", "returned", "write_template"]

#: The header stands within the first rows; further down are records.
_HEAD_ROWS = 12
#: More rows than a ``metadata.csv`` has items.
_METADATA_ROWS = 500
#: What a ``metadata.csv`` says beside the items of the metadata sheet.
_FILE_ITEMS = ("variable", "kind", "language", "contract_version")


#: Findings on how a sheet is arranged.
_ARRANGEMENT = ("TIP-154", "TIP-155")
#: What is hidden in every standard workbook: the row of variable names, the column of items.
_OWN_HIDDEN = ("row 1: hidden, and read", "column D: hidden, and read")


@dataclass(frozen=True)
class TemplateInfo:
    """What the hidden marker of a standard workbook says, or the metadata of CSV files."""

    kind: str
    language: str
    template_version: int
    contract_version: int
    contract_digest: str


@dataclass(frozen=True)
class _Header:
    """Where the columns of a sheet stand.

    Attributes:
        variables: position of the column, from 0 -> variable.
        unknown: positions of columns that have a heading but no variable, with the heading.
        doubled: variables that stand in several columns.
        last_row: row of the sheet in which the header ends.
    """

    variables: dict[int, str]
    unknown: dict[int, str]
    doubled: tuple[str, ...]
    last_row: int


def recognise(source: Source) -> TemplateInfo | None:
    """Tell whether a file is a standard workbook, or files are standard CSV files.

    Args:
        source: the file or files as read.

    Returns:
        What the marker says, or ``None`` for anything else.

    Raises:
        ReturnRefused: TIP-971 the kind of return cannot be told from the names of the CSV files.
    """
    marker = next((s for s in source.sheets if s.name == MARKER_SHEET), None)
    if marker is None:
        return _recognise_files(source) if family_of(source.format) == "csv" else None
    entries = _entries(marker)
    numbers = (entries.get("template_version", ""), entries.get("contract_version", ""))
    known = entries.get(MARKER) == "yes" and entries.get("kind") in load_contract().kinds()
    if not known or not all(number.isdigit() for number in numbers):
        return None
    return TemplateInfo(
        kind=entries["kind"],
        language=entries.get("language", "en"),
        template_version=int(numbers[0]),
        contract_version=int(numbers[1]),
        contract_digest=entries.get("contract_digest", ""),
    )


def _entries(sheet: Sheet, n: int = _HEAD_ROWS) -> dict[str, str]:
    """The first two columns as names and values."""
    return {line[0]: line[1] for line in _head(sheet, n) if len(line) > 1 and line[0] and line[1]}


def _recognise_files(source: Source) -> TemplateInfo | None:
    """Standard CSV files: ``metadata.csv`` and one for each record type, named by it.

    The kind is the one to which most of the files belong; a row ``kind`` of ``metadata.csv`` says
    it where two kinds have as many.
    """
    named = {_folded(sheet.name): sheet for sheet in source.sheets}
    if "metadata" not in named:
        return None
    contract, entries = load_contract(), _entries(named["metadata"], _METADATA_ROWS)
    hits = {kind: len(named.keys() & _sheet_names(kind).keys()) for kind in contract.kinds()}
    best = [kind for kind, n in hits.items() if n == max(hits.values())]
    kind = entries.get("kind") or (best[0] if len(best) == 1 else "")
    if kind not in contract.kinds():
        found = f"kind {kind}" if kind else "files of " + " or ".join(best)
        raise refuse("TIP-971", ReturnRefused, where=source.path.name, found=found)
    version = entries.get("contract_version", "")
    return TemplateInfo(
        kind=kind,
        language=entries.get("language", "en"),
        template_version=TEMPLATE_VERSION,
        contract_version=int(version) if version.isdigit() else contract.version,
        contract_digest="",
    )


def returned(source: Source, info: TemplateInfo) -> Returned:
    """Lay a standard return out by record type.

    Args:
        source: the file as read.
        info: what ``recognise`` found.

    Returns:
        The records and metadata as sent, with every finding about versions, sheets and columns.
        A finding of severity ``refusal`` means that nothing may be landed. Error cells are
        findings of the reading (``source.notes``).
    """
    findings = _version_findings(info)
    if any(finding.severity == "refusal" for finding in findings):
        return Returned(info.kind, info.language, {}, {}, (), findings=tuple(findings))
    placed, other = _place_sheets(source, info.kind)
    findings += _sheet_findings(info, placed, other)
    metadata_sheet = placed.pop("metadata", None)
    metadata, cells = _metadata(metadata_sheet)
    if metadata_sheet is not None and family_of(source.format) == "csv":
        findings += _unknown_metadata(metadata_sheet)
    tables = []
    # In the order of the contract, in which parents stand before their children.
    for record_type in load_contract().of_kind(info.kind):
        if record_type.name not in placed:
            continue
        table, found = _record_table(record_type, placed[record_type.name])
        findings += found
        tables += [table] if table is not None else []
    return Returned(
        info.kind, info.language, metadata, cells, tuple(tables), findings=tuple(findings)
    )


def foreign_notes(source: Source) -> tuple[Finding, ...]:
    """What reading showed of a standard workbook, without what tipstat itself put there.

    Its hidden sheets, its hidden row of variable names, its hidden column of the metadata sheet
    and the merged cells of its instructions are no news to anyone.
    """
    instructions = {_folded(texts(language)["sheet"]) for language in LANGUAGES}
    own = (MARKER_SHEET, LISTS_SHEET)
    return tuple(
        note
        for note in source.notes
        if note.sheet not in own
        and not (note.rule_id in _ARRANGEMENT and _folded(note.sheet) in instructions)
        and note.message not in _OWN_HIDDEN
    )


def _finding(
    rule_id: str,
    message: str,
    *,
    record_type: str = "",
    sheet: str = "",
    cell: str = "",
    column_letter: str = "",
    variable: str = "",
    expected: str = "",
) -> Finding:
    entry = rule(rule_id)
    return Finding(
        rule_id=rule_id,
        severity=entry.severity,
        message=message,
        record_type=record_type,
        sheet=sheet,
        cell=cell,
        column_letter=column_letter,
        variable=variable,
        expected=expected or entry.expected,
    )


def _version_findings(info: TemplateInfo) -> list[Finding]:
    """Versions that cannot be read are refused; an older contract only lacks newer columns."""
    contract = load_contract()
    if info.template_version != TEMPLATE_VERSION or info.contract_version > contract.version:
        made = "newer" if info.contract_version > contract.version else "other"
        message = (
            f"the workbook has template version {info.template_version} and contract version "
            f"{info.contract_version}, made by a {made} tipstat"
        )
        expected = f"template version {TEMPLATE_VERSION}, contract version {contract.version}"
        return [_finding("TIP-952", message, expected=expected)]
    if info.contract_version < contract.version:
        message = (
            f"the workbook was made for contract version {info.contract_version}; variables added "
            f"since then count as not collected"
        )
        return [_finding("TIP-953", message)]
    return []


# ── sheets ────────────────────────────────────────────────────────────────────────────────────


def _place_sheets(source: Source, kind: str) -> tuple[dict[str, Sheet], list[Sheet]]:
    """Record type (or ``metadata``) -> sheet, by name and else by the hidden row; and the rest."""
    names = _sheet_names(kind)
    placed: dict[str, Sheet] = {}
    other: list[Sheet] = []
    for sheet in source.sheets:
        if sheet.name in (MARKER_SHEET, LISTS_SHEET):
            continue
        name = names.get(_folded(sheet.name)) or _by_columns(sheet, kind)
        if name is None or name in placed:
            other.append(sheet)
        else:
            placed[name] = sheet
    return placed, other


@cache
def _sheet_names(kind: str) -> dict[str, str]:
    """Names that a sheet may bear, in any language -> record type."""
    record_types = ["metadata", *(rt.name for rt in load_contract().of_kind(kind))]
    named = {_folded(name): name for name in record_types}
    for language in LANGUAGES:
        named |= {_folded(record_type_label(name, language)): name for name in record_types}
    return named


def _by_columns(sheet: Sheet, kind: str) -> str | None:
    """The record type whose variables the hidden row of a renamed sheet names in full."""
    for line in _head(sheet)[:2]:
        found = {text for text in line if text}
        for record_type in load_contract().of_kind(kind):
            if found and found == {v.name for v in record_type.variables}:
                return record_type.name
    return None


def _sheet_findings(
    info: TemplateInfo, placed: dict[str, Sheet], other: list[Sheet]
) -> list[Finding]:
    wanted = ["metadata", *(rt.name for rt in load_contract().of_kind(info.kind))]
    findings = []
    if not set(placed) - {"metadata"}:
        sheets = ", ".join(sheet.name for sheet in other)
        message = f"the workbook says {info.kind}, but none of that kind's sheets is in it"
        findings.append(_finding("TIP-954", message, sheet=sheets[:120]))
        return findings
    for name in wanted:
        if name not in placed:
            message = f"the sheet of {name} is not in the workbook: not collected"
            label = record_type_label(name, info.language)
            findings.append(_finding("TIP-958", message, record_type=name, sheet=label))
    instructions = {_folded(texts(language)["sheet"]) for language in LANGUAGES}
    for sheet in other:
        if _folded(sheet.name) not in instructions:
            message = "this sheet is not part of the return and was not read"
            findings.append(_finding("TIP-959", message, sheet=sheet.name))
    return findings


# ── columns ───────────────────────────────────────────────────────────────────────────────────


def _record_table(
    record_type: RecordType, sheet: Sheet
) -> tuple[RecordTable | None, list[Finding]]:
    header = _header(record_type, sheet)
    table = _records(header, sheet)
    findings = _column_findings(record_type, sheet, header)
    if table.num_rows == 0:
        return None, findings
    kept = [name for name in header.variables.values() if _is_sent(record_type, table, name)]
    columns = {
        name: xl_col_to_name(position)
        for position, name in header.variables.items()
        if name in kept
    }
    table = table.select([*kept, "_sheet", "_row", "_pivot"])
    return RecordTable(record_type.name, table, columns), findings


def _header(record_type: RecordType, sheet: Sheet) -> _Header:
    """Find the columns by the row of variable names, and by labels where a name is gone."""
    names = {v.name: v.name for v in record_type.variables}
    by_label = _labels_of(record_type.kind, record_type.name)
    rows = _head(sheet)
    codes = _best(rows, names)
    headings = _best([[_unmarked(text) for text in line] for line in rows], by_label)
    lines = [line for line in (codes, headings) if line is not None]
    if not lines:
        return _Header({}, {}, (), 0)
    variables: dict[int, str] = {}
    unknown: dict[int, str] = {}
    for position in range(max(len(rows[line]) for line in lines)):
        code = rows[codes][position] if codes is not None else ""
        heading = rows[headings][position] if headings is not None else ""
        variable = names.get(code.strip()) or by_label.get(_unmarked(heading))
        if variable:
            variables[position] = variable
        elif code or heading:
            unknown[position] = heading or code
    times = Counter(variables.values())
    last_row = sheet.table.column("_row")[max(lines)].as_py()
    doubled = tuple(name for name, n in times.items() if n > 1)
    return _Header(variables, unknown, doubled, last_row)


def _best(rows: Sequence[Sequence[str]], known: dict[str, str]) -> int | None:
    """The first line at least half of whose texts are known, and more than one of them."""
    for number, line in enumerate(rows):
        texts_of_line = [text.strip() for text in line if text.strip()]
        hits = sum(text in known for text in texts_of_line)
        if hits and 2 * hits >= len(texts_of_line) and hits >= min(2, len(known)):
            return number
    return None


@cache
def _labels_of(kind: str, name: str) -> dict[str, str]:
    """Heading without marks, in any language -> variable."""
    record_type = (
        load_contract().metadata if name == "metadata" else load_contract().record_type(kind, name)
    )
    return {
        _folded(variable_label(v.name, language)): v.name
        for language in reversed(LANGUAGES)
        for v in record_type.variables
    }


def _unmarked(heading: str) -> str:
    """A heading without the sign of its obligation, for comparison."""
    text = heading.strip().removesuffix(CORE_MARK.strip())
    for language in LANGUAGES:
        text = text.removesuffix(f"({texts(language)['word.optional']})")
    return _folded(text)


def _records(header: _Header, sheet: Sheet) -> pa.Table:
    """The rows under the header in which anything is written, named by variable."""
    last = row_numbers(np.array([header.last_row]))[0]
    below = sheet.table.filter(pc.greater(sheet.table.column("_row"), last))
    places = {name: f"c{position + 1}" for position, name in reversed(header.variables.items())}
    if not places:
        return below.slice(0, 0)
    written = _is_written(below.column(next(iter(places.values()))))
    for name in places.values():
        written = pc.or_kleene(written, _is_written(below.column(name)))
    rows = below.num_rows
    return (
        below.select([*places.values(), "_row"])
        .rename_columns([*places, "_row"])
        .append_column("_sheet", text_array([sheet.name] * rows))
        .append_column("_pivot", row_numbers(np.zeros(rows, np.int64)))
        .filter(written)
    )


def _is_written(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    written = pc.not_equal(pc.utf8_trim_whitespace(column), text_array([""])[0])
    return cast("pa.ChunkedArray[Any]", written)


def _is_sent(record_type: RecordType, table: pa.Table, name: str) -> bool:
    """Whether a column of the workbook counts as sent.

    Every workbook has every column; a column that is no key and not core, and in which nothing
    is written, is one that the sender does not collect.
    """
    variable = record_type.variable(name)
    if variable.is_key or variable.obligation == "core":
        return True
    return bool(pc.any(_is_written(table.column(name))).as_py())


def _column_findings(record_type: RecordType, sheet: Sheet, header: _Header) -> list[Finding]:
    where = {"record_type": record_type.name, "sheet": sheet.name}
    findings = []
    for position, heading in header.unknown.items():
        letter = xl_col_to_name(position)
        message = f"column {letter} ({heading[:60]}) is no variable of {record_type.name}"
        cell = f"{letter}{header.last_row}"
        findings.append(_finding("TIP-140", message, cell=cell, column_letter=letter, **where))
    for name in header.doubled:
        message = f"{name} stands in more than one column"
        findings.append(_finding("TIP-143", message, variable=name, **where))
    return findings


# ── metadata ──────────────────────────────────────────────────────────────────────────────────


def _metadata(sheet: Sheet | None) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Variable -> value and variable -> (sheet, cell), by the hidden column or the labels."""
    values: dict[str, str] = {}
    cells: dict[str, tuple[str, str]] = {}
    if sheet is None:
        return values, cells
    names = {v.name for v in load_contract().metadata.variables}
    by_label = _labels_of("any", "metadata")
    numbers = sheet.table.column("_row").to_pylist()
    for number, line in zip(numbers, _head(sheet, sheet.table.num_rows), strict=True):
        variable = next((text for text in (*line[2:], line[0].strip()) if text in names), None)
        variable = variable or by_label.get(_unmarked(line[0]))
        if variable is None or variable in values or len(line) < 2:
            continue
        written = bool(line[1].strip())
        # A blank item has its cell too: there it is to be filled in.
        if written or variable not in cells:
            cells[variable] = (sheet.name, f"B{number}")
        if written:
            values[variable] = line[1]
    return values, cells


def _unknown_metadata(sheet: Sheet) -> list[Finding]:
    """Rows of ``metadata.csv`` whose item the contract does not know."""
    known = {*_FILE_ITEMS, *(v.name for v in load_contract().metadata.variables)}
    by_label = _labels_of("any", "metadata")
    numbers = sheet.table.column("_row").to_pylist()
    findings = []
    for number, line in zip(numbers, _head(sheet, sheet.table.num_rows), strict=True):
        name = line[0].strip()
        if name and name not in known and _unmarked(name) not in by_label:
            message = f"row {number} is no item of the metadata and was not read"
            cell = f"A{number}"
            findings.append(_finding("TIP-972", message, sheet=sheet.name, cell=cell))
    return findings


def _head(sheet: Sheet, n: int = _HEAD_ROWS) -> list[list[str]]:
    """The first lines of a sheet as text; an empty cell is an empty text."""
    part = sheet.table.drop_columns(["_row"]).slice(0, n)
    columns = [["" if text is None else text for text in c.to_pylist()] for c in part.columns]
    return [list(line) for line in zip(*columns, strict=True)]


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
