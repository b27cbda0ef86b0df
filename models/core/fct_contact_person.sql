with source as (
    select * from {{ ref("int_contact_person") }}
),

selected as (
    select
        contact_person_key,
        contact_key,
        reporting_entity,
        contact_ref,
        person_no,
        reference_area,
        contact_role,
        sex,
        gender,
        age,
        age_group,
        age2,
        citizenship,
        disability,
        pregnant,
        submission_id,
        record_id,
        source_sheet,
        source_row
    from source
)

select * from selected
