with source as (
    select * from {{ ref("int_victim_status") }}
),

selected as (
    select
        victim_status_key,
        victim_event_key,
        victim_key,
        victim_status,
        status_date,
        known_date,
        status_decided_by,
        status_stage,
        age_of_status as recency,
        age_of_status = 1 as is_latest,
        reporting_entity,
        submission_id
    from source
)

select * from selected
