"""Read a Parquet file as one sheet of text: names of columns in row 1, records below."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from loaders.archive import too_large
from loaders.source import Sheet
from loaders.tables import row_numbers, text_array, trimmed
from tipstat.errors import ReturnRefused
from tipstat.limits import MEGABYTE, Limits
from tipstat.rules import refuse


def read_parquet(name: str, data: bytes, limits: Limits) -> Sheet:
    """Read every column as text, as a workbook's values are: ISO dates, whole numbers, capitals.

    Args:
        name: of the file; the sheet bears it without its ending.
        data: the bytes received.
        limits: of the workspace.

    Returns:
        The sheet.

    Raises:
        ReturnRefused: TIP-101 columns that are lists, structures or bytes, TIP-103 damaged,
            TIP-105 beyond the limits.
    """
    try:
        file = parquet.ParquetFile(pa.BufferReader(data))
        about = file.metadata
        unpacked = sum(about.row_group(n).total_byte_size for n in range(about.num_row_groups))
        cells = (about.num_rows + 1) * about.num_columns
        if cells > limits.cells or unpacked > limits.unpacked_mb * MEGABYTE:
            found = f"{about.num_rows:,} rows, {about.num_columns:,} columns, {unpacked:,} bytes"
            raise too_large(name, found, limits)
        table = file.read()
    except (pa.ArrowException, OSError) as error:
        found = "a Parquet file that does not open"
        raise refuse("TIP-103", ReturnRefused, where=name, found=found) from error
    columns = [_with_heading(name, field, table.column(n)) for n, field in enumerate(table.schema)]
    if not columns:
        raise refuse("TIP-102", ReturnRefused, where=name, found="no column")
    numbers = row_numbers(np.arange(1, table.num_rows + 2, dtype=np.int64))
    names = [f"c{n + 1}" for n in range(len(columns))]
    sheet = pa.Table.from_arrays([*columns, numbers], names=[*names, "_row"])
    return Sheet(Path(name).stem, False, trimmed(sheet))


def _with_heading(
    name: str, field: pa.Field[Any], column: pa.ChunkedArray[Any]
) -> pa.ChunkedArray[Any]:
    texts = _texts(column)
    if texts is None:
        found = f"the column {field.name} of type {field.type}"
        expected = "columns of text, numbers, dates and logical values"
        raise refuse("TIP-101", ReturnRefused, where=name, found=found, expected=expected)
    return pa.chunked_array([text_array([field.name]), *texts.chunks], pa.string())


def _texts(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any] | None:
    """A column as text, or ``None`` for one that no sheet could hold."""
    kind, types = column.type, pa.types
    if types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = kind.value_type
    if types.is_floating(kind):
        return _numbers(column.cast(pa.float64()))
    if types.is_boolean(kind):
        return pc.utf8_upper(column.cast(pa.string()))
    if types.is_timestamp(kind):
        return _moments(column)
    plain = (types.is_string, types.is_large_string, types.is_integer, types.is_date, types.is_null,
             types.is_decimal, types.is_time)  # fmt: skip
    return column.cast(pa.string()) if any(test(kind) for test in plain) else None


def _numbers(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """The shortest text that gives a number back; what is no number (NaN) is a blank."""
    texts = pc.replace_substring_regex(column.cast(pa.string()), r"\.0$", "")
    known: pa.ChunkedArray[Any] = pc.if_else(pc.is_nan(column), pa.nulls(1, pa.string())[0], texts)
    return known


def _moments(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    """Days without a time of day as dates, others as ISO writes them."""
    texts = pc.replace_substring_regex(column.cast(pa.string()), r"(:\d\d)\.0+(Z?)$", r"\1\2")
    days = pc.replace_substring_regex(texts, r" 00:00:00Z?$", "")
    return pc.replace_substring_regex(days, r"^(\S+) (\S+)$", r"\1T\2")
