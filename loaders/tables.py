"""Small operations on the text tables of sheets.

``pyarrow.array`` and ``pyarrow.scalar`` import pandas where it is installed, which takes longer
than reading most returns; so columns are built here from builders and buffers.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from typing import Any, TypeAlias

    import numpy.typing as npt

    Texts: TypeAlias = pa.Array[Any]
    Column: TypeAlias = pa.ChunkedArray[Any]


#: From so many values on a text column is built at once and not value by value.
_MANY = 32


def text_array(values: Sequence[str | None]) -> Texts:
    """A text column; ``None`` becomes null."""
    if len(values) >= _MANY:
        with suppress(TypeError, UnicodeEncodeError):  # a null, or half a character
            texts = _joined_texts(cast("Sequence[str]", values))
            if texts is not None:
                return texts
    builder = pa.lib.StringBuilder()
    builder.append_values(values)
    return builder.finish()


def _joined_texts(values: Sequence[str]) -> Texts | None:
    """A text column from the texts written one behind the other, divided by NUL.

    Returns:
        The column; ``None`` where a text holds a NUL itself.

    Raises:
        TypeError: there is a null.
    """
    data = np.frombuffer("\0".join(values).encode(), dtype=np.uint8)
    dividers = np.flatnonzero(data == 0)
    if len(dividers) != len(values) - 1 or len(data) >= 2**31:
        return None
    offsets = np.zeros(len(values) + 1, dtype=np.int32)
    offsets[1:-1] = dividers - np.arange(len(dividers))
    offsets[-1] = len(data) - len(dividers)
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(data[data != 0].tobytes())]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def row_numbers(numbers: npt.NDArray[np.int64]) -> pa.Array[Any]:
    """Row numbers as the column ``_row``."""
    buffer = pa.py_buffer(numbers.astype(np.int32).tobytes())
    return pa.Array.from_buffers(pa.int32(), len(numbers), [None, buffer])


def small_numbers(numbers: npt.NDArray[np.int32]) -> pa.Array[Any]:
    """Whole numbers below 32,768 in two bytes each."""
    buffer = pa.py_buffer(numbers.astype(np.int16).tobytes())
    return pa.Array.from_buffers(pa.int16(), len(numbers), [None, buffer])


def whole_number_texts(numbers: npt.NDArray[np.int64], filled: npt.NDArray[np.bool_]) -> Texts:
    """Whole numbers as text, null where not filled."""
    buffers: list[pa.Buffer | None] = [
        _bitmap(filled),
        pa.py_buffer(numbers.astype(np.int64).tobytes()),
    ]
    whole: pa.Array[Any] = pa.Array.from_buffers(pa.int64(), len(numbers), buffers)
    return whole.cast(pa.string())


def decimal_texts(
    numbers: npt.NDArray[np.float64],
    whole: npt.NDArray[np.bool_],
    filled: npt.NDArray[np.bool_],
) -> Texts:
    """Numbers as the shortest text that gives them back, whole ones without decimals."""
    integers = whole_number_texts(np.where(whole, numbers, 0).astype(np.int64), filled & whole)
    buffers: list[pa.Buffer | None] = [_bitmap(filled & ~whole), pa.py_buffer(numbers.tobytes())]
    doubles: pa.Array[Any] = pa.Array.from_buffers(pa.float64(), len(numbers), buffers)
    texts: Texts = pc.coalesce(integers, doubles.cast(pa.string()))
    return texts


def _bitmap(flags: npt.NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(flags, bitorder="little").tobytes())


def combined(column: Column) -> pa.Array[Any]:
    """A column in one piece, also where it has none."""
    return column.combine_chunks() if column.num_chunks else pa.nulls(0, column.type)


def integers(column: Column | pa.Array[Any]) -> npt.NDArray[np.int32]:
    """A column of whole numbers (int32) without nulls."""
    whole = combined(column) if isinstance(column, pa.ChunkedArray) else column
    data = whole.buffers()[1]
    if not len(whole) or data is None:
        return np.empty(0, dtype=np.int32)
    numbers = np.frombuffer(memoryview(data), dtype=np.int32)
    return numbers[whole.offset : whole.offset + len(whole)]


def rows_numbered(table: pa.Table, numbers: npt.NDArray[np.int32]) -> pa.Table:
    """Rows of a sheet by their numbers; rows that follow one another are not copied.

    Args:
        table: of a sheet, whose ``_row`` rises.
        numbers: rising row numbers that are in it.
    """
    rows = integers(table.column("_row"))
    places = np.searchsorted(rows, numbers)
    if not len(places) or places[-1] - places[0] == len(places) - 1:
        return table.slice(int(places[0]) if len(places) else 0, len(places))
    return table.take(row_numbers(places))


def trimmed(table: pa.Table, *, nulled: bool = False) -> pa.Table:
    """Turn empty text into null and drop rows and columns that are blank to the end.

    Args:
        table: string columns ``c1`` .. ``cN`` and ``_row``.
        nulled: whether empty text is null already.

    Returns:
        The table up to its last used row and column; ``_row`` stands last.
    """
    names = [name for name in table.column_names if name != "_row"]
    columns = [table.column(name) for name in names]
    columns = columns if nulled else [_nulled(column) for column in columns]
    last_row = max((_last_used(column) for column in columns), default=-1)
    used = [index for index, column in enumerate(columns) if column.null_count < len(column)]
    width = used[-1] + 1 if used else 0
    kept = [columns[index].slice(0, last_row + 1) for index in range(width)]
    kept.append(table.column("_row").slice(0, last_row + 1))
    return pa.Table.from_arrays(kept, names=[*names[:width], "_row"])


def _nulled(column: Column) -> Column:
    empty = pc.equal(column, text_array([""])[0])
    if not pc.any(empty).as_py():
        return column
    nulled: Column = pc.if_else(empty, pa.nulls(1, pa.string())[0], column)
    return nulled


def _last_used(column: Column) -> int:
    """Index of the last cell that is not null; -1 if there is none."""
    start = len(column)
    for chunk in reversed(column.chunks):
        start -= len(chunk)
        if chunk.null_count < len(chunk):
            return start + int(pc.indices_nonzero(chunk.is_valid())[-1].as_py())
    return -1
