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

identified_sources as (
    select distinct
        dated.reference_area,
        dated.source_type
    from dated
    where dated.link_state not in ('no_key', 'legal_entity')
),

by_basis as (
    select
        dated.*,
        'registration' as counting_basis,
        {{ key("perpetrator_unit", ["dated.perpetrator_key", "dated.period", "dated.instance"]) }}
            as form_key
    from dated
    union all
    select
        dated.*,
        'person' as counting_basis,
        {{ key(
            "person_unit",
            ["dated.person_id", "dated.period", "dated.source_type", "dated.instance"],
        ) }} as form_key
    from dated
    inner join identified_sources
        on
            dated.reference_area = identified_sources.reference_area
            and dated.source_type = identified_sources.source_type
    where not dated.is_legal_entity
),

numbered as (
    select
        by_basis.*,
        row_number() over (
            partition by by_basis.form_key, by_basis.reference_area
            order by by_basis.counted_date, by_basis.role_key
        ) as role_no
    from by_basis
),

listed as (
    select
        numbered.role_key,
        numbered.event_key,
        numbered.case_key,
        numbered.perpetrator_key,
        numbered.reference_area,
        numbered.source_type,
        numbered.instance,
        numbered.reporting_entity,
        numbered.counted_date,
        numbered.person_id,
        numbered.link_state,
        numbered.is_legal_entity,
        numbered.legal_status,
        numbered.sex,
        numbered.age2,
        numbered.age_group,
        numbered.period,
        numbered.counting_basis,
        numbered.form_key,
        numbered.role_no
    from numbered
)

select * from listed
