-- Links that were not made, by pair of entities and reason; no person or case is named.
with links as (
    select * from {{ ref("int_person_link") }}
),

cases as (
    select * from {{ ref("int_case") }}
),

events as (
    select * from {{ ref("int_event") }}
),

link_groups as (
    select * from {{ ref("int_link_group") }}
),

person_pairs as (
    select
        one.reporting_entity as entity_a,
        other.reporting_entity as entity_b,
        case
            when one.link_state = 'blocked' and other.link_state = 'blocked'
                then 'person key shared by entities not all of which may be linked'
            else 'person key shared without a valid authorisation'
        end as reason,
        one.person_key
    from links as one
    inner join links as other
        on
            one.person_key = other.person_key
            and one.reporting_entity < other.reporting_entity
            and one.person_id <> other.person_id
),

case_uses as (
    select
        cases.reporting_entity,
        cases.case_ref
    from cases
    where cases.case_ref is not null
    union all
    select
        cases.reporting_entity,
        cases.origin_case_ref as case_ref
    from cases
    where cases.origin_case_ref is not null
    union all
    select
        events.reporting_entity,
        events.case_ref
    from events
    where events.case_ref is not null
),

common_references as (
    select
        case_uses.case_ref,
        min(case_uses.reporting_entity) as entity_a,
        max(case_uses.reporting_entity) as entity_b
    from case_uses
    group by case_uses.case_ref
    having count(*) > {{ var("case_reference_limit") }}
),

common_keys as (
    select
        links.person_key,
        min(links.reporting_entity) as entity_a,
        max(links.reporting_entity) as entity_b
    from links
    where links.link_state = 'overused'
    group by links.person_key
),

unfinished_groups as (
    select
        link_groups.link_group,
        min(coalesce(cases.reporting_entity, events.reporting_entity)) as entity_a,
        max(coalesce(cases.reporting_entity, events.reporting_entity)) as entity_b
    from link_groups
    left join cases
        on link_groups.member_key = cases.case_key and link_groups.member_type = 'CASE'
    left join events
        on link_groups.member_key = events.event_key and link_groups.member_type = 'EVENT'
    where not link_groups.is_complete
    group by link_groups.link_group
),

blocked as (
    select
        person_pairs.entity_a,
        person_pairs.entity_b,
        person_pairs.reason,
        count(*) as n_groups
    from person_pairs
    group by person_pairs.entity_a, person_pairs.entity_b, person_pairs.reason
    union all
    select
        common_references.entity_a,
        common_references.entity_b,
        'case reference on too many records' as reason,
        count(*) as n_groups
    from common_references
    group by common_references.entity_a, common_references.entity_b
    union all
    select
        common_keys.entity_a,
        common_keys.entity_b,
        'person key on too many records' as reason,
        count(*) as n_groups
    from common_keys
    group by common_keys.entity_a, common_keys.entity_b
    union all
    select
        unfinished_groups.entity_a,
        unfinished_groups.entity_b,
        'linked events and cases not brought together in the rounds allowed' as reason,
        count(*) as n_groups
    from unfinished_groups
    group by unfinished_groups.entity_a, unfinished_groups.entity_b
)

select * from blocked
