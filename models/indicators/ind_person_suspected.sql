-- Suspects, once per basis and year: as registered by each entity, and as persons.
with perpetrators_in_event as (
    select * from {{ ref("bridge_event_perpetrator") }}
),

perpetrators as (
    select * from {{ ref("dim_perpetrator") }}
),

statuses as (
    select * from {{ ref("fct_perpetrator_status") }}
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

-- the first status beyond alleged makes a suspect; its date, where sent, dates the figure
formal_contacts as (
    select
        statuses.event_perpetrator_key,
        min(statuses.status_date) as first_contact_date
    from statuses
    where statuses.justice_status <> 'ALLEGED'
    group by statuses.event_perpetrator_key
),

suspected as (
    select
        perpetrators_in_event.event_perpetrator_key as role_key,
        perpetrators_in_event.event_key,
        perpetrators_in_event.event_key as case_key,
        perpetrators_in_event.perpetrator_key,
        perpetrators_in_event.reference_area,
        entities.source_type,
        '_Z' as instance,
        perpetrators_in_event.reporting_entity,
        coalesce(
            formal_contacts.first_contact_date, perpetrators_in_event.registration_date
        ) as counted_date,
        perpetrators.person_id,
        perpetrators.link_state,
        perpetrators.is_legal_entity,
        {{ or_unknown("perpetrators.legal_status") }} as legal_status,
        {{ or_unknown("perpetrators.sex") }} as sex,
        {{ or_unknown("perpetrators.age2") }} as age2,
        {{ or_unknown("perpetrators.age_group") }} as age_group
    from perpetrators_in_event
    inner join formal_contacts
        on perpetrators_in_event.event_perpetrator_key = formal_contacts.event_perpetrator_key
    inner join perpetrators
        on perpetrators_in_event.perpetrator_key = perpetrators.perpetrator_key
    inner join entities
        on perpetrators_in_event.reporting_entity = entities.reporting_entity
),

dated as (
    select
        suspected.*,
        {{ year_text("suspected.counted_date") }} as period
    from suspected
    where suspected.counted_date is not null
),

{{ persons_at_stage(further=["event_key"]) }}

select * from listed
