-- Decisions on trafficking by outcome and stage, each instance a series of its own. Decisions on
-- legal entities stand in the breakdown by legal status only.
with decisions as (
    select * from {{ ref("ind_tip_decision") }}
),

perpetrators as (
    select * from {{ ref("dim_perpetrator") }}
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

units as (
    select
        decisions.reference_area,
        {{ year_text("decisions.decision_date") }} as period,
        entities.source_type,
        '_Z' as status_scope,
        '_Z' as population_scope,
        'decision' as counting_basis,
        case
            when decisions.decision_stage = 'PROSECUTION' then '_Z'
            else {{ or_unknown("decisions.instance") }}
        end as instance,
        decisions.reporting_entity,
        decisions.case_key,
        decisions.decision_key as form_key,
        {{ or_unknown("decisions.outcome") }} as outcome,
        {{ or_unknown("decisions.decision_stage") }} as decision_stage,
        {{ or_unknown("perpetrators.legal_status") }} as legal_status,
        1 as weight,
        not perpetrators.is_legal_entity as is_counted
    from decisions
    inner join perpetrators on decisions.perpetrator_key = perpetrators.perpetrator_key
    inner join entities on decisions.reporting_entity = entities.reporting_entity
),

{{ counted_cells([
    {"breakdown": "outcome"},
    {"breakdown": "decision_stage"},
    {"breakdown": "legal_status", "all_units": true},
]) }},

figures as (
    {{ counted_figures("justice_decisions", "'DECISION'") }}
)

select * from figures
