"""Figures on a screen: labels, and only the columns that say something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reports.indicators import CODED
from reports.tables import flags
from reports.texts import texts

if TYPE_CHECKING:
    import duckdb

_ALWAYS = ("indicator", "reference_area", "period", "source_type")
_NUMBERS = ("value", "lower_bound", "upper_bound")


def screen(
    rows: Sequence[Mapping[str, object]], language: str
) -> tuple[list[str], list[dict[str, object]]]:
    """Turn figures into a narrow table.

    Args:
        rows: figures as ``reports.indicators.select`` gives them.
        language: of the column headings.

    Returns:
        Headings, and rows by heading. A breakdown or part of the key that is the same on every
        row is left out; ``cell_kind`` is shown where there is no number.
    """
    words = texts(language)
    optional = [
        name
        for name in CODED
        if name not in (*_ALWAYS, "cell_kind") and len({row[name] for row in rows}) > 1
    ]
    shown = [name for name in CODED if name in _ALWAYS or name in optional]
    shown = [*shown[:2], "period", *(name for name in shown if name not in shown[:2])]
    bounds = [n for n in _NUMBERS if n == "value" or any(row[n] is not None for row in rows)]
    headings = {name: words(f"column.{name}") for name in (*shown, *bounds)}
    extra = [words("column.kind"), words("column.flags"), words("column.headline")]
    return [*headings.values(), *extra], [
        {
            **{heading: _text(row, name) for name, heading in headings.items()},
            extra[0]: "" if row["cell_kind"] == "VALUE" else row["cell_kind_label"],
            extra[1]: flags(row),
            extra[2]: words("yes") if row["is_headline"] else "",
        }
        for row in rows
    ]


def _text(row: Mapping[str, object], name: str) -> object:
    """The label of a column, nothing where it does not apply, or the number."""
    if name in _NUMBERS:
        return printed(row, name)
    return "" if row[name] == "_Z" else row.get(f"{name}_label", row[name])


def printed(row: Mapping[str, object], name: str) -> object:
    """A number of a figure as it is printed: counts whole, quotients rounded.

    Quotients have two decimals under 10 and one above (indicators.md section 5.2); their figures
    are those with a denominator.
    """
    value = row[name]
    if not isinstance(value, int | float):
        return value
    if row["denominator"] is not None:
        return f"{value:.2f}" if abs(value) < 10 else f"{value:,.1f}"
    return int(value) if float(value).is_integer() else value


def closing_line(connection: duckdb.DuckDBPyConnection, language: str) -> str:
    """The vintage of the selected figures and the notice of restricted use."""
    words = texts(language)
    row = connection.execute("select max(vintage), count(*) from fct_indicator_value").fetchone()
    vintage = row[0] if row and row[0] else "-"
    return words("closing", vintage=vintage, notice=words("restricted_short"))
