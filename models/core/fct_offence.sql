with source as (
    select * from {{ ref("int_offence") }}
),

selected as (
    select
        offence_key,
        event_key,
        reporting_entity,
        offence_no,
        reference_area,
        legal_article,
        law_date,
        iccs_code,
        iccs_basis,
        iccs_code_sent,
        relation,
        is_tip,
        attempted_completed,
        offence_count,
        principal_offence,
        submission_id,
        record_id,
        source_sheet,
        source_row
    from source
)

select * from selected
