with records as (
    select * from {{ ref("int_perpetrator_record") }}
),

age_map as (
    select * from {{ ref("map_age_band") }}
),

versions as (
    {{ versions("records", ["perpetrator_key"]) }}
),

dated as (
    select
        versions.*,
        min(versions.registration_date) over (
            partition by versions.perpetrator_key
        ) as first_registration_date,
        coalesce(
            versions.legal_status in ('LEGAL_PRIVATE', 'LEGAL_PUBLIC', 'OTHER_ENTITY'), false
        ) as is_legal_entity
    from versions
),

current_version as (
    select
        dated.perpetrator_key,
        dated.record_kind,
        dated.reference_area,
        dated.reporting_entity,
        dated.perpetrator_ref,
        case when dated.is_legal_entity then null else dated.person_key end as person_key,
        dated.first_registration_date,
        dated.legal_status,
        dated.is_legal_entity,
        case when dated.is_legal_entity then '_Z' else dated.sex end as sex,
        case when dated.is_legal_entity then null else dated.age end as age,
        case
            when dated.is_legal_entity then '_Z'
            else {{ age_band("dated.age", "dated.age_group") }}
        end as age_group,
        case
            when dated.is_legal_entity then '_Z'
            else {{ age2("dated.age", "age_map.age2") }}
        end as age2,
        dated.citizenship,
        case
            when dated.is_legal_entity then '_Z' else dated.economic_activity_status
        end as economic_activity_status,
        dated.repeat_offender,
        dated.submission_id,
        dated.record_id,
        dated.source_sheet,
        dated.source_row
    from dated
    left join age_map on dated.age_group = age_map.age_group
    where dated.version_no = 1
)

select * from current_version
