{{ config(materialized="view") }}

with records as (
    select * from {{ ref("stg_court_sanction") }}
),

versions as (
    {{ versions("records", ["sanction_key"]) }}
),

current_version as (
    select
        versions.sanction_key,
        versions.decision_key,
        versions.reporting_entity,
        versions.sanction_no,
        versions.sanction_type,
        versions.sanction_months,
        versions.sanction_suspended,
        versions.sanction_amount,
        versions.sanction_currency,
        versions.reference_area,
        versions.submission_id,
        versions.record_id,
        versions.source_sheet,
        versions.source_row
    from versions
    where versions.version_no = 1
)

select * from current_version
