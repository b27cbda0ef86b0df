"""The ICCS report: 0204 and 02041 to 02044 for one area, each unit of count on its own sheet.

Source: ICCS version 1.0 (UNODC, 2015/2016), section 0204 and its disaggregating variables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reports.families import (
    below_submissions,
    below_years,
    cells_below,
    event_tags,
    offences_below,
)
from reports.files import replacing
from reports.indicators import Selection, parse_years
from reports.notes import (
    TAGS,
    UNDER_0204,
    coverage,
    definitions,
    inclusions_table,
    legend,
    map_table,
    offence_map,
    submissions_of,
    submissions_table,
    subtitle,
)
from reports.sheets import Block, Book, Column, Table
from reports.tables import (
    AGE2,
    SERIES,
    SOURCES,
    WIDTHS,
    Figure,
    Pivot,
    TableSpec,
    figures,
    flags,
    narrowed,
    number,
)
from reports.texts import Texts, texts
from reports.workbook import (
    Scope,
    bare_scope,
    notes_lines,
    report_scope,
    write_contents,
    write_cover,
)
from tipstat.errors import UsageError
from tipstat.warehouse import reading

if TYPE_CHECKING:
    import duckdb

    from tipstat.workspace import Workspace

#: Rows of every table: the whole of 0204, its groups, and what is 0204 without a group.
CODES = ("_T", "02041", "02042", "02043", "02044", "0204")


@dataclass(frozen=True)
class Tag:
    """An ICCS disaggregating variable as columns of a table.

    Attributes:
        name: ICCS tag, such as ``SV``; text ``tag.<name>``.
        column: dimension of the figures that holds it.
        codes: its categories, with the text ``category.<code>``.
    """

    name: str
    column: str
    codes: tuple[str, ...]


_AT = Tag("At", "breakdown_code", ("COMPLETED", "ATTEMPTED", "_U"))
_STATUS = tuple(code for code in AGE2 if code != "_T")
_CIT = Tag("Cit", "citizenship", ("_OWN", "_FOREIGN", "_U"))
_SEX = ("M", "F", "O", "_U")
_VICTIM = (Tag("SV", "sex", _SEX), Tag("STV", "age", _STATUS), _CIT)
_PERPETRATOR = (Tag("SP", "sex", _SEX), Tag("STP", "age", _STATUS), _CIT)

#: Indicator -> tags of its sheet.
SHEETS: dict[str, tuple[Tag, ...]] = {
    "offences_recorded": (_AT,),
    "events_recorded": (_AT,),
    "victims_registered": _VICTIM,
    "persons_suspected": _PERPETRATOR,
    "persons_charged": _PERPETRATOR,
    "persons_convicted": _PERPETRATOR,
}


def write_iccs_report(
    ws: Workspace,
    path: Path,
    *,
    area: str,
    years: Sequence[str] = (),
    language: str = "en",
) -> Path:
    """Write the ICCS report of one area.

    Args:
        ws: the workspace, whose current warehouse is read.
        path: the xlsx file to write; replaced whole or not at all.
        area: alpha-3 code.
        years: years or ranges as text; every year where none is given.
        language: ``en``, ``es`` or ``fr``; ICCS labels only where official, else English.

    Returns:
        ``path``.

    Raises:
        UsageError: TIP-701 unknown area, TIP-702 bad years, TIP-705 no figures for them.
        WorkplaceError: TIP-704 the file cannot be written; no warehouse to read (TIP-806 to 808).
    """
    words = texts(language)
    with reading(ws) as connection:
        scope = _scope(connection, area, years, language)
        title = words("iccs.title", area=next(iter(scope.areas.values())))
        with (
            replacing(path) as temporary,
            Book(temporary, words, title=title, made_at=scope.built_at) as book,
        ):
            _Report(book, connection, ws, scope).write(title)
    return path


@dataclass(frozen=True)
class _Line:
    """A row of a table: a year, a series and an ICCS code."""

    year: str
    series: tuple[object, ...]
    code: str


@dataclass(frozen=True)
class _Grid:
    """Figures of an indicator by row and (tag column, code); ``("", "")`` is the total."""

    lines: tuple[_Line, ...]
    cells: Mapping[tuple[_Line, str, str], Figure]
    any_of: Mapping[_Line, Figure]


class _Report:
    def __init__(
        self, book: Book, connection: duckdb.DuckDBPyConnection, ws: Workspace, scope: Scope
    ) -> None:
        self.book, self.connection, self.ws, self.scope = book, connection, ws, scope
        self.words: Texts = book.words
        self.area = next(iter(scope.areas))
        self.map = offence_map(ws, self.area)
        self.labels, self.official = _iccs_labels(connection, self.words.language)
        self.used: set[str] = set()

    def write(self, title: str) -> None:
        words = self.words
        cover, contents = (
            self.book.add(words("sheet.cover")),
            self.book.add(words("sheet.contents")),
        )
        listed = [self._unit_sheet(indicator) for indicator in SHEETS]
        listed += [self._below_sheet(), self._map_sheet(), self._inclusions_sheet()]
        listed += [self._rules_sheet(), self._notes_sheet(title)]
        write_cover(self.book, cover, self.scope, title)
        write_contents(self.book, contents, listed)

    # ---- one sheet for each unit of count ------------------------------------------------------

    def _unit_sheet(self, indicator: str) -> tuple[str, str, str]:
        words = self.words
        heading = words(f"iccs.{indicator}")
        rows = self._figures(indicator)
        if not rows:
            return heading, "", words("contents.none")
        self.used.update(submissions_of(rows))
        grid = _grid(rows)
        tags = [tag for tag in SHEETS[indicator] if tag.name != "At" or _has(grid, tag)]
        table = self._table(indicator, grid, tags)
        blocks = [Block(table, notes=self._notes(indicator, rows, tags))]
        if indicator == "events_recorded":
            blocks += self._event_tags()
        name = self.book.table_sheet(
            words(f"iccs.sheet.{indicator}"),
            heading,
            [words("iccs.subtitle", area=self.scope.areas[self.area]), *subtitle(rows, words)],
            blocks,
            back_to=words("sheet.contents"),
        )
        return heading, name, words("iccs.unit", text=str(rows[0]["unit_of_count_label"]))

    def _figures(self, indicator: str) -> list[dict[str, object]]:
        """Figures by ICCS code: alone, and crossed with each tag."""
        base = Selection(
            indicator=(indicator,), reference_area=(self.area,), years=self.scope.years,
            form_classification=("_T", "iccs"), form=("all",),
        )  # fmt: skip
        selections = [base]
        selections += [base.narrowed(_tag_filter(tag)) for tag in SHEETS[indicator]]
        found = [
            row
            for selection in selections
            for row in figures(self.connection, selection, self.words.language)
        ]
        return narrowed(found, TableSpec("iccs", (indicator,)))

    def _table(self, indicator: str, grid: _Grid, tags: Sequence[Tag]) -> Table:
        words = self.words
        shown = [(tag, code) for tag in tags for code in tag.codes if _shown(grid, tag, code)]
        places = [("", ""), *((tag.column, code) for tag, code in shown)]
        headings = [
            words("iccs.all"),
            *(f"{tag.name}: {words(f'category.{code}')}" for tag, code in shown),
        ]
        flagged = [
            (place, heading)
            for place, heading in zip(places, headings, strict=True)
            if any(flags(grid.cells.get((line, *place))) for line in grid.lines)
        ]
        labels = _varying(grid)
        columns = [
            Column(words("column.period"), "text", 7),
            Column(words("column.iccs"), "text", 8),
            Column(words("column.iccs_label"), "text", 46),
            *(Column(words(f"column.{name}"), "text", WIDTHS[name]) for name in labels),
            Column(words("column.headline"), "text", 10),
            *(Column(heading, "number", 11) for heading in headings),
            *(Column(words("column.flag", year=heading), "flag", 8) for _, heading in flagged),
        ]
        rows = [
            [
                line.year,
                "0204" if line.code == "_T" else line.code,
                self._label(line.code),
                *(grid.any_of[line][f"{name}_label"] for name in labels),
                words("yes") if grid.any_of[line]["is_headline"] else words("no"),
                *(number(grid.cells.get((line, *place))) for place in places),
                *(flags(grid.cells.get((line, *place))) for place, _ in flagged),
            ]
            for line in grid.lines
        ]
        return Table(f"iccs_{indicator}", tuple(columns), rows, frozen_columns=3)

    def _label(self, code: str) -> str:
        if code == "0204":
            return self.words("iccs.not_specified", label=self.labels.get("0204", ""))
        return self.labels.get("0204" if code == "_T" else code, code)

    def _notes(
        self, indicator: str, rows: Sequence[Figure], tags: Sequence[Tag]
    ) -> tuple[str, ...]:
        words = self.words
        whole = Pivot((), (), {((), str(n)): row for n, row in enumerate(rows)}, {}, frozenset())
        missing = [tag for tag in SHEETS[indicator] if tag not in tags]
        return (
            words("iccs.unit", text=str(rows[0]["unit_of_count_label"])),
            words("iccs.non_additive")
            if indicator != "offences_recorded"
            else words("iccs.offences"),
            *(
                [words("iccs.below_elsewhere", sheet=words("iccs.sheet.below"))]
                if indicator == "offences_recorded"
                else []
            ),
            words("iccs.total"),
            *(
                words("iccs.no_tag", tag=f"{tag.name} ({words(f'tag.{tag.name}')})")
                for tag in missing
            ),
            *([] if self.official else [words("iccs.labels_fallback")]),
            legend(words),
            words("note.sources"),
            *definitions(self.connection, (indicator,), words),
            *coverage(whole, words),
            words("note.vintage", vintage=self.scope.vintage),
        )

    def _event_tags(self) -> list[Block]:
        """Recorded events by the tags of ICCS that describe an event, where collected."""
        words = self.words
        table = event_tags(self.connection, self.area, self.scope.years, words)
        if table is None:
            return []
        return [Block(table, words("iccs.event_tags"), (words("iccs.event_tags_note"),))]

    def _below_sheet(self) -> tuple[str, str, str]:
        """Families outside 0204, each line with its unit: shown apart, never added."""
        words = self.words
        heading = words("iccs.below")
        parts = ((offences_below, "iccs.below_offences"), (cells_below, "iccs.below_cells"))
        found = [
            (table, words(text))
            for read, text in parts
            if (table := read(self.connection, self.area, self.scope.years, words)) is not None
        ]
        if not found:
            return heading, "", words("contents.none")
        self.used.update(below_submissions(self.connection, self.area))
        name = self.book.table_sheet(
            words("iccs.sheet.below"), heading, [words("iccs.below_note"), found[0][1]],
            [Block(table, text if number else "", (legend(words),) if number else ())
             for number, (table, text) in enumerate(found)],
            back_to=words("sheet.contents"),
        )  # fmt: skip
        return heading, name, words("iccs.below_about")

    # ---- law, rules, notes ---------------------------------------------------------------------

    def _map_sheet(self) -> tuple[str, str, str]:
        words = self.words
        heading = words("iccs.map", area=self.scope.areas[self.area])
        if not self.map:
            return heading, "", words("map.none", area=self.area)
        under = [row for row in self.map if row["relation"] in UNDER_0204]
        below = [row for row in self.map if row["relation"] not in UNDER_0204]
        blocks = [Block(map_table(under, "law_under_0204", words), notes=(words("map.note"),))]
        if below:
            blocks.append(
                Block(map_table(below, "law_below", words), words("iccs.below"),
                      (words("iccs.below_note"),))
            )  # fmt: skip
        name = self.book.table_sheet(
            words("iccs.sheet.map"), heading, [words("map.subtitle")], blocks,
            back_to=words("sheet.contents"),
        )  # fmt: skip
        return heading, name, words("map.rows", count=len(self.map))

    def _inclusions_sheet(self) -> tuple[str, str, str]:
        """What counts along: as each submission declares, and as the law's provisions say."""
        words = self.words
        declared = inclusions_table(self.connection, sorted(self.used), words)
        blocks = [Block(declared, notes=(words("iccs.inclusions_note"),))]
        if self.map:
            blocks.append(Block(self._tags_table(), words("iccs.inclusions_law")))
        heading = words("iccs.inclusions")
        name = self.book.table_sheet(
            words("iccs.sheet.inclusions"), heading, [words("iccs.inclusions_subtitle")], blocks,
            back_to=words("sheet.contents"),
        )  # fmt: skip
        return heading, name, ""

    def _rules_sheet(self) -> tuple[str, str, str]:
        """Counting rules, and what each submission declared."""
        words = self.words
        sent = submissions_table(self.connection, sorted(self.used), words)
        blocks = [Block(sent, notes=tuple(words.under("iccs_rule").values()))]
        heading = words("iccs.rules")
        name = self.book.table_sheet(
            words("iccs.sheet.rules"), heading, [words("iccs.rules_subtitle")], blocks,
            back_to=words("sheet.contents"),
        )  # fmt: skip
        return heading, name, ""

    def _tags_table(self) -> Table:
        words = self.words
        columns = (
            Column(words("map.offence_code"), "text", 18),
            Column(words("map.iccs_code"), "text", 10),
            *(Column(f"{tag}: {words(f'tag.{tag}')}", "text", 15) for _, tag in TAGS),
        )
        rows = [
            [row["offence_code"], row["iccs_code"],
             *(words.get(f"yes_no.{row.get(name, '')}", row.get(name) or words("unstated"))
               for name, _ in TAGS)]
            for row in self.map
            if row["relation"] in UNDER_0204
        ]  # fmt: skip
        return Table("iccs_tags", columns, rows, frozen_columns=1)

    def _notes_sheet(self, title: str) -> tuple[str, str, str]:
        words = self.words
        lines = notes_lines(self.connection, self.ws, self.scope, words, tuple(SHEETS))
        name = self.book.text_sheet(
            words("sheet.notes"), f"{title}: {words('sheet.notes')}", lines,
            back_to=words("sheet.contents"),
        )  # fmt: skip
        return words("sheet.notes"), name, ""


