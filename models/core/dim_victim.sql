with victims as (
    select * from {{ ref("int_victim") }}
),

person_roles as (
    select * from {{ ref("int_person_role") }}
    where person_role = 'VICTIM'
),

identified as (
    select
        victims.victim_key,
        victims.reporting_entity,
        victims.victim_ref,
        victims.reference_area,
        person_roles.person_id,
        person_roles.link_state,
        victims.first_registration_date,
        victims.sex,
        victims.citizenship,
        victims.gender,
        victims.birth_country,
        victims.education,
        victims.marital_status,
        victims.disability,
        victims.submission_id,
        victims.record_id,
        victims.source_sheet,
        victims.source_row
    from victims
    inner join person_roles on victims.victim_key = person_roles.role_key
)

select * from identified
