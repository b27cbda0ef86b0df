with source as (
    select * from {{ ref("stg_submission") }}
),

selected as (
    select
        submission_id,
        sender,
        kind,
        reference_area,
        maturity,
        intent,
        earlier_submission,
        status_scope,
        deduplication,
        offence_rule,
        attempts_included,
        threats_included,
        aiding_included,
        accomplices_included,
        conspiracy_included,
        incitement_included,
        age_moment,
        area_covered,
        nil_return,
        units_in_scope,
        units_silent,
        layout_id,
        period_start,
        period_end,
        received_at,
        due_date,
        submission_sequence
    from source
)

select * from selected
