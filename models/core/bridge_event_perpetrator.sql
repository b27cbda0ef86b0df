with source as (
    select * from {{ ref("int_perpetrator_in_event") }}
),

selected as (
    select
        event_perpetrator_key,
        event_key,
        perpetrator_key,
        reporting_entity,
        reference_area,
        registration_date,
        intoxication,
        organised_group,
        submission_id,
        record_id,
        source_sheet,
        source_row
    from source
)

select * from selected
