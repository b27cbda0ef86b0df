with source as (
    select * from {{ ref("int_perpetrator_status") }}
),

selected as (
    select
        perpetrator_status_key,
        event_perpetrator_key,
        perpetrator_key,
        justice_status,
        status_date,
        known_date,
        age_of_status as recency,
        age_of_status = 1 as is_latest,
        submission_id
    from source
)

select * from selected
