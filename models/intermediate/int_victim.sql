with records as (
    select * from {{ ref("int_victim_record") }}
),

versions as (
    {{ versions("records", ["victim_key"]) }}
),

dated as (
    select
        versions.*,
        min(versions.registration_date) over (
            partition by versions.victim_key
        ) as earliest_registration_date
    from versions
),

current_version as (
    select
        dated.victim_key,
        dated.reference_area,
        dated.reporting_entity,
        dated.victim_ref,
        dated.person_key,
        dated.earliest_registration_date as first_registration_date,
        dated.sex,
        dated.citizenship,
        dated.gender,
        dated.birth_country,
        dated.education,
        dated.marital_status,
        dated.disability,
        dated.submission_id,
        dated.record_id,
        dated.source_sheet,
        dated.source_row
    from dated
    where dated.version_no = 1
)

select * from current_version
