{#- As unique_combination, where an empty part of the key is a value of its own (a general row). -#}
{% test unique_combination_of_text(model, columns) %}

{%- set parts = [] -%}
{%- for column in columns -%}
    {%- do parts.append("coalesce(" ~ column ~ ", '')") -%}
{%- endfor %}

select {{ (parts + ["count(*) as n_rows"]) | join(", ") }}
from {{ model }}
group by {{ parts | join(", ") }}
having count(*) > 1

{% endtest %}
