"""The shape of every sheet we write: title, subtitle, one plain rectangle, notes, charts.

xlsxwriter is wrapped once so that each sheet is accessible in the same way: it begins in A1, has
one header row, no merged cells, frozen headings, print titles, and the notice of restricted use.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import textwrap
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import xlsxwriter

from reports.texts import Texts

#: xlsxwriter has no type information; its worksheets, formats and charts are named here.
Sheet: TypeAlias = Any
Format: TypeAlias = Any
Drawing: TypeAlias = Any

#: Okabe and Ito's palette, told apart with any colour vision; series also differ in marker.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
MARKERS = ("circle", "square", "diamond", "triangle", "x", "star", "plus", "short_dash")
LINE = 118
NOTE_LINE = 138
LINE_HEIGHT = 15
A4 = 9
#: Characters across a landscape page at the smallest size that is still read with ease (60 %).
PAGE_WIDTH = 220
CHART_ROWS = 27


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        kind: ``text``, ``number``, ``rate`` (a quotient: two decimals under 10, one above, as
            indicators.md 5.2 says) or ``flag`` (a symbol beside a number).
        width: in characters; long headings wrap.
    """

    heading: str
    kind: str = "text"
    width: float = 14


@dataclass(frozen=True)
class Series:
    """One line or bar group of a chart: a row of the table, over the columns of the chart."""

    name: str
    row: int


@dataclass(frozen=True)
class Chart:
    """A native chart over cells of the table.

    Attributes:
        columns: first and last column of the values; their headings are the categories.
        description: alternative text for readers who do not see the chart.
        bars: draw bars, which join no two years; for years that do not follow one another.
        rate: the values are quotients.
    """

    title: str
    x_axis: str
    y_axis: str
    columns: tuple[int, int]
    series: tuple[Series, ...]
    description: str
    bars: bool = False
    rate: bool = False


@dataclass(frozen=True)
class Table:
    """A rectangle: one header row, then rows of real numbers and texts; blank where no number."""

    name: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[object]]
    frozen_columns: int = 0


@dataclass(frozen=True)
class Block:
    """A table with the line above it and the notes below it."""

    table: Table
    heading: str = ""
    notes: tuple[str, ...] = ()


