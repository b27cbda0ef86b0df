-- The cells of aggregate returns that make annual figures: flows within one year, at one level of
-- area, unit and period, so that a total and its parts are never added.
with cells as (
    select * from {{ ref("fct_reported_cell") }}
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
            when catalogue.indicator <> 'victims_registered' then '_Z'
            else {{ or_unknown("cells.status_scope") }}
        end as status_scope,
        case
            when cells.unit_of_count = 'EVENT' then 'event'
            when cells.unit_of_count = 'OFFENCE' then 'offence'
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
    inner join catalogue
        on
            cells.measure = catalogue.measure
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

-- the same number may stand for the whole area and for its parts: only one level is added
leveled as (
    select
        flows.*,
        max(case when flows.area = '_T' then 1 else 0 end) over (
            partition by
                flows.indicator,
                flows.reference_area,
                flows.period,
                flows.source_type,
                flows.status_scope,
                flows.counting_basis,
                flows.unit_of_count,
                flows.reporting_entity,
                flows.sex,
                flows.age_group,
                flows.form,
                flows.citizenship,
                flows.breakdown,
                flows.breakdown_code,
                flows.period_start,
                flows.period_end
        ) as has_area_total,
        max(case when flows.area_unit = '_T' then 1 else 0 end) over (
            partition by
                flows.indicator,
                flows.reference_area,
                flows.period,
                flows.source_type,
                flows.status_scope,
                flows.counting_basis,
                flows.unit_of_count,
                flows.reporting_entity,
                flows.sex,
                flows.age_group,
                flows.form,
                flows.citizenship,
                flows.breakdown,
                flows.breakdown_code,
                flows.period_start,
                flows.period_end,
                flows.area
        ) as has_unit_total,
        case
            when month(flows.period_start) = 1 and month(flows.period_end) = 12 then 1 else 0
        end as is_whole_year,
        max(
            case
                when month(flows.period_start) = 1 and month(flows.period_end) = 12 then 1 else 0
            end
        ) over (
            partition by
                flows.indicator,
                flows.reference_area,
                flows.period,
                flows.source_type,
                flows.status_scope,
                flows.counting_basis,
                flows.unit_of_count,
                flows.reporting_entity,
                flows.sex,
                flows.age_group,
                flows.form,
                flows.citizenship,
                flows.breakdown,
                flows.breakdown_code,
                flows.area,
                flows.area_unit
        ) as has_whole_year
    from flows
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
