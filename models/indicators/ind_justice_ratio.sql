-- Same-year ratios of two stages of the justice process, each by its national figure: persons to
-- persons on the same basis, in total, by sex and by class of form. They are no rates: the persons
-- of the later stage need not be among those of the earlier one of that year.
with figures as (
    select * from {{ ref("ind_figure") }}
    where
        is_headline
        and unit_of_count = 'PERSON'
        and indicator in ('persons_suspected', 'persons_charged', 'persons_convicted')
        and age = '_T'
        and citizenship = '_T'
        and breakdown = '_T'
        and (
            (sex in ('_T', 'F', 'M', 'O') and form_classification = '_T')
            or (
                sex = '_T'
                and form_classification in ('iccs', 'unodc')
                and form not in ('_U', '_NS', '0204')
            )
        )
),

catalogue as (
    select * from {{ ref("dim_indicator") }}
    where indicator = 'justice_ratio'
),

headlines as (
    select * from {{ ref("headline") }}
),

ratios as (
    select
        ratio_list.ratio,
        ratio_list.later_stage,
        ratio_list.earlier_stage
    from (
        values
        ('charged_per_suspected', 'persons_charged', 'persons_suspected'),
        ('convicted_per_charged', 'persons_convicted', 'persons_charged'),
        ('convicted_per_suspected', 'persons_convicted', 'persons_suspected')
    ) as ratio_list (ratio, later_stage, earlier_stage)
),

-- areas in which both stages have a national figure on the same basis
pairs as (
    select distinct
        later.reference_area,
        ratios.ratio,
        ratios.later_stage,
        ratios.earlier_stage,
        later.counting_basis
    from ratios
    inner join headlines as later on ratios.later_stage = later.indicator
    inner join headlines as earlier
        on
            ratios.earlier_stage = earlier.indicator
            and later.reference_area = earlier.reference_area
            and later.counting_basis = earlier.counting_basis
),

later_stages as (
    select
        pairs.ratio,
        pairs.later_stage,
        pairs.earlier_stage,
        figures.*
    from pairs
    inner join figures
        on
            pairs.reference_area = figures.reference_area
            and pairs.later_stage = figures.indicator
            and pairs.counting_basis = figures.counting_basis
),

earlier_stages as (
    select
        pairs.ratio,
        figures.*
    from pairs
    inner join figures
        on
            pairs.reference_area = figures.reference_area
            and pairs.earlier_stage = figures.indicator
            and pairs.counting_basis = figures.counting_basis
),

-- a total whose earlier stage is missing stays, without a value; a part does not
joined as (
    select
        later_stages.ratio,
        later_stages.later_stage,
        later_stages.earlier_stage,
        {{ prefixed("later_stages", figure_columns()) }},
        later_stages.vintage,
        later_stages.value,
        later_stages.lower_bound,
        later_stages.upper_bound,
        later_stages.numerator,
        later_stages.cell_kind,
        earlier_stages.numerator as denominator,
        coalesce(earlier_stages.value, earlier_stages.lower_bound) as least_denominator,
        coalesce(earlier_stages.value, earlier_stages.upper_bound) as most_denominator,
        coalesce(earlier_stages.cell_kind, 'NOT_RECEIVED') as denominator_kind,
        later_stages.observation_status = 'P' or earlier_stages.observation_status = 'P'
            as is_provisional,
        later_stages.n_cases,
        case
            when earlier_stages.n_entities < later_stages.n_entities then earlier_stages.n_entities
            else later_stages.n_entities
        end as n_entities,
        later_stages.n_held_out + coalesce(earlier_stages.n_held_out, 0) as n_held_out,
        case
            when earlier_stages.period_months < later_stages.period_months
                then earlier_stages.period_months
            else later_stages.period_months
        end as period_months,
        later_stages.basis,
        case
            when later_stages.submissions = earlier_stages.submissions
                then later_stages.submissions
            else concat_ws(';', later_stages.submissions, earlier_stages.submissions)
        end as submissions,
        later_stages.map_version,
        earlier_stages.source_type as earlier_source_type
    from later_stages
    left join earlier_stages
        on
            later_stages.ratio = earlier_stages.ratio
            and later_stages.reference_area = earlier_stages.reference_area
            and later_stages.period = earlier_stages.period
            and {{ matching("later_stages", "earlier_stages", cell_columns()) }}
    where
        earlier_stages.ratio is not null
        or (later_stages.sex = '_T' and later_stages.form_classification = '_T')
),

judged as (
    select
        joined.*,
        case
            when joined.denominator_kind = 'TRUE_ZERO' then 'NOT_APPLICABLE'
            when joined.denominator_kind <> 'VALUE' then joined.denominator_kind
            else joined.cell_kind
        end as ratio_kind
    from joined
),

divided as (
    select
        catalogue.indicator,
        judged.reference_area,
        judged.period,
        judged.sex,
        judged.age,
        judged.form_classification,
        judged.form,
        judged.citizenship,
        'ratio' as breakdown,
        judged.ratio as breakdown_code,
        judged.source_type,
        judged.status_scope,
        judged.population_scope,
        judged.counting_basis,
        catalogue.reference_date_concept,
        judged.instance,
        judged.vintage,
        catalogue.unit_of_count,
        case
            when judged.ratio_kind in ('VALUE', 'TRUE_ZERO')
                then cast(judged.numerator as double) / cast(judged.denominator as double)
        end as value,
        judged.numerator,
        judged.denominator,
        case
            when judged.ratio_kind = 'WITHHELD_AT_SOURCE'
                then
                    coalesce(judged.value, judged.lower_bound) / nullif(judged.most_denominator, 0)
        end as lower_bound,
        case
            when judged.ratio_kind = 'WITHHELD_AT_SOURCE'
                then
                    coalesce(judged.value, judged.upper_bound) / nullif(judged.least_denominator, 0)
        end as upper_bound,
        judged.ratio_kind as cell_kind,
        case
            when judged.ratio_kind in ('WITHHELD_HERE', 'WITHHELD_AT_SOURCE') then 'Q'
            when judged.ratio_kind = 'NOT_COLLECTED' then 'L'
            when judged.ratio_kind not in ('VALUE', 'TRUE_ZERO') then 'M'
            when judged.denominator < 20 then 'U'
            when judged.is_provisional then 'P'
            else 'A'
        end as observation_status,
        'N' as confidentiality_status,
        judged.n_cases,
        judged.n_entities,
        judged.n_held_out,
        judged.period_months,
        judged.basis,
        true as is_headline,
        judged.submissions,
        judged.map_version,
        concat_ws(
            '; ',
            concat(
                judged.later_stage, ' (', judged.source_type, ') / ', judged.earlier_stage,
                case
                    when judged.earlier_source_type is not null
                        then concat(' (', judged.earlier_source_type, ')')
                    else ''
                end
            ),
            'same-year ratio, not a rate of a cohort',
            case
                when judged.ratio_kind in ('VALUE', 'TRUE_ZERO') and judged.denominator < 20
                    then 'denominator below 20'
            end,
            case
                when judged.denominator_kind = 'TRUE_ZERO' then 'denominator is zero'
                when judged.denominator_kind <> 'VALUE' then 'no denominator'
            end,
            case
                when judged.period_months < 12
                    then concat(
                        'covers ', cast(judged.period_months as string), ' of 12 months'
                    )
            end
        ) as comment
    from judged
    cross join catalogue
)

select * from divided
