with perpetrators_in_event as (
    select * from {{ ref("int_perpetrator_in_event") }}
),

roles as (
    select
        perpetrators_in_event.event_perpetrator_key,
        {{ unnest_multi("perpetrators_in_event.role") }} as perpetrator_role
    from perpetrators_in_event
),

distinct_roles as (
    select distinct
        roles.event_perpetrator_key,
        roles.perpetrator_role
    from roles
)

select * from distinct_roles
