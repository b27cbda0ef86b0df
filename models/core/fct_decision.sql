with source as (
    select * from {{ ref("int_decision") }}
),

selected as (
    select
        decision_key,
        case_perpetrator_key,
        case_key,
        perpetrator_key,
        charge_key,
        reporting_entity,
        decision_no,
        reference_area,
        decision_date,
        decision_stage,
        instance,
        outcome,
        is_final,
        submission_id,
        record_id,
        source_sheet,
        source_row
    from source
)

select * from selected
