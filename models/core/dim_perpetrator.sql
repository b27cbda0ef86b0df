with perpetrators as (
    select * from {{ ref("int_perpetrator") }}
),

person_roles as (
    select * from {{ ref("int_person_role") }}
    where person_role <> 'VICTIM'
),

identified as (
    select
        perpetrators.perpetrator_key,
        perpetrators.record_kind,
        perpetrators.reporting_entity,
        perpetrators.perpetrator_ref,
        perpetrators.reference_area,
        person_roles.person_id,
        coalesce(person_roles.link_state, 'legal_entity') as link_state,
        perpetrators.first_registration_date,
        perpetrators.legal_status,
        perpetrators.is_legal_entity,
        perpetrators.sex,
        perpetrators.age,
        perpetrators.age_group,
        perpetrators.age2,
        perpetrators.citizenship,
        perpetrators.economic_activity_status,
        perpetrators.repeat_offender,
        perpetrators.submission_id,
        perpetrators.record_id,
        perpetrators.source_sheet,
        perpetrators.source_row
    from perpetrators
    left join person_roles on perpetrators.perpetrator_key = person_roles.role_key
)

select * from identified
