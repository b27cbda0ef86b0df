{{ config(materialized="view") }}

with united as (
    {%- for area in var("offence_areas").split(",") %}
    select
        offence_code,
        area,
        iccs_code,
        relation,
        cast(valid_from as date) as valid_from,
        cast(valid_to as date) as valid_to
    from {{ ref("offence_" ~ area) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

valid as (
    select
        united.offence_code,
        united.area,
        united.iccs_code,
        united.relation,
        coalesce(united.valid_from, cast('0001-01-01' as date)) as valid_from,
        coalesce(united.valid_to, cast('9999-12-31' as date)) as valid_to
    from united
)

select * from valid
