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


{#- Units of one breakdown set, reduced to one row per cell, entity and case. -#}
{%- macro counted_set(set) -%}
    {%- set age = {"age2": "age2", "fine": "age_group"}.get(set.get("age")) -%}
    {%- set parts = [] -%}
    {%- if set.get("sex") -%}{%- do parts.append("slim_units.sex") -%}{%- endif -%}
    {%- if age -%}{%- do parts.append("slim_units." ~ age) -%}{%- endif -%}
    {%- if set.get("form") -%}
        {%- do parts.append("slim_forms.form_classification") -%}
        {%- do parts.append("slim_forms.form") -%}
    {%- endif -%}
    {%- if set.get("citizenship") -%}
        {%- do parts.append("unit_citizenships.citizenship") -%}
    {%- endif -%}
    {%- set further = "slim_codes.code" if set.get("many") else "slim_units." ~ set.get("breakdown", "") -%}
    {%- if set.get("breakdown") -%}
        {%- do parts.append(further) -%}
    {%- endif %}
    select
        slim_units.series_no,
        slim_units.case_no,
        {{ "slim_units.sex" if set.get("sex") else "'_T'" }} as sex,
        {{ "slim_units." ~ age if age else "'_T'" }} as age,
        {{ "slim_forms.form_classification" if set.get("form") else "'_T'" }}
            as form_classification,
        {{ "slim_forms.form" if set.get("form") else "'_T'" }} as form,
        {{ "unit_citizenships.citizenship" if set.get("citizenship") else "'_T'" }} as citizenship,
        '{{ set.get("breakdown", "_T") }}' as breakdown,
        {{ further if set.get("breakdown") else "'_T'" }} as breakdown_code,
        sum(slim_units.weight) as n_units
    from slim_units
    {%- if set.get("form") %}
    inner join slim_forms
        on
            slim_units.form_no = slim_forms.form_no
            and slim_forms.form_classification in ('{{ set["form"] | join("', '") }}')
    {%- endif %}
    {%- if set.get("citizenship") %}
    inner join unit_citizenships
        on slim_units.citizenship_key = unit_citizenships.citizenship_key
    {%- endif %}
    {%- if set.get("many") %}
    inner join slim_codes
        on
            slim_units.form_no = slim_codes.form_no
            and slim_codes.breakdown = '{{ set["breakdown"] }}'
    {%- endif %}
    where
        {{ "slim_units.is_counted" if not set.get("all_units") else "true" }}
        {%- if set.get("age") == "fine" %}
        and slim_units.age_group not in ('Y0T17', 'Y_GE18', '_U')
        {%- endif %}
    group by {{ (["slim_units.series_no", "slim_units.case_no"] + parts) | join(",\n        ") }}
{%- endmacro -%}


{#- CTEs from `units` to `counted`: one row per cell with its units, cases, entities and the largest
    two contributions: the total, the sets that every indicator of persons has, and the indicator's
    own. `units` has the series, reporting_entity, case_key, weight, is_counted, and what its sets
    need: sex, age2, age_group, breakdowns, form_key (with `unit_forms`) and citizenship_key (with
    `unit_citizenships`). A breakdown of which a unit may have several codes is marked `many` and its
    codes stand in `unit_codes` (form_key, breakdown, code), each once. Units that are not counted
    stand only in sets of `all_units`.
    Series are numbered and the long keys of cases and units shortened for the grouping; each set is
    reduced to cell, entity and case first: no distinct count under a cube. Cases are not known where
    a unit has none. -#}
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
{%- set columns = [] -%}
{%- if persons -%}
    {%- do columns.extend(["sex", "age2", "age_group", "citizenship_key"]) -%}
{%- elif own_sets | selectattr("sex", "defined") | list -%}
    {%- do columns.append("sex") -%}
{%- endif -%}
{%- for set in own_sets if set.get("breakdown") and not set.get("many") -%}
    {%- do columns.append(set["breakdown"]) -%}
{%- endfor -%}
series_list as (
    select
        {{ prefixed("units", series_columns() ~ ",reporting_entity") }},
        row_number() over (
            order by {{ prefixed("units", series_columns() ~ ",reporting_entity") }}
        ) as series_no
    from units
    group by {{ prefixed("units", series_columns() ~ ",reporting_entity") }}
),

{% if persons or own_sets | selectattr("form", "defined") | list -%}
slim_forms as (
    select
        {{ short_key("unit_forms.form_key") }} as form_no,
        unit_forms.form_classification,
        unit_forms.form
    from unit_forms
),

{% endif -%}
{% if own_sets | selectattr("many", "defined") | list -%}
slim_codes as (
    select
        {{ short_key("unit_codes.form_key") }} as form_no,
        unit_codes.breakdown,
        unit_codes.code
    from unit_codes
),

{% endif -%}

slim_units as (
    select
        series_list.series_no,
        {{ short_key("units.case_key") }} as case_no,
        {{ short_key("units.form_key") }} as form_no,
        {{ prefixed("units", columns) }},
        units.weight,
        units.is_counted
    from units
    inner join series_list
        on
            {{ matching("units", "series_list", series_columns() ~ ",reporting_entity") }}
),

by_case as (
    {%- for set in [{}] + (person_sets if persons else []) + own_sets %}
    {{ counted_set(set) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

by_series as (
    select
        by_case.series_no,
        {{ prefixed("by_case", cell_columns()) }},
        cast(sum(by_case.n_units) as bigint) as n_units,
        count(by_case.case_no) as n_cases,
        sum(case when by_case.case_no is null then 1 else 0 end) as n_without_case
    from by_case
    group by
        by_case.series_no,
        {{ prefixed("by_case", cell_columns()) }}
),

by_entity as (
    select
        {{ prefixed("series_list", series_columns() ~ ",reporting_entity") }},
        {{ prefixed("by_series", cell_columns()) }},
        by_series.n_units,
        by_series.n_cases,
        by_series.n_without_case
    from by_series
    inner join series_list on by_series.series_no = series_list.series_no
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
        "victims_registered", "victims_assisted", "persons_suspected", "persons_charged", "persons_tried",
        "persons_acquitted", "persons_convicted",
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
    {%- for indicator in [
        "justice_decisions", "sanctions_imposed", "services_provided", "referrals",
        "status_decisions", "contacts_received", "contact_persons",
    ] -%}
        {%- do rows.append((indicator, "_T", "_T", "_T", "_T")) -%}
    {%- endfor -%}
    {%- for form in ["VC_HTF_DETVSX", "VC_HTF_DETVFL", "VC_HTF_DETVOG", "VC_HTF_DETVOP"] -%}
        {%- do rows.append(("victims_registered", "_T", "_T", "sdg", form)) -%}
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
