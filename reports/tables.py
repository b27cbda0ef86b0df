"""Statistical tables of a report: which figures, pivoted to categories by years, with their notes.

A table holds figures of one unit of count per row; sources stand under one another, each a series
of its own, and are never summed (STATISTICS section 4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reports.indicators import CODED, Selection, stage
from reports.sheets import Chart, Column, Series, Table
from reports.texts import Texts
from tipstat.classification import code_list, list_names

if TYPE_CHECKING:
    import duckdb

Figure = Mapping[str, object]
#: What sets one series of a table apart from another.
SERIES = (
    "reference_area", "indicator", "source_type", "status_scope", "population_scope",
    "counting_basis", "reference_date_concept", "instance",
)  # fmt: skip
AGE2 = ("_T", "Y0T17", "Y_GE18", "_U")
SOURCES = ("police", "border", "prosecution", "court", "service", "other")
#: Kind of cell -> symbol beside a blank cell (indicators.md section 5.1); values carry none.
SYMBOLS = {
    "VALUE": "",
    "TRUE_ZERO": "0",
    "NOT_RECEIVED": ":r",
    "NOT_COLLECTED": ":l",
    "NOT_APPLICABLE": "z",
    "NOT_KNOWN": ":u",
    "NOT_STATED": ":n",
    "WITHHELD_HERE": "c",
    "WITHHELD_AT_SOURCE": "cs",
}
ABSENT = ":"
CLASSIFICATIONS = ("fine", "iccs", "unodc")
PALETTE_SIZE = 8


@dataclass(frozen=True)
class TableSpec:
    """One table of a report.

    Attributes:
        key: of its texts ``sheet.<key>`` and ``table.<key>``.
        indicators: the indicators it shows.
        rows: columns of the figures that name the categories; empty for totals only.
        filters: values of dimensions, as for ``Selection``.
        all_scopes: show every victim-status scope, not only the registered and the headline one.
        chart: draw the first series of each area.
        parts: the figures are quotients; their numerators and denominators stand beside them.
        sdg: name the series of the SDG database that each line belongs to.
    """

    key: str
    indicators: tuple[str, ...]
    rows: tuple[str, ...] = ()
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    all_scopes: bool = False
    chart: bool = False
    parts: bool = False
    sdg: bool = False

    @property
    def by_stage(self) -> bool:
        """Whether the categories are indicators, the stages of justice in their order."""
        return self.rows[:1] == ("indicator",)

    def selection(self, areas: Sequence[str], years: Sequence[str]) -> Selection:
        """The figures of this table for some areas and years."""
        totals = Selection(
            indicator=self.indicators, reference_area=tuple(areas), years=tuple(years)
        )
        return totals.narrowed(dict(self.filters) or {"sex": ("_T",)})


_VICTIMS = ("victims_registered",)
_JUSTICE = ("persons_suspected", "persons_charged", "persons_convicted")
#: The stages of justice, in the order in which a person may pass them.
LADDER = (
    "persons_suspected", "persons_charged", "persons_tried", "persons_convicted",
    "persons_acquitted",
)  # fmt: skip


def _form(classification: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (("form_classification", ("_T", classification)), ("form", ("all",)))


def _persons(indicator: str) -> tuple[TableSpec, ...]:
    named = (indicator,)
    every = ("all",)
    return (
        TableSpec(f"{indicator}_sex", named, ("sex",), (("sex", every),)),
        TableSpec(f"{indicator}_age", named, ("age",), (("age", every),)),
        TableSpec(
            f"{indicator}_citizenship", named, ("citizenship",), (("citizenship", every),)
        ),
        TableSpec(f"{indicator}_form", named, ("form_classification", "form"),
                  (("form_classification", every), ("form", every))),
    )  # fmt: skip


def _broken_down(indicator: str, *breakdowns: str, chart: bool = False) -> tuple[TableSpec, ...]:
    """A table for each further breakdown of an indicator, its total in the first line."""
    return tuple(
        TableSpec(
            f"{indicator}_{name}", (indicator,), ("breakdown_code",),
            (("breakdown", ("_T", name)),), all_scopes=True, chart=chart,
        )
        for name in breakdowns
    )  # fmt: skip


def _sdg(indicator: str, *, parts: bool = False) -> TableSpec:
    """SDG 16.2.2: the total, by sex, by child and adult, and by the forms that are its series."""
    filters = (("breakdown", ("_T", "form_sdg")), ("sex", ("all",)), ("age", AGE2))
    return TableSpec(
        indicator, (indicator,), ("breakdown_code", "sex", "age"), filters,
        all_scopes=True, chart=True, parts=parts, sdg=True,
    )  # fmt: skip


#: The tables of the indicator workbook, in order.
WORKBOOK: tuple[TableSpec, ...] = (
    TableSpec("events", ("events_recorded",), chart=True),
    TableSpec("offences", ("offences_recorded",), chart=True),
    TableSpec("victims_scope", _VICTIMS, ("status_scope",), all_scopes=True),
    TableSpec("victims_status", _VICTIMS, ("breakdown_code",),
              (("breakdown", ("victim_status",)), ("status_scope", ("ALL",))), all_scopes=True),
    TableSpec("victims_sex", _VICTIMS, ("sex",), (("sex", ("all",)),), chart=True),
    TableSpec("victims_age", _VICTIMS, ("age",), (("age", ("all",)),)),
    TableSpec("victims_sex_age", _VICTIMS, ("sex", "age"), (("sex", ("all",)), ("age", AGE2))),
    TableSpec("victims_form_fine", _VICTIMS, ("form",), _form("fine"), chart=True),
    TableSpec("victims_form_iccs", _VICTIMS, ("form",), _form("iccs"), chart=True),
    TableSpec("victims_form_unodc", _VICTIMS, ("form",), _form("unodc"), chart=True),
    TableSpec(
        "victims_citizenship", _VICTIMS, ("citizenship",), (("citizenship", ("all",)),)
    ),
    TableSpec("persons", LADDER, ("indicator", "instance"), chart=True),
    TableSpec("justice_ratio", ("justice_ratio",), ("breakdown_code", "instance"),
              (("breakdown", ("ratio",)),), chart=True, parts=True),
    *(spec for indicator in _JUSTICE for spec in _persons(indicator)),
    *_broken_down("justice_decisions", "outcome", "decision_stage"),
    *_broken_down("sanctions_imposed", "sanction_type", "sanction_length"),
    *(replace(spec, all_scopes=True) for spec in _persons("victims_assisted")),
    *_broken_down("services_provided", "service_category", "service_phase"),
    *_broken_down("referrals", "referral_direction", "referral_reason"),
    *_broken_down("status_decisions", "victim_status", "status_stage"),
    *_broken_down("contacts_received", "contact_subject", "contact_channel", chart=True),
    *_broken_down("contact_persons", "contact_role"),
    _sdg("sdg_16_2_2_number"),
    _sdg("sdg_16_2_2_rate", parts=True),
)  # fmt: skip


def figures(
    connection: duckdb.DuckDBPyConnection, selection: Selection, language: str
) -> list[dict[str, object]]:
    """Selected figures with their labels, in no particular order."""
    stage(connection, selection, language, check=False)
    result = connection.execute("select * from selected")
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def narrowed(rows: list[dict[str, object]], spec: TableSpec) -> list[dict[str, object]]:
    """Leave one victim-status scope of each source: the registered, and the headline's own."""
    if spec.all_scopes:
        return rows
    headline = {_scope_of(row) for row in rows if row["is_headline"]}
    return [
        row
        for row in rows
        if row["status_scope"] in ("REGISTERED", "_Z") or _scope_of(row) in headline
    ]


