{{ config(tags=["invariant"]) }}

-- A blank is not a zero: a number stands only in values and true zeros (STATISTICS section 3).
select
    indicator,
    {{ figure_columns() }},
    cell_kind,
    value
from {{ ref("fct_indicator_value") }}
where
    (cell_kind in ('VALUE', 'TRUE_ZERO') and value is null)
    or (cell_kind not in ('VALUE', 'TRUE_ZERO') and value is not null)
    or (cell_kind = 'TRUE_ZERO' and value <> 0)
    or (cell_kind = 'VALUE' and value = 0)
