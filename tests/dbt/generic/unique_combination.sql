{#- Rows whose key is not unique or not complete, with what says whose they are. -#}
{% test unique_combination(model, columns, show=[]) %}

with keyed as (
    select
        {%- for column in columns %}
        {{ column }},
        {%- endfor %}
        {%- for column in show if column not in columns %}
        min({{ column }}) as first_{{ column }},
        max({{ column }}) as last_{{ column }},
        {%- endfor %}
        count(*) as n_rows
    from {{ model }}
    group by {{ columns | join(", ") }}
)

select * from keyed
where
    keyed.n_rows > 1
    {%- for column in columns %}
    or keyed.{{ column }} is null
    {%- endfor %}

{% endtest %}
