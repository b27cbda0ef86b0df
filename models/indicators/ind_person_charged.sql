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

identified_sources as (
    select distinct
        dated.reference_area,
        dated.source_type
    from dated
    where dated.link_state not in ('no_key', 'legal_entity')
),

by_basis as (
    select
        dated.*,
        'registration' as counting_basis,
        {{ key("perpetrator_unit", ["dated.perpetrator_key", "dated.period", "dated.instance"]) }}
            as form_key
    from dated
    union all
    select
        dated.*,
        'person' as counting_basis,
        {{ key(
            "person_unit",
            ["dated.person_id", "dated.period", "dated.source_type", "dated.instance"],
        ) }} as form_key
    from dated
    inner join identified_sources
        on
            dated.reference_area = identified_sources.reference_area
            and dated.source_type = identified_sources.source_type
    where not dated.is_legal_entity
),

numbered as (
    select
        by_basis.*,
        row_number() over (
            partition by by_basis.form_key, by_basis.reference_area
            order by by_basis.counted_date, by_basis.role_key
        ) as role_no
    from by_basis
),

listed as (
    select
        numbered.role_key,
        numbered.case_key,
        numbered.perpetrator_key,
        numbered.reference_area,
        numbered.source_type,
        numbered.instance,
        numbered.reporting_entity,
        numbered.counted_date,
        numbered.period,
        numbered.person_id,
        numbered.link_state,
        numbered.is_legal_entity,
        numbered.legal_status,
        numbered.sex,
        numbered.age2,
        numbered.age_group,
        numbered.counting_basis,
        numbered.form_key,
        numbered.role_no
    from numbered
)

select * from listed
