with countries as (
    select * from {{ ref("class_country") }}
),

codes as (
    select * from {{ ref("dim_code") }}
    where list = 'country'
),

labelled as (
    select
        codes.code as country,
        countries.alpha2,
        countries.numeric as m49,
        countries.region_code,
        countries.region,
        countries.subregion_code,
        countries.subregion,
        codes.label_en,
        codes.label_es,
        codes.label_fr
    from codes
    left join countries on codes.code = countries.code
)

select * from labelled
