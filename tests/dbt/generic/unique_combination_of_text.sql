{#- As unique_combination, where an empty part of the key is a value of its own (a general row). -#}
{% test unique_combination_of_text(model, columns) %}

select
    {%- for column in columns %}
    coalesce({{ column }}, '') as {{ column }},
    {%- endfor %}
    count(*) as n_rows
from {{ model }}
group by
    {%- for column in columns %}
    coalesce({{ column }}, ''){{ "," if not loop.last }}
    {%- endfor %}
having count(*) > 1

{% endtest %}
