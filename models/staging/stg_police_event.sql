with records as (
    select * from {{ ref("base_police_event") }}
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
        {{ key("event", ["records.reporting_entity", "records.event_ref"]) }} as event_key,
        records.reporting_entity,
        records.event_ref,
        records.case_issuer,
        records.case_ref,
        records.event_area,
        -- codes
        coalesce(records.event_status, '_N') as event_status,
        coalesce(records.exploitation_country, '_N') as exploitation_country,
        coalesce(records.cross_border, '_N') as cross_border,
        coalesce(records.purpose, '_N') as purpose,
        coalesce(records.act, '_N') as act,
        coalesce(records.means, '_N') as means,
        coalesce(records.weapon, '_N') as weapon,
        coalesce(records.situational_context, '_N') as situational_context,
        coalesce(records.location_type, '_N') as location_type,
        coalesce(records.motive, '_N') as motive,
        coalesce(records.cybercrime, '_N') as cybercrime,
        coalesce(records.reported_by, '_N') as reported_by,
        -- dates
        records.event_registration_date,
        coalesce(records.event_registration_date_state, 'not_collected')
            as event_registration_date_state,
        records.event_status_date,
        coalesce(records.event_status_date_state, 'not_collected') as event_status_date_state,
        records.event_start_date,
        coalesce(records.event_start_date_state, 'not_collected') as event_start_date_state,
        records.event_end_date,
        coalesce(records.event_end_date_state, 'not_collected') as event_end_date_state,
        -- submission
        submissions.sequence as submission_sequence,
        submissions.reference_area,
        submissions.period_end as submission_period_end
    from records
    inner join submissions on records.submission_id = submissions.submission_id
    where records.record_state = 'accepted'
)

select * from accepted
