with records as (
    select * from {{ ref("base_service_service") }}
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
            "service",
            [
                "records.reporting_entity",
                "records.victim_ref",
                "records.service_no",
            ],
        ) }} as service_key,
        {{ key("victim", ["records.reporting_entity", "records.victim_ref"]) }} as victim_key,
        records.reporting_entity,
        records.victim_ref,
        -- codes
        coalesce(records.service_category, '_N') as service_category,
        coalesce(records.service_phase, '_N') as service_phase,
        coalesce(records.service_outcome, '_N') as service_outcome,
        -- numbers
        cast(records.service_no as integer) as service_no,
        coalesce(records.service_no_state, 'not_collected') as service_no_state,
        -- dates
        records.service_start_date,
        coalesce(records.service_start_date_state, 'not_collected') as service_start_date_state,
        records.service_end_date,
        coalesce(records.service_end_date_state, 'not_collected') as service_end_date_state,
        -- submission
        submissions.sequence as submission_sequence,
        submissions.reference_area,
        submissions.period_end as submission_period_end
    from records
    inner join submissions on records.submission_id = submissions.submission_id
    where records.record_state = 'accepted'
)

select * from accepted
