with submission_entities as (
    select * from {{ ref("base_submission_entity") }}
),

renamed as (
    select
        submission_id,
        reporting_entity,
        coalesce(scope, '') as measure
    from submission_entities
)

select * from renamed
