with events as (
    select * from {{ ref("int_event") }}
),

victims as (
    select * from {{ ref("int_victim_in_event") }}
),

victim_statuses as (
    select * from {{ ref("int_victim_status") }}
),

referrals as (
    select * from {{ ref("int_referral") }}
),

services as (
    select * from {{ ref("int_service") }}
),

perpetrators as (
    select * from {{ ref("int_perpetrator") }}
),

decisions as (
    select * from {{ ref("int_decision") }}
),

links as (
    select
        'event' as subject,
        events.event_key as subject_key,
        events.reporting_entity,
        'REGISTERED' as entity_function
    from events
    where events.event_basis = 'RECORD'
    union
    select
        'victim' as subject,
        victims.victim_key as subject_key,
        victims.reporting_entity,
        'REGISTERED' as entity_function
    from victims
    union
    select
        'victim' as subject,
        victim_statuses.victim_key as subject_key,
        victim_statuses.reporting_entity,
        'IDENTIFIED' as entity_function
    from victim_statuses
    where victim_statuses.victim_status in ('IDENTIFIED', 'FORMAL')
    union
    select
        'victim' as subject,
        referrals.victim_key as subject_key,
        referrals.reporting_entity,
        'REFERRED' as entity_function
    from referrals
    where referrals.referral_direction = 'OUTGOING'
    union
    select
        'victim' as subject,
        services.victim_key as subject_key,
        services.reporting_entity,
        'ASSISTED' as entity_function
    from services
    where services.service_outcome = 'PROVIDED'
    union
    select
        'perpetrator' as subject,
        perpetrators.perpetrator_key as subject_key,
        perpetrators.reporting_entity,
        'REGISTERED' as entity_function
    from perpetrators
    union
    select
        'perpetrator' as subject,
        decisions.perpetrator_key as subject_key,
        decisions.reporting_entity,
        'DECIDED' as entity_function
    from decisions
)

select * from links
