-- Every figure that is counted or reported; what is derived from figures reads them here.
with counted as (
    select * from {{ ref("ind_counted") }}
),

reported as (
    select * from {{ ref("ind_reported") }}
),

coverage as (
    select * from {{ ref("ind_coverage") }}
),

catalogue as (
    select * from {{ ref("dim_indicator") }}
),

builds as (
    select * from {{ ref("dim_build") }}
),

held_out as (
    select * from {{ ref("fct_held_out") }}
),

headlines as (
    select * from {{ ref("headline") }}
),

form_map as (
    select * from {{ ref("ind_form_map") }}
),

periods as (
    select * from {{ ref("dim_period") }}
),

counted_sources as (
    select distinct
        counted.indicator,
        counted.reference_area,
        counted.period,
        counted.source_type
    from counted
    where counted.n_units > 0
),

from_records as (
    select
        counted.indicator,
        {{ prefixed("counted", figure_columns()) }},
        counted.unit_of_count,
        cast(counted.n_units as double) as value,
        cast(null as double) as lower_bound,
        cast(null as double) as upper_bound,
        case when counted.n_units = 0 then 'TRUE_ZERO' else 'VALUE' end as cell_kind,
        counted.n_cases,
        counted.n_entities,
        coverage.is_provisional,
        coalesce(coverage.n_months, 0) as n_months,
        'records' as basis,
        coverage.submissions,
        case
            when coalesce(coverage.n_months, 0) = 0
                then 'no current return covers this year'
            when coverage.n_months < 12
                then concat('covers ', cast(coverage.n_months as string), ' of 12 months')
        end as comment
    from counted
    left join coverage
        on
            counted.indicator = coverage.indicator
            and counted.reference_area = coverage.reference_area
            and counted.source_type = coverage.source_type
            and counted.period = coverage.period
            and coverage.basis = 'records'
),

-- where a source sent records its cells do not stand beside them: they are the same registrations
from_cells as (
    select
        reported.indicator,
        {{ prefixed("reported", figure_columns()) }},
        reported.unit_of_count,
        reported.value,
        reported.lower_bound,
        reported.upper_bound,
        reported.cell_kind,
        cast(null as bigint) as n_cases,
        reported.n_entities,
        false as is_provisional,
        reported.n_months,
        'cells' as basis,
        reported.submissions,
        concat_ws(
            '; ',
            case
                when reported.n_months < 12
                    then concat('covers ', cast(reported.n_months as string), ' of 12 months')
            end,
            case
                when reported.substitute_measures is not null
                    then concat('reported as ', reported.substitute_measures)
            end,
            case
                when reported.n_known > 0 and reported.n_known < reported.n_cells
                    then concat(
                        cast(reported.n_cells - reported.n_known as string),
                        ' of ',
                        cast(reported.n_cells as string),
                        ' reported cells without a number'
                    )
            end
        ) as comment
    from reported
    left join counted_sources
        on
            reported.indicator = counted_sources.indicator
            and reported.reference_area = counted_sources.reference_area
            and reported.period = counted_sources.period
            and reported.source_type = counted_sources.source_type
    where counted_sources.indicator is null
),

reported_sources as (
    select distinct
        from_cells.indicator,
        from_cells.reference_area,
        from_cells.period,
        from_cells.source_type
    from from_cells
),

{{ dense_cells() }},

-- a declaration of nil by a sender of tables
nil_cells as (
    select
        coverage.indicator,
        coverage.reference_area,
        coverage.period,
        coverage.source_type,
        case
            when coverage.indicator = 'victims_registered' then 'REGISTERED'
            when coverage.indicator = 'victims_assisted' then 'ALL'
            else '_Z'
        end as status_scope,
        case
            when coverage.indicator in ('victims_registered', 'victims_assisted')
                then 'DETECTED_HERE'
            else '_Z'
        end as population_scope,
        case
            when catalogue.unit_of_count in ({{ own_basis_units() }})
                then lower(catalogue.unit_of_count)
            else 'registration'
        end as counting_basis,
        case
            when
                coverage.indicator in ('persons_tried', 'persons_acquitted', 'persons_convicted')
                then '_U'
            else '_Z'
        end as instance,
        {{ prefixed("dense_cells", cell_columns()) }},
        catalogue.unit_of_count,
        cast(0 as double) as value,
        cast(null as double) as lower_bound,
        cast(null as double) as upper_bound,
        'TRUE_ZERO' as cell_kind,
        cast(0 as bigint) as n_cases,
        cast(0 as bigint) as n_entities,
        coverage.is_provisional,
        coverage.n_months,
        'cells' as basis,
        coverage.submissions,
        'nil return' as comment
    from coverage
    inner join catalogue on coverage.indicator = catalogue.indicator
    inner join dense_cells on coverage.indicator = dense_cells.indicator
    left join counted_sources
        on
            coverage.indicator = counted_sources.indicator
            and coverage.reference_area = counted_sources.reference_area
            and coverage.period = counted_sources.period
            and coverage.source_type = counted_sources.source_type
    left join reported_sources
        on
            coverage.indicator = reported_sources.indicator
            and coverage.reference_area = reported_sources.reference_area
            and coverage.period = reported_sources.period
            and coverage.source_type = reported_sources.source_type
    where
        coverage.basis = 'cells'
        and coverage.is_covered
        and counted_sources.indicator is null
        and reported_sources.indicator is null
),

