{{ config(materialized="view") }}

with records as (
    select * from {{ ref("stg_service_contact") }}
),

versions as (
    {{ versions("records", ["contact_key"]) }}
),

current_version as (
    select
        versions.contact_key,
        versions.reporting_entity,
        versions.contact_ref,
        versions.reference_area,
        versions.contact_date,
        versions.contact_channel,
        versions.contact_subject,
        versions.contact_topic,
        versions.contact_urgency,
        versions.contact_origin,
        versions.anonymous,
        versions.contact_area,
        versions.submission_id,
        versions.record_id,
        versions.source_sheet,
        versions.source_row
    from versions
    where versions.version_no = 1
)

select * from current_version
