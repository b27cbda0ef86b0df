with populations as (
    select * from {{ ref("base_population") }}
),

renamed as (
    select
        area as reference_area,
        cast(year as integer) as calendar_year,
        sex,
        age_from,
        age_to,
        population,
        source as population_source,
        vintage as population_vintage,
        method as population_method,
        age_from is null and age_to is null as is_all_ages
    from populations
)

select * from renamed
