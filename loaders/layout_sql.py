"""SQL text of a layout's conditions, and the connection in which a raw return may be seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from loaders.layout_model import Condition


@dataclass(frozen=True)
class Body:
    """The table that a layout is applied to, as the queries need it.

    Attributes:
        letters: header -> column letter.
        variable: column of the names in a long file, else empty.
        value: column of the numbers in a long file, else empty.
        first_row: first row of the sheet that belongs to the table.
        last_row: last row of the sheet that belongs to the table.
    """

    sheet: str
    record_type: str
    letters: dict[str, str]
    variable: str
    value: str
    last_row: int
    first_row: int = 1


@contextmanager
def in_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that never writes to a disk and loads no extension."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": "",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    connection = duckdb.connect(config=config)
    try:
        yield connection
    finally:
        connection.close()


def one_row(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    """The only row of a query, read to its end so that the connection is free again."""
    rows: list[tuple[Any, ...]] = con.execute(sql).fetchall()
    return rows[0]


def text_sql(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def name_sql(name: str) -> str:
    """A column name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def condition_sql(conditions: Iterable[Condition]) -> str:
    """All conditions together, as a SQL boolean that is never null."""
    return "(" + " and ".join(_one(condition) for condition in conditions) + ")"


def _one(condition: Condition) -> str:
    value = f"trim(coalesce({name_sql(condition.column)}, ''))"
    parts = []
    if condition.values:
        parts.append(f"{value} in ({', '.join(text_sql(text) for text in condition.values)})")
    if condition.matches:
        parts.append(f"regexp_matches({value}, {text_sql(condition.matches)})")
    if condition.besides:
        texts = ", ".join(text_sql(text) for text in condition.besides)
        parts.append(f"{value} not in ({texts})")
    return " and ".join(parts) or "true"
