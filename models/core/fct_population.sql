with source as (
    select * from {{ ref("int_population") }}
),

selected as (
    select
        population_key,
        reference_area,
        period,
        sex,
        age,
        population,
        is_estimated,
        population_source,
        population_vintage,
        population_method
    from source
)

select * from selected
