with source as (
    select * from {{ ref("int_contact") }}
),

selected as (
    select
        contact_key,
        reporting_entity,
        contact_ref,
        reference_area,
        contact_date,
        contact_channel,
        contact_subject,
        contact_topic,
        contact_urgency,
        contact_origin,
        anonymous,
        contact_area,
        submission_id,
        record_id,
        source_sheet,
        source_row
    from source
)

select * from selected
