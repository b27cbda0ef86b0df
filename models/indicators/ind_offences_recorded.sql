with offences as (
    select * from {{ ref("fct_offence") }}
    where is_tip
),

events as (
    select * from {{ ref("fct_event") }}
    where event_status not in ('REQUALIFIED', 'UNFOUNDED', 'CANCELLED')
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

units as (
    select
        events.reference_area,
        events.event_registration_year as period,
        entities.source_type,
        '_Z' as status_scope,
        '_Z' as population_scope,
        'offence' as counting_basis,
        '_Z' as instance,
        offences.offence_key as form_key,
        offences.reporting_entity,
        offences.event_key as case_key,
        {{ or_unknown("offences.attempted_completed") }} as attempted_completed,
        offences.offence_count as weight,
        true as is_counted
    from offences
    inner join events on offences.event_key = events.event_key
    inner join entities on offences.reporting_entity = entities.reporting_entity
    where events.event_registration_date is not null
),

unit_forms as (
    select
        offences.offence_key as form_key,
        'iccs' as form_classification,
        offences.iccs_code as form
    from offences
),

{{ counted_cells([
    {"form": ["iccs"]},
    {"breakdown": "attempted_completed"},
]) }},

figures as (
    {{ counted_figures("offences_recorded", "'OFFENCE'") }}
)

select * from figures
