with source as (
    select * from {{ ref("int_victim_purpose") }}
),

selected as (
    select
        victim_event_key,
        code as form,
        attribution
    from source
)

select * from selected
