{#- What tells one figure of a sender from another: a total and its parts differ in it. -#}
{%- set figure = [
    "indicator",
    "reference_area",
    "period",
    "source_type",
    "status_scope",
    "counting_basis",
    "unit_of_count",
    "reporting_entity",
    "sex",
    "age_group",
    "form",
    "citizenship",
    "breakdown",
    "breakdown_code",
] -%}
{%- set of_period = figure + ["legal_article", "period_start", "period_end"] -%}
{%- set of_area = figure + ["legal_article", "area", "area_unit"] -%}
-- The cells of aggregate returns that make annual figures: flows of trafficking within one year, at
-- one level of area, unit, article and period, so that a total and its parts are never added.
with cells as (
    select * from {{ ref("fct_reported_cell") }}
    -- proxy and related articles are no trafficking figure (STATISTICS section 5)
    where is_tip
),

measure_map as (
    select * from {{ ref("map_measure") }}
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

catalogue as (
    select * from {{ ref("dim_indicator") }}
),

flows as (
    select
        cells.cell_key,
        catalogue.indicator,
        cells.reference_area,
        {{ year_text("cells.period_start") }} as period,
        entities.source_type,
        case
            when catalogue.indicator = 'victims_registered'
                then {{ or_unknown("cells.status_scope") }}
            when catalogue.indicator <> 'victims_assisted' then '_Z'
            when {{ is_missing("cells.status_scope") }} then 'ALL'
            else cells.status_scope
        end as status_scope,
        case
            when cells.unit_of_count in ({{ own_basis_units() }})
                then lower(cells.unit_of_count)
            when
                cells.unit_of_count in ('VICTIM', 'PERSON')
                and cells.deduplication in ('WITHIN_SENDER', 'ACROSS_SENDERS')
                then 'person'
            else 'registration'
        end as counting_basis,
        cells.unit_of_count,
        cells.reporting_entity,
        cells.submission_id,
        cells.period_start,
        cells.period_end,
        cells.area,
        cells.area_unit,
        cells.legal_article,
        case when cells.measure <> catalogue.measure then cells.measure end as substitute_measure,
        case when cells.sex = '_T' then '_T' else {{ or_unknown("cells.sex") }} end as sex,
        case
            when cells.age_group = '_T' then '_T' else {{ or_unknown("cells.age_group") }}
        end as age_group,
        case when cells.form = '_T' then '_T' else {{ or_unknown("cells.form") }} end as form,
        case
            when cells.citizenship = '_T' then '_T' else {{ or_unknown("cells.citizenship") }}
        end as citizenship,
        cells.breakdown,
        case
            when cells.breakdown_code = '_T' then '_T'
            else {{ or_unknown("cells.breakdown_code") }}
        end as breakdown_code,
        case
            when cells.cell_kind in ('VALUE', 'TRUE_ZERO') and cells.value is not null then 'VALUE'
            when {{ is_missing("cells.cell_kind") }} and cells.value is not null then 'VALUE'
            when cells.cell_kind = 'WITHHELD_AT_SOURCE' then 'WITHHELD_AT_SOURCE'
            when
                {{ is_missing("cells.cell_kind") }} or cells.cell_kind in ('VALUE', 'TRUE_ZERO')
                then 'NOT_STATED'
            else cells.cell_kind
        end as cell_kind,
        cells.value,
        cells.lower_bound,
        cells.upper_bound
    from cells
    left join measure_map on cells.measure = measure_map.measure
    inner join catalogue
        on
            coalesce(measure_map.counts_as, cells.measure) = catalogue.measure
            and (
                cells.unit_of_count = catalogue.unit_of_count
                or (
                    cells.unit_of_count = 'VICTIM'
                    and catalogue.unit_of_count = 'VICTIM_REGISTRATION'
                )
            )
    inner join entities on cells.reporting_entity = entities.reporting_entity
    where
        cells.cell_nature <> 'STOCK'
        and cells.period_end >= cells.period_start
        and year(cells.period_start) = year(cells.period_end)
),

-- all articles together before each, and a national measure only where the entity sends none of the
-- indicator's own
chosen as (
    select
        flows.*,
        max(case when flows.legal_article = '_T' then 1 else 0 end) over (
            partition by
                {{ prefixed("flows", figure) }}
        ) as has_all_articles,
        max(case when flows.substitute_measure is null then 1 else 0 end) over (
            partition by
                flows.indicator,
                flows.reference_area,
                flows.period,
                flows.source_type,
                flows.reporting_entity
        ) as has_own_measure
    from flows
),

-- the same number may stand for the whole area and for its parts: only one level is added
leveled as (
    select
        chosen.*,
        max(case when chosen.area = '_T' then 1 else 0 end) over (
            partition by
                {{ prefixed("chosen", of_period) }}
        ) as has_area_total,
        max(case when chosen.area_unit = '_T' then 1 else 0 end) over (
            partition by
                {{ prefixed("chosen", of_period + ["area"]) }}
        ) as has_unit_total,
        case
            when month(chosen.period_start) = 1 and month(chosen.period_end) = 12 then 1 else 0
        end as is_whole_year,
        max(
            case
                when month(chosen.period_start) = 1 and month(chosen.period_end) = 12 then 1 else 0
            end
        ) over (
            partition by
                {{ prefixed("chosen", of_area) }}
        ) as has_whole_year
    from chosen
    where
        (chosen.has_all_articles = 0 or chosen.legal_article = '_T')
        and (chosen.has_own_measure = 0 or chosen.substitute_measure is null)
),

one_level as (
    select
        leveled.*,
        leveled.cell_kind = 'VALUE' as is_value,
        leveled.cell_kind = 'WITHHELD_AT_SOURCE' and leveled.upper_bound is not null as is_interval
    from leveled
    where
        (leveled.has_area_total = 0 or leveled.area = '_T')
        and (leveled.has_unit_total = 0 or leveled.area_unit = '_T')
        and leveled.is_whole_year = leveled.has_whole_year
)

select * from one_level
