with entities as (
    select * from {{ ref("base_reporting_entity") }}
),

renamed as (
    select
        -- ids
        reporting_entity,
        parent as parent_entity,
        -- codes
        entity_type,
        {{ source_type("entity_type") }} as source_type,
        reference_area,
        coalesce(confidential, false) as confidential,
        -- texts
        name as entity_name
    from entities
)

select * from renamed
