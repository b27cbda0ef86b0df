with records as (
    select * from {{ ref("base_court_charge") }}
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
            "charge",
            [
                "records.reporting_entity",
                "records.case_issuer",
                "records.case_ref",
                "records.defendant_ref",
                "records.charge_no",
            ],
        ) }} as charge_key,
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
        coalesce(records.legal_article, '_N') as legal_article,
        coalesce(records.iccs_code, '_N') as iccs_code,
        coalesce(records.charge_status, '_N') as charge_status,
        coalesce(records.attempted_completed, '_N') as attempted_completed,
        coalesce(records.purpose, '_N') as purpose,
        -- numbers
        cast(records.charge_no as integer) as charge_no,
        coalesce(records.charge_no_state, 'not_collected') as charge_no_state,
        -- dates
        records.charge_date,
        coalesce(records.charge_date_state, 'not_collected') as charge_date_state,
        -- submission
        submissions.sequence as submission_sequence,
        submissions.reference_area,
        submissions.period_end as submission_period_end
    from records
    inner join submissions on records.submission_id = submissions.submission_id
    where records.record_state = 'accepted'
)

select * from accepted
