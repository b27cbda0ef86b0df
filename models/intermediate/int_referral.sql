{{ config(materialized="view") }}

with records as (
    select * from {{ ref("stg_service_referral") }}
),

versions as (
    {{ versions("records", ["referral_key"]) }}
),

current_version as (
    select
        versions.referral_key,
        versions.victim_key,
        versions.reporting_entity,
        versions.referral_no,
        versions.reference_area,
        versions.referral_date,
        versions.referral_direction,
        versions.other_entity_type,
        versions.referral_reason,
        versions.submission_id,
        versions.record_id,
        versions.source_sheet,
        versions.source_row
    from versions
    where versions.version_no = 1
)

select * from current_version
