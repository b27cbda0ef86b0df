with source as (
    select * from {{ ref("int_case") }}
),

selected as (
    select
        case_key,
        case_basis,
        reporting_entity,
        case_issuer,
        case_ref,
        origin_case_issuer,
        origin_case_ref,
        reference_area,
        case_opened_date,
        case_status,
        submission_id,
        record_id,
        source_sheet,
        source_row
    from source
)

select * from selected
