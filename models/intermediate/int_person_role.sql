with victims as (
    select * from {{ ref("int_victim") }}
),

perpetrators as (
    select * from {{ ref("int_perpetrator") }}
),

links as (
    select * from {{ ref("int_person_link") }}
),

roles as (
    select
        'VICTIM' as person_role,
        victims.victim_key as role_key,
        victims.reporting_entity,
        victims.submission_id,
        victims.person_key
    from victims
    union all
    select
        case
            when perpetrators.record_kind = 'court' then 'DEFENDANT' else 'PERPETRATOR'
        end as person_role,
        perpetrators.perpetrator_key as role_key,
        perpetrators.reporting_entity,
        perpetrators.submission_id,
        perpetrators.person_key
    from perpetrators
    where not perpetrators.is_legal_entity
),

identified as (
    select
        coalesce(
            links.person_id, {{ key("person_of_record", ["roles.role_key"]) }}
        ) as person_id,
        roles.person_role,
        roles.role_key,
        roles.reporting_entity,
        roles.submission_id,
        coalesce(links.link_state, 'no_key') as link_state,
        case
            when links.link_state = 'linked' then 'PERSON_KEY_AUTHORISED'
            when coalesce(links.link_state, 'overused') = 'overused' then 'NONE'
            else 'PERSON_KEY_WITHIN_ENTITY'
        end as link_rule,
        links.authorisation_ids
    from roles
    left join links
        on
            roles.person_key = links.person_key
            and roles.reporting_entity = links.reporting_entity
)

select * from identified
