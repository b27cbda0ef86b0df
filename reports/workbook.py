"""The indicator workbook: a cover, contents, one sheet a table, notes, and the sources used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reports.files import replacing
from reports.indicators import Selection, parse_years, stage_labels
from reports.notes import (
    coverage,
    definitions,
    denominators,
    legend,
    map_summary,
    submissions_of,
    subtitle,
)
from reports.notes import submissions_table as submissions
from reports.sheets import Block, Book, Sheet
from reports.tables import (
    WORKBOOK,
    Figure,
    TableSpec,
    charts,
    figures,
    narrowed,
    pivot,
    rectangle,
    spans,
)
from reports.texts import Texts, texts
from tipstat import __version__
from tipstat.errors import UsageError
from tipstat.rules import refuse
from tipstat.warehouse import reading

if TYPE_CHECKING:
    import duckdb

    from tipstat.workspace import Workspace


@dataclass(frozen=True)
class Scope:
    """What a report is about.

    Attributes:
        areas: alpha-3 codes, in order, with their names.
        vintage: the build whose figures are shown.
        built_at: when it was built.
    """

    areas: dict[str, str]
    years: tuple[str, ...]
    vintage: str
    built_at: dt.datetime


def write_workbook(
    ws: Workspace,
    path: Path,
    *,
    areas: Sequence[str] = (),
    years: Sequence[str] = (),
    language: str = "en",
) -> Path:
    """Write the indicator workbook.

    Args:
        ws: the workspace, whose current warehouse is read.
        path: the xlsx file to write; replaced whole or not at all.
        areas: alpha-3 codes; every area of the warehouse where none is given.
        years: years or ranges as text; every year where none is given.
        language: ``en``, ``es`` or ``fr``.

    Returns:
        ``path``.

    Raises:
        UsageError: TIP-701 unknown area, TIP-702 bad years, TIP-705 no figures for them.
        WorkplaceError: TIP-704 the file cannot be written; no warehouse to read (TIP-806 to 808).
    """
    words = texts(language)
    with reading(ws) as connection:
        scope = report_scope(connection, areas, years, language)
        title = words("workbook.title", areas=", ".join(scope.areas.values()))
        with (
            replacing(path) as temporary,
            Book(temporary, words, title=title, made_at=scope.built_at) as book,
        ):
            _fill(book, connection, ws, scope, title)
    return path


def report_scope(
    connection: duckdb.DuckDBPyConnection,
    areas: Sequence[str],
    years: Sequence[str],
    language: str,
) -> Scope:
    """The areas, years and vintage of a report, checked against the warehouse.

    Raises:
        UsageError: TIP-701, TIP-702, TIP-705.
    """
    from reports.indicators import stage

    selection = Selection(reference_area=tuple(areas), years=tuple(years), sex=("_T",))
    stage(connection, selection, language)
    found = connection.execute(
        "select reference_area, reference_area_label, period, vintage from selected"
        " group by all order by all"
    ).fetchall()
    if not found:
        asked = ", ".join([*areas, *years]) or "an empty warehouse"
        raise refuse("TIP-705", UsageError, found=asked)
    wanted = parse_years(years) if years else ()
    present = sorted({str(period) for _, _, period, _ in found})
    return Scope(
        areas={str(area): str(label) for area, label, _, _ in found},
        years=tuple(year for year in wanted or present if present[0] <= year <= present[-1]),
        vintage=str(found[0][3]),
        built_at=_built_at(connection),
    )


def bare_scope(connection: duckdb.DuckDBPyConnection, area: str) -> Scope:
    """The scope of an area that has no figures, with no years."""
    named = connection.execute(
        "select label from code_label where list = 'country' and code = $area", {"area": area}
    ).fetchone()
    build = connection.execute("select max(build_id) from dim_build").fetchone()
    return Scope(
        areas={area: str(named[0]) if named else area},
        years=(),
        vintage=str(build[0]) if build else "",
        built_at=_built_at(connection),
    )


def _built_at(connection: duckdb.DuckDBPyConnection) -> dt.datetime:
    row = connection.execute("select max(built_at) from dim_build").fetchone()
    value = row[0] if row else None
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    if not isinstance(value, dt.datetime):
        return dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)
    return value.replace(tzinfo=None)


def _fill(
    book: Book, connection: duckdb.DuckDBPyConnection, ws: Workspace, scope: Scope, title: str
) -> None:
    words = book.words
    cover, contents = book.add(words("sheet.cover")), book.add(words("sheet.contents"))
    used: set[str] = set()
    listed: list[tuple[str, str, str]] = []
    for spec in WORKBOOK:
        rows = narrowed(_figures_of(connection, spec, scope, words.language), spec)
        table_title = words(f"table.{spec.key}")
        if rows:
            name = _table_sheet(book, connection, spec, rows, scope)
            used.update(submissions_of(rows))
            listed.append((table_title, name, labels_line(rows, words)))
        else:
            listed.append((table_title, "", words("contents.none")))
    charted = book.chart_sheet(back_to=words("sheet.contents"))
    if charted:
        listed.append((words("sheet.charts"), charted, words("contents.charts")))
    notes = book.text_sheet(
        words("sheet.notes"),
        words("sheet.notes"),
        notes_lines(connection, ws, scope, words, [i for s in WORKBOOK for i in s.indicators]),
        back_to=words("sheet.contents"),
    )
    sources = sources_sheet(book, connection, sorted(used))
    listed += [(words("sheet.notes"), notes, ""), (words("sheet.sources"), sources, "")]
    write_cover(book, cover, scope, title)
    write_contents(book, contents, listed)


def _figures_of(
    connection: duckdb.DuckDBPyConnection, spec: TableSpec, scope: Scope, language: str
) -> list[dict[str, object]]:
    selection = spec.selection(tuple(scope.areas), scope.years)
    return figures(connection, selection, language)


def labels_line(rows: Sequence[Figure], words: Texts) -> str:
    """Unit, sources and years of a table, for the contents."""
    units = ", ".join(sorted({str(row["unit_of_count_label"]) for row in rows}))
    sources = ", ".join(sorted({str(row["source_type_label"]) for row in rows}))
    years = spans(sorted({str(row["period"]) for row in rows}))
    return words("contents.line", units=units, sources=sources, years=years)


def _table_sheet(
    book: Book,
    connection: duckdb.DuckDBPyConnection,
    spec: TableSpec,
    rows: Sequence[Figure],
    scope: Scope,
) -> str:
    words = book.words
    pivoted = pivot(rows, spec)
    table = rectangle(pivoted, spec, words)
    notes = (
        legend(words),
        words("note.sources"),
        *([words(f"note.{spec.key}")] if f"note.{spec.key}" in words.entries else []),
        *definitions(connection, spec.indicators, words),
        *(denominators(rows, words) if spec.parts else ()),
        *coverage(pivoted, words),
        words("note.vintage", vintage=scope.vintage),
    )
    return book.table_sheet(
        words(f"sheet.{spec.key}"),
        words(f"table.{spec.key}"),
        subtitle(rows, words),
        [Block(table, notes=notes)],
        charts=charts(pivoted, spec, table, words),
        back_to=words("sheet.contents"),
    )


def notes_lines(
    connection: duckdb.DuckDBPyConnection,
    ws: Workspace,
    scope: Scope,
    words: Texts,
    indicators: Sequence[str],
) -> list[str]:
    """The notes sheet: definitions, units, kinds of cell, scopes, sources, law map, warnings."""
    stage_labels(connection, words.language)
    lines = [
        words("restricted"),
        f"# {words('heading.warnings')}",
        *words.under("warning").values(),
    ]
    lines += [f"# {words('heading.definitions')}", *definitions(connection, indicators, words)]
    lines += [f"# {words('heading.units')}", *words.under("unit_definition").values()]
    lines += [
        f"# {words('heading.kinds')}",
        *words.under("kind_definition").values(),
        legend(words),
    ]
    lines += [f"# {words('heading.scopes')}", *words.under("scope_definition").values()]
    lines += [f"# {words('heading.bases')}", *words.under("basis_definition").values()]
    lines += [f"# {words('heading.entities')}", *entity_lines(connection, scope, words)]
    return [*lines, f"# {words('heading.map')}", *map_summary(ws, tuple(scope.areas), words)]


def entity_lines(connection: duckdb.DuckDBPyConnection, scope: Scope, words: Texts) -> list[str]:
    """The reporting entities of the areas; confidential ones by type alone (STATISTICS 6)."""
    rows = connection.execute(
        "select e.reference_area,"
        " case when e.confidential then null else e.entity_name end as name,"
        " coalesce(l.label, e.entity_type) as type, count(*) as n from dim_reporting_entity as e"
        " left join code_label as l on l.list = 'entity_type' and l.code = e.entity_type"
        " where list_contains($areas::varchar[], e.reference_area)"
        " group by all order by 1, 2 nulls last, 3",
        {"areas": list(scope.areas)},
    ).fetchall()
    return [
        f"{area}: {name} ({kind})"
        if name
        else words("entity.confidential", area=area, kind=kind, count=count)
        for area, name, kind, count in rows
    ]


def sources_sheet(book: Book, connection: duckdb.DuckDBPyConnection, used: Sequence[str]) -> str:
    """The sheet of the submissions used."""
    words = book.words
    return book.table_sheet(
        words("sheet.sources"),
        words("table.sources"),
        [words("subtitle.sources")],
        [Block(submissions(connection, used, words))],
        back_to=words("sheet.contents"),
    )


def write_cover(book: Book, sheet: Sheet, scope: Scope, title: str) -> None:
    """Fill the cover: what this is, of what, from which build, and what it may be used for."""
    words = book.words
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, title, book.fmt("title"))
    sheet.write_string(1, 0, words("cover.notice_label"), book.fmt("label"))
    sheet.write_string(1, 1, words("restricted"), book.fmt("banner"))
    sheet.set_row(1, 62)
    areas = ", ".join(f"{name} ({code})" for code, name in scope.areas.items())
    facts = (
        ("cover.areas", areas),
        ("cover.years", spans(scope.years)),
        ("cover.vintage", scope.vintage),
        ("cover.built", f"{scope.built_at:%Y-%m-%d %H:%M} UTC"),
        ("cover.version", f"tipstat {__version__}"),
        ("cover.reading", words("cover.reading_text")),
        ("cover.warning", words("warning.ranking")),
    )
    for row, (label, value) in enumerate(facts, start=2):
        sheet.write_string(row, 0, words(label), book.fmt("label"))
        sheet.write_string(row, 1, value, book.fmt("value"))
        sheet.set_row(row, 15 * (1 + len(value) // 92))
    book.link(sheet, len(facts) + 2, 0, words("sheet.contents"), words("sheet.contents"))
    sheet.activate()
    sheet.set_first_sheet()


def write_contents(book: Book, sheet: Sheet, listed: Sequence[tuple[str, str, str]]) -> None:
    """Fill the contents: a link to each sheet; tables without figures are named too."""
    words = book.words
    sheet.set_column(0, 0, 70)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, words("sheet.contents"), book.fmt("title"))
    sheet.write_string(1, 0, words("restricted"), book.fmt("notice"))
    sheet.write_string(2, 0, words("contents.table"), book.fmt("header"))
    sheet.write_string(2, 1, words("contents.about"), book.fmt("header"))
    for row, (title, target, about) in enumerate(listed, start=3):
        if target:
            book.link(sheet, row, 0, target, title)
        else:
            sheet.write_string(row, 0, title, book.fmt("text"))
        sheet.write_string(row, 1, about, book.fmt("text"))
    sheet.freeze_panes(3, 0)
    sheet.repeat_rows(2)
