"""Rows of sheets are picked by their numbers, without a copy where they follow one another."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from loaders.tables import integers, row_numbers, rows_numbered, small_numbers, text_array


def sheet(*rows: int) -> pa.Table:
    """A sheet of one column whose cells name their row."""
    texts = text_array([f"row {row}" for row in rows])
    return pa.Table.from_arrays([texts, row_numbers(np.array(rows))], names=["c1", "_row"])


def in_pieces(table: pa.Table, size: int) -> pa.Table:
    pieces = [table.slice(start, size) for start in range(0, table.num_rows, size)]
    return pa.concat_tables(pieces)


@pytest.mark.parametrize("wanted", [[], [2], [2, 3, 5], [2, 5], [3, 5, 8], [2, 3, 5, 8]])
def test_rows_are_found_by_their_numbers(wanted: list[int]) -> None:
    table = in_pieces(sheet(2, 3, 5, 8), 2)
    found = rows_numbered(table, np.array(wanted, dtype=np.int32))
    assert found.column("c1").to_pylist() == [f"row {row}" for row in wanted]


def test_rows_that_follow_one_another_are_not_copied() -> None:
    table = sheet(*range(1, 1001))
    before = pa.total_allocated_bytes()
    found = rows_numbered(table, np.arange(2, 1001, dtype=np.int32))
    assert (found.num_rows, pa.total_allocated_bytes()) == (999, before)


def test_whole_numbers_of_a_slice_are_those_of_the_slice() -> None:
    column = in_pieces(sheet(*range(1, 8)), 3).column("_row")
    assert integers(column).tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert integers(column.chunk(1).slice(1)).tolist() == [5, 6]
    assert integers(column.slice(0, 0)).tolist() == []


def test_small_numbers_take_two_bytes() -> None:
    column = small_numbers(np.array([1, 5001], dtype=np.int32))
    assert (column.to_pylist(), column.type) == ([1, 5001], pa.int16())


@pytest.mark.parametrize(
    "values",
    [
        ["a"] * 40,
        [""] * 40,
        [f"ñ{n}€" for n in range(40)],
        [*["a"] * 39, None],
        [*["a"] * 39, "a\0b"],
        ["", *["é"] * 39],
    ],
    ids=["alike", "empty", "beyond ASCII", "a null", "a NUL", "an empty one first"],
)
def test_texts_of_a_long_column_are_as_given(values: list[str | None]) -> None:
    assert text_array(values).to_pylist() == values
