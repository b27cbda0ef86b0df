with records as (
    select * from {{ ref("base_service_referral") }}
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
            "referral",
            [
                "records.reporting_entity",
                "records.victim_ref",
                "records.referral_no",
            ],
        ) }} as referral_key,
        {{ key("victim", ["records.reporting_entity", "records.victim_ref"]) }} as victim_key,
        records.reporting_entity,
        records.victim_ref,
        -- codes
        coalesce(records.referral_direction, '_N') as referral_direction,
        coalesce(records.other_entity_type, '_N') as other_entity_type,
        coalesce(records.referral_reason, '_N') as referral_reason,
        -- numbers
        cast(records.referral_no as integer) as referral_no,
        coalesce(records.referral_no_state, 'not_collected') as referral_no_state,
        -- dates
        records.referral_date,
        coalesce(records.referral_date_state, 'not_collected') as referral_date_state,
        -- submission
        submissions.sequence as submission_sequence,
        submissions.reference_area,
        submissions.period_end as submission_period_end
    from records
    inner join submissions on records.submission_id = submissions.submission_id
    where records.record_state = 'accepted'
)

select * from accepted
