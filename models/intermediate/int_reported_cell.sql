{{ config(materialized="view") }}

with records as (
    select * from {{ ref("stg_aggregate_cell") }}
),

versions as (
    {{ versions("records", ["cell_key"]) }}
),

current_version as (
    select
        versions.cell_key,
        versions.reporting_entity,
        versions.reference_area,
        versions.measure,
        versions.unit_of_count,
        versions.cell_nature,
        versions.period_start,
        versions.period_end,
        versions.area,
        versions.area_unit,
        versions.status_scope,
        versions.submission_status_scope,
        versions.deduplication,
        versions.sex,
        versions.age_group,
        versions.form,
        versions.citizenship,
        versions.breakdown,
        versions.breakdown_code,
        versions.cell_kind,
        versions.value,
        versions.lower_bound,
        versions.upper_bound,
        versions.submission_id,
        versions.record_id,
        versions.source_sheet,
        versions.source_row
    from versions
    where versions.version_no = 1
)

select * from current_version
