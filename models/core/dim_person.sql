with person_roles as (
    select * from {{ ref("int_person_role") }}
),

persons as (
    select
        person_roles.person_id,
        min(person_roles.link_state) as link_state,
        count(*) as n_roles,
        cast(sum(case when person_roles.person_role = 'VICTIM' then 1 else 0 end) as bigint)
            as n_victim_roles,
        count(distinct person_roles.reporting_entity) as n_entities,
        max(case when person_roles.person_role = 'VICTIM' then 1 else 0 end) = 1 as is_victim,
        max(case when person_roles.person_role <> 'VICTIM' then 1 else 0 end) = 1
            as is_perpetrator
    from person_roles
    group by person_roles.person_id
)

select * from persons
