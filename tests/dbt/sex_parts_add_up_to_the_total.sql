{{ config(tags=["invariant"]) }}

-- Every counted unit has one sex, not known included: the parts give the total of the same series,
-- alone and within each age group. Cells as sent may differ and are the sender's to explain.
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
        and form = '_T'
        and citizenship = '_T'
        and breakdown = '_T'
),

sums as (
    select
        indicator,
        {{ series_columns() }},
        age,
        sum(case when sex = '_T' then value else 0 end) as total,
        sum(case when sex <> '_T' then value else 0 end) as parts
    from figures
    group by indicator, {{ series_columns() }}, age
)

select * from sums
where total <> parts
