-- Entities that share a person key are linked only where their connected component under the valid
-- authorisations is complete: every pair authorised. One round of min-label finds every complete
-- component exactly: its members all neighbour its smallest one. A group that is not complete, or
-- that an authorisation leaves, is a part of an incomplete component, and each entity in it keeps
-- its own person (STATISTICS section 6). A key on more roles than the limit tells no persons apart,
-- whoever sent it (a placeholder, a default of a form), and makes nobody one person.
with nodes as (
    select * from {{ ref("int_person_node") }}
),

authorisations as (
    select * from {{ ref("stg_link_authorisation") }}
),

builds as (
    select * from {{ ref("stg_build") }}
),

valid_authorisations as (
    select
        authorisations.authorisation_id,
        authorisations.entity_low,
        authorisations.entity_high
    from authorisations
    inner join builds
        on
            authorisations.valid_from <= builds.as_of
            and coalesce(authorisations.expires_on, builds.as_of) >= builds.as_of
    where authorisations.entity_low <> authorisations.entity_high
),

valid_pairs as (
    select distinct
        valid_authorisations.entity_low,
        valid_authorisations.entity_high
    from valid_authorisations
),

role_numbers as (
    select
        nodes.person_key,
        sum(nodes.n_roles) as n_roles
    from nodes
    group by nodes.person_key
),

usable_nodes as (
    select
        nodes.person_key,
        nodes.reporting_entity
    from nodes
    inner join role_numbers on nodes.person_key = role_numbers.person_key
    where coalesce(role_numbers.n_roles, 0) <= {{ var("person_key_limit") }}
),

edges as (
    select
        one.person_key,
        one.reporting_entity as from_entity,
        other.reporting_entity as to_entity
    from usable_nodes as one
    inner join usable_nodes as other
        on
            one.person_key = other.person_key
            and one.reporting_entity <> other.reporting_entity
    inner join valid_pairs
        on
            least(one.reporting_entity, other.reporting_entity) = valid_pairs.entity_low
            and greatest(one.reporting_entity, other.reporting_entity) = valid_pairs.entity_high
),

neighbours as (
    select
        edges.person_key,
        edges.from_entity,
        min(edges.to_entity) as smallest_neighbour,
        count(*) as n_neighbours
    from edges
    group by edges.person_key, edges.from_entity
),

labelled as (
    select
        nodes.person_key,
        nodes.reporting_entity,
        least(
            nodes.reporting_entity,
            coalesce(neighbours.smallest_neighbour, nodes.reporting_entity)
        ) as group_label,
        coalesce(neighbours.n_neighbours, 0) as n_neighbours
    from nodes
    left join neighbours
        on
            nodes.person_key = neighbours.person_key
            and nodes.reporting_entity = neighbours.from_entity
),

groups as (
    select
        labelled.*,
        count(*) over (
            partition by labelled.person_key, labelled.group_label
        ) as n_members
    from labelled
),

checked as (
    select
        groups.*,
        -- complete and closed: each member's neighbours are exactly the other members
        min(case when groups.n_neighbours = groups.n_members - 1 then 1 else 0 end) over (
            partition by groups.person_key, groups.group_label
        ) as is_complete,
        count(*) over (partition by groups.person_key) as n_entities_of_key
    from groups
),

closed as (
    select
        checked.person_key,
        checked.group_label,
        count(*) as n_edges_inside
    from checked
    inner join edges
        on
            checked.person_key = edges.person_key
            and checked.reporting_entity = edges.from_entity
    inner join checked as neighbour
        on
            edges.person_key = neighbour.person_key
            and edges.to_entity = neighbour.reporting_entity
            and checked.group_label = neighbour.group_label
    group by checked.person_key, checked.group_label
),

decided as (
    select
        checked.person_key,
        checked.reporting_entity,
        checked.n_neighbours,
        checked.n_entities_of_key,
        checked.n_neighbours > 0
        and checked.is_complete = 1
        and coalesce(closed.n_edges_inside, 0) = checked.n_members * (checked.n_members - 1)
            as is_linked,
        checked.group_label
    from checked
    left join closed
        on
            checked.person_key = closed.person_key
            and checked.group_label = closed.group_label
),

linked_under as (
    select
        one.person_key,
        one.reporting_entity,
        {{ join_distinct("valid_authorisations.authorisation_id") }} as authorisation_ids
    from decided as one
    inner join decided as other
        on
            one.person_key = other.person_key
            and one.group_label = other.group_label
            and one.reporting_entity <> other.reporting_entity
    inner join valid_authorisations
        on
            least(one.reporting_entity, other.reporting_entity) = valid_authorisations.entity_low
            and greatest(one.reporting_entity, other.reporting_entity)
            = valid_authorisations.entity_high
    where one.is_linked
    group by one.person_key, one.reporting_entity
),

persons as (
    select
        decided.person_key,
        decided.reporting_entity,
        decided.is_linked,
        case
            when coalesce(role_numbers.n_roles, 0) > {{ var("person_key_limit") }} then 'overused'
            when decided.is_linked then 'linked'
            when decided.n_neighbours > 0 then 'blocked'
            when decided.n_entities_of_key > 1 then 'not_authorised'
            else 'own'
        end as link_state,
        linked_under.authorisation_ids,
        case
            when coalesce(role_numbers.n_roles, 0) <= {{ var("person_key_limit") }}
                then {{ key(
                    "person",
                    [
                        "case when decided.is_linked then decided.group_label"
                        ~ " else decided.reporting_entity end",
                        "decided.person_key",
                    ],
                ) }}
        end as person_id
    from decided
    inner join role_numbers on decided.person_key = role_numbers.person_key
    left join linked_under
        on
            decided.person_key = linked_under.person_key
            and decided.reporting_entity = linked_under.reporting_entity
)

select * from persons
