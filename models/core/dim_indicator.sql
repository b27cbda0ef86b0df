with indicators as (
    select * from {{ ref("indicators") }}
),

catalogue as (
    select
        indicator,
        catalogue_id,
        title,
        unit_of_count,
        measure,
        reference_date_concept,
        status_as_of,
        population_scope,
        authority,
        definition,
        caveats,
        breakdowns
    from indicators
)

select * from catalogue
