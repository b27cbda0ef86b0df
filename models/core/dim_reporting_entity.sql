with source as (
    select * from {{ ref("stg_reporting_entity") }}
),

selected as (
    select
        reporting_entity,
        parent_entity,
        entity_name,
        entity_type,
        source_type,
        reference_area,
        confidential
    from source
)

select * from selected
