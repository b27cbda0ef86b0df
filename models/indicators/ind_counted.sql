{%- set indicators = [
    "ind_events_recorded",
    "ind_offences_recorded",
    "ind_victims_registered",
    "ind_persons_suspected",
    "ind_persons_charged",
    "ind_persons_tried",
    "ind_persons_acquitted",
    "ind_persons_convicted",
    "ind_justice_decisions",
    "ind_sanctions_imposed",
    "ind_victims_assisted",
    "ind_services_provided",
    "ind_referrals",
    "ind_status_decisions",
    "ind_contacts_received",
    "ind_contact_persons",
] -%}

-- All figures counted from records, with the true zeros: what a covering return does not have, in
-- the breakdowns that every publication shows.
with counted as (
    {%- for indicator in indicators %}
    select * from {{ ref(indicator) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

coverage as (
    select * from {{ ref("ind_coverage") }}
    where basis = 'records' and is_covered
),

counted_series as (
    select distinct
        counted.indicator,
        {{ prefixed("counted", series_columns()) }}
    from counted
),

first_series as (
    select
        series_list.indicator,
        series_list.status_scope,
        series_list.population_scope,
        series_list.counting_basis,
        series_list.instance
    from (
        values
        ('events_recorded', '_Z', '_Z', 'event', '_Z'),
        ('offences_recorded', '_Z', '_Z', 'offence', '_Z'),
        ('victims_registered', 'REGISTERED', 'DETECTED_HERE', 'registration', '_Z'),
        ('persons_suspected', '_Z', '_Z', 'registration', '_Z'),
        ('persons_charged', '_Z', '_Z', 'registration', '_Z'),
        ('persons_tried', '_Z', '_Z', 'registration', 'FIRST'),
        ('persons_acquitted', '_Z', '_Z', 'registration', 'FIRST'),
        ('persons_acquitted', '_Z', '_Z', 'registration', 'LAST'),
        ('justice_decisions', '_Z', '_Z', 'decision', 'FIRST'),
        ('sanctions_imposed', '_Z', '_Z', 'registration', 'FIRST'),
        ('sanctions_imposed', '_Z', '_Z', 'registration', 'LAST'),
        ('persons_convicted', '_Z', '_Z', 'registration', 'FIRST'),
        ('persons_convicted', '_Z', '_Z', 'registration', 'LAST'),
        ('victims_assisted', 'ALL', 'DETECTED_HERE', 'registration', '_Z'),
        ('services_provided', '_Z', '_Z', 'service', '_Z'),
        ('referrals', '_Z', '_Z', 'referral', '_Z'),
        ('status_decisions', '_Z', '_Z', 'decision', '_Z'),
        ('contacts_received', '_Z', '_Z', 'contact', '_Z'),
        ('contact_persons', '_Z', '_Z', 'contact_person', '_Z')
    ) as series_list (indicator, status_scope, population_scope, counting_basis, instance)
),

series as (
    select
        counted_series.indicator,
        {{ prefixed("counted_series", series_columns()) }}
    from counted_series
    inner join coverage
        on
            counted_series.indicator = coverage.indicator
            and counted_series.reference_area = coverage.reference_area
            and counted_series.source_type = coverage.source_type
            and counted_series.period = coverage.period
    union
    select
        coverage.indicator,
        coverage.reference_area,
        coverage.period,
        coverage.source_type,
        first_series.status_scope,
        first_series.population_scope,
        first_series.counting_basis,
        first_series.instance
    from coverage
    inner join first_series on coverage.indicator = first_series.indicator
),

{{ dense_cells() }},

zeros as (
    select
        series.indicator,
        {{ prefixed("series", series_columns()) }},
        {{ prefixed("dense_cells", cell_columns()) }}
    from series
    inner join dense_cells on series.indicator = dense_cells.indicator
    left join counted
        on
            {{ matching("series", "counted", "indicator," ~ series_columns()) }}
            and {{ matching("dense_cells", "counted", cell_columns()) }}
    where counted.indicator is null
),

figures as (
    select
        counted.indicator,
        {{ prefixed("counted", figure_columns()) }},
        counted.unit_of_count,
        counted.n_units,
        counted.n_cases,
        counted.n_entities,
        counted.largest_contribution,
        counted.second_contribution
    from counted
    union all
    select
        zeros.indicator,
        {{ prefixed("zeros", figure_columns()) }},
        case
            when upper(zeros.counting_basis) in ({{ own_basis_units() }})
                then upper(zeros.counting_basis)
            when zeros.indicator not in ('victims_registered', 'victims_assisted') then 'PERSON'
            when zeros.counting_basis = 'person' then 'VICTIM'
            else 'VICTIM_REGISTRATION'
        end as unit_of_count,
        cast(0 as bigint) as n_units,
        cast(0 as bigint) as n_cases,
        cast(0 as bigint) as n_entities,
        cast(0 as bigint) as largest_contribution,
        cast(0 as bigint) as second_contribution
    from zeros
)

select * from figures
