{#- The band of an age in years, else the group as sent. The twelve bands nest into those of ICCS and
    CTDC and into child and adult (standards: indicators.md, AGEB). -#}
{%- macro age_band(age, age_group) -%}
    {%- set age_bands = [
        ("Y0T8", 0, 8), ("Y9T14", 9, 14), ("Y15T17", 15, 17), ("Y18T20", 18, 20),
        ("Y21T23", 21, 23), ("Y24T26", 24, 26), ("Y27T29", 27, 29), ("Y30T38", 30, 38),
        ("Y39T44", 39, 44), ("Y45T47", 45, 47), ("Y48T59", 48, 59),
    ] -%}
    case
        when {{ age }} is null then {{ age_group }}
        {%- for code, low, high in age_bands %}
        when {{ age }} between {{ low }} and {{ high }} then '{{ code }}'
        {%- endfor %}
        else 'Y_GE60'
    end
{%- endmacro -%}


{#- Child or adult at the moment to which the age refers: from the years, else from the group where
    it nests. `age2_of_group` is the column of map_age_band. -#}
{%- macro age2(age, age2_of_group) -%}
    case
        when {{ age }} < 18 then 'Y0T17'
        when {{ age }} >= 18 then 'Y_GE18'
        else coalesce({{ age2_of_group }}, '_U')
    end
{%- endmacro -%}


{#- Band of the completed months from the first to the last day of exploitation (CTDC traffickMonths);
    not known where a day is missing or the days are reversed. -#}
{%- macro exploitation_duration(first_day, last_day) -%}
    {%- set months -%}
        (year({{ last_day }}) - year({{ first_day }})) * 12
        + month({{ last_day }}) - month({{ first_day }})
        - case when day({{ last_day }}) < day({{ first_day }}) then 1 else 0 end
    {%- endset -%}
    case
        when {{ first_day }} is null or {{ last_day }} is null then '_U'
        when {{ last_day }} < {{ first_day }} then '_U'
        when {{ months }} <= 12 then 'M0T12'
        when {{ months }} <= 24 then 'M13T24'
        else 'M_GE25'
    end
{%- endmacro -%}
