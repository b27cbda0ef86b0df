with held_out as (
    select * from {{ ref("int_held_out") }}
),

selected as (
    select
        submission_id,
        kind,
        record_type,
        held_out_rule,
        source_type,
        reference_area,
        period_start,
        period_end,
        n_records
    from held_out
)

select * from selected
