with records as (
    select * from {{ ref("base_service_status_decision") }}
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
            "status_decision",
            [
                "records.reporting_entity",
                "records.victim_ref",
                "records.status_no",
            ],
        ) }} as status_decision_key,
        {{ key("victim", ["records.reporting_entity", "records.victim_ref"]) }} as victim_key,
        records.reporting_entity,
        records.victim_ref,
        -- codes
        coalesce(records.victim_status, '_N') as victim_status,
        coalesce(records.status_decided_by, '_N') as status_decided_by,
        coalesce(records.status_stage, '_N') as status_stage,
        -- numbers
        cast(records.status_no as integer) as status_no,
        coalesce(records.status_no_state, 'not_collected') as status_no_state,
        -- dates
        records.victim_status_date,
        coalesce(records.victim_status_date_state, 'not_collected') as victim_status_date_state,
        -- submission
        submissions.sequence as submission_sequence,
        submissions.reference_area,
        submissions.period_end as submission_period_end
    from records
    inner join submissions on records.submission_id = submissions.submission_id
    where records.record_state = 'accepted'
)

select * from accepted