figures as (
    select * from from_records
    union all
    select * from from_cells
    union all
    select * from nil_cells
),

record_types as (
    select
        type_list.basis,
        type_list.indicator,
        type_list.kind,
        type_list.record_type
    from (
        values
        ('records', 'events_recorded', 'police', 'event'),
        ('records', 'offences_recorded', 'police', 'offence'),
        ('records', 'victims_registered', 'police', 'victim'),
        ('records', 'victims_registered', 'service', 'victim'),
        ('records', 'persons_suspected', 'police', 'perpetrator'),
        ('records', 'persons_charged', 'court', 'charge'),
        ('records', 'persons_tried', 'court', 'decision'),
        ('records', 'persons_acquitted', 'court', 'decision'),
        ('records', 'justice_decisions', 'court', 'decision'),
        ('records', 'sanctions_imposed', 'court', 'sanction'),
        ('records', 'persons_convicted', 'court', 'decision'),
        ('records', 'victims_assisted', 'service', 'victim'),
        ('records', 'victims_assisted', 'service', 'service'),
        ('records', 'services_provided', 'service', 'service'),
        ('records', 'referrals', 'service', 'referral'),
        ('records', 'status_decisions', 'service', 'status_decision'),
        ('records', 'contacts_received', 'service', 'contact'),
        ('records', 'contact_persons', 'service', 'contact_person')
    ) as type_list (basis, indicator, kind, record_type)
    union all
    select
        'cells' as basis,
        catalogue.indicator,
        'aggregate' as kind,
        'cell' as record_type
    from catalogue
),

held_out_numbers as (
    select
        record_types.basis,
        record_types.indicator,
        held_out.reference_area,
        held_out.source_type,
        periods.period,
        cast(sum(held_out.n_records) as bigint) as n_held_out
    from held_out
    inner join record_types
        on held_out.kind = record_types.kind and held_out.record_type = record_types.record_type
    inner join periods
        on
            held_out.period_start <= periods.period_end
            and held_out.period_end >= periods.period_start
    group by
        record_types.basis,
        record_types.indicator,
        held_out.reference_area,
        held_out.source_type,
        periods.period
),

map_versions as (
    select
        form_map.reference_area,
        form_map.period,
        form_map.form_classification,
        max(form_map.map_version) as map_version
    from form_map
    group by form_map.reference_area, form_map.period, form_map.form_classification
),

headline_series as (
    select distinct
        periods.period,
        headlines.reference_area,
        headlines.indicator,
        headlines.source_type,
        headlines.counting_basis,
        headlines.status_scope,
        headlines.instance
    from headlines
    inner join periods
        on
            periods.calendar_year >= coalesce(cast(headlines.year_from as integer), 0)
            and periods.calendar_year <= coalesce(cast(headlines.year_to as integer), 9999)
),

described as (
    select
        figures.indicator,
        figures.reference_area,
        figures.period,
        figures.sex,
        figures.age,
        figures.form_classification,
        figures.form,
        figures.citizenship,
        figures.breakdown,
        figures.breakdown_code,
        figures.source_type,
        figures.status_scope,
        figures.population_scope,
        figures.counting_basis,
        catalogue.reference_date_concept,
        figures.instance,
        builds.build_id as vintage,
        figures.unit_of_count,
        figures.value,
        cast(figures.value as bigint) as numerator,
        cast(null as bigint) as denominator,
        figures.lower_bound,
        figures.upper_bound,
        figures.cell_kind,
        case
            when figures.cell_kind in ('WITHHELD_HERE', 'WITHHELD_AT_SOURCE') then 'Q'
            when figures.cell_kind = 'NOT_COLLECTED' then 'L'
            when figures.cell_kind not in ('VALUE', 'TRUE_ZERO') then 'M'
            when coalesce(figures.is_provisional, false) then 'P'
            else 'A'
        end as observation_status,
        'N' as confidentiality_status,
        figures.n_cases,
        figures.n_entities,
        coalesce(held_out_numbers.n_held_out, 0) as n_held_out,
        cast(figures.n_months as integer) as period_months,
        figures.basis,
        headline_series.indicator is not null
        and figures.population_scope in ('_Z', 'DETECTED_HERE') as is_headline,
        figures.submissions,
        case
            when figures.indicator = 'offences_recorded' and figures.form_classification = 'iccs'
                then concat('offence_', figures.reference_area)
            else map_versions.map_version
        end as map_version,
        nullif(figures.comment, '') as comment
    from figures
    inner join catalogue on figures.indicator = catalogue.indicator
    cross join builds
    left join held_out_numbers
        on
            figures.basis = held_out_numbers.basis
            and figures.indicator = held_out_numbers.indicator
            and figures.reference_area = held_out_numbers.reference_area
            and figures.source_type = held_out_numbers.source_type
            and figures.period = held_out_numbers.period
    left join map_versions
        on
            figures.reference_area = map_versions.reference_area
            and figures.period = map_versions.period
            and figures.form_classification = map_versions.form_classification
    left join headline_series
        on
            figures.period = headline_series.period
            and figures.reference_area = headline_series.reference_area
            and figures.indicator = headline_series.indicator
            and figures.source_type = headline_series.source_type
            and figures.counting_basis = headline_series.counting_basis
            and figures.status_scope = headline_series.status_scope
            and figures.instance = headline_series.instance
)

select * from described
