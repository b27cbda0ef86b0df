with numbered as (
    select * from {{ ref("ind_person_convicted") }}
),

perpetrators as (
    select * from {{ ref("dim_perpetrator") }}
),

charges as (
    select * from {{ ref("fct_charge") }}
    where is_tip
),

charge_forms as (
    select * from {{ ref("ind_charge_form") }}
),

decisions as (
    select * from {{ ref("fct_decision") }}
    where outcome = 'CONVICTED_TIP' and decision_date is not null
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

convicted as (
    select distinct
        numbered.role_key,
        numbered.instance,
        numbered.counted_date
    from numbered
),

-- the charge that the conviction names, else all trafficking charges on the defendant in the case
named_charges as (
    select distinct
        convicted.role_key,
        convicted.instance,
        charges.charge_key
    from convicted
    inner join decisions
        on
            convicted.role_key = decisions.case_perpetrator_key
            and convicted.counted_date = decisions.decision_date
    inner join charges on decisions.charge_key = charges.charge_key
),

with_named_charge as (
    select distinct
        named_charges.role_key,
        named_charges.instance
    from named_charges
),

convicted_charges as (
    select
        named_charges.role_key,
        named_charges.instance,
        named_charges.charge_key
    from named_charges
    union all
    select
        convicted.role_key,
        convicted.instance,
        charges.charge_key
    from convicted
    inner join charges on convicted.role_key = charges.case_perpetrator_key
    left join with_named_charge
        on
            convicted.role_key = with_named_charge.role_key
            and convicted.instance = with_named_charge.instance
    where with_named_charge.role_key is null
),

convicted_forms as (
    select
        convicted_charges.role_key,
        convicted_charges.instance,
        charge_forms.form_classification,
        charge_forms.form
    from convicted_charges
    inner join charge_forms on convicted_charges.charge_key = charge_forms.charge_key
    union all
    -- without any trafficking charge on record the form is not known
    select
        convicted.role_key,
        convicted.instance,
        unknown_forms.form_classification,
        unknown_forms.form
    from convicted
    cross join (
        values ('fine', '_U'), ('iccs', '0204'), ('unodc', '_U')
    ) as unknown_forms (form_classification, form)
),

all_forms as (
    select
        numbered.form_key,
        convicted_forms.form_classification,
        convicted_forms.form
    from numbered
    inner join convicted_forms
        on
            numbered.role_key = convicted_forms.role_key
            and numbered.instance = convicted_forms.instance
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
        "persons_convicted",
        "case when counted.breakdown = 'legal_status'"
        ~ " and counted.breakdown_code in ('LEGAL_PRIVATE', 'LEGAL_PUBLIC', 'OTHER_ENTITY')"
        ~ " then 'LEGAL_ENTITY' else 'PERSON' end",
    ) }}
)

select * from figures
