{{ config(materialized="view") }}

-- One entity that knows one person key. Equal keys of one entity are one person to that entity.
with victims as (
    select * from {{ ref("int_victim") }}
),

perpetrators as (
    select * from {{ ref("int_perpetrator") }}
),

nodes as (
    select
        victims.person_key,
        victims.reporting_entity
    from victims
    where victims.person_key is not null
    union
    select
        perpetrators.person_key,
        perpetrators.reporting_entity
    from perpetrators
    where perpetrators.person_key is not null
)

select * from nodes
