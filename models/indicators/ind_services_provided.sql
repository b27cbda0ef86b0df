-- Services by the year in which they began; those not provided stand in the breakdown by outcome.
with services as (
    select * from {{ ref("fct_service") }}
    where service_start_date is not null
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

units as (
    select
        services.reference_area,
        {{ year_text("services.service_start_date") }} as period,
        entities.source_type,
        '_Z' as status_scope,
        '_Z' as population_scope,
        'service' as counting_basis,
        '_Z' as instance,
        services.reporting_entity,
        services.victim_key as case_key,
        services.service_key as form_key,
        {{ or_unknown("services.service_category") }} as service_category,
        {{ or_unknown("services.service_phase") }} as service_phase,
        {{ or_unknown("services.service_outcome") }} as service_outcome,
        1 as weight,
        services.service_outcome = 'PROVIDED' as is_counted
    from services
    inner join entities on services.reporting_entity = entities.reporting_entity
),

{{ counted_cells([
    {"breakdown": "service_category"},
    {"breakdown": "service_phase"},
    {"breakdown": "service_outcome", "all_units": true},
]) }},

figures as (
    {{ counted_figures("services_provided", "'SERVICE'") }}
)

select * from figures
