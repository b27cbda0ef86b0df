with source as (
    select * from {{ ref("int_charge") }}
),

selected as (
    select
        charge_key,
        case_perpetrator_key,
        case_key,
        perpetrator_key,
        reporting_entity,
        charge_no,
        reference_area,
        charge_date,
        legal_article,
        iccs_code,
        iccs_basis,
        iccs_code_sent,
        relation,
        is_tip,
        charge_status,
        attempted_completed,
        purpose as charge_purpose,
        submission_id,
        record_id,
        source_sheet,
        source_row
    from source
)

select * from selected
