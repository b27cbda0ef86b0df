"""What the ICCS report counts outside the indicators: tags of events, families below the line.

Related, proxy and other families stand by themselves, each number with its own unit of count; none
is in a figure of 0204 and none is added to another (STATISTICS section 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.sheets import Column, Table
from reports.tables import SYMBOLS
from reports.texts import Texts

if TYPE_CHECKING:
    import duckdb

#: ICCS tag of an event -> column of ``fct_event`` and code list.
EVENT_TAGS = {
    "SiC": ("situational_context", "situational_context"),
    "Lo": ("location_type", "exploitation_place"),
    "Mot": ("motive", "motive"),
    "Cy": ("cybercrime", "cybercrime"),
    "We": ("weapon", "weapon"),
    "Rep": ("reported_by", "reported_by"),
}
#: Relations of a provision to trafficking that stand below the line, nearest first.
BELOW = ("KNOWING_USE", "TIP_RELATED", "PROXY", "NOT_TIP", "_U")

_EVENT_TAG = """
select
    event.event_registration_year as period,
    event.reporting_entity,
    '{tag}' as tag,
    '{code_list}' as list,
    event.{column} as code
from fct_event as event
where
    event.event_basis = 'RECORD'
    and event.event_status = 'RECORDED'
    and event.reference_area = $area
    and list_contains($years::varchar[], event.event_registration_year)
"""
# A tag that a source did not collect in a year says nothing, so it gives no lines there.
_EVENT_TAGS = """
with tagged as ({tagged}),
counted as (
    select
        tagged.period, entity.source_type, tagged.tag, tagged.list,
        case when tagged.code in ('_X', '_N', '_I') or tagged.code is null then '_U'
            else tagged.code end as code,
        count(*) as events, bool_or(tagged.code <> '_N') as is_collected
    from tagged
    inner join dim_reporting_entity as entity using (reporting_entity)
    group by 1, 2, 3, 4, 5
),
collected as (
    select * from counted
    qualify bool_or(is_collected) over (partition by period, source_type, tag)
)
select
    collected.period, coalesce(source.label, collected.source_type), collected.tag,
    coalesce(named.label, missing.label, collected.code), collected.events
from collected
left join code_label as source
    on source.list = 'source_type' and source.code = collected.source_type
left join code_label as named
    on named.list = collected.list and named.code = collected.code
left join code_label as missing
    on missing.list = 'missing' and missing.code = collected.code
order by
    list_position($tags, collected.tag), collected.period, collected.source_type,
    starts_with(collected.code, '_'), collected.code
"""

#: Offences that the national map puts outside 0204, by year of registration of their event.
_OFFENCES = """
select
    event.event_registration_year as period,
    offence.relation,
    offence.iccs_code,
    entity.source_type,
    'OFFENCE' as unit_of_count,
    sum(offence.offence_count)::bigint as offences
from fct_offence as offence
inner join fct_event as event on offence.event_key = event.event_key
inner join dim_reporting_entity as entity on offence.reporting_entity = entity.reporting_entity
where
    not offence.is_tip
    and event.event_status not in ('REQUALIFIED', 'UNFOUNDED', 'CANCELLED')
    and event.reference_area = $area
group by all
"""

# Of the same number given at several levels (whole and parts of the area, months and the year,
# both sexes and each) only the one with the most totals is taken, so that none is added twice.
_CELLS = """
with cells as (
    select
        case when cell.cell_nature = 'STOCK' then cast(cell.period_end as varchar)
            else cast(year(cell.period_start) as varchar) end as period,
        cast(year(cell.period_end) as varchar) as year,
        cell.reporting_entity, entity.source_type, cell.relation, cell.iccs_code,
        cell.legal_article, cell.measure, cell.unit_of_count, cell.cell_nature,
        cell.cell_kind, cell.value, cell.lower_bound, cell.upper_bound,
        [
            cell.sex <> '_T', cell.area <> '_T', cell.area_unit <> '_T',
            cell.cell_nature <> 'STOCK'
            and not (month(cell.period_start) = 1 and month(cell.period_end) = 12)
        ] as parted
    from fct_reported_cell as cell
    inner join dim_reporting_entity as entity using (reporting_entity)
    where
        not cell.is_tip
        and cell.reference_area = $area
        and cell.age_group = '_T' and cell.form = '_T' and cell.citizenship = '_T'
        and cell.breakdown in ('_T', '_Z')
        and (cell.cell_nature = 'STOCK' or year(cell.period_start) = year(cell.period_end))
),
one_level as (
    select * from cells
    qualify 1 = rank() over (
        partition by period, reporting_entity, legal_article, measure, unit_of_count, cell_nature
        order by list_sum(parted::integer[]), parted
    )
)
select
    period, year, relation, iccs_code, legal_article, source_type, measure, unit_of_count,
    cell_nature, sum(value) as value,
    case when count(lower_bound) > 0 then sum(coalesce(lower_bound, value)) end as lower_bound,
    case when count(upper_bound) > 0 then sum(coalesce(upper_bound, value)) end as upper_bound,
    case when count(value) = 0 then min(cell_kind) end as cell_kind
