-- Referrals of victims, to and by the reporting entities.
with referrals as (
    select * from {{ ref("fct_referral") }}
    where referral_date is not null
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

units as (
    select
        referrals.reference_area,
        {{ year_text("referrals.referral_date") }} as period,
        entities.source_type,
        '_Z' as status_scope,
        '_Z' as population_scope,
        'referral' as counting_basis,
        '_Z' as instance,
        referrals.reporting_entity,
        referrals.victim_key as case_key,
        referrals.referral_key as form_key,
        {{ or_unknown("referrals.referral_direction") }} as referral_direction,
        {{ or_unknown("referrals.referral_reason") }} as referral_reason,
        {{ or_unknown("referrals.other_entity_type") }} as entity_type,
        1 as weight,
        true as is_counted
    from referrals
    inner join entities on referrals.reporting_entity = entities.reporting_entity
),

{{ counted_cells([
    {"breakdown": "referral_direction"},
    {"breakdown": "referral_reason"},
    {"breakdown": "entity_type"},
]) }},

figures as (
    {{ counted_figures("referrals", "'REFERRAL'") }}
)

select * from figures
