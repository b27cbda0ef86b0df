-- Decisions on the status of victims, each once, by the year of the decision.
with status_decisions as (
    select * from {{ ref("fct_status_decision") }}
    where victim_status_date is not null
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

units as (
    select
        status_decisions.reference_area,
        {{ year_text("status_decisions.victim_status_date") }} as period,
        entities.source_type,
        '_Z' as status_scope,
        '_Z' as population_scope,
        'decision' as counting_basis,
        '_Z' as instance,
        status_decisions.reporting_entity,
        status_decisions.victim_key as case_key,
        status_decisions.status_decision_key as form_key,
        {{ or_unknown("status_decisions.victim_status") }} as victim_status,
        {{ or_unknown("status_decisions.status_stage") }} as status_stage,
        {{ or_unknown("status_decisions.status_decided_by") }} as status_decided_by,
        1 as weight,
        true as is_counted
    from status_decisions
    inner join entities on status_decisions.reporting_entity = entities.reporting_entity
),

{{ counted_cells([
    {"breakdown": "victim_status"},
    {"breakdown": "status_stage"},
    {"breakdown": "status_decided_by"},
]) }},

figures as (
    {{ counted_figures("status_decisions", "'DECISION'") }}
)

select * from figures
