-- Persons tried for trafficking, and persons acquitted of it, once per basis, year and instance.
with decisions as (
    select * from {{ ref("ind_tip_decision") }}
),

perpetrators as (
    select * from {{ ref("dim_perpetrator") }}
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

-- what was decided at first instance, and by the final decision that stands
by_instance as (
    select
        decisions.*,
        'FIRST' as counted_instance
    from decisions
    where decisions.decision_stage = 'TRIAL' and decisions.instance = 'FIRST'
    union all
    select
        decisions.*,
        'LAST' as counted_instance
    from decisions
    where decisions.decision_stage <> 'PROSECUTION' and decisions.is_standing
),

convicted as (
    select distinct
        by_instance.case_perpetrator_key,
        by_instance.counted_instance
    from by_instance
    where by_instance.outcome = 'CONVICTED_TIP'
),

-- who is convicted of trafficking on one charge is not acquitted for another
judgments as (
    select
        by_instance.*,
        'persons_tried' as judgment
    from by_instance
    where by_instance.counted_instance = 'FIRST'
    union all
    select
        by_instance.*,
        'persons_acquitted' as judgment
    from by_instance
    left join convicted
        on
            by_instance.case_perpetrator_key = convicted.case_perpetrator_key
            and by_instance.counted_instance = convicted.counted_instance
    where
        by_instance.outcome = 'ACQUITTED'
        and by_instance.is_on_tip_charge
        and convicted.case_perpetrator_key is null
),

first_judgments as (
    select
        judgments.judgment,
        judgments.case_perpetrator_key,
        judgments.case_key,
        judgments.perpetrator_key,
        judgments.reporting_entity,
        judgments.reference_area,
        judgments.counted_instance,
        min(judgments.decision_date) as decision_date
    from judgments
    group by
        judgments.judgment,
        judgments.case_perpetrator_key,
        judgments.case_key,
        judgments.perpetrator_key,
        judgments.reporting_entity,
        judgments.reference_area,
        judgments.counted_instance
),

dated as (
    select
        first_judgments.judgment,
        first_judgments.case_perpetrator_key as role_key,
        first_judgments.case_key,
        first_judgments.perpetrator_key,
        first_judgments.reference_area,
        entities.source_type,
        first_judgments.counted_instance as instance,
        first_judgments.reporting_entity,
        first_judgments.decision_date as counted_date,
        {{ year_text("first_judgments.decision_date") }} as period,
        perpetrators.person_id,
        perpetrators.link_state,
        perpetrators.is_legal_entity,
        {{ or_unknown("perpetrators.legal_status") }} as legal_status,
        {{ or_unknown("perpetrators.sex") }} as sex,
        {{ or_unknown("perpetrators.age2") }} as age2,
        {{ or_unknown("perpetrators.age_group") }} as age_group
    from first_judgments
    inner join perpetrators on first_judgments.perpetrator_key = perpetrators.perpetrator_key
    inner join entities on first_judgments.reporting_entity = entities.reporting_entity
),

{{ persons_at_stage("judgment") }}

select * from listed
