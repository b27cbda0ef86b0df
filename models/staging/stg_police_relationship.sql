with records as (
    select * from {{ ref("base_police_relationship") }}
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
        {{ key("victim", ["records.reporting_entity", "records.victim_ref"]) }} as victim_key,
        {{ key(
            "perpetrator",
            [
                "records.reporting_entity",
                "records.perpetrator_ref",
            ],
        ) }} as perpetrator_key,
        records.reporting_entity,
        records.event_ref,
        records.victim_ref,
        records.perpetrator_ref,
        -- codes
        coalesce(records.relationship, '_N') as relationship,
        -- submission
        submissions.sequence as submission_sequence,
        submissions.reference_area,
        submissions.period_end as submission_period_end
    from records
    inner join submissions on records.submission_id = submissions.submission_id
    where records.record_state = 'accepted'
)

select * from accepted
