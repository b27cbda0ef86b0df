{%- set relations = ["ind_figure", "ind_justice_ratio", "ind_sdg_16_2_2"] -%}

-- The series of SDG 16.2.2 stand under that indicator, not among the forms of victims registered.
with all_figures as (
    {%- for relation in relations %}
    select * from {{ ref(relation) }}
    where form_classification <> 'sdg'
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

selected as (
    select
        indicator,
        reference_area,
        period,
        sex,
        age,
        form_classification,
        form,
        citizenship,
        breakdown,
        breakdown_code,
        source_type,
        status_scope,
        population_scope,
        counting_basis,
        reference_date_concept,
        instance,
        vintage,
        unit_of_count,
        value,
        numerator,
        denominator,
        lower_bound,
        upper_bound,
        cell_kind,
        observation_status,
        confidentiality_status,
        n_cases,
        n_entities,
        n_held_out,
        period_months,
        basis,
        is_headline,
        submissions,
        map_version,
        comment
    from all_figures
)

select * from selected
