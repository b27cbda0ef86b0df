with source as (
    select * from {{ ref("int_person_role") }}
),

selected as (
    select
        person_id,
        person_role,
        role_key,
        reporting_entity
    from source
)

select * from selected
