with numbered as (
    select * from {{ ref("ind_person_convicted") }}
),

{{ units_at_stage() }},

{{ forms_charged() }},

decisions as (
    select * from {{ ref("fct_decision") }}
    where outcome = 'CONVICTED_TIP' and decision_date is not null
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
    {{ forms_not_known("convicted", ["role_key", "instance"]) }}
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

{{ figures_at_stage("persons_convicted") }}

select * from figures
