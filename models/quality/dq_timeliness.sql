-- Days from the end of the period of a return to its arrival (ESS TP1), and from the day on which
-- it was due, by submission.
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
            as n_days,
        submissions.due_date,
        {{ days_between("submissions.due_date", "cast(submissions.received_at as date)") }}
            as n_days_late
    from submissions
    left join entities on submissions.sender = entities.reporting_entity
)

select * from timed
