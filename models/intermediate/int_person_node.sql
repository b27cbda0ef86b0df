{{ config(materialized="view") }}

-- One entity that knows one person key, and on how many of its victims and perpetrators. Equal keys
-- of one entity are one person to that entity.
with victims as (
    select * from {{ ref("int_victim") }}
),

perpetrators as (
    select * from {{ ref("int_perpetrator") }}
),

roles as (
    select
        victims.person_key,
        victims.reporting_entity
    from victims
    where victims.person_key is not null
    union all
    select
        perpetrators.person_key,
        perpetrators.reporting_entity
    from perpetrators
    where perpetrators.person_key is not null
),

nodes as (
    select
        roles.person_key,
        roles.reporting_entity,
        count(*) as n_roles
    from roles
    group by roles.person_key, roles.reporting_entity
)

select * from nodes
