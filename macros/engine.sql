{#- Everything in which DuckDB and Spark differ. Models call these and nothing else of the kind. -#}

{#- A scan of Parquet files whose columns may differ: by name, missing ones NULL. -#}
{%- macro parquet_scan(files, with_path=false) -%}
    read_parquet(
        [
            {%- for file in files %}
            '{{ file | replace("'", "''") }}'{{ "," if not loop.last }}
            {%- endfor %}
        ],
        union_by_name = true
        {%- if with_path %},
        filename = true
        {%- endif %}
    )
{%- endmacro -%}


{#- The file of a row of a scan. -#}
{%- macro scanned_path(alias) -%}
    {{ alias }}.filename
{%- endmacro -%}


{#- One row per code of a ';'-joined column; a NULL gives one row with a NULL code. -#}
{%- macro unnest_multi(column) -%}
    unnest(string_split(coalesce({{ column }}, '_N'), ';'))
{%- endmacro -%}


{#- The distinct values of a group in order, joined by ';'. -#}
{%- macro join_distinct(column) -%}
    string_agg(distinct {{ column }}, ';' order by {{ column }})
{%- endmacro -%}


{#- The calendar year of a date as text: the period of an annual figure. -#}
{%- macro year_text(date) -%}
    cast(year({{ date }}) as string)
{%- endmacro -%}


{#- The last day of the year of a date. -#}
{%- macro year_end(date) -%}
    make_date(year({{ date }}), 12, 31)
{%- endmacro -%}


{#- Days from one date to another; negative where the second comes first. -#}
{%- macro days_between(first_date, second_date) -%}
    date_diff('day', {{ first_date }}, {{ second_date }})
{%- endmacro -%}


{#- One row per calendar year, from the first to the last. -#}
{%- macro year_spine(first_year, last_year) -%}
    select spine.calendar_year
    from (
        values
        {%- for calendar_year in range(first_year, last_year + 1) %}
        ({{ calendar_year }}){{ "," if not loop.last }}
        {%- endfor %}
    ) as spine (calendar_year)
{%- endmacro -%}


{#- A key in 64 bits, for grouping and joining within one statement; NULL stays NULL. Two of a
    million keys are the same with a probability of one in thirty million. -#}
{%- macro short_key(column) -%}
    case when {{ column }} is not null then hash({{ column }}) end
{%- endmacro -%}


{#- What keeps an engine from computing a CTE anew wherever it is read; Spark decides by itself. -#}
{%- macro materialized() -%}
    materialized
{%- endmacro -%}
