{#- Rows that refer to nothing; each says whose it is (submission, entity, sheet, row). -#}
{% test refers_to(model, column, to, field, show=[]) %}

with children as (
    select {{ ([column ~ " as reference"] + show) | join(", ") }}
    from {{ model }}
    where {{ column }} is not null
),

parents as (
    select distinct {{ field }} as parent_key
    from {{ to }}
)

select children.*
from children
left join parents on children.reference = parents.parent_key
where parents.parent_key is null

{% endtest %}