def _scope(
    connection: duckdb.DuckDBPyConnection, area: str, years: Sequence[str], language: str
) -> Scope:
    """The scope of the report; years that have something below the line alone belong to it too.

    Raises:
        UsageError: as ``report_scope``.
    """
    wanted = set(parse_years(years))
    code = area.upper()
    below = {year for year in below_years(connection, code) if not wanted or year in wanted}
    try:
        scope = report_scope(connection, (area,), years, language)
    except UsageError as refusal:
        if refusal.rule != "TIP-705" or not below:
            raise
        scope = bare_scope(connection, code)
    return replace(scope, years=tuple(sorted({*scope.years, *below})))


def _tag_filter(tag: Tag) -> dict[str, tuple[str, ...]]:
    if tag.column == "breakdown_code":
        return {"breakdown": ("attempted_completed",)}
    return {tag.column: tag.codes}


def _iccs_labels(
    connection: duckdb.DuckDBPyConnection, language: str
) -> tuple[dict[str, str], bool]:
    """Labels of 0204 and its groups, and whether the language has official ones."""
    rows = connection.execute(
        f"select code, nullif(label_{language}, ''), label_en from dim_code"
        " where list = 'iccs' and starts_with(code, '0204')"
    ).fetchall()
    labels = {str(code): str(label or english) for code, label, english in rows}
    return labels, all(label for _, label, _ in rows)


