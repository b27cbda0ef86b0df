-- Clients: victims for whom at least one service was provided in the year, once per basis, year and
-- population: as registered by each entity, and as persons. Age, form and population are those of
-- the last registration before the first service of the year.
with provided_services as (
    select * from {{ ref("fct_service") }}
    where service_outcome = 'PROVIDED' and service_start_date is not null
),

victims as (
    select * from {{ ref("dim_victim") }}
),

victims_in_event as (
    select * from {{ ref("bridge_event_victim") }}
),

events as (
    select * from {{ ref("fct_event") }}
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

client_years as (
    select
        provided_services.victim_key,
        {{ year_text("provided_services.service_start_date") }} as period,
        min(provided_services.service_start_date) as first_service_date
    from provided_services
    group by
        provided_services.victim_key,
        {{ year_text("provided_services.service_start_date") }}
),

registrations as (
    select
        client_years.victim_key,
        client_years.period,
        client_years.first_service_date,
        victims_in_event.victim_event_key,
        victims_in_event.event_key,
        victims_in_event.population_scope,
        victims_in_event.age2,
        {{ or_unknown("victims_in_event.age_group") }} as age_group,
        row_number() over (
            partition by client_years.victim_key, client_years.period
            order by
                case
                    when victims_in_event.registration_date <= client_years.first_service_date
                        then 0
                    else 1
                end,
                victims_in_event.registration_date desc nulls last,
                victims_in_event.victim_event_key asc
        ) as registration_no
    from client_years
    inner join victims_in_event on client_years.victim_key = victims_in_event.victim_key
),

clients as (
    select
        registrations.victim_event_key,
        registrations.victim_key,
        victims.person_id,
        victims.link_state,
        victims.reference_area,
        registrations.period,
        registrations.first_service_date,
        entities.source_type,
        registrations.population_scope,
        victims.reporting_entity,
        case when events.event_basis <> 'PLACEHOLDER' then events.event_key end as case_key,
        {{ or_unknown("victims.sex") }} as sex,
        registrations.age2,
        registrations.age_group
    from registrations
    inner join victims on registrations.victim_key = victims.victim_key
    inner join events on registrations.event_key = events.event_key
    inner join entities on victims.reporting_entity = entities.reporting_entity
    where registrations.registration_no = 1
),

-- persons differ from registrations only where somebody sent identifiers that may be linked
identified_sources as (
    select distinct
        clients.reference_area,
        clients.source_type
    from clients
    where clients.link_state <> 'no_key'
),

by_basis as (
    select
        clients.*,
        'registration' as counting_basis,
        {{ key("client", ["clients.victim_key"]) }} as client_key
    from clients
    union all
    select
        clients.*,
        'person' as counting_basis,
        {{ key("client_person", ["clients.person_id", "clients.source_type"]) }} as client_key
    from clients
    inner join identified_sources
        on
            clients.reference_area = identified_sources.reference_area
            and clients.source_type = identified_sources.source_type
),

numbered as (
    select
        by_basis.*,
        {{ key("client_unit", ["by_basis.client_key", "by_basis.period"]) }} as form_key,
        min(by_basis.period) over (
            partition by by_basis.client_key, by_basis.reference_area
        ) as first_period,
        row_number() over (
            partition by
                by_basis.client_key,
                by_basis.reference_area,
                by_basis.period,
                by_basis.population_scope
            order by by_basis.first_service_date, by_basis.victim_key
        ) as client_no
    from by_basis
),

listed as (
    select
        numbered.victim_event_key,
        numbered.victim_key,
        numbered.person_id,
        numbered.link_state,
        numbered.reference_area,
        numbered.period,
        numbered.first_service_date,
        numbered.source_type,
        numbered.population_scope,
        numbered.reporting_entity,
        numbered.case_key,
        numbered.sex,
        numbered.age2,
        numbered.age_group,
        case when numbered.period = numbered.first_period then 'NEW' else 'CONTINUED' end
            as client_kind,
        numbered.counting_basis,
        numbered.form_key,
        numbered.client_no
    from numbered
)

select * from listed
