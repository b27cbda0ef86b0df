with source as (
    select * from {{ ref("int_victim_sector") }}
),

selected as (
    select
        victim_event_key,
        code as sector
    from source
)

select * from selected
