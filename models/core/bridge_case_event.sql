with source as (
    select * from {{ ref("int_case_event") }}
),

selected as (
    select
        case_key,
        event_key,
        linked_by
    from source
)

select * from selected
