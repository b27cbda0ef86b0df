{{ config(materialized="view") }}

with records as (
    select * from {{ ref("stg_service_status_decision") }}
),

versions as (
    {{ versions("records", ["status_decision_key"]) }}
),

current_version as (
    select
        versions.status_decision_key,
        versions.victim_key,
        versions.reporting_entity,
        versions.status_no,
        versions.reference_area,
        versions.victim_status,
        versions.victim_status_date,
        versions.status_decided_by,
        versions.status_stage,
        versions.submission_id,
        versions.record_id,
        versions.source_sheet,
        versions.source_row
    from versions
    where versions.version_no = 1
)

select * from current_version
