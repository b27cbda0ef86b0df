with source as (
    select * from {{ ref("int_status_decision") }}
),

selected as (
    select
        status_decision_key,
        victim_key,
        reporting_entity,
        status_no,
        reference_area,
        victim_status,
        victim_status_date,
        status_decided_by,
        status_stage,
        submission_id,
        record_id,
        source_sheet,
        source_row
    from source
)

select * from selected
