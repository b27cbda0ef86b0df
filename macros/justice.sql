{#- CTEs from `dated` to `listed`: persons at a stage of the justice process, once per basis, year and
    instance, as registered by each entity and, where identifiers may be linked, as persons.
    `dated` has role_key, case_key, perpetrator_key, reference_area, source_type, instance,
    reporting_entity, counted_date, period, and of dim_perpetrator person_id, link_state,
    is_legal_entity, legal_status, sex, age2 and age_group. A `stage_column` tells several stages
    apart; `further` columns are handed on. -#}
{%- macro persons_at_stage(stage_column=none, further=()) -%}
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
            partition by
                {%- if stage_column %} by_basis.{{ stage_column }},{% endif %}
                by_basis.form_key, by_basis.reference_area
            order by by_basis.counted_date, by_basis.role_key
        ) as role_no
    from by_basis
),

listed as (
    select
        {%- for column in ([stage_column] if stage_column else []) + further | list %}
        numbered.{{ column }},
        {%- endfor %}
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
{%- endmacro -%}


{#- CTEs `perpetrators` and `units`: the persons of `numbered`, each once. -#}
{%- macro units_at_stage() -%}
perpetrators as (
    select * from {{ ref("dim_perpetrator") }}
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
)
{%- endmacro -%}


{#- CTEs `charges` and `charge_forms`: trafficking charges, and the forms of each. -#}
{%- macro forms_charged(condition="is_tip") -%}
charges as (
    select * from {{ ref("fct_charge") }}
    where {{ condition }}
),

charge_forms as (
    select * from {{ ref("ind_charge_form") }}
)
{%- endmacro -%}


{#- The forms of all trafficking charges on the person in the case. -#}
{%- macro forms_of_case() -%}
select
        numbered.form_key,
        charge_forms.form_classification,
        charge_forms.form
    from numbered
    inner join charges on numbered.role_key = charges.case_perpetrator_key
    inner join charge_forms on charges.charge_key = charge_forms.charge_key
{%- endmacro -%}


{#- Without any trafficking charge on record the form is not known: a row for each classification. -#}
{%- macro forms_not_known(relation, columns) -%}
select
        {{ prefixed(relation, columns) }},
        unknown_forms.form_classification,
        unknown_forms.form
    from {{ relation }}
    cross join (
        values ('fine', '_U'), ('iccs', '0204'), ('unodc', '_U')
    ) as unknown_forms (form_classification, form)
{%- endmacro -%}


{#- CTEs from the forms of the persons at a stage (`all_forms`) to `figures`. -#}
{%- macro figures_at_stage(indicator) -%}
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
    {{ counted_figures(indicator, person_or_entity()) }}
)
{%- endmacro -%}


{#- CTEs from `numbered` to `figures` of persons judged. -#}
{%- macro judged_figures(indicator) -%}
numbered as (
    select * from {{ ref("ind_person_judged") }}
    where judgment = '{{ indicator }}'
),

{{ units_at_stage() }},

{{ forms_charged() }},

all_forms as (
    {{ forms_of_case() }}
    union all
    {{ forms_not_known("numbered", ["form_key"]) }}
),

{{ figures_at_stage(indicator) }}
{%- endmacro -%}


{#- Unit of count of a figure of persons: legal entities stand in the breakdown by legal status. -#}
{%- macro person_or_entity() -%}
    case when counted.breakdown = 'legal_status'
    and counted.breakdown_code in ('LEGAL_PRIVATE', 'LEGAL_PUBLIC', 'OTHER_ENTITY')
    then 'LEGAL_ENTITY' else 'PERSON' end
{%- endmacro -%}