from one_level
group by all
"""


def _named(*columns: tuple[str, str]) -> tuple[str, str]:
    """SQL that gives the labels of coded columns, and its joins."""
    shown = ", ".join(f"coalesce({c}_named.label, found.{c})" for c, _ in columns)
    joins = " ".join(
        f"left join code_label as {c}_named on {c}_named.list = '{name}'"
        f" and {c}_named.code = found.{c}"
        for c, name in columns
    )
    return shown, joins


def event_tags(
    connection: duckdb.DuckDBPyConnection, area: str, years: Sequence[str], words: Texts
) -> Table | None:
    """Recorded events by each ICCS tag that a source collected; ``None`` where none did."""
    held = {name for name, *_ in connection.execute("describe fct_event").fetchall()}
    shown = {tag: of for tag, of in EVENT_TAGS.items() if of[0] in held}
    if not shown:
        return None
    tagged = " union all ".join(
        _EVENT_TAG.format(tag=tag, column=column, code_list=code_list)
        for tag, (column, code_list) in shown.items()
    )
    found = connection.execute(
        _EVENT_TAGS.format(tagged=tagged),
        {"area": area, "years": list(years), "tags": list(shown)},
    ).fetchall()
    if not found:
        return None
    columns = (
        Column(words("column.tag"), "text", 34),
        Column(words("column.period"), "text", 8),
        Column(words("column.source_type"), "text", 20),
        Column(words("column.breakdown_code"), "text", 46),
        Column(words("column.value"), "number", 10),
    )
    rows = [
        [f"{tag}: {words(f'tag.{tag}')}", year, source, category, count]
        for year, source, tag, category, count in found
    ]
    return Table("iccs_event_tags", columns, rows, frozen_columns=1)


def below_years(connection: duckdb.DuckDBPyConnection, area: str) -> set[str]:
    """Years that hold something below the line."""
    rows = connection.execute(
        f"select period from ({_OFFENCES}) union select year from ({_CELLS})", {"area": area}
    ).fetchall()
    return {str(year) for (year,) in rows if year}


def below_submissions(connection: duckdb.DuckDBPyConnection, area: str) -> set[str]:
    """The submissions of what stands below the line."""
    rows = connection.execute(
        "select submission_id from fct_offence where not is_tip and reference_area = $area"
        " union select submission_id from fct_reported_cell"
        " where not is_tip and reference_area = $area",
        {"area": area},
    ).fetchall()
    return {str(submission) for (submission,) in rows}


def offences_below(
    connection: duckdb.DuckDBPyConnection, area: str, years: Sequence[str], words: Texts
) -> Table | None:
    """Recorded offences outside 0204 in counted events, by family; ``None`` where there is none."""
    shown, joins = _named(
        ("iccs_code", "iccs"), ("source_type", "source_type"), ("unit_of_count", "unit_of_count")
    )
    found = connection.execute(
        f"select period, relation, iccs_code, {shown}, offences from ({_OFFENCES}) as found {joins}"
        " where list_contains($years::varchar[], period)"
        " order by list_position($below, relation), iccs_code, source_type, period",
        {"area": area, "years": list(years), "below": list(BELOW)},
    ).fetchall()
    if not found:
        return None
    columns = (
        *_columns(words, ("relation", 22), ("iccs", 9), ("iccs_label", 44), ("period", 8)),
        *_columns(words, ("source_type", 20), ("unit_of_count", 14)),
        Column(words("column.value"), "number", 10),
    )
    rows = [
        [_relation(relation, words), code, label, year, source, unit, count]
        for year, relation, code, label, source, unit, count in found
    ]
    return Table("iccs_offences_below", columns, rows, frozen_columns=2)


def cells_below(
    connection: duckdb.DuckDBPyConnection, area: str, years: Sequence[str], words: Texts
) -> Table | None:
    """Reported cells under articles outside 0204, by family; ``None`` where there is none."""
    shown, joins = _named(
        ("iccs_code", "iccs"), ("measure", "measure"), ("unit_of_count", "unit_of_count"),
        ("cell_nature", "cell_nature"), ("source_type", "source_type"),
    )  # fmt: skip
    found = connection.execute(
        f"select relation, iccs_code, legal_article, period, {shown}, value, lower_bound,"
        f" upper_bound, cell_kind from ({_CELLS}) as found {joins}"
        " where list_contains($years::varchar[], year)"
        " order by list_position($below, relation), iccs_code, legal_article, measure, period",
        {"area": area, "years": list(years), "below": list(BELOW)},
    ).fetchall()
    if not found:
        return None
    columns = (
        *_columns(words, ("relation", 22), ("iccs", 9), ("legal_article", 16), ("period", 11)),
        *_columns(words, ("iccs_label", 36), ("measure", 30), ("unit_of_count", 14)),
        *_columns(words, ("cell_nature", 12), ("source_type", 18)),
        *(Column(words(f"column.{c}"), "number", 10)
          for c in ("value", "lower_bound", "upper_bound")),
        Column(words("column.flags"), "flag", 8),
    )  # fmt: skip
    rows = [
        [_relation(row[0], words), *row[1:-1], SYMBOLS.get(str(row[-1] or "VALUE"), "")]
        for row in found
    ]
    return Table("iccs_cells_below", columns, rows, frozen_columns=3)


def _columns(words: Texts, *shown: tuple[str, float]) -> tuple[Column, ...]:
    return tuple(Column(words(f"column.{name}"), "text", width) for name, width in shown)


def _relation(code: str, words: Texts) -> str:
    return words.get(f"relation.{code}", code)