def _scope_of(row: Figure) -> tuple[object, ...]:
    return tuple(row[name] for name in ("reference_area", "source_type", "status_scope"))


@dataclass(frozen=True)
class Pivot:
    """Figures laid out: lines (series and category) by years.

    Attributes:
        lines: of each line, its series and its category codes, in the order of the table.
        cells: figure by line and year.
        any_of: one figure of each line, for labels.
    """

    years: tuple[str, ...]
    lines: tuple[tuple[object, ...], ...]
    cells: Mapping[tuple[tuple[object, ...], str], Figure]
    any_of: Mapping[tuple[object, ...], Figure]
    headline: frozenset[tuple[object, ...]]


def series_of(row: Figure, spec: TableSpec) -> tuple[object, ...]:
    """What sets the series of a figure apart, without what are categories of this table."""
    return tuple(row[name] for name in SERIES if name not in spec.rows)


def pivot(rows: Sequence[Figure], spec: TableSpec) -> Pivot:
    """Lay figures out by years; headline series first, then the sources in their order.

    Years without any figure in the table are left out.
    """
    shown = tuple(sorted({str(row["period"]) for row in rows}))
    keyed = {(_line(row, spec), str(row["period"])): row for row in rows}
    any_of = {line: row for (line, _), row in keyed.items()}
    headline = frozenset(series_of(row, spec) for row in rows if row["is_headline"])
    lines = sorted(any_of, key=lambda line: _order(any_of[line], spec, headline))
    return Pivot(shown, tuple(lines), keyed, any_of, headline)


