with source as (
    select * from {{ ref("int_event_status") }}
),

selected as (
    select
        event_status_key,
        event_key,
        event_status,
        status_date,
        known_date,
        age_of_status as recency,
        age_of_status = 1 as is_latest,
        submission_id
    from source
)

select * from selected
