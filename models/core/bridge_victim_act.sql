with source as (
    select * from {{ ref("int_victim_act") }}
),

selected as (
    select
        victim_event_key,
        code as act,
        attribution
    from source
)

select * from selected