def _line(row: Figure, spec: TableSpec) -> tuple[object, ...]:
    return (*series_of(row, spec), *(row[name] for name in spec.rows))


def _order(
    row: Figure, spec: TableSpec, headline: frozenset[tuple[object, ...]]
) -> tuple[object, ...]:
    series = series_of(row, spec)
    source = str(row["source_type"])
    stage = spec.indicators.index(str(row["indicator"])) if spec.by_stage else 0
    return (
        str(row["reference_area"]),
        stage,
        series not in headline,
        SOURCES.index(source) if source in SOURCES else len(SOURCES),
        *(str(part) for part in series),
        *(place for name in spec.rows for place in code_order(name, row)),
    )


def code_order(column: str, row: Figure) -> tuple[int, str]:
    """Place of a code in its list: the total first, unknown last, roll-ups before countries."""
    code = str(row[column])
    fixed = {"_T": -3, "_OWN": -2, "_FOREIGN": -1, "_NS": 9_998, "_U": 9_999}
    if code in fixed:
        return fixed[code], code
    if column == "form_classification":
        return CLASSIFICATIONS.index(code) if code in CLASSIFICATIONS else 9, code
    name = list_of(column, row)
    if column == "citizenship" or name not in list_names():
        return 0, str(row.get(f"{column}_label") or code)
    codes = [entry.code for entry in code_list(name).codes]
    return (codes.index(code) if code in codes else 9_000), code


def list_of(column: str, row: Figure) -> str:
    """The code list of a column of a figure."""
    if column == "form":
        kind = row["form_classification"]
        return "form" if kind == "fine" else f"form_{kind}"
    if column == "breakdown_code":
        return str(row["breakdown"])
    return CODED[column] or column


def flags(figure: Figure | None) -> str:
    """Symbols beside a cell: why there is no number, and the observation's status.

    ``:`` alone means that the warehouse holds no figure for the cell.
    """
    if figure is None:
        return ABSENT
    symbol = SYMBOLS[str(figure["cell_kind"])]
    status = str(figure["observation_status"] or "A")
    letter = status.lower() if status in ("B", "D", "E", "P", "U") else ""
    return " ".join(part for part in (symbol, letter) if part)


def rectangle(pivoted: Pivot, spec: TableSpec, words: Texts) -> Table:
    """The table of a pivot: labels, one number a year, one flag a year, then parts and bounds."""
    labels = _label_columns(pivoted, spec)
    beside = [
        (year, name) for names in (_PARTS if spec.parts else (), _BOUNDS) for year in pivoted.years
        for name in names if any(_beside(pivoted, line, year, name) is not None
                                 for line in pivoted.lines)
    ]  # fmt: skip
    kind = "rate" if spec.parts else "number"
    columns = [
        *(Column(words(f"column.{name}"), "text", WIDTHS.get(name, 16)) for name in labels),
        Column(words("column.headline"), "text", 13),
        *(Column(year, kind, 9) for year in pivoted.years),
        *(Column(words("column.flag", year=year), "flag", 7) for year in pivoted.years),
        *(Column(words(f"column.year_{name}", year=year), "number", 14 if name in _PARTS else 10)
          for year, name in beside),
    ]  # fmt: skip
    rows = [_row(pivoted, line, labels, beside, words=words) for line in pivoted.lines]
    return Table(spec.key, tuple(columns), rows, frozen_columns=frozen(labels, spec))


