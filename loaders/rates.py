"""Rates of an aggregate return against its own counts and the population.

A return that gives a number and the same number per 100,000 says one thing twice. Rates of all
sexes and ages together are computed again from the count and the resident population: the
office's own file, or the shipped reference.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from loaders.findings import Finding
from loaders.typed import lookup
from tipstat.population import Population, office_population, reference
from tipstat.rules import rule

if TYPE_CHECKING:
    import duckdb

    from loaders.check import CheckResult
    from tipstat.workspace import Workspace

#: What another estimate of the same population may change, as a share of the rate; what is lost by
#: rounding follows from the decimals that were printed.
ESTIMATES = Decimal("0.02")
#: Rates that are told one by one, the greatest difference first.
TOLD = 50

RULE = "TIP-744"

_SAME = (
    "measure", "cell_nature", "period_start", "period_end", "area", "area_unit", "status_scope",
    "sex", "age_group", "form", "citizenship", "breakdown", "breakdown_code", "legal_article",
)  # fmt: skip


def rate_findings(result: CheckResult, ws: Workspace) -> list[Finding]:
    """Compare the rates of a checked return with count and population.

    Args:
        result: the check, whose connection holds the cells.
        ws: the workspace, for the office's own populations.

    Returns:
        A warning (TIP-744) for each rate that is not count divided by population, per 100,000,
        within the rounding and the difference of two estimates; rates whose count or population
        is not there, and rates by sex or age, are not compared.
    """
    connection = result.connection
    if "cell" not in result.records or not _has_rates(connection):
        return []
    columns = {row[0] for row in connection.execute("describe rec_cell").fetchall()}
    area = str(result.metadata.get("reference_area") or "")
    own = "c.reference_area" if "reference_area" in columns else "$area"
    rows = connection.execute(
        f"select distinct coalesce({own}, $area) from rec_cell c", {"area": area}
    )
    areas = [str(code) for (code,) in rows.fetchall() if code]
    _populations(connection, areas, ws)
    letter = result.returned.tables[0].columns.get("value", "")
    found = connection.execute(_differing(own, columns), {"area": area}).fetchall()
    findings = [_finding(letter, row) for row in found[:TOLD]]
    more = len(found) - TOLD
    return [*findings, _more(more)] if more > 0 else findings


def _has_rates(connection: duckdb.DuckDBPyConnection) -> bool:
    sql = "select 1 from rec_cell where unit_of_count = 'RATE' limit 1"
    return bool(connection.execute(sql).fetchall())


def _populations(connection: duckdb.DuckDBPyConnection, areas: list[str], ws: Workspace) -> None:
    """Make ``resident``: the population of all sexes and ages, by area and year."""
    own = office_population(ws.populations_dir)
    rows: dict[tuple[str, int], int] = {}
    for one in [*reference(areas), *(row for area in areas for row in own.get(area, []))]:
        if _is_total(one):
            rows[one.area, one.year] = one.population
    texts = [(area, str(year), str(number)) for (area, year), number in rows.items()]
    lookup(connection, "resident", ("area", "year", "population"), texts)


def _is_total(row: Population) -> bool:
    return row.sex == "_T" and row.age_from is None


def _differing(own: str, columns: set[str]) -> str:
    """The query of rates that are not what count and population give, worst first."""
    shared = [name for name in _SAME if name in columns]
    same = " and ".join(f"c.{name} is not distinct from r.{name}" for name in shared)
    return f"""
        with compared as (
            select r._sheet, r._row, coalesce({own}, $area) as area, year(r.period_start) as year,
                r.form, r.value as sent, c.value as number, resident.population::bigint as people,
                (c.value * 100000.0 / resident.population::double)::double as computed,
                -- a workbook drops the zeros at the end of a number, so one return is judged by
                -- the rate with most decimals
                max(least(length(split_part(r.value__sent::varchar, '.', 2)), 2))
                    over () as decimals
            from rec_cell r
            inner join rec_cell c on {same}
                and c.unit_of_count not in ('RATE', 'RATIO')
                and {own.replace("c.", "r.")} is not distinct from {own}
            inner join resident on resident.area = coalesce({own}, $area)
                and resident.year::integer = year(r.period_start)
            where r.unit_of_count = 'RATE' and r.sex = '_T' and r.age_group = '_T'
                and r.value is not null and c.value is not null
                and year(r.period_start) = year(r.period_end)
        )
        select _sheet, _row, area, year, form, sent, number, people, computed from compared
        where abs(sent::double - computed)
            > 0.5 / power(10, decimals) + 0.001 + {ESTIMATES} * computed
        order by abs(sent::double - computed) desc, area, year, form, _row
    """


def _finding(letter: str, row: tuple[object, ...]) -> Finding:
    sheet, number, area, year, form, sent, count, people, computed = row
    told = "" if form == "_T" else f" {form}"
    message = (
        f"{area} {year}{told}: {sent} per 100,000, where {count:,.0f} of {people:,} give "
        f"{computed:.2f}"
    )
    place = letter if letter.isalpha() else ""
    return Finding(
        RULE,
        rule(RULE).severity,
        message,
        record_type="cell",
        sheet=str(sheet),
        cell=f"{place}{number}" if place else "",
        row=int(str(number)),
        column_letter=place,
        variable="value",
        value=str(sent),
        expected=f"{computed:.2f}",
    )


def _more(number: int) -> Finding:
    return Finding(RULE, rule(RULE).severity, f"{number:,} more rates", "cell", count=number)
