-- SDG 16.2.2, detected victims: the national figure of victims registered, as a number and per
-- 100,000 of the population of the year. Forms are the series of the indicator: the breakdown holds
-- the code of the series of numbers.
with figures as (
    select * from {{ ref("ind_figure") }}
    where
        is_headline
        and indicator = 'victims_registered'
        and population_scope = 'DETECTED_HERE'
        and citizenship = '_T'
        and breakdown = '_T'
        and age in ('_T', 'Y0T17', 'Y_GE18', '_U')
        and (
            form_classification = '_T'
            or (form_classification = 'sdg' and form <> '_U' and sex = '_T' and age = '_T')
        )
),

catalogue as (
    select * from {{ ref("dim_indicator") }}
    where indicator in ('sdg_16_2_2_number', 'sdg_16_2_2_rate')
),

populations as (
    select * from {{ ref("fct_population") }}
),

-- no population is of unknown sex or age: those victims stand in the rate of the total only
measured as (
    select
        figures.*,
        catalogue.indicator as sdg_indicator,
        catalogue.indicator = 'sdg_16_2_2_rate' as is_rate,
        catalogue.unit_of_count as sdg_unit_of_count,
        populations.population,
        coalesce(populations.is_estimated, false) as is_estimated,
        case
            when populations.population is not null
                then concat(
                    'population ', populations.population_source,
                    ', vintage ', populations.population_vintage,
                    ' (', populations.population_method, ')'
                )
        end as denominator_note,
        concat(
            'series ',
            case when figures.form = '_T' then 'VC_HTF_DETV' else figures.form end,
            case when catalogue.indicator = 'sdg_16_2_2_rate' then 'R' else '' end
        ) as series_note
    from figures
    cross join catalogue
    left join populations
        on
            catalogue.indicator = 'sdg_16_2_2_rate'
            and figures.reference_area = populations.reference_area
            and figures.period = populations.period
            and figures.sex = populations.sex
            and figures.age = populations.age
    where
        catalogue.indicator = 'sdg_16_2_2_number'
        or (figures.sex in ('_T', 'F', 'M') and figures.age in ('_T', 'Y0T17', 'Y_GE18'))
),

judged as (
    select
        measured.*,
        case
            when not measured.is_rate or coalesce(measured.population, 0) > 0
                then measured.cell_kind
            when measured.cell_kind in ('VALUE', 'TRUE_ZERO', 'WITHHELD_AT_SOURCE')
                then 'NOT_RECEIVED'
            else measured.cell_kind
        end as sdg_kind
    from measured
),

divided as (
    select
        judged.sdg_indicator as indicator,
        judged.reference_area,
        judged.period,
        judged.sex,
        judged.age,
        '_T' as form_classification,
        '_T' as form,
        judged.citizenship,
        case when judged.form = '_T' then '_T' else 'form_sdg' end as breakdown,
        judged.form as breakdown_code,
        judged.source_type,
        judged.status_scope,
        judged.population_scope,
        judged.counting_basis,
        judged.reference_date_concept,
        judged.instance,
        judged.vintage,
        case when judged.is_rate then judged.sdg_unit_of_count else judged.unit_of_count end
            as unit_of_count,
        case
            when not judged.is_rate then judged.value
            when judged.sdg_kind in ('VALUE', 'TRUE_ZERO')
                then cast(judged.numerator * 100000 as double) / cast(judged.population as double)
        end as value,
        judged.numerator,
        judged.population as denominator,
        case
            when not judged.is_rate then judged.lower_bound
            when judged.sdg_kind = 'WITHHELD_AT_SOURCE'
                then judged.lower_bound * 100000 / cast(judged.population as double)
        end as lower_bound,
        case
            when not judged.is_rate then judged.upper_bound
            when judged.sdg_kind = 'WITHHELD_AT_SOURCE'
                then judged.upper_bound * 100000 / cast(judged.population as double)
        end as upper_bound,
        judged.sdg_kind as cell_kind,
        case
            when judged.sdg_kind = 'NOT_RECEIVED' then 'M'
            when judged.sdg_kind in ('VALUE', 'TRUE_ZERO') and judged.is_estimated then 'E'
            else judged.observation_status
        end as observation_status,
        judged.confidentiality_status,
        judged.n_cases,
        judged.n_entities,
        judged.n_held_out,
        judged.period_months,
        judged.basis,
        judged.is_headline,
        judged.submissions,
        judged.map_version,
        concat_ws(
            '; ',
            judged.series_note,
            judged.denominator_note,
            case
                when judged.is_rate and coalesce(judged.population, 0) = 0
                    then 'no population of this year, sex and age'
            end,
            case when judged.observation_status = 'P' then 'provisional' end,
            judged.comment
        ) as comment
    from judged
)

select * from divided
