with source as (
    select * from {{ ref("int_victim_control") }}
),

selected as (
    select
        victim_event_key,
        code as control
    from source
)

select * from selected
