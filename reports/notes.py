"""What stands around the figures: subtitles, notes, sources, submissions, the national law map."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reports.sheets import Column, Table
from reports.tables import ABSENT, SYMBOLS, Pivot, spans
from reports.texts import Texts
from tipstat.project import seeds_dir

if TYPE_CHECKING:
    import duckdb

    from tipstat.workspace import Workspace

Row = Mapping[str, object]
#: Relations of a provision to trafficking that stand under 0204 (STATISTICS section 5).
UNDER_0204 = ("TIP_SPECIFIC", "TIP_OTHER_ARTICLE")
TAGS = (("threats", "Th"), ("aiding", "AA"), ("accomplice", "Ac"), ("conspiracy", "CP"),
        ("incitement", "In"))  # fmt: skip
MAP_COLUMNS = (
    "offence_code", "statute", "article", "paragraph", "text", "iccs_code", "match", "relation",
    "allocation_rule", "valid_from", "valid_to", "threats", "aiding", "accomplice", "conspiracy",
    "incitement", "decided_by", "decided_on",
)  # fmt: skip


def labels_of(rows: Sequence[Row], column: str) -> str:
    """The distinct labels of a column, joined."""
    return ", ".join(sorted({str(row[f"{column}_label"]) for row in rows}))


def subtitle(rows: Sequence[Row], words: Texts) -> list[str]:
    """Unit of count, counting rule, reference date, status scope, population and source."""
    first = [
        words("subtitle.unit", text=labels_of(rows, "unit_of_count")),
        words("subtitle.basis", text=labels_of(rows, "counting_basis")),
        words("subtitle.date", text=labels_of(rows, "reference_date_concept")),
    ]
    second = [words("subtitle.source", text=labels_of(rows, "source_type"))]
    if any(row["status_scope"] != "_Z" for row in rows):
        second.append(words("subtitle.scope", text=labels_of(rows, "status_scope")))
    if any(row["population_scope"] not in ("_Z", "DETECTED_HERE") for row in rows):
        second.append(words("subtitle.population", text=labels_of(rows, "population_scope")))
    return [" · ".join(first), " · ".join(second)]


def legend(words: Texts) -> str:
    """The symbols of the flag columns."""
    parts = [f"{ABSENT} {words('symbol.absent')}"]
    parts += [f"{symbol} {words(f'symbol.{kind}')}" for kind, symbol in SYMBOLS.items() if symbol]
    parts += [f"{letter} {text}" for letter, text in words.under("status").items()]
    return words("legend", text=" · ".join(parts))


def definitions(
    connection: duckdb.DuckDBPyConnection, indicators: Sequence[str], words: Texts
) -> list[str]:
    """Definition and caveats of indicators, from the catalogue (English), or in translation."""
    found = connection.execute(
        "select indicator, definition, caveats from dim_indicator"
        " where list_contains($names::varchar[], indicator) order by indicator",
        {"names": list(indicators)},
    ).fetchall()
    codes = sorted(
        {c for *_, caveats in found for c in re.findall(r"C\d+", str(caveats or ""))},
        key=lambda code: int(code[1:]),
    )
    lines = [
        words(
            "note.definition",
            name=words.get(f"code.indicator.{name}", name),
            text=words.get(f"definition.{name}", definition),
        )
        for name, definition, _ in found
        if definition
    ]
    return lines + [f"{code}: {words(f'caveat.{code}')}" for code in codes]


def denominators(rows: Sequence[Row], words: Texts) -> list[str]:
    """What quotients were divided by, as their comments say: source and vintage, with years."""
    said: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        # The series has a column of its own in the table.
        text = re.sub(r"^series \w+(; |$)", "", str(row["comment"] or ""))
        if text:
            key = (str(row["reference_area_label"]), text)
            said.setdefault(key, set()).add(str(row["period"]))
    return [
        words("note.denominator", area=area, years=spans(sorted(years)), text=text)
        for (area, text), years in sorted(said.items())
    ]


def coverage(pivoted: Pivot, words: Texts) -> list[str]:
    """For each area and source: entities, records held out, part years, maps and submissions."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for figure in pivoted.cells.values():
        key = (str(figure["reference_area_label"]), str(figure["source_type_label"]))
        groups.setdefault(key, []).append(figure)
    return [_covered(area, source, rows, words) for (area, source), rows in sorted(groups.items())]


def _covered(area: str, source: str, rows: Sequence[Row], words: Texts) -> str:
    parts = [
        words("coverage.entities", text=_by_year(rows, "n_entities")),
        words("coverage.held_out", text=_by_year(rows, "n_held_out")),
    ]
    partial = {
        str(r["period"]): r["period_months"] for r in rows if _int(r["period_months"], 12) < 12
    }
    parts += [
        words("coverage.part_year", year=year, months=months)
        for year, months in sorted(partial.items())
    ]
    maps = sorted({str(row["map_version"]) for row in rows if row["map_version"]})
    if maps:
        parts.append(words("coverage.map", text=", ".join(maps)))
    sent = submissions_of(rows)
    shown = ", ".join(sent) if len(sent) <= 4 else words("coverage.many", count=len(sent))
    return f"{area}, {source}: " + "; ".join([*parts, words("coverage.submissions", text=shown)])