def _grid(rows: Sequence[Figure]) -> _Grid:
    cells = {(_line(row), *_place(row)): row for row in rows}
    any_of: dict[_Line, Figure] = {}
    for (line, column, _), row in cells.items():
        if column == "" or line not in any_of:
            any_of[line] = row
    headline = {line.series for line, row in any_of.items() if row["is_headline"]}
    lines = sorted(any_of, key=lambda line: _order(line, line.series in headline))
    return _Grid(tuple(lines), cells, any_of)


def _order(line: _Line, headline: bool) -> tuple[object, ...]:
    source = str(line.series[SERIES.index("source_type")])
    place = SOURCES.index(source) if source in SOURCES else len(SOURCES)
    code = CODES.index(line.code) if line.code in CODES else len(CODES)
    return (not headline, place, *(str(part) for part in line.series), line.year, code)


def _line(row: Figure) -> _Line:
    series = tuple(row[name] for name in SERIES)
    return _Line(str(row["period"]), series, str(row["form"]))


def _place(row: Figure) -> tuple[str, str]:
    """The column of a figure: its one dimension off the total, form aside."""
    for column in ("sex", "age", "citizenship", "breakdown_code"):
        if row[column] not in ("_T", "_Z"):
            return column, str(row[column])
    return "", ""


def _shown(grid: _Grid, tag: Tag, code: str) -> bool:
    """Every category of a tag stands in its table; other sex, no category of ICCS, where used."""
    return code != "O" or any((column, own) == (tag.column, code) for _, column, own in grid.cells)


def _has(grid: _Grid, tag: Tag) -> bool:
    return any(column == tag.column for _, column, _ in grid.cells)


def _varying(grid: _Grid) -> list[str]:
    """Parts of the series that tell rows apart; the source always."""
    shown = ("status_scope", "counting_basis", "population_scope", "reference_date_concept",
             "instance")  # fmt: skip
    rows = grid.any_of.values()
    return ["source_type", *(n for n in shown if len({row[n] for row in rows}) > 1)]
