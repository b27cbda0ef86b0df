with records as (
    select * from {{ ref("base_police_offence") }}
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
            "offence",
            [
                "records.reporting_entity",
                "records.event_ref",
                "records.offence_no",
            ],
        ) }} as offence_key,
        {{ key("event", ["records.reporting_entity", "records.event_ref"]) }} as event_key,
        records.reporting_entity,
        records.event_ref,
        -- codes
        coalesce(records.legal_article, '_N') as legal_article,
        coalesce(records.iccs_code, '_N') as iccs_code,
        coalesce(records.attempted_completed, '_N') as attempted_completed,
        coalesce(records.principal_offence, '_N') as principal_offence,
        -- numbers
        cast(records.offence_no as integer) as offence_no,
        coalesce(records.offence_no_state, 'not_collected') as offence_no_state,
        cast(records.offence_count as integer) as offence_count,
        coalesce(records.offence_count_state, 'not_collected') as offence_count_state,
        -- submission
        submissions.sequence as submission_sequence,
        submissions.reference_area,
        submissions.period_end as submission_period_end
    from records
    inner join submissions on records.submission_id = submissions.submission_id
    where records.record_state = 'accepted'
)

select * from accepted