def _int(value: object, default: int = 0) -> int:
    return int(value) if isinstance(value, int) else default


def _by_year(rows: Sequence[Row], column: str) -> str:
    """The largest value of each year; years of the same value are joined."""
    years: dict[str, int] = {}
    for row in rows:
        year = str(row["period"])
        years[year] = max(years.get(year, 0), _int(row[column]))
    values: dict[int, list[str]] = {}
    for year, value in years.items():
        values.setdefault(value, []).append(year)
    if len(values) == 1:
        return str(next(iter(values)))
    return ", ".join(f"{value} ({spans(y)})" for value, y in sorted(values.items()))


def submissions_of(rows: Sequence[Row]) -> list[str]:
    """Ids of the submissions behind figures."""
    return sorted({s for row in rows for s in str(row["submissions"] or "").split(";") if s})


def submissions_table(
    connection: duckdb.DuckDBPyConnection, used: Sequence[str], words: Texts
) -> Table:
    """The submissions used, with what each declared of itself."""
    return _submissions(connection, used, _DECLARED, "submissions", words)


def inclusions_table(
    connection: duckdb.DuckDBPyConnection, used: Sequence[str], words: Texts
) -> Table:
    """What each submission counts along: attempts and the ICCS inclusions, as it declared."""
    return _submissions(connection, used, _INCLUDED, "inclusions", words)


_DECLARED = (
    "submission_id", "sender", "kind", "reference_area", "period_start", "period_end", "maturity",
    "intent", "status_scope", "deduplication", "offence_rule", "attempts_included", "age_moment",
    "area_covered", "units_in_scope", "units_silent", "legal_basis",
)  # fmt: skip
_INCLUDED = (
    "submission_id", "sender", "kind", "period_start", "period_end", "attempts_included",
    "threats_included", "aiding_included", "accomplices_included", "conspiracy_included",
    "incitement_included",
)  # fmt: skip


def _submissions(
    connection: duckdb.DuckDBPyConnection,
    used: Sequence[str],
    shown: Sequence[str],
    table: str,
    words: Texts,
) -> Table:
    held = {name for name, *_ in connection.execute("describe dim_submission").fetchall()}
    wanted = [name for name in shown if name in held]
    rows = connection.execute(
        f"select {', '.join(wanted)} from dim_submission"
        " where list_contains($used::varchar[], submission_id) order by submission_id",
        {"used": list(used)},
    ).fetchall()
    columns = tuple(
        Column(words.get(f"submission.{name}", name), "text", 40 if name == "submission_id" else 15)
        for name in wanted
    )
    cells = [[_said(value, words) for value in row] for row in rows]
    return Table(table, columns, cells, frozen_columns=1)


def _said(value: object, words: Texts) -> object:
    """What a submission declared; nothing, or a missing code, says nothing."""
    if value is None or str(value).startswith("_"):
        return words("unstated")
    return words.get(f"yes_no.{value}", value) if isinstance(value, str) else value


def offence_map(ws: Workspace, area: str) -> list[dict[str, str]]:
    """The rows of ``offence_<area>.csv``: the workspace's own map, else the shipped one.

    Returns:
        No rows where there is no map of the area.
    """
    name = f"offence_{area}.csv"
    for folder in (ws.correspondences_dir, seeds_dir() / "correspondences"):
        path = folder / name
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as handle:
                return list(csv.DictReader(handle))
    return []


def map_table(rows: Sequence[Mapping[str, str]], name: str, words: Texts) -> Table:
    """Provisions of national law with their place in ICCS, one row a provision."""
    widths = {"text": 40, "statute": 20, "allocation_rule": 26, "relation": 18, "offence_code": 13,
              "article": 9, **dict.fromkeys((name for name, _ in TAGS), 9)}  # fmt: skip
    columns = tuple(
        Column(words(f"map.{column}"), "text", widths.get(column, 11)) for column in MAP_COLUMNS
    )
    ordered = sorted(rows, key=lambda row: (row["iccs_code"], row["offence_code"]))
    cells = [[words.get(f"relation.{row.get(c, '')}", row.get(c, "") or "") for c in MAP_COLUMNS]
             for row in ordered]  # fmt: skip
    return Table(name, columns, cells, frozen_columns=1)


def map_summary(ws: Workspace, areas: Sequence[str], words: Texts) -> list[str]:
    """One line on the national law map of each area."""
    lines = []
    for area in areas:
        rows = offence_map(ws, area)
        if rows:
            statutes = sorted({row["statute"] for row in rows if row["statute"]})
            inside = sum(row["relation"] in UNDER_0204 for row in rows)
            lines.append(
                words("map.summary", area=area, count=len(rows), inside=inside,
                      statutes="; ".join(statutes))
            )  # fmt: skip
        else:
            lines.append(words("map.none", area=area))
    return lines
