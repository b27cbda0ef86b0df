-- Events and cases that shared case references hold together, directly or over others: connected
-- components in a fixed number of rounds. A group joins nothing: events are merged or split only
-- by a logged decision (STATISTICS section 1). Where the rounds were not enough, the parts of a
-- group stay apart, are marked, and are counted in dq_link_blocked.
with links as (
    select * from {{ ref("int_case_event") }}
),

edges_1 as {{ materialized() }} (
    select
        {{ short_key("links.case_key") }} as from_node,
        {{ short_key("links.event_key") }} as to_node
    from links
    union all
    select
        {{ short_key("links.event_key") }} as from_node,
        {{ short_key("links.case_key") }} as to_node
    from links
),

{{ connected_components(var("link_rounds")) }},

unsettled as (
    select distinct edges_{{ var("link_rounds") | int + 1 }}.from_node as group_node
    from edges_{{ var("link_rounds") | int + 1 }}
),

members as (
    select
        links.case_key as member_key,
        'CASE' as member_type,
        {{ short_key("links.case_key") }} as node
    from links
    union
    select
        links.event_key as member_key,
        'EVENT' as member_type,
        {{ short_key("links.event_key") }} as node
    from links
),

labelled as (
    select
        members.member_key,
        members.member_type,
        components.label,
        min(members.member_key) over (partition by components.label) as first_member
    from members
    inner join components on members.node = components.node
),

grouped as (
    select
        {{ key("link_group", ["labelled.first_member"]) }} as link_group,
        labelled.member_type,
        labelled.member_key,
        unsettled.group_node is null as is_complete
    from labelled
    left join unsettled on labelled.label = unsettled.group_node
)

select * from grouped
