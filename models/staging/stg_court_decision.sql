with records as (
    select * from {{ ref("base_court_decision") }}
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
            "decision",
            [
                "records.reporting_entity",
                "records.case_issuer",
                "records.case_ref",
                "records.defendant_ref",
                "records.decision_no",
            ],
        ) }} as decision_key,
        {{ key(
            "case",
            [
                "records.reporting_entity",
                "records.case_issuer",
                "records.case_ref",
            ],
        ) }} as case_key,
        {{ key(
            "defendant",
            [
                "records.reporting_entity",
                "records.defendant_ref",
            ],
        ) }} as perpetrator_key,
        records.reporting_entity,
        records.case_issuer,
        records.case_ref,
        records.defendant_ref,
        -- codes
        coalesce(records.decision_stage, '_N') as decision_stage,
        coalesce(records.instance, '_N') as instance,
        coalesce(records.outcome, '_N') as outcome,
        coalesce(records.final, '_N') as final,
        -- numbers
        cast(records.decision_no as integer) as decision_no,
        coalesce(records.decision_no_state, 'not_collected') as decision_no_state,
        cast(records.charge_no as integer) as charge_no,
        coalesce(records.charge_no_state, 'not_collected') as charge_no_state,
        -- dates
        records.decision_date,
        coalesce(records.decision_date_state, 'not_collected') as decision_date_state,
        -- submission
        submissions.sequence as submission_sequence,
        submissions.reference_area,
        submissions.period_end as submission_period_end
    from records
    inner join submissions on records.submission_id = submissions.submission_id
    where records.record_state = 'accepted'
)

select * from accepted
