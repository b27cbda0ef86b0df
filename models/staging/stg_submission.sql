with submissions as (
    select * from {{ ref("base_submission") }}
),

renamed as (
    select
        -- ids
        submission_id,
        sender,
        earlier_submission,
        layout_id,
        -- codes
        kind,
        reference_area,
        maturity,
        intent,
        coalesce(status_scope, '_N') as status_scope,
        coalesce(deduplication, '_N') as deduplication,
        coalesce(offence_rule, '_N') as offence_rule,
        coalesce(attempts_included, '_N') as attempts_included,
        coalesce(threats_included, '_N') as threats_included,
        coalesce(aiding_included, '_N') as aiding_included,
        coalesce(accomplices_included, '_N') as accomplices_included,
        coalesce(conspiracy_included, '_N') as conspiracy_included,
        coalesce(incitement_included, '_N') as incitement_included,
        coalesce(age_moment, '_N') as age_moment,
        coalesce(area_covered, '_N') as area_covered,
        coalesce(nil_return, false) as nil_return,
        -- numbers
        sequence as submission_sequence,
        cast(units_in_scope as integer) as units_in_scope,
        cast(units_silent as integer) as units_silent,
        -- dates
        period_start,
        period_end,
        received_at,
        due_date
    from submissions
)

select * from renamed
