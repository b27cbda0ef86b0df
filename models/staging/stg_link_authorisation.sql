with authorisations as (
    select * from {{ ref("base_link_authorisation") }}
),

renamed as (
    select
        authorisation_id,
        least(entity_a, entity_b) as entity_low,
        greatest(entity_a, entity_b) as entity_high,
        purpose,
        valid_from,
        expires_on
    from authorisations
)

select * from renamed
