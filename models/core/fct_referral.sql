with source as (
    select * from {{ ref("int_referral") }}
),

selected as (
    select
        referral_key,
        victim_key,
        reporting_entity,
        referral_no,
        reference_area,
        referral_date,
        referral_direction,
        other_entity_type,
        referral_reason,
        submission_id,
        record_id,
        source_sheet,
        source_row
    from source
)

select * from selected
