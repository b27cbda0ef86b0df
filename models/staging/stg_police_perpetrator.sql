with records as (
    select * from {{ ref("base_police_perpetrator") }}
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
            "perpetrator",
            [
                "records.reporting_entity",
                "records.perpetrator_ref",
            ],
        ) }} as perpetrator_key,
        {{ key("event", ["records.reporting_entity", "records.event_ref"]) }} as event_key,
        records.reporting_entity,
        records.event_ref,
        records.perpetrator_ref,
        records.person_key,
        -- codes
        coalesce(records.justice_status, '_N') as justice_status,
        coalesce(records.legal_status, '_N') as legal_status,
        coalesce(records.sex, '_N') as sex,
        coalesce(records.age_group, '_N') as age_group,
        coalesce(records.citizenship, '_N') as citizenship,
        coalesce(records.role, '_N') as role,
        coalesce(records.intoxication, '_N') as intoxication,
        coalesce(records.economic_activity_status, '_N') as economic_activity_status,
        coalesce(records.repeat_offender, '_N') as repeat_offender,
        coalesce(records.organised_group, '_N') as organised_group,
        -- numbers
        cast(records.age as integer) as age,
        coalesce(records.age_state, 'not_collected') as age_state,
        -- dates
        records.registration_date,
        coalesce(records.registration_date_state, 'not_collected') as registration_date_state,
        records.justice_status_date,
        coalesce(records.justice_status_date_state, 'not_collected') as justice_status_date_state,
        -- submission
        submissions.sequence as submission_sequence,
        submissions.reference_area,
        submissions.period_end as submission_period_end
    from records
    inner join submissions on records.submission_id = submissions.submission_id
    where records.record_state = 'accepted'
)

select * from accepted
