with source as (
    select * from {{ ref("int_person_role") }}
),

selected as (
    select
        person_id,
        person_role,
        role_key,
        reporting_entity,
        submission_id,
        link_state,
        link_rule,
        authorisation_ids
    from source
)

select * from selected
