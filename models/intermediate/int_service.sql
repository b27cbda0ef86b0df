{{ config(materialized="view") }}

with records as (
    select * from {{ ref("stg_service_service") }}
),

versions as (
    {{ versions("records", ["service_key"]) }}
),

current_version as (
    select
        versions.service_key,
        versions.victim_key,
        versions.reporting_entity,
        versions.service_no,
        versions.reference_area,
        versions.service_category,
        versions.service_phase,
        versions.service_start_date,
        versions.service_end_date,
        versions.service_outcome,
        versions.submission_id,
        versions.record_id,
        versions.source_sheet,
        versions.source_row
    from versions
    where versions.version_no = 1
)

select * from current_version