WIDTHS = {
    "reference_area": 18, "indicator": 28, "source_type": 20, "status_scope": 30,
    "counting_basis": 34, "form": 48, "citizenship": 30, "age": 22, "sex": 14,
    "breakdown_code": 30, "form_classification": 18, "instance": 16, "population_scope": 26,
    "reference_date_concept": 24, "sdg_series": 18,
}  # fmt: skip
_PARTS = ("numerator", "denominator")
_BOUNDS = ("lower_bound", "upper_bound")


def frozen(labels: Sequence[str], spec: TableSpec) -> int:
    """Columns that stay in view: area and the categories."""
    return 1 + len(spec.rows) if labels[0] == "reference_area" else len(spec.rows)


def _label_columns(pivoted: Pivot, spec: TableSpec) -> list[str]:
    """Area, categories and source always; another part of the series where it tells lines apart."""
    rows = list(pivoted.any_of.values())
    optional = [
        name
        for name in ("indicator", "status_scope", "counting_basis", "population_scope",
                     "reference_date_concept", "instance")
        if name not in spec.rows and len({row[name] for row in rows}) > 1
    ]  # fmt: skip
    series = ["sdg_series"] if spec.sdg else []
    return ["reference_area", *spec.rows, *series, "source_type", *optional]


def shown_label(row: Figure, name: str) -> object:
    """The label of a column of a figure; nothing where the column does not apply."""
    if name == "sdg_series":
        return sdg_series(row)
    return "" if row[name] == "_Z" else row[f"{name}_label"]


def sdg_series(row: Figure) -> str:
    """The series of SDG 16.2.2 a figure belongs to: the form is in the code, R marks the rate.

    Source: IAEG-SDGs:CL_SERIES (indicators.md section 6). Other than those there is no series.
    """
    form = str(row["breakdown_code"])
    code = "VC_HTF_DETV" if form == "_T" else form
    if not code.startswith("VC_HTF_DETV"):
        return ""
    return f"{code}R" if row["indicator"] == "sdg_16_2_2_rate" else code


def _beside(pivoted: Pivot, line: tuple[object, ...], year: str, name: str) -> object:
    """A part or a bound of the figure of a line and year."""
    figure = pivoted.cells.get((line, year))
    return None if figure is None else figure[name]


def _row(
    pivoted: Pivot,
    line: tuple[object, ...],
    labels: Sequence[str],
    beside: Sequence[tuple[str, str]],
    *,
    words: Texts,
) -> list[object]:
    example = pivoted.any_of[line]
    found = [pivoted.cells.get((line, year)) for year in pivoted.years]
    return [
        *(shown_label(example, name) for name in labels),
        _headline(found, pivoted.years, words),
        *(number(figure) for figure in found),
        *(flags(figure) for figure in found),
        *(_beside(pivoted, line, year, name) for year, name in beside),
    ]


def number(figure: Figure | None) -> object:
    """The number of a cell, or ``None``; a true zero is the number 0."""
    if figure is None:
        return None
    return 0 if figure["cell_kind"] == "TRUE_ZERO" else figure["value"]


def _headline(found: Sequence[Figure | None], years: Sequence[str], words: Texts) -> str:
    marked = [y for y, figure in zip(years, found, strict=True) if figure and figure["is_headline"]]
    present = [y for y, figure in zip(years, found, strict=True) if figure]
    if marked == present:
        return words("yes") if marked else words("no")
    return spans(marked) or words("no")


def spans(years: Sequence[str]) -> str:
    """Years as text, runs joined: ``2019, 2021–2023``."""
    runs: list[list[int]] = []
    for year in sorted(int(y) for y in years):
        if runs and year == runs[-1][-1] + 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return ", ".join(f"{r[0]}–{r[-1]}" if len(r) > 1 else str(r[0]) for r in runs)


