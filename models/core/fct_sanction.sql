with source as (
    select * from {{ ref("int_sanction") }}
),

selected as (
    select
        sanction_key,
        decision_key,
        reporting_entity,
        sanction_no,
        reference_area,
        sanction_type,
        sanction_months,
        sanction_suspended,
        sanction_amount,
        sanction_currency,
        submission_id,
        record_id,
        source_sheet,
        source_row
    from source
)

select * from selected
