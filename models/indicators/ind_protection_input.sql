-- What disclosure control needs to know of each figure: units, cases, entities and the largest two
-- contributions of an entity.
with figures as (
    select * from {{ ref("fct_indicator_value") }}
),

counted as (
    select * from {{ ref("ind_counted") }}
),

reported as (
    select * from {{ ref("ind_reported") }}
),

contributions as (
    select
        'records' as basis,
        counted.indicator,
        {{ prefixed("counted", figure_columns()) }},
        counted.largest_contribution,
        counted.second_contribution
    from counted
    union all
    select
        'cells' as basis,
        reported.indicator,
        {{ prefixed("reported", figure_columns()) }},
        reported.largest_contribution,
        reported.second_contribution
    from reported
),

protection as (
    select
        figures.indicator,
        {{ prefixed("figures", figure_columns()) }},
        figures.reference_date_concept,
        figures.vintage,
        figures.unit_of_count,
        figures.basis,
        figures.numerator as n_units,
        figures.n_cases,
        figures.n_entities,
        coalesce(contributions.largest_contribution, 0) as largest_contribution,
        coalesce(contributions.second_contribution, 0) as second_contribution
    from figures
    left join contributions
        on
            figures.basis = contributions.basis
            and {{ matching("figures", "contributions", "indicator," ~ figure_columns()) }}
)

select * from protection
