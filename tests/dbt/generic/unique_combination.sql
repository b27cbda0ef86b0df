{#- Rows whose key is not unique or not complete, with what says whose they are. -#}
{% test unique_combination(model, columns, show=[]) %}

{%- set shown = [] -%}
{%- for column in show if column not in columns -%}
    {%- do shown.append("min(" ~ column ~ ") as first_" ~ column) -%}
    {%- do shown.append("max(" ~ column ~ ") as last_" ~ column) -%}
{%- endfor %}

select {{ (columns + shown + ["count(*) as n_rows"]) | join(", ") }}
from {{ model }}
group by {{ columns | join(", ") }}
having count(*) > 1 or {{ columns | join(" is null or ") }} is null

{% endtest %}
