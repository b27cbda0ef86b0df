-- Which class of ICCS and of UNODC, and which series of SDG 16.2.2, a fine form has in each area
-- and year: the row of the map for the area where there is one that is valid, else the general row
-- (STATISTICS section 5).
with areas as (
    select distinct reference_area from {{ ref("dim_reporting_entity") }}
    union
    select distinct reference_area from {{ ref("dim_submission") }}
    union
    select distinct reference_area from {{ ref("fct_reported_cell") }}
),

periods as (
    select * from {{ ref("dim_period") }}
),

iccs_map as (
    select * from {{ ref("map_form_iccs") }}
),

unodc_map as (
    select * from {{ ref("map_form_unodc") }}
),

sdg_map as (
    select * from {{ ref("map_form_sdg") }}
),

maps as (
    select
        'iccs' as form_classification,
        iccs_map.form,
        iccs_map.form_iccs as target_form,
        iccs_map.area,
        iccs_map.valid_from,
        iccs_map.valid_to,
        concat('form_iccs ', iccs_map.version) as map_version
    from iccs_map
    union all
    select
        'unodc' as form_classification,
        unodc_map.form,
        unodc_map.form_unodc as target_form,
        unodc_map.area,
        unodc_map.valid_from,
        unodc_map.valid_to,
        concat('form_unodc ', unodc_map.version) as map_version
    from unodc_map
    union all
    select
        'sdg' as form_classification,
        sdg_map.form,
        sdg_map.form_sdg as target_form,
        sdg_map.area,
        sdg_map.valid_from,
        sdg_map.valid_to,
        concat('form_sdg ', sdg_map.version) as map_version
    from sdg_map
),

applicable as (
    select
        areas.reference_area,
        periods.period,
        maps.form_classification,
        maps.form,
        maps.target_form,
        maps.map_version,
        row_number() over (
            partition by
                areas.reference_area,
                periods.period,
                maps.form_classification,
                maps.form
            order by
                case when maps.area is null then 1 else 0 end asc,
                maps.valid_from desc nulls last,
                maps.target_form asc
        ) as preference
    from areas
    cross join periods
    inner join maps
        on
            (maps.area is null or areas.reference_area = maps.area)
            and periods.period_start
            between coalesce(cast(maps.valid_from as date), periods.period_start)
            and coalesce(cast(maps.valid_to as date), periods.period_start)
),

chosen as (
    select
        applicable.reference_area,
        applicable.period,
        applicable.form_classification,
        applicable.form,
        applicable.target_form,
        applicable.map_version
    from applicable
    where applicable.preference = 1
)

select * from chosen
