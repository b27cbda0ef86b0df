"""What may be reconciled: a landed submission, or the figures of the warehouse.

Each becomes a table of a DuckDB connection: ``cells_<side>``, cells as returned, or
``figures_<side>``, figures on the keys of a comparison. A file with its layout is laid out by
``loaders.comparable``, which gives the same cells.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import duckdb

from tipstat.errors import UsageError
from tipstat.landing.folders import final_folder
from tipstat.reconcile import CELL, Scope, figures_of_cells
from tipstat.rules import refuse

if TYPE_CHECKING:
    from tipstat.workspace import Workspace

#: Kinds of records of which victims registered are counted.
COUNTED = ("police", "service")
#: The word that names the figures of the last build, with a source type after a colon or without.
WAREHOUSE = "warehouse"

#: What a cell column holds where a source does not have it.
_DEFAULTS = {"area": "_T", "area_unit": "_T", "legal_article": "_T", "breakdown": "_T"}
_DATES = ("period_start", "period_end")
_NUMBERS = ("value", "lower_bound", "upper_bound")


def connect() -> duckdb.DuckDBPyConnection:
    """A connection in memory that neither spills to a disk nor loads an extension."""
    return duckdb.connect(
        config={
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )


def cells_of_submission(
    connection: duckdb.DuckDBPyConnection, side: str, ws: Workspace, submission_id: str
) -> str:
    """Make ``cells_<side>`` from the accepted records of a landed submission.

    Args:
        connection: gets the table.
        side: ``a`` or ``b``.
        ws: the workspace.
        submission_id: of an accepted, superseded or withdrawn submission.

    Returns:
        What the source is, in one line.

    Raises:
        UsageError: TIP-922 no such submission, TIP-743 nothing of it can be compared.
    """
    row = ws.registry().submission(submission_id)
    folder = final_folder(ws, submission_id)
    name = "cell" if row.kind == "aggregate" else "victim"
    path = folder / f"{name}.parquet"
    if row.kind not in ("aggregate", *COUNTED) or not path.is_file():
        raise refuse("TIP-743", UsageError, where=submission_id, found=f"a {row.kind} return")
    quoted = path.as_posix().replace("'", "''")
    connection.execute(
        f"create or replace temp table records_{side} as "
        f"select * from read_parquet('{quoted}') where record_state = 'accepted'"
    )
    make_cells(connection, side, f"records_{side}", row.kind, row.reference_area)
    return f"submission {submission_id} of {row.sender}"


def make_cells(
    connection: duckdb.DuckDBPyConnection, side: str, records: str, kind: str, area: str
) -> None:
    """Make ``cells_<side>`` from a table of typed records.

    Args:
        connection: holds the records, and gets the cells.
        side: ``a`` or ``b``.
        records: name of the table of cells, or of victims, who are counted.
        kind: of the return.
        area: reference area of the return, for cells that carry none of their own.
    """
    present = {row[0] for row in connection.execute(f"describe {records}").fetchall()}
    sql = _cell_columns(records, present) if kind == "aggregate" else _counted(records, present)
    connection.execute(f"create or replace temp table cells_{side} as {sql}", {"area": area})


def _cell_columns(records: str, present: Collection[str]) -> str:
    """Cells as they are, each column that the source does not have at its default."""
    columns = ["coalesce(reference_area, $area) as reference_area"]
    if "reference_area" not in present:
        columns = ["$area as reference_area"]
    for name in CELL[1:]:
        default = f"'{_DEFAULTS[name]}'" if name in _DEFAULTS else "null"
        kind = "date" if name in _DATES else "double" if name in _NUMBERS else "varchar"
        sql = f"coalesce({name}::{kind}, {default}::{kind})" if name in present else default
        columns.append(f"{sql}::{kind} as {name}")
    return f"select {', '.join(columns)} from {records}"


def _counted(records: str, present: Collection[str]) -> str:
    """Victims of each year of first registration, by sex and by child and adult."""
    group = "age_group" if "age_group" in present else "null"
    return f"""
        with persons as (
            select reporting_entity, victim_ref, year(min(registration_date)) as y,
                min(sex) as sex, min(age) as age, min({group}) as age_group
            from {records} where registration_date is not null
            group by reporting_entity, victim_ref
        ),
        aged as (
            select *, case
                when age < 18 then 'Y0T17' when age >= 18 then 'Y_GE18'
                when age_group in ('Y0T17', 'Y_GE18') then age_group else '_U' end as band
            from persons
        )
        select $area as reference_area, 'VICTIMS_REGISTERED' as measure,
            'VICTIM_REGISTRATION' as unit_of_count, 'FLOW' as cell_nature,
            make_date(y, 1, 1) as period_start, make_date(y, 12, 31) as period_end,
            '_T' as area, '_T' as area_unit, '_T' as legal_article,
            'REGISTERED' as status_scope,
            coalesce(sex, '_T') as sex, coalesce(band, '_T') as age_group, '_T' as form,
            '_T' as citizenship, '_T' as breakdown, 'VALUE' as cell_kind,
            count(*)::double as value, null::double as lower_bound, null::double as upper_bound
        from aged group by grouping sets ((y), (y, sex), (y, band), (y, sex, band))
    """


def figures_of_warehouse(
    connection: duckdb.DuckDBPyConnection, side: str, ws: Workspace, source_type: str
) -> str:
    """Make ``figures_<side>`` from the figures of the last build.

    Where several series tell one figure (status scopes, counting bases, instances), the national
    figure goes first, then registrations, then the order of the codes.

    Args:
        connection: gets the table.
        side: ``a`` or ``b``.
        ws: the workspace.
        source_type: such as ``police``; empty for the source that is the national figure, or the
            first of the others.

    Returns:
        What the source is, in one line.
    """
    from tipstat.warehouse import reading

    with reading(ws) as warehouse:
        rows = warehouse.execute(_FIGURES, {"source": source_type}).fetchall()
        ((vintage,),) = warehouse.execute("select max(vintage) from fct_indicator_value").fetchall()
    connection.execute(
        f"create or replace temp table figures_{side} (reference_area varchar, year integer, "
        "indicator varchar, sex varchar, age_group varchar, form varchar, citizenship varchar, "
        "lower double, upper double)"
    )
    if rows:
        connection.executemany(
            f"insert into figures_{side} values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [list(row) for row in rows],
        )
    return f"{source_type or 'figures'} of build {vintage}"


_FIGURES = """
select reference_area, try_cast(period as integer) as year, indicator, sex, age, form, citizenship,
    coalesce(lower_bound, value)::double as lower, coalesce(upper_bound, value)::double as upper
from fct_indicator_value
where breakdown = '_T' and form_classification in ('fine', '_T')
    and try_cast(period as integer) is not null and coalesce(lower_bound, value) is not null
    and unit_of_count not in ('RATE', 'RATIO') and ($source = '' or source_type = $source)
qualify row_number() over (
    partition by reference_area, period, indicator, sex, age, form, citizenship
    order by is_headline desc nulls last, counting_basis = 'registration' desc, source_type,
        status_scope, population_scope, counting_basis, reference_date_concept, instance
) = 1
order by all
"""


def figures(connection: duckdb.DuckDBPyConnection, side: str, scope: Scope) -> None:
    """Make ``figures_<side>`` where a source gave cells; figures of the warehouse are some."""
    made = {row[0] for row in connection.execute("show tables").fetchall()}
    if f"cells_{side}" in made:
        figures_of_cells(connection, side, scope)
