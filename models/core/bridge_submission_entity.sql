with submission_entities as (
    select * from {{ ref("stg_submission_entity") }}
),

submissions as (
    select * from {{ ref("stg_submission") }}
),

covered as (
    select
        submission_entities.submission_id,
        submission_entities.reporting_entity,
        submission_entities.measure
    from submission_entities
    union
    -- a return that names no entity covers its sender
    select
        submissions.submission_id,
        submissions.sender as reporting_entity,
        '' as measure
    from submissions
    left join submission_entities
        on submissions.submission_id = submission_entities.submission_id
    where submission_entities.submission_id is null
)

select * from covered
