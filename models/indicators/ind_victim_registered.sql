-- Victims, once per basis, year, population and status scope: as registered by each entity, and as
-- persons.
with victims_in_event as (
    select * from {{ ref("bridge_event_victim") }}
    where registration_date is not null
),

victims as (
    select * from {{ ref("dim_victim") }}
),

events as (
    select * from {{ ref("fct_event") }}
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

statuses as (
    select * from {{ ref("fct_victim_status") }}
),

catalogue as (
    select * from {{ ref("dim_indicator") }}
    where indicator = 'victims_registered'
),

status_scopes as (
    select * from {{ ref("map_status_scope") }}
),

counted_status as (
    select
        statuses.victim_event_key,
        min(statuses.recency) as recency
    from statuses
    inner join victims_in_event on statuses.victim_event_key = victims_in_event.victim_event_key
    cross join catalogue
    where
        catalogue.status_as_of = 'latest'
        or statuses.known_date <= {{ year_end("victims_in_event.registration_date") }}
    group by statuses.victim_event_key
),

status_at as (
    select
        statuses.victim_event_key,
        statuses.victim_status
    from statuses
    inner join counted_status
        on
            statuses.victim_event_key = counted_status.victim_event_key
            and statuses.recency = counted_status.recency
),

registrations as (
    select
        victims_in_event.victim_event_key,
        victims_in_event.victim_key,
        victims.person_id,
        victims.link_state,
        victims_in_event.reference_area,
        victims_in_event.registration_year as period,
        victims_in_event.registration_date,
        entities.source_type,
        victims_in_event.population_scope,
        victims_in_event.reporting_entity,
        case when events.event_basis <> 'PLACEHOLDER' then events.event_key end as case_key,
        {{ or_unknown("victims.sex") }} as sex,
        victims_in_event.age2,
        {{ or_unknown("victims_in_event.age_group") }} as age_group,
        coalesce(status_at.victim_status, '_U') as victim_status
    from victims_in_event
    inner join victims on victims_in_event.victim_key = victims.victim_key
    inner join events on victims_in_event.event_key = events.event_key
    inner join entities on victims_in_event.reporting_entity = entities.reporting_entity
    left join status_at on victims_in_event.victim_event_key = status_at.victim_event_key
),

-- persons differ from registrations only where somebody sent identifiers that may be linked
identified_sources as (
    select distinct
        registrations.reference_area,
        registrations.source_type
    from registrations
    where registrations.link_state <> 'no_key'
),

by_basis as (
    select
        registrations.*,
        'registration' as counting_basis,
        {{ key("victim_unit", ["registrations.victim_key", "registrations.period"]) }} as form_key
    from registrations
    union all
    select
        registrations.*,
        'person' as counting_basis,
        {{ key(
            "person_unit",
            ["registrations.person_id", "registrations.period", "registrations.source_type"],
        ) }} as form_key
    from registrations
    inner join identified_sources
        on
            registrations.reference_area = identified_sources.reference_area
            and registrations.source_type = identified_sources.source_type
),

scoped as (
    select
        by_basis.*,
        status_scopes.status_scope,
        row_number() over (
            partition by
                by_basis.form_key,
                by_basis.reference_area,
                by_basis.population_scope,
                status_scopes.status_scope
            order by by_basis.registration_date, by_basis.victim_event_key
        ) as registration_no
    from by_basis
    inner join status_scopes on by_basis.victim_status = status_scopes.victim_status
),

listed as (
    select
        scoped.victim_event_key,
        scoped.victim_key,
        scoped.person_id,
        scoped.link_state,
        scoped.reference_area,
        scoped.period,
        scoped.registration_date,
        scoped.source_type,
        scoped.population_scope,
        scoped.reporting_entity,
        scoped.case_key,
        scoped.sex,
        scoped.age2,
        scoped.age_group,
        scoped.victim_status,
        scoped.counting_basis,
        scoped.form_key,
        scoped.status_scope,
        scoped.registration_no
    from scoped
)

select * from listed
