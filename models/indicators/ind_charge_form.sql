-- Forms of exploitation of each trafficking charge: the purposes named in it, else its ICCS code.
with charges as (
    select * from {{ ref("fct_charge") }}
    where is_tip
),

form_map as (
    select * from {{ ref("ind_form_map") }}
    where form_classification <> 'sdg'
),

purpose_codes as (
    select
        charges.charge_key,
        charges.reference_area,
        {{ year_text("charges.charge_date") }} as period,
        {{ unnest_multi("charges.charge_purpose") }} as form
    from charges
),

known_purposes as (
    select * from purpose_codes
    where not {{ is_missing("purpose_codes.form") }}
),

with_purpose as (
    select distinct known_purposes.charge_key
    from known_purposes
),

without_purpose as (
    select
        charges.charge_key,
        substr(charges.iccs_code, 1, 5) as iccs_group
    from charges
    left join with_purpose on charges.charge_key = with_purpose.charge_key
    where with_purpose.charge_key is null
),

all_forms as (
    select
        known_purposes.charge_key as form_key,
        'fine' as form_classification,
        known_purposes.form
    from known_purposes
    union all
    select
        known_purposes.charge_key as form_key,
        form_map.form_classification,
        form_map.target_form as form
    from known_purposes
    inner join form_map
        on
            known_purposes.reference_area = form_map.reference_area
            and known_purposes.period = form_map.period
            and known_purposes.form = form_map.form
    union all
    select
        without_purpose.charge_key as form_key,
        'fine' as form_classification,
        '_U' as form
    from without_purpose
    union all
    select
        without_purpose.charge_key as form_key,
        'iccs' as form_classification,
        without_purpose.iccs_group as form
    from without_purpose
    union all
    select
        without_purpose.charge_key as form_key,
        'unodc' as form_classification,
        case
            when without_purpose.iccs_group = '02041' then 'SEX'
            when without_purpose.iccs_group = '02042' then 'LAB'
            when without_purpose.iccs_group in ('02043', '02044') then 'OTHER'
            else '_U'
        end as form
    from without_purpose
),

{{ known_forms() }},

named as (
    select
        unit_forms.form_key as charge_key,
        unit_forms.form_classification,
        unit_forms.form
    from unit_forms
)

select * from named
