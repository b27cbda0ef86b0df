with numbered as (
    select * from {{ ref("ind_person_charged") }}
),

perpetrators as (
    select * from {{ ref("dim_perpetrator") }}
),

charges as (
    select * from {{ ref("fct_charge") }}
    where is_tip and charge_date is not null
),

charge_forms as (
    select * from {{ ref("ind_charge_form") }}
),

units as (
    select
        numbered.*,
        '_Z' as status_scope,
        '_Z' as population_scope,
        numbered.perpetrator_key as citizenship_key,
        1 as weight,
        not numbered.is_legal_entity as is_counted
    from numbered
    where numbered.role_no = 1
),

all_forms as (
    select
        numbered.form_key,
        charge_forms.form_classification,
        charge_forms.form
    from numbered
    inner join charges on numbered.role_key = charges.case_perpetrator_key
    inner join charge_forms on charges.charge_key = charge_forms.charge_key
),

{{ known_forms() }},

citizens as (
    select
        perpetrators.perpetrator_key as citizenship_key,
        perpetrators.reference_area,
        perpetrators.citizenship
    from perpetrators
),

{{ citizenship_sets() }},

{{ counted_cells([{"breakdown": "legal_status", "all_units": true}], persons=true) }},

figures as (
    {{ counted_figures(
        "persons_charged",
        "case when counted.breakdown = 'legal_status'"
        ~ " and counted.breakdown_code in ('LEGAL_PRIVATE', 'LEGAL_PUBLIC', 'OTHER_ENTITY')"
        ~ " then 'LEGAL_ENTITY' else 'PERSON' end",
    ) }}
)

select * from figures
