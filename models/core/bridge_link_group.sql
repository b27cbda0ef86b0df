with source as (
    select * from {{ ref("int_link_group") }}
),

selected as (
    select
        link_group,
        member_type,
        member_key
    from source
)

select * from selected