def charts(pivoted: Pivot, spec: TableSpec, table: Table, words: Texts) -> tuple[Chart, ...]:
    """One chart for each area: its headline series, else the first; none for a single point."""
    if not spec.chart:
        return ()
    first = next(n for n, c in enumerate(table.columns) if c.kind in ("number", "rate"))
    drawn = []
    for area in sorted({str(row["reference_area"]) for row in pivoted.any_of.values()}):
        lines = _chart_lines(pivoted, spec, area)
        if sum(_points(pivoted, line) for _, line in lines) > 1:
            drawn.append(_chart(pivoted, spec, lines, first, words))
    return tuple(drawn)


def _chart_lines(
    pivoted: Pivot, spec: TableSpec, area: str
) -> list[tuple[int, tuple[object, ...]]]:
    """Row number and line of what an area's chart shows: one series, its parts, not its total."""
    mine = [
        (place, line)
        for place, line in enumerate(pivoted.lines)
        if pivoted.any_of[line]["reference_area"] == area
    ]
    series = [series_of(pivoted.any_of[line], spec) for _, line in mine]
    chosen = series[0]
    kept = [pair for pair, own in zip(mine, series, strict=True) if own == chosen]
    if spec.by_stage:
        kept = _one_line_each(mine, pivoted)
    parts = [(p, n) for p, n in kept if not spec.rows or _is_part(n, spec)] or kept
    counted = [(p, n) for p, n in parts if _points(pivoted, n)]
    return counted[:PALETTE_SIZE]


def _one_line_each(
    mine: Sequence[tuple[int, tuple[object, ...]]], pivoted: Pivot
) -> list[tuple[int, tuple[object, ...]]]:
    """The first line of each stage and instance: stages come from different sources."""
    seen: dict[object, tuple[int, tuple[object, ...]]] = {}
    for place, line in mine:
        row = pivoted.any_of[line]
        seen.setdefault((row["indicator"], row["instance"]), (place, line))
    return sorted(seen.values())


def _is_part(line: tuple[object, ...], spec: TableSpec) -> bool:
    """Whether a line is drawn beside its total: its categories, or the series of an SDG table."""
    return line[-2:] == ("_T", "_T") if spec.sdg else line[-1] != "_T"


def _points(pivoted: Pivot, line: tuple[object, ...]) -> int:
    found = (pivoted.cells.get((line, year)) for year in pivoted.years)
    return sum(number(figure) is not None for figure in found)


def _chart(
    pivoted: Pivot,
    spec: TableSpec,
    lines: Sequence[tuple[int, tuple[object, ...]]],
    first: int,
    words: Texts,
) -> Chart:
    """A chart over the years from the first to the last that has a number."""
    filled = [
        place
        for place, year in enumerate(pivoted.years)
        if any(number(pivoted.cells.get((line, year))) is not None for _, line in lines)
    ]
    example = pivoted.any_of[lines[0][1]]
    names = [_series_name(pivoted.any_of[line], spec) for _, line in lines]
    title = f"{words(f'table.{spec.key}')}: {example['reference_area_label']}"
    if not spec.by_stage:
        title += f", {example['source_type_label']}"
    unit = str(example["unit_of_count_label"])
    shown = pivoted.years[filled[0] : filled[-1] + 1]
    return Chart(
        title=title,
        x_axis=words("axis.year"),
        y_axis=unit if spec.parts else words("axis.number", unit=unit.lower()),
        columns=(first + filled[0], first + filled[-1]),
        series=tuple(Series(name, place) for name, (place, _) in zip(names, lines, strict=True)),
        description=words(
            "chart.description", title=title, unit=unit.lower(), series="; ".join(names),
            years=spans(shown), sheet=words(f"sheet.{spec.key}"),
        ),
        bars=int(shown[-1]) - int(shown[0]) >= len(shown)
        or all(_points(pivoted, line) == 1 for _, line in lines),
        rate=spec.parts,
    )  # fmt: skip


def _series_name(row: Figure, spec: TableSpec) -> str:
    if spec.by_stage:
        said = [row["source_type_label"], shown_label(row, "instance")]
        return f"{row['indicator_label']} ({', '.join(str(part) for part in said if part)})"
    if spec.sdg:
        return sdg_series(row)
    named = " · ".join(str(row[f"{n}_label"]) for n in spec.rows if row[n] not in ("_T", "_Z"))
    return named or str(row["indicator_label"])
