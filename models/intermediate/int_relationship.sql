{{ config(materialized="view") }}

with records as (
    select * from {{ ref("stg_police_relationship") }}
),

versions as (
    {{ versions("records", ["event_key", "victim_key", "perpetrator_key"]) }}
),

current_version as (
    select
        versions.event_key,
        versions.victim_key,
        versions.perpetrator_key,
        versions.reporting_entity,
        versions.relationship,
        versions.submission_id,
        versions.record_id,
        versions.source_sheet,
        versions.source_row
    from versions
    where versions.version_no = 1
)

select * from current_version
