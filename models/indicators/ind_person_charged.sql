-- Persons charged, once per basis and year: as registered by each entity, and as persons.
with charges as (
    select * from {{ ref("fct_charge") }}
    where is_tip and charge_date is not null
),

perpetrators as (
    select * from {{ ref("dim_perpetrator") }}
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

first_charges as (
    select
        charges.case_perpetrator_key,
        charges.case_key,
        charges.perpetrator_key,
        charges.reporting_entity,
        charges.reference_area,
        min(charges.charge_date) as charge_date
    from charges
    group by
        charges.case_perpetrator_key,
        charges.case_key,
        charges.perpetrator_key,
        charges.reporting_entity,
        charges.reference_area
),

dated as (
    select
        first_charges.case_perpetrator_key as role_key,
        first_charges.case_key,
        first_charges.perpetrator_key,
        first_charges.reference_area,
        entities.source_type,
        '_Z' as instance,
        first_charges.reporting_entity,
        first_charges.charge_date as counted_date,
        {{ year_text("first_charges.charge_date") }} as period,
        perpetrators.person_id,
        perpetrators.link_state,
        perpetrators.is_legal_entity,
        {{ or_unknown("perpetrators.legal_status") }} as legal_status,
        {{ or_unknown("perpetrators.sex") }} as sex,
        {{ or_unknown("perpetrators.age2") }} as age2,
        {{ or_unknown("perpetrators.age_group") }} as age_group
    from first_charges
    inner join perpetrators on first_charges.perpetrator_key = perpetrators.perpetrator_key
    inner join entities on first_charges.reporting_entity = entities.reporting_entity
),

{{ persons_at_stage() }}

select * from listed
