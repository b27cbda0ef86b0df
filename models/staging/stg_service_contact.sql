with records as (
    select * from {{ ref("base_service_contact") }}
),

submissions as (
    select * from {{ ref("base_submission") }}
),

accepted as (
    select
        -- ids
        records.submission_id,
        records.record_id,
        records.source_sheet,
        records.source_row,
        {{ key(
            "contact",
            [
                "records.reporting_entity",
                "records.contact_ref",
            ],
        ) }} as contact_key,
        records.reporting_entity,
        records.contact_ref,
        records.contact_area,
        -- codes
        coalesce(records.contact_channel, '_N') as contact_channel,
        coalesce(records.contact_subject, '_N') as contact_subject,
        coalesce(records.contact_topic, '_N') as contact_topic,
        coalesce(records.contact_urgency, '_N') as contact_urgency,
        coalesce(records.contact_origin, '_N') as contact_origin,
        coalesce(records.anonymous, '_N') as anonymous,
        -- dates
        records.contact_date,
        coalesce(records.contact_date_state, 'not_collected') as contact_date_state,
        -- submission
        submissions.sequence as submission_sequence,
        submissions.reference_area,
        submissions.period_end as submission_period_end
    from records
    inner join submissions on records.submission_id = submissions.submission_id
    where records.record_state = 'accepted'
)

select * from accepted
