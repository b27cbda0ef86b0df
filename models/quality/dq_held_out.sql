with held_out as (
    select * from {{ ref("fct_held_out") }}
),

submissions as (
    select * from {{ ref("dim_submission") }}
),

named as (
    select
        held_out.submission_id,
        submissions.sender,
        held_out.kind,
        held_out.record_type,
        held_out.source_type,
        held_out.reference_area,
        held_out.held_out_rule,
        held_out.period_start,
        held_out.period_end,
        held_out.n_records
    from held_out
    inner join submissions on held_out.submission_id = submissions.submission_id
)

select * from named
