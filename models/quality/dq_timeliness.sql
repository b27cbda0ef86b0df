-- Days from the end of the period of a return to its arrival (ESS TP1), by submission.
with submissions as (
    select * from {{ ref("dim_submission") }}
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

timed as (
    select
        submissions.submission_id,
        submissions.sender,
        entities.source_type,
        submissions.kind,
        submissions.reference_area,
        submissions.period_start,
        submissions.period_end,
        submissions.received_at,
        {{ days_between("submissions.period_end", "cast(submissions.received_at as date)") }}
            as n_days
    from submissions
    left join entities on submissions.sender = entities.reporting_entity
)

select * from timed
