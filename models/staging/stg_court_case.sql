with records as (
    select * from {{ ref("base_court_case") }}
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
            "case",
            [
                "records.reporting_entity",
                "records.case_issuer",
                "records.case_ref",
            ],
        ) }} as case_key,
        records.reporting_entity,
        records.case_issuer,
        records.case_ref,
        records.origin_case_issuer,
        records.origin_case_ref,
        -- codes
        coalesce(records.case_status, '_N') as case_status,
        -- dates
        records.case_opened_date,
        coalesce(records.case_opened_date_state, 'not_collected') as case_opened_date_state,
        -- submission
        submissions.sequence as submission_sequence,
        submissions.reference_area,
        submissions.period_end as submission_period_end
    from records
    inner join submissions on records.submission_id = submissions.submission_id
    where records.record_state = 'accepted'
)

select * from accepted
