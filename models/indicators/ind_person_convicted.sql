-- Persons convicted, once per basis, year and instance: as registered by each entity, and as
-- persons.
with decisions as (
    select * from {{ ref("fct_decision") }}
    where decision_date is not null
),

perpetrators as (
    select * from {{ ref("dim_perpetrator") }}
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

-- the last final decision on a defendant in a case is the one that stands
final_decisions as (
    select
        decisions.*,
        row_number() over (
            partition by decisions.case_perpetrator_key
            order by
                decisions.decision_date desc,
                decisions.decision_no desc,
                decisions.decision_key desc
        ) as finality
    from decisions
    where decisions.is_final = 'Y'
),

last_final_date as (
    select
        final_decisions.case_perpetrator_key,
        final_decisions.decision_date
    from final_decisions
    where final_decisions.finality = 1
),

convictions as (
    select
        decisions.*,
        'FIRST' as counted_instance
    from decisions
    where
        decisions.outcome = 'CONVICTED_TIP'
        and decisions.decision_stage = 'TRIAL'
        and decisions.instance = 'FIRST'
    union all
    select
        decisions.*,
        'LAST' as counted_instance
    from decisions
    inner join last_final_date
        on
            decisions.case_perpetrator_key = last_final_date.case_perpetrator_key
            and decisions.decision_date = last_final_date.decision_date
    where decisions.outcome = 'CONVICTED_TIP' and decisions.is_final = 'Y'
),

first_convictions as (
    select
        convictions.case_perpetrator_key,
        convictions.case_key,
        convictions.perpetrator_key,
        convictions.reporting_entity,
        convictions.reference_area,
        convictions.counted_instance,
        min(convictions.decision_date) as decision_date
    from convictions
    group by
        convictions.case_perpetrator_key,
        convictions.case_key,
        convictions.perpetrator_key,
        convictions.reporting_entity,
        convictions.reference_area,
        convictions.counted_instance
),

dated as (
    select
        first_convictions.case_perpetrator_key as role_key,
        first_convictions.case_key,
        first_convictions.perpetrator_key,
        first_convictions.reference_area,
        entities.source_type,
        first_convictions.counted_instance as instance,
        first_convictions.reporting_entity,
        first_convictions.decision_date as counted_date,
        {{ year_text("first_convictions.decision_date") }} as period,
        perpetrators.person_id,
        perpetrators.link_state,
        perpetrators.is_legal_entity,
        {{ or_unknown("perpetrators.legal_status") }} as legal_status,
        {{ or_unknown("perpetrators.sex") }} as sex,
        {{ or_unknown("perpetrators.age2") }} as age2,
        {{ or_unknown("perpetrators.age_group") }} as age_group
    from first_convictions
    inner join perpetrators on first_convictions.perpetrator_key = perpetrators.perpetrator_key
    inner join entities on first_convictions.reporting_entity = entities.reporting_entity
),

{{ persons_at_stage() }}

select * from listed