class Book:
    """An xlsx file in the making; a context manager that writes it when left without error.

    Args:
        path: the file to write (a temporary one: see ``reports.files.replacing``).
        words: fixed texts of the language.
        title: document title, also in the header of every printed page.
        made_at: time that the document properties carry, so that equal input gives equal files.
    """

    def __init__(
        self, path: Path, words: Texts, *, title: str, made_at: dt.datetime | None = None
    ) -> None:
        self.path, self.words, self.title = path, words, title
        self.workbook = xlsxwriter.Workbook(
            str(path), {"strings_to_formulas": False, "strings_to_urls": False}
        )
        self.names: list[str] = []
        self._tables: set[str] = set()
        self._drawn: list[tuple[str, int, Chart]] = []
        self._format = {name: self.workbook.add_format(of) for name, of in FORMATS.items()}
        self.workbook.set_properties(
            {
                "title": title,
                "subject": words("restricted"),
                "author": "tipstat",
                "comments": words("restricted"),
                "created": made_at or dt.datetime.now(dt.UTC).replace(tzinfo=None),
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.workbook.close()
            _declare_language(self.path, self.words.language)

    def add(self, name: str) -> Sheet:
        """Start a sheet of a valid, unique name, set up for printing, and give it."""
        sheet = self.workbook.add_worksheet(self._sheet_name(name))
        self.names.append(sheet.get_name())
        sheet.set_landscape()
        sheet.set_paper(A4)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.8, bottom=0.8)
        sheet.hide_gridlines(2)
        notice = self.words("restricted_short").replace("&", "&&")
        sheet.set_header(f"&L{self.title[:80].replace('&', '&&')}&R{notice}")
        sheet.set_footer(f"&L{notice}&C&A&R&P / &N")
        return sheet

    def _sheet_name(self, name: str) -> str:
        base = re.sub(r"[\[\]:*?/\\]", " ", name).strip("' ")[:31]
        taken = {used.casefold() for used in self.names}
        number, candidate = 2, base
        while candidate.casefold() in taken:
            candidate = f"{base[: 31 - len(str(number)) - 1]} {number}"
            number += 1
        return candidate

    def table_sheet(
        self,
        name: str,
        title: str,
        subtitle: Sequence[str],
        blocks: Sequence[Block],
        *,
        charts: Sequence[Chart] = (),
        back_to: str = "",
    ) -> str:
        """Write a sheet: title, subtitle, notice, tables with their notes.

        Args:
            name: of the sheet; shortened to what Excel allows.
            subtitle: unit of count, counting rule, reference date and the like, one line each.
            blocks: the first one's header row is frozen and repeated on every printed page.
            charts: over the first table; drawn by ``chart_sheet``, to which this sheet links.
            back_to: the sheet of contents, linked.

        Returns:
            The name that the sheet has got.
        """
        sheet = self.add(name)
        row = self._head(sheet, title, subtitle, back_to)
        if charts:
            cell = f"A{self._chart_row(len(self._drawn)) + 1}"
            charted = self._sheet_name(self.words("sheet.charts"))
            self.link(sheet, row, 0, charted, self.words("charts.link"), cell=cell)
            self._drawn += [(str(sheet.get_name()), row + 1, chart) for chart in charts]
            row += 1
        widths = self._columns(sheet, [block.table for block in blocks])
        sheet.freeze_panes(row + 1, blocks[0].table.frozen_columns)
        sheet.repeat_rows(row)
        self._pages(sheet, widths, blocks[0].table.frozen_columns)
        for number, block in enumerate(blocks):
            if number:
                sheet.write_string(row, 0, block.heading, self._format["heading"])
                row += 1
            row = self._rectangle(sheet, row, block.table, widths)
            row = self._lines(sheet, row, block.notes) + 1
        return str(sheet.get_name())

    def chart_sheet(self, *, back_to: str = "") -> str:
        """Draw the charts of all tables on a sheet of their own, one on each printed page.

        On the sheet of its table a chart would be printed under the repeated header row.

        Returns:
            The name of the sheet, empty where there is nothing to draw.
        """
        if not self._drawn:
            return ""
        sheet = self.add(self.words("sheet.charts"))
        sheet.set_column(0, 0, LINE)
        self._head(sheet, self.words("sheet.charts"), (), back_to)
        for number, (table, header, chart) in enumerate(self._drawn):
            row = self._chart_row(number)
            self.link(sheet, row, 0, table, self.words("charts.table", sheet=table))
            sheet.insert_chart(
                row + 1, 0, self._chart(table, header, chart),
                {"description": chart.description, "object_position": 2},
            )  # fmt: skip
        sheet.set_h_pagebreaks([self._chart_row(n) for n in range(1, len(self._drawn))])
        return str(sheet.get_name())

    @staticmethod
    def _chart_row(number: int) -> int:
        """The row above a chart; the head of the sheet takes four."""
        return 4 + number * CHART_ROWS

    def data_sheet(self, name: str, table: Table) -> None:
        """Write a bare sheet for machines: the header row is the first row."""
        sheet = self.add(name)
        self._columns(sheet, [table])
        self._rectangle(sheet, 0, table, ())
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)

    def text_sheet(self, name: str, title: str, lines: Sequence[str], *, back_to: str = "") -> str:
        """Write a sheet of prose; a line that starts with ``# `` is a heading."""
        sheet = self.add(name)
        sheet.set_column(0, 0, LINE)
        row = self._head(sheet, title, (), back_to)
        for line in lines:
            if line.startswith("# "):
                row += 1
                sheet.write_string(row, 0, line[2:], self._format["heading"])
            else:
                sheet.write_string(row, 0, line, self._format["prose"])
                sheet.set_row(row, LINE_HEIGHT * len(textwrap.wrap(line, LINE) or [""]))
            row += 1
        return str(sheet.get_name())

    def link(
        self, sheet: Sheet, row: int, column: int, target: str, text: str, *, cell: str = "A1"
    ) -> None:
        """Write a link to a cell of another sheet of this file."""
        quoted = target.replace("'", "''")
        sheet.write_url(row, column, f"internal:'{quoted}'!{cell}", self._format["link"], text)

    def fmt(self, name: str) -> Format:
        """A named cell format."""
        return self._format[name]

    def _head(self, sheet: Sheet, title: str, subtitle: Sequence[str], back_to: str) -> int:
        sheet.write_string(0, 0, title, self._format["title"])
        row = 1
        for line in (part for text in subtitle for part in textwrap.wrap(text, LINE)):
            sheet.write_string(row, 0, line, self._format["subtitle"])
            row += 1
        sheet.write_string(row, 0, self.words("restricted"), self._format["notice"])
        if back_to:
            row += 1
            self.link(sheet, row, 0, back_to, self.words("back"))
        return row + 1

    def _columns(self, sheet: Sheet, tables: Sequence[Table]) -> list[float]:
        """Make each column as wide as the widest of the tables needs, and give the widths."""
        columns = zip_longest(*(table.columns for table in tables))
        widths = [max(column.width for column in stack if column) for stack in columns]
        for number, width in enumerate(widths):
            sheet.set_column(number, number, width)
        return widths

    def _pages(self, sheet: Sheet, widths: Sequence[float], frozen: int) -> None:
        """Print a wide sheet over several pages, its first columns repeated on each."""
        repeated = sum(widths[:frozen])
        beyond = sum(widths) - PAGE_WIDTH
        if beyond <= 0 or repeated > PAGE_WIDTH / 2:
            return
        sheet.fit_to_pages(1 + math.ceil(beyond / (PAGE_WIDTH - repeated)), 0)
        sheet.print_across()
        if frozen:
            sheet.repeat_columns(0, frozen - 1)

    def _rectangle(self, sheet: Sheet, top: int, table: Table, widths: Sequence[float]) -> int:
        """Write the table and give the row after it.

        Args:
            widths: of the columns, for the height of rows; empty leaves rows as they are.
        """
        for number, row in enumerate(table.rows, start=top + 1):
            if widths:
                sheet.set_row(number, LINE_HEIGHT * _lines_of(row, widths))
            for place, (column, value) in enumerate(zip(table.columns, row, strict=True)):
                self._cell(sheet, number, place, column, value)
        last = top + max(len(table.rows), 1)
        headings = [
            {"header": column.heading, "header_format": self._format["header"]}
            for column in table.columns
        ]
        sheet.add_table(
            top,
            0,
            last,
            len(table.columns) - 1,
            {"name": self._table_name(table.name), "columns": headings, "style": None,
             "header_row": True},
        )  # fmt: skip
        if widths:
            # The filter button takes the room of two characters.
            lines = _lines_of([c.heading for c in table.columns], [w - 2 for w in widths])
            sheet.set_row(top, LINE_HEIGHT * lines)
        return last + 1

    def _table_name(self, name: str) -> str:
        base = re.sub(r"\W+", "_", name)
        number, candidate = 2, base
        while candidate.casefold() in self._tables:
            candidate, number = f"{base}_{number}", number + 1
        self._tables.add(candidate.casefold())
        return candidate

    def _cell(self, sheet: Sheet, row: int, place: int, column: Column, value: object) -> None:
        if isinstance(value, bool):
            sheet.write_boolean(row, place, value, self._format["text"])
        elif isinstance(value, int | float):
            whole = "number" if float(value).is_integer() else "fraction"
            kind = "rate" if column.kind == "rate" else whole
            sheet.write_number(row, place, value, self._format[kind])
        elif value is None:
            sheet.write_blank(row, place, None, self._format[column.kind])
        else:
            sheet.write_string(row, place, str(value), self._format[column.kind])

    def _lines(self, sheet: Sheet, row: int, lines: Sequence[str]) -> int:
        """Write notes as short lines in the first column, so that none is cut off or merged."""
        for text in lines:
            for part in textwrap.wrap(text, NOTE_LINE, subsequent_indent="    "):
                sheet.write_string(row, 0, part, self._format["note"])
                row += 1
        return row

    def _chart(self, sheet: str, header: int, chart: Chart) -> Drawing:
        first, last = chart.columns
        single = first == last
        drawn = self.workbook.add_chart({"type": "column" if single or chart.bars else "line"})
        for number, series in enumerate(chart.series):
            colour = PALETTE[number % len(PALETTE)]
            line = header + 1 + series.row
            drawn.add_series(
                {
                    "name": series.name,
                    "categories": [sheet, header, first, header, last],
                    "values": [sheet, line, first, line, last],
                    "fill": {"color": colour},
                    "line": {"color": colour, "width": 2},
                    "marker": {
                        "type": MARKERS[number % len(MARKERS)], "size": 7,
                        "fill": {"color": colour}, "border": {"color": colour},
                    },
                    "data_labels": {"value": single},
                }
            )  # fmt: skip
        drawn.set_title({"name": chart.title, "name_font": {"size": 11}, "overlay": False})
        drawn.set_x_axis({"name": chart.x_axis})
        drawn.set_y_axis(
            {"name": chart.y_axis, "min": 0, "num_format": "#,##0.##" if chart.rate else "#,##0",
             "major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}}}
        )  # fmt: skip
        drawn.set_legend({"position": "right", "none": len(chart.series) == 1})
        drawn.show_blanks_as("gap")
        drawn.set_size({"width": 960, "height": 480})
        return drawn


FORMATS: dict[str, dict[str, object]] = {
    "title": {"bold": True, "font_size": 15},
    "subtitle": {"font_size": 10, "font_color": "#333333"},
    "notice": {"bold": True, "font_size": 10, "font_color": "#9C0006"},
    "banner": {"bold": True, "font_size": 14, "font_color": "#9C0006", "text_wrap": True,
               "border": 2, "border_color": "#9C0006", "valign": "vcenter"},
    "heading": {"bold": True, "font_size": 11},
    "header": {"bold": True, "bg_color": "#1F3864", "font_color": "#FFFFFF", "text_wrap": True,
               "valign": "top", "border": 1, "border_color": "#BFBFBF"},
    "text": {"valign": "top", "text_wrap": True, "bottom": 1, "bottom_color": "#D9D9D9"},
    "number": {"num_format": "#,##0", "valign": "top", "bottom": 1, "bottom_color": "#D9D9D9"},
    "fraction": {"num_format": "#,##0.00", "valign": "top", "bottom": 1,
                 "bottom_color": "#D9D9D9"},
    "rate": {"num_format": "[<10]0.00;#,##0.0", "valign": "top", "bottom": 1,
             "bottom_color": "#D9D9D9"},
    "flag": {"align": "center", "valign": "top", "bottom": 1, "bottom_color": "#D9D9D9",
             "font_color": "#333333"},
    "note": {"font_size": 9},
    "prose": {"text_wrap": True, "valign": "top"},
    "link": {"font_color": "#0563C1", "underline": 1},
    "label": {"bold": True, "valign": "top"},
    "value": {"text_wrap": True, "valign": "top", "align": "left"},
}  # fmt: skip


def _lines_of(texts: Sequence[object], widths: Sequence[float]) -> int:
    """Lines that the longest text of a row needs in its column: not every reader fits heights."""
    return max(
        len(textwrap.wrap(text, max(int(width) - 1, 4)))
        if isinstance(text, str) and len(text) >= width
        else 1
        for text, width in zip(texts, widths, strict=False)
    )


def _declare_language(path: Path, language: str) -> None:
    """Add the document's language, which xlsxwriter cannot set, to the core properties."""
    rewritten = path.with_name(path.name + ".part")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(rewritten, "w") as target:
        for item in source.infolist():
            content = source.read(item)
            if item.filename == "docProps/core.xml":
                tag = f"<dc:language>{language}</dc:language></cp:coreProperties>"
                content = content.replace(b"</cp:coreProperties>", tag.encode())
            target.writestr(item, content, compress_type=zipfile.ZIP_DEFLATED)
    rewritten.replace(path)
