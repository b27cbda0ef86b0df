with source as (
    select * from {{ ref("stg_build") }}
),

selected as (
    select
        build_id,
        tipstat_version,
        seed_digest,
        as_of,
        built_at
    from source
)

select * from selected
