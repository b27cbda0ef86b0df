with source as (
    select * from {{ ref("int_victim_means") }}
),

selected as (
    select
        victim_event_key,
        code as means,
        attribution
    from source
)

select * from selected
