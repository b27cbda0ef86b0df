"""Selections as files: CSV, Parquet, xlsx, JSON; the nine kinds of cell survive each of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reports.files import replacing
from reports.indicators import COLUMNS, ORDER, Selection, stage
from reports.texts import texts
from tipstat.errors import UsageError
from tipstat.formulas import neutral_sql
from tipstat.rules import refuse

if TYPE_CHECKING:
    import duckdb

SHEET_ROWS = 1_048_575
_TYPED = {
    "value", "numerator", "denominator", "lower_bound", "upper_bound", "n_cases", "n_entities",
    "n_held_out", "period_months", "is_headline",
}  # fmt: skip
_DOUBLES = ("value", "lower_bound", "upper_bound")


def export(
    connection: duckdb.DuckDBPyConnection,
    selection: Selection,
    path: Path,
    language: str = "en",
) -> int:
    """Write a selection to a file; its name's ending says the type.

    Args:
        connection: an open warehouse.
        selection: the filters.
        path: ends in ``.csv``, ``.parquet``, ``.xlsx`` or ``.json``.
        language: of the labels.

    Returns:
        The number of figures written.

    Raises:
        UsageError: TIP-703 for another ending, and the refusals of ``select``.
        WorkplaceError: TIP-704, the file cannot be written.
    """
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise refuse("TIP-703", UsageError, where=path.name, found=path.suffix or "no ending")
    stage(connection, selection, language)
    count = _count(connection)
    with replacing(path) as temporary:
        writer(connection, temporary, language)
    return count


def plain(row: Mapping[str, object]) -> dict[str, object]:
    """A figure with whole numbers as integers, so that a count never reads ``12.0``."""
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in row.items()
    }


def _count(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("select count(*) from selected").fetchone()
    return int(row[0]) if row else 0


def _quoted(path: Path) -> str:
    """A path as SQL text: COPY takes no parameter for its target."""
    return "'" + str(path).replace("'", "''") + "'"


def _csv_column(column: str) -> str:
    if column in _DOUBLES:
        return (
            f"case when {column} = floor({column}) then cast(cast({column} as bigint) as varchar)"
            f" else cast({column} as varchar) end as {column}"
        )
    if column in _TYPED:
        return column
    return f"{neutral_sql(column)} as {column}"


def _write_csv(connection: duckdb.DuckDBPyConnection, path: Path, language: str) -> None:
    del language
    columns = ", ".join(_csv_column(column) for column in COLUMNS)
    connection.execute(
        f"copy (select {columns} from (select * from selected {ORDER})) to {_quoted(path)}"
        " (format csv, header true)"
    )


def _write_parquet(connection: duckdb.DuckDBPyConnection, path: Path, language: str) -> None:
    del language
    connection.execute(
        f"copy (select {', '.join(COLUMNS)} from selected {ORDER}) to {_quoted(path)}"
        " (format parquet, compression zstd)"
    )


def _write_json(connection: duckdb.DuckDBPyConnection, path: Path, language: str) -> None:
    rows = [plain(row) for row in _rows(connection)]
    vintages = sorted({str(row["vintage"]) for row in rows})
    document = {
        "restricted": texts(language)("restricted"),
        "vintage": vintages,
        "columns": COLUMNS,
        "figures": rows,
    }
    path.write_text(
        json.dumps(document, ensure_ascii=False, default=str, indent=1) + "\n", encoding="utf-8"
    )


def _rows(connection: duckdb.DuckDBPyConnection) -> list[dict[str, object]]:
    result = connection.execute(f"select {', '.join(COLUMNS)} from selected {ORDER}")
    return [dict(zip(COLUMNS, row, strict=True)) for row in result.fetchall()]


def _write_xlsx(connection: duckdb.DuckDBPyConnection, path: Path, language: str) -> None:
    """One sheet with the whole selection as a table, and one that says what it may be used for."""
    from reports.sheets import Book, Column, Table

    count = _count(connection)
    if count > SHEET_ROWS:
        raise refuse("TIP-706", UsageError, found=f"{count:,} rows")
    words = texts(language)
    columns = tuple(
        Column(name, "number" if name in _TYPED - {"is_headline"} else "text", _width(name))
        for name in COLUMNS
    )
    with Book(path, words, title=words("export.title")) as book:
        rows = [[row[name] for name in COLUMNS] for row in _rows(connection)]
        book.data_sheet(words("export.sheet"), Table("indicators", columns, rows))
        book.text_sheet(
            words("export.about"),
            words("export.title"),
            [words("restricted"), *words.under("kind_definition").values()],
        )


def _width(column: str) -> int:
    return 28 if column.endswith("_label") or column in ("submissions", "comment") else 14


_WRITERS = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".xlsx": _write_xlsx,
    ".json": _write_json,
}
