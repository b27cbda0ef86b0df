-- Held-out records by the type of source that sent them: of the reporting entity where it is known,
-- else of the sender.
with held_out as (
    select * from {{ ref("stg_held_out") }}
),

submissions as (
    select * from {{ ref("stg_submission") }}
),

entities as (
    select * from {{ ref("stg_reporting_entity") }}
),

placed as (
    select
        held_out.submission_id,
        held_out.kind,
        held_out.record_type,
        held_out.held_out_rule,
        submissions.reference_area,
        coalesce(entities.source_type, senders.source_type, 'other') as source_type,
        submissions.period_start,
        submissions.period_end,
        cast(sum(held_out.n_records) as bigint) as n_records
    from held_out
    inner join submissions on held_out.submission_id = submissions.submission_id
    left join entities on held_out.reporting_entity = entities.reporting_entity
    left join entities as senders on submissions.sender = senders.reporting_entity
    group by
        held_out.submission_id,
        held_out.kind,
        held_out.record_type,
        held_out.held_out_rule,
        submissions.reference_area,
        coalesce(entities.source_type, senders.source_type, 'other'),
        submissions.period_start,
        submissions.period_end
)

select * from placed
