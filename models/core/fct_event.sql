with events as (
    select * from {{ ref("int_event") }}
),

latest_status as (
    select * from {{ ref("int_event_status") }}
    where age_of_status = 1
),

with_status as (
    select
        events.event_key,
        events.event_basis,
        events.reporting_entity,
        events.event_ref,
        events.reference_area,
        events.event_registration_date,
        {{ year_text("events.event_registration_date") }} as event_registration_year,
        coalesce(latest_status.event_status, '_U') as event_status,
        events.event_start_date,
        events.event_end_date,
        events.case_issuer,
        events.case_ref,
        events.exploitation_country,
        events.cross_border,
        events.purpose as event_purpose,
        events.act as event_act,
        events.means as event_means,
        events.event_area,
        events.weapon,
        events.situational_context,
        events.location_type,
        events.motive,
        events.cybercrime,
        events.reported_by,
        events.submission_id,
        events.record_id,
        events.source_sheet,
        events.source_row
    from events
    left join latest_status on events.event_key = latest_status.event_key
)

select * from with_status
