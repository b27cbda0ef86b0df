with events as (
    select * from {{ ref("fct_event") }}
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

unit_forms as (
    select
        event_key as form_key,
        form_classification,
        form
    from {{ ref("ind_event_form") }}
),

units as (
    select
        events.reference_area,
        events.event_registration_year as period,
        entities.source_type,
        '_Z' as status_scope,
        '_Z' as population_scope,
        'event' as counting_basis,
        '_Z' as instance,
        events.event_key as form_key,
        events.reporting_entity,
        events.event_key as case_key,
        events.event_status,
        {{ or_unknown("events.cross_border") }} as cross_border,
        1 as weight,
        events.event_status = 'RECORDED' as is_counted
    from events
    inner join entities on events.reporting_entity = entities.reporting_entity
    where events.event_basis = 'RECORD' and events.event_registration_date is not null
),

{{ counted_cells([
    {"form": ["fine", "iccs", "unodc"]},
    {"breakdown": "cross_border"},
    {"breakdown": "event_status", "all_units": true},
]) }},

figures as (
    {{ counted_figures("events_recorded", "'EVENT'") }}
)

select * from figures
