with source as (
    select * from {{ ref("int_victim_recruitment") }}
),

selected as (
    select
        victim_event_key,
        code as recruitment_method
    from source
)

select * from selected
