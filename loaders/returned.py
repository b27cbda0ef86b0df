"""A return after its layout or template was applied and before any rule ran."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from loaders.findings import Finding
    from loaders.layout_model import Sum


#: Letter of a variable whose column differs from record to record; ``_letter`` holds it.
OWN_LETTER = "*"


@dataclass(frozen=True)
class RecordTable:
    """The records of one type as sent, still text.

    Attributes:
        table: string columns named by variable (only those that were sent), and ``_sheet``
            (string), ``_row`` (int32, row of the sheet) and ``_pivot`` (int32, 0 where one row
            of the sheet is one record). Where one row is several records, ``_letter`` (string)
            is the column of each.
        columns: variable -> column letter in the sheet, for cell addresses, or ``OWN_LETTER``.
    """

    record_type: str
    table: pa.Table
    columns: dict[str, str]


@dataclass(frozen=True)
class Returned:
    """A return laid out by record type.

    Attributes:
        metadata: variables of the metadata sheet as sent.
        metadata_cells: variable -> (sheet, cell) of each item that the file has, filled or not.
        value_maps: code list or variable -> {value as sent: our code}, from the layout.
        date_order: ``dmy`` or ``mdy`` where the layout says how days and months stand.
        decimal_sign: ``,`` or ``.`` where the layout says it.
        date_1904: whether the workbook counts its days from 1904.
        findings: what structure, controls and error cells showed so far.
        sums: totals among the cells that are compared with their parts, from the layout.
    """

    kind: str
    language: str
    metadata: dict[str, str]
    metadata_cells: dict[str, tuple[str, str]]
    tables: tuple[RecordTable, ...]
    layout_id: str | None = None
    layout_sha256: str | None = None
    value_maps: dict[str, dict[str, str]] = field(default_factory=dict)
    date_order: str = ""
    decimal_sign: str = ""
    date_1904: bool = False
    findings: tuple[Finding, ...] = ()
    sums: tuple[Sum, ...] = ()
