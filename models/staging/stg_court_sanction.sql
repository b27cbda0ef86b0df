with records as (
    select * from {{ ref("base_court_sanction") }}
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
            "sanction",
            [
                "records.reporting_entity",
                "records.case_issuer",
                "records.case_ref",
                "records.defendant_ref",
                "records.decision_no",
                "records.sanction_no",
            ],
        ) }} as sanction_key,
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
        records.reporting_entity,
        records.case_issuer,
        records.case_ref,
        records.defendant_ref,
        -- codes
        coalesce(records.sanction_type, '_N') as sanction_type,
        coalesce(records.sanction_suspended, '_N') as sanction_suspended,
        coalesce(records.sanction_currency, '_N') as sanction_currency,
        -- numbers
        cast(records.decision_no as integer) as decision_no,
        coalesce(records.decision_no_state, 'not_collected') as decision_no_state,
        cast(records.sanction_no as integer) as sanction_no,
        coalesce(records.sanction_no_state, 'not_collected') as sanction_no_state,
        cast(records.sanction_months as integer) as sanction_months,
        coalesce(records.sanction_months_state, 'not_collected') as sanction_months_state,
        records.sanction_amount,
        coalesce(records.sanction_amount_state, 'not_collected') as sanction_amount_state,
        -- submission
        submissions.sequence as submission_sequence,
        submissions.reference_area,
        submissions.period_end as submission_period_end
    from records
    inner join submissions on records.submission_id = submissions.submission_id
    where records.record_state = 'accepted'
)

select * from accepted
