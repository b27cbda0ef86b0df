with builds as (
    select * from {{ ref("base_build") }}
),

renamed as (
    select
        build_id,
        tipstat_version,
        seed_digest,
        as_of,
        built_at
    from builds
)

select * from renamed
