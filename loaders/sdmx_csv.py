"""SDMX-CSV 1.0 and 2.0 as an aggregate return: its columns are concepts, its rows are cells.

Sources: SDMX-CSV field guide 1.0 (2018) and 2.0 (2022), SDMX code list CL_OBS_STATUS 2.2. Which
concept is which variable of a cell stands in ``CONCEPTS`` and in docs/reading.md; any other column
is refused and listed, for a dimension left out would add cells of different things together.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.returned import RecordTable, Returned
from loaders.source import column_letter, family_of
from loaders.tables import combined, row_numbers, text_array
from tipstat.contract import load_contract
from tipstat.errors import ReturnRefused
from tipstat.rules import refuse

if TYPE_CHECKING:
    from loaders.source import Sheet, Source
    from loaders.tables import Texts

FORMAT = "sdmx-csv"

#: Concept -> variable of a cell, beside those that bear the name of the variable itself.
CONCEPTS = {
    "REF_AREA": "reference_area",
    "INDICATOR": "measure",
    "AGE": "age_group",
    "FORM_EXPLOITATION": "form",
    "EXPLOITATION": "form",
    "CITIZEN": "citizenship",
    "REGION": "area",
    "OBS_VALUE": "value",
}
#: Concepts that say nothing of which cell a row is.
ASIDE = frozenset(
    ("DATAFLOW", "STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "ACTION", "FREQ", "UNIT_MEASURE",
     "UNIT_MULT", "DECIMALS", "TIME_FORMAT", "OBS_STATUS", "CONF_STATUS", "OBS_COMMENT", "COMMENT",
     "COMMENT_OBS", "SOURCE", "OBS_PRE_BREAK")
)  # fmt: skip
PERIOD = "TIME_PERIOD"

#: What may stand in a column, where another value would change what the rows mean.
_ACCEPTED = {
    "ACTION": ("I", "A", "R", "M", "INFORMATION", "APPEND", "REPLACE", "MERGE"),
    "UNIT_MULT": ("0",),
}
#: Status of a missing observation -> kind of cell.
_MISSING = {"L": "NOT_COLLECTED", "M": "NOT_APPLICABLE", "O": "NOT_STATED",
            "Q": "WITHHELD_AT_SOURCE"}  # fmt: skip
_CONFIDENTIAL = ("C", "D", "S")


def is_sdmx_csv(source: Source) -> bool:
    """Whether a file is one SDMX-CSV table: by its first column, as the standard has it."""
    if family_of(source.format) != "csv" or len(source.sheets) != 1:
        return False
    names = [_concept(text) for text in _headers(source.sheets[0]).values()]
    return names[:1] == ["DATAFLOW"] or names[:2] == ["STRUCTURE", "STRUCTURE_ID"]


def sdmx_returned(source: Source) -> Returned:
    """Lay SDMX-CSV out as cells.

    Args:
        source: a file that ``is_sdmx_csv`` knows.

    Returns:
        The cells as sent, and what the file says of the metadata: the reference area where it is
        one, and the first and last day of its periods.

    Raises:
        ReturnRefused: TIP-165 columns that are no variable of a cell, two columns of one
            variable, no period or value, or rows that are deletions or multiples.
    """
    sheet = source.sheets[0]
    headers = _headers(sheet)
    places = _places(source, headers)
    table = sheet.table.slice(1)
    written = pc.is_valid(table.column(places["value"][0]))
    for name, _ in places.values():
        written = pc.or_(written, pc.is_valid(table.column(name)))
    table = table.filter(written)
    _refuse_other_rows(source, headers, table)
    columns = {name: _values(table, place, labelled) for name, (place, labelled) in places.items()}
    letters = {name: column_letter(int(place[1:])) for name, (place, _) in places.items()}
    period = columns.pop("period")
    letter = letters.pop("period")
    for name, end in (("period_start", False), ("period_end", True)):
        columns[name] = _mapped(period, partial(_day, end=end))
        letters[name] = letter
    kinds = _kinds(headers, table)
    if kinds is not None and "cell_kind" not in columns:
        columns["cell_kind"] = kinds
    metadata = _metadata(columns)
    if "reference_area" not in _variables():
        columns.pop("reference_area", None)
    return Returned(
        "aggregate", "en", metadata, {}, (_cells(sheet, table, columns, letters),)
    )  # fmt: skip


def _headers(sheet: Sheet) -> dict[str, str]:
    """Column of the sheet -> its heading."""
    head = sheet.table.slice(0, 1)
    return {
        name: (head.column(name)[0].as_py() or "").strip()
        for name in sheet.table.column_names
        if name != "_row" and sheet.table.num_rows
    }


def _concept(heading: str) -> str:
    """The id of a heading, which may have its name behind it (``SEX: Sex``) or a list mark."""
    return re.sub(r"\[.*\]$", "", heading.partition(":")[0].strip()).upper()


def _variables() -> set[str]:
    cell = load_contract().record_type("aggregate", "cell")
    return {variable.name for variable in cell.variables}


def _places(source: Source, headers: dict[str, str]) -> dict[str, tuple[str, bool]]:
    """Variable (or ``period``) -> its column, and whether its values have labels behind them."""
    known = {*_variables(), "reference_area"}
    places: dict[str, tuple[str, bool]] = {}
    unknown: list[str] = []
    for column, heading in headers.items():
        concept = _concept(heading)
        own = CONCEPTS.get(concept, concept.lower())
        variable = "period" if concept == PERIOD else own
        if concept in ASIDE or not heading:
            continue
        if (variable != "period" and variable not in known) or variable in places:
            unknown.append(heading)
        else:
            places[variable] = (column, ":" in heading)
    missing = [concept for concept, name in ((PERIOD, "period"), ("OBS_VALUE", "value"))
               if name not in places]  # fmt: skip
    if unknown or missing:
        found = "columns " + ", ".join(unknown) if unknown else "no column " + ", ".join(missing)
        raise refuse("TIP-165", ReturnRefused, where=source.path.name, found=found)
    return places


def _refuse_other_rows(source: Source, headers: dict[str, str], table: pa.Table) -> None:
    for column, heading in headers.items():
        accepted = _ACCEPTED.get(_concept(heading))
        if accepted is None:
            continue
        sent = pc.unique(table.column(column)).to_pylist()
        other = sorted({str(value).upper() for value in sent if value} - set(accepted))
        if other:
            found = f"{_concept(heading)} {', '.join(other[:5])}"
            expected = f"{_concept(heading)} {' or '.join(accepted[:4])}"
            where = source.path.name
            raise refuse("TIP-165", ReturnRefused, where=where, found=found, expected=expected)


def _values(table: pa.Table, place: str, labelled: bool) -> Texts:
    column: Texts = combined(table.column(place))
    if not labelled:
        return column
    codes: Texts = pc.replace_substring_regex(column, r"^([^:]*): .*$", r"\1")
    return codes


def _mapped(column: Texts, meant: Callable[[str], str | None]) -> Texts:
    """A column with each distinct value replaced."""
    encoded: Any = column.dictionary_encode()
    words = text_array([meant(word) for word in encoded.dictionary.to_pylist()])
    return words.take(encoded.indices)


def _day(text: str, *, end: bool) -> str:
    """The first or last day of a period; a text that is no period is left as it is."""
    shapes: tuple[tuple[str, int], ...] = (
        (r"(\d{4})(?:-A1)?()", 12), (r"(\d{4})-[SH]([12])", 6), (r"(\d{4})-T([1-3])", 4),
        (r"(\d{4})-Q([1-4])", 3), (r"(\d{4})-M?(0[1-9]|1[0-2])", 1),
    )  # fmt: skip
    for shape, months in shapes:
        if found := re.fullmatch(shape, text.strip()):
            year, number = int(found[1]), int(found[2] or 1)
            month = number * months if end else (number - 1) * months + 1
            day = calendar.monthrange(year, month)[1] if end and year else 1
            return f"{year:04d}-{month:02d}-{day:02d}"
    days = text.strip().split("/")
    return days[-1] if end and len(days) == 2 else days[0]


def _kinds(headers: dict[str, str], table: pa.Table) -> Texts | None:
    """Kinds of cell from the status of observations that are missing or confidential."""
    kinds: Texts | None = None
    for column, heading in headers.items():
        concept = _concept(heading)
        if concept == "OBS_STATUS":
            found = _mapped(_values(table, column, ":" in heading), _MISSING.get)
        elif concept == "CONF_STATUS":
            found = _mapped(
                _values(table, column, ":" in heading),
                lambda code: "WITHHELD_AT_SOURCE" if code in _CONFIDENTIAL else None,
            )
        else:
            continue
        kinds = found if kinds is None else pc.coalesce(kinds, found)
    if kinds is None:
        return None
    (value,) = (column for column, heading in headers.items() if _concept(heading) == "OBS_VALUE")
    absent = pc.is_null(combined(table.column(value)))
    only_absent: Texts = pc.if_else(absent, kinds, pa.nulls(1, pa.string())[0])
    return only_absent


def _metadata(columns: dict[str, Texts]) -> dict[str, str]:
    metadata = {}
    for name, pick in (("period_start", min), ("period_end", max)):
        days = [day for day in pc.unique(columns[name]).to_pylist() if day]
        if days:
            metadata[name] = pick(days)
    areas = columns.get("reference_area")
    known = [area for area in pc.unique(areas).to_pylist() if area] if areas is not None else []
    if len(known) == 1:
        metadata["reference_area"] = known[0]
    return metadata


def _cells(
    sheet: Sheet, table: pa.Table, columns: dict[str, Texts], letters: dict[str, str]
) -> RecordTable:
    rows = table.num_rows
    arrays = {
        **columns,
        "_sheet": text_array([sheet.name] * rows),
        "_row": combined(table.column("_row")),
        "_pivot": row_numbers(np.zeros(rows, dtype=np.int64)),
    }
    made = pa.Table.from_arrays(list(arrays.values()), names=list(arrays))
    kept = {name: letter for name, letter in letters.items() if name in columns}
    return RecordTable("cell", made, kept)
