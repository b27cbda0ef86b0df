{{ config(tags=["invariant"]) }}

-- Child, adult and not known give the total of the same series.
with figures as (
    select * from {{ ref("fct_indicator_value") }}
    where
        basis = 'records'
        and indicator in (
            'victims_registered',
            'victims_assisted',
            'persons_suspected',
            'persons_charged',
            'persons_tried',
            'persons_acquitted',
            'persons_convicted'
        )
        and age in ('_T', 'Y0T17', 'Y_GE18', '_U')
        and sex = '_T'
        and form = '_T'
        and citizenship = '_T'
        and breakdown = '_T'
),

sums as (
    select
        indicator,
        {{ series_columns() }},
        sum(case when age = '_T' then value else 0 end) as total,
        sum(case when age <> '_T' then value else 0 end) as parts
    from figures
    group by indicator, {{ series_columns() }}
)

select * from sums
where total <> parts
