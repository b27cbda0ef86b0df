with source as (
    select * from {{ ref("int_service") }}
),

selected as (
    select
        service_key,
        victim_key,
        reporting_entity,
        service_no,
        reference_area,
        service_category,
        service_phase,
        service_start_date,
        service_end_date,
        service_outcome,
        submission_id,
        record_id,
        source_sheet,
        source_row
    from source
)

select * from selected
