-- Calendar years: the period of every annual figure.
with years as (
    {{ year_spine(1950, 2100) }}
),

periods as (
    select
        cast(years.calendar_year as string) as period,
        years.calendar_year,
        make_date(years.calendar_year, 1, 1) as period_start,
        make_date(years.calendar_year, 12, 31) as period_end
    from years
)

select * from periods
