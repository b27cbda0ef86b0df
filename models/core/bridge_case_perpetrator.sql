with source as (
    select * from {{ ref("int_perpetrator_in_case") }}
),

selected as (
    select
        case_perpetrator_key,
        case_key,
        perpetrator_key,
        reporting_entity,
        reference_area,
        registration_date,
        intoxication,
        submission_id,
        record_id,
        source_sheet,
        source_row
    from source
)

select * from selected
