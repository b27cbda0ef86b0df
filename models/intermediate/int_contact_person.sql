{{ config(materialized="view") }}

with records as (
    select * from {{ ref("stg_service_contact_person") }}
),

age_map as (
    select * from {{ ref("map_age_band") }}
),

versions as (
    {{ versions("records", ["contact_person_key"]) }}
),

current_version as (
    select
        versions.contact_person_key,
        versions.contact_key,
        versions.reporting_entity,
        versions.contact_ref,
        versions.person_no,
        versions.reference_area,
        versions.contact_role,
        versions.sex,
        versions.gender,
        versions.age,
        {{ age_band("versions.age", "versions.age_group") }} as age_group,
        {{ age2("versions.age", "age_map.age2") }} as age2,
        versions.citizenship,
        versions.disability,
        versions.pregnant,
        versions.submission_id,
        versions.record_id,
        versions.source_sheet,
        versions.source_row
    from versions
    left join age_map on versions.age_group = age_map.age_group
    where versions.version_no = 1
)

select * from current_version
