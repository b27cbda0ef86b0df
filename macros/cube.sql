{#- Lists of columns are text joined by commas, so that the linter expands them without dbt. -#}

{#- What tells one series of figures from another, besides the indicator (STATISTICS section 4). -#}
{%- macro series_columns() -%}
reference_area,period,source_type,status_scope,population_scope,counting_basis,instance
{%- endmacro -%}


{#- What tells one cell of a series from another. -#}
{%- macro cell_columns() -%}
sex,age,form_classification,form,citizenship,breakdown,breakdown_code
{%- endmacro -%}


{#- The key of a figure within one indicator. -#}
{%- macro figure_columns() -%}
{{ series_columns() }},{{ cell_columns() }}
{%- endmacro -%}


{#- Units of one breakdown set, reduced to one row per cell, entity and case. `units` has the series,
    sex, age2, age_group, reporting_entity, case_key, weight and the keys into `unit_forms` and
    `unit_citizenships`. -#}
{%- macro counted_set(set) -%}
    {%- set age = set.get("age") -%}
    {%- set relation = set.get("from", "units") -%}
    select
        {%- for column in series_columns().split(",") %}
        {{ relation }}.{{ column }},
        {%- endfor %}
        {{ relation ~ ".sex" if set.get("sex") else "'_T'" }} as sex,
        {{ relation ~ "." ~ {"age2": "age2", "fine": "age_group"}[age] if age else "'_T'" }} as age,
        {{ "unit_forms.form_classification" if set.get("form") else "'_T'" }}
            as form_classification,
        {{ "unit_forms.form" if set.get("form") else "'_T'" }} as form,
        {{ "unit_citizenships.citizenship" if set.get("citizenship") else "'_T'" }} as citizenship,
        '{{ set.get("breakdown", "_T") }}' as breakdown,
        {{ relation ~ "." ~ set["breakdown"] if set.get("breakdown") else "'_T'" }}
            as breakdown_code,
        {{ relation }}.reporting_entity,
        {{ relation }}.case_key,
        sum({{ relation }}.weight) as n_units
    from {{ relation }}
    {%- if set.get("form") %}
    inner join unit_forms
        on
            {{ relation }}.form_key = unit_forms.form_key
            and unit_forms.form_classification in ('{{ set["form"] | join("', '") }}')
    {%- endif %}
    {%- if set.get("citizenship") %}
    inner join unit_citizenships
        on {{ relation }}.citizenship_key = unit_citizenships.citizenship_key
    {%- endif %}
    {%- if age == "fine" %}
    where {{ relation }}.age_group not in ('Y0T17', 'Y_GE18', '_U')
    {%- endif %}
    group by
        {%- for column in series_columns().split(",") %}
        {{ relation }}.{{ column }},
        {%- endfor %}
        {%- if set.get("sex") %}
        {{ relation }}.sex,
        {%- endif %}
        {%- if age %}
        {{ relation }}.{{ {"age2": "age2", "fine": "age_group"}[age] }},
        {%- endif %}
        {%- if set.get("form") %}
        unit_forms.form_classification,
        unit_forms.form,
        {%- endif %}
        {%- if set.get("citizenship") %}
        unit_citizenships.citizenship,
        {%- endif %}
        {%- if set.get("breakdown") %}
        {{ relation }}.{{ set["breakdown"] }},
        {%- endif %}
        {{ relation }}.reporting_entity,
        {{ relation }}.case_key
{%- endmacro -%}


{#- CTEs from `units` to `counted`: one row per cell with its units, cases, entities and the largest
    two contributions: the total, the sets that every indicator of persons has, and the indicator's own.
    Each set is reduced to cell, entity and case first: no distinct count under
    a cube. Cases are not known where a unit has none. -#}
{%- macro counted_cells(own_sets, persons=false) -%}
{%- set person_sets = [
    {"sex": true},
    {"age": "age2"},
    {"age": "fine"},
    {"sex": true, "age": "age2"},
    {"form": ["fine", "iccs", "unodc"]},
    {"form": ["fine", "iccs", "unodc"], "sex": true},
    {"form": ["iccs", "unodc"], "age": "age2"},
    {"form": ["iccs", "unodc"], "sex": true, "age": "age2"},
    {"citizenship": true},
] -%}
by_case as (
    {%- for set in [{}] + (person_sets if persons else []) + own_sets %}
    {{ counted_set(set) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

by_entity as (
    select
        {%- for column in figure_columns().split(",") %}
        by_case.{{ column }},
        {%- endfor %}
        by_case.reporting_entity,
        cast(sum(by_case.n_units) as bigint) as n_units,
        count(by_case.case_key) as n_cases,
        sum(case when by_case.case_key is null then 1 else 0 end) as n_without_case
    from by_case
    group by
        {%- for column in figure_columns().split(",") %}
        by_case.{{ column }},
        {%- endfor %}
        by_case.reporting_entity
),

by_rank as (
    select
        by_entity.*,
        row_number() over (
            partition by {{ prefixed("by_entity", figure_columns()) }}
            order by by_entity.n_units desc, by_entity.reporting_entity asc
        ) as entity_rank
    from by_entity
),

counted as (
    select
        {%- for column in figure_columns().split(",") %}
        by_rank.{{ column }},
        {%- endfor %}
        cast(sum(by_rank.n_units) as bigint) as n_units,
        case
            when sum(by_rank.n_without_case) = 0 then cast(sum(by_rank.n_cases) as bigint)
        end as n_cases,
        count(*) as n_entities,
        cast(sum(case when by_rank.entity_rank = 1 then by_rank.n_units else 0 end) as bigint)
            as largest_contribution,
        cast(sum(case when by_rank.entity_rank = 2 then by_rank.n_units else 0 end) as bigint)
            as second_contribution
    from by_rank
    group by {{ prefixed("by_rank", figure_columns()) }}
)
{%- endmacro -%}


{#- The columns of a model of counted figures. -#}
{%- macro counted_figures(indicator, unit_of_count) -%}
    select
        '{{ indicator }}' as indicator,
        {%- for column in figure_columns().split(",") %}
        counted.{{ column }},
        {%- endfor %}
        {{ unit_of_count }} as unit_of_count,
        counted.n_units,
        counted.n_cases,
        counted.n_entities,
        counted.largest_contribution,
        counted.second_contribution
    from counted
{%- endmacro -%}


{#- CTE `unit_citizenships` from `citizens` (citizenship_key, reference_area, citizenship): each known
    citizenship, and own or foreign; who has the own one is own, whatever else. -#}
{%- macro citizenship_sets() -%}
citizenship_codes as (
    select
        citizens.citizenship_key,
        citizens.reference_area,
        {{ unnest_multi("citizens.citizenship") }} as code
    from citizens
),

known_citizenships as (
    select distinct
        citizenship_codes.citizenship_key,
        citizenship_codes.reference_area,
        citizenship_codes.code
    from citizenship_codes
    where not {{ is_missing("citizenship_codes.code") }}
),

citizenship_groups as (
    select
        known_citizenships.citizenship_key,
        case
            when
                max(
                    case
                        when known_citizenships.code = known_citizenships.reference_area then 1
                        else 0
                    end
                ) = 1
                then '_OWN'
            else '_FOREIGN'
        end as code
    from known_citizenships
    group by known_citizenships.citizenship_key
),

unit_citizenships as (
    select
        known_citizenships.citizenship_key,
        known_citizenships.code as citizenship
    from known_citizenships
    union all
    select
        citizenship_groups.citizenship_key,
        citizenship_groups.code as citizenship
    from citizenship_groups
    union all
    select
        citizens.citizenship_key,
        '_U' as citizenship
    from citizens
    left join citizenship_groups on citizens.citizenship_key = citizenship_groups.citizenship_key
    where citizenship_groups.citizenship_key is null
)
{%- endmacro -%}


{#- CTE `unit_forms` from `all_forms` (form_key, form_classification, form): a unit with a known form
    does not count in the unknown as well. -#}
{%- macro known_forms() -%}
form_states as (
    select distinct
        all_forms.form_key,
        all_forms.form_classification,
        all_forms.form,
        case when all_forms.form in ('_U', '_NS', '0204') then 0 else 1 end as is_known
    from all_forms
),

form_choices as (
    select
        form_states.*,
        max(form_states.is_known) over (
            partition by form_states.form_key, form_states.form_classification
        ) as has_known
    from form_states
),

unit_forms as (
    select
        form_choices.form_key,
        form_choices.form_classification,
        form_choices.form
    from form_choices
    where form_choices.is_known = form_choices.has_known
)
{%- endmacro -%}


{#- CTE `dense_cells`: the cells that a covered series always shows, zero or not. -#}
{%- macro dense_cells() -%}
    {%- set persons = [
        "victims_registered", "persons_suspected", "persons_charged", "persons_convicted",
    ] -%}
    {%- set iccs = ["02041", "02042", "02043", "02044"] -%}
    {%- set unodc = ["SEX", "LAB", "OTHER"] -%}
    {%- set rows = [] -%}
    {%- for indicator in persons + ["events_recorded", "offences_recorded"] -%}
        {%- do rows.append((indicator, "_T", "_T", "_T", "_T")) -%}
        {%- for form in iccs -%}
            {%- do rows.append((indicator, "_T", "_T", "iccs", form)) -%}
        {%- endfor -%}
        {%- if indicator != "offences_recorded" -%}
            {%- for form in unodc -%}
                {%- do rows.append((indicator, "_T", "_T", "unodc", form)) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for indicator in persons -%}
        {%- for sex, age in [
            ("F", "_T"), ("M", "_T"), ("_T", "Y0T17"), ("_T", "Y_GE18"),
            ("F", "Y0T17"), ("F", "Y_GE18"), ("M", "Y0T17"), ("M", "Y_GE18"),
        ] -%}
            {%- do rows.append((indicator, sex, age, "_T", "_T")) -%}
        {%- endfor -%}
    {%- endfor -%}
dense_cells as (
    select
        cell_list.indicator,
        cell_list.sex,
        cell_list.age,
        cell_list.form_classification,
        cell_list.form,
        '_T' as citizenship,
        '_T' as breakdown,
        '_T' as breakdown_code
    from (
        values
        {%- for row in rows %}
        ('{{ row | join("', '") }}'){{ "," if not loop.last }}
        {%- endfor %}
    ) as cell_list (indicator, sex, age, form_classification, form)
)
{%- endmacro -%}
