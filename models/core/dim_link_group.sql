with members as (
    select * from {{ ref("int_link_group") }}
),

link_groups as (
    select
        members.link_group,
        sum(case when members.member_type = 'EVENT' then 1 else 0 end) as n_events,
        sum(case when members.member_type = 'CASE' then 1 else 0 end) as n_cases,
        min(case when members.is_complete then 1 else 0 end) = 1 as is_complete
    from members
    group by members.link_group
),

typed as (
    select
        link_groups.link_group,
        cast(link_groups.n_events as bigint) as n_events,
        cast(link_groups.n_cases as bigint) as n_cases,
        link_groups.is_complete
    from link_groups
)

select * from typed
