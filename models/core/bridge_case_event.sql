with source as (
    select * from {{ ref("int_case_event") }}
),

selected as (
    select
        case_key,
        event_key,
        link_rule,
        linked_by,
        case_submission_id,
        event_submission_id,
        n_records
    from source
)

select * from selected
