{{ config(materialized="view") }}

with police_perpetrators as (
    select * from {{ ref("stg_police_perpetrator") }}
),

defendants as (
    select * from {{ ref("stg_court_defendant") }}
),

united as (
    select
        'police' as record_kind,
        police_perpetrators.submission_id,
        police_perpetrators.record_id,
        police_perpetrators.source_sheet,
        police_perpetrators.source_row,
        police_perpetrators.submission_sequence,
        police_perpetrators.reference_area,
        police_perpetrators.reporting_entity,
        police_perpetrators.perpetrator_ref,
        police_perpetrators.perpetrator_key,
        police_perpetrators.event_key as parent_key,
        police_perpetrators.person_key,
        police_perpetrators.registration_date,
        police_perpetrators.legal_status,
        police_perpetrators.sex,
        police_perpetrators.age,
        police_perpetrators.age_group,
        police_perpetrators.citizenship,
        police_perpetrators.role,
        police_perpetrators.intoxication,
        police_perpetrators.economic_activity_status,
        police_perpetrators.repeat_offender,
        police_perpetrators.organised_group
    from police_perpetrators
    union all
    select
        'court' as record_kind,
        defendants.submission_id,
        defendants.record_id,
        defendants.source_sheet,
        defendants.source_row,
        defendants.submission_sequence,
        defendants.reference_area,
        defendants.reporting_entity,
        defendants.defendant_ref as perpetrator_ref,
        defendants.perpetrator_key,
        defendants.case_key as parent_key,
        defendants.person_key,
        defendants.registration_date,
        defendants.legal_status,
        defendants.sex,
        defendants.age,
        defendants.age_group,
        defendants.citizenship,
        '_Z' as role,
        defendants.intoxication,
        defendants.economic_activity_status,
        defendants.repeat_offender,
        '_N' as organised_group
    from defendants
)

select * from united
