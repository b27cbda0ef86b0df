-- Figures from the cells of aggregate returns: forms and ages mapped, entities added, intervals
-- kept.
with one_level as (
    select * from {{ ref("ind_reported_flow") }}
),

all_cells as (
    select * from {{ ref("ind_reported_cell") }}
),

form_list as (
    select * from {{ ref("form") }}
),

form_map as (
    select * from {{ ref("ind_form_map") }}
),

age_map as (
    select * from {{ ref("map_age_band") }}
),

-- a form and the forms under it are never added
single_forms as (
    select all_cells.*
    from all_cells
    left join form_list on all_cells.form = form_list.code
    left join all_cells as parents
        on
            {{ matching("all_cells", "parents", reported_series()) }}
            and all_cells.reporting_entity = parents.reporting_entity
            and all_cells.sex = parents.sex
            and all_cells.age_group = parents.age_group
            and all_cells.citizenship = parents.citizenship
            and all_cells.breakdown = parents.breakdown
            and all_cells.breakdown_code = parents.breakdown_code
            and form_list.parent_code = parents.form
    where parents.form is null
),

banded as (
    select
        single_forms.*,
        case
            when single_forms.age_group in ('_T', '_U') then single_forms.age_group
            else coalesce(age_map.age2, '_U')
        end as age2,
        -- one band across the age of 18 leaves no child and no adult figure
        max(
            case
                when single_forms.age_group in ('_T', '_U') then 0
                when coalesce(age_map.age2, '_U') = '_U' then 1
                else 0
            end
        ) over (
            partition by {{ prefixed(
                "single_forms",
                reported_series()
                ~ ",reporting_entity,sex,form,citizenship,breakdown,breakdown_code",
            ) }}
        ) as has_crossing_band,
        max(case when single_forms.age_group = age_map.age2 then 1 else 0 end) over (
            partition by {{ prefixed(
                "single_forms",
                reported_series()
                ~ ",reporting_entity,sex,form,citizenship,breakdown,breakdown_code",
            ) }}, age_map.age2
        ) as has_age2_cell
    from single_forms
    left join age_map on single_forms.age_group = age_map.age_group
),

aged as (
    select
        banded.*,
        banded.age2 as age
    from banded
    where
        banded.age_group in ('_T', '_U')
        or (
            banded.has_crossing_band = 0
            and (banded.has_age2_cell = 0 or banded.age_group = banded.age2)
        )
    union all
    select
        banded.*,
        banded.age_group as age
    from banded
    where
        banded.age_group not in ('_T', '_U', 'Y0T17', 'Y_GE18')
        and banded.sex = '_T'
        and banded.form = '_T'
        and banded.citizenship = '_T'
        and banded.breakdown = '_T'
),

formed as (
    select
        aged.indicator,
        aged.reference_area,
        aged.period,
        aged.source_type,
        aged.status_scope,
        aged.counting_basis,
        aged.unit_of_count,
        aged.reporting_entity,
        aged.sex,
        aged.age,
        '_T' as form_classification,
        '_T' as form,
        aged.citizenship,
        aged.breakdown,
        aged.breakdown_code,
        aged.lower_sum,
        aged.upper_sum,
        aged.n_cells,
        aged.n_known,
        aged.n_intervals,
        aged.gap_rank
    from aged
    where aged.form = '_T'
    union all
    select
        aged.indicator,
        aged.reference_area,
        aged.period,
        aged.source_type,
        aged.status_scope,
        aged.counting_basis,
        aged.unit_of_count,
        aged.reporting_entity,
        aged.sex,
        aged.age,
        'fine' as form_classification,
        aged.form,
        aged.citizenship,
        aged.breakdown,
        aged.breakdown_code,
        aged.lower_sum,
        aged.upper_sum,
        aged.n_cells,
        aged.n_known,
        aged.n_intervals,
        aged.gap_rank
    from aged
    where aged.form <> '_T'
    union all
    select
        aged.indicator,
        aged.reference_area,
        aged.period,
        aged.source_type,
        aged.status_scope,
        aged.counting_basis,
        aged.unit_of_count,
        aged.reporting_entity,
        aged.sex,
        aged.age,
        form_map.form_classification,
        form_map.target_form as form,
        aged.citizenship,
        aged.breakdown,
        aged.breakdown_code,
        aged.lower_sum,
        aged.upper_sum,
        aged.n_cells,
        aged.n_known,
        aged.n_intervals,
        aged.gap_rank
    from aged
    inner join form_map
        on
            aged.reference_area = form_map.reference_area
            and aged.period = form_map.period
            and aged.form = form_map.form
    where
        aged.form <> '_T'
        and (form_map.form_classification <> 'sdg' or aged.indicator = 'victims_registered')
),

by_entity as (
    select
        formed.indicator,
        formed.reference_area,
        formed.period,
        formed.source_type,
        formed.status_scope,
        formed.counting_basis,
        formed.unit_of_count,
        formed.sex,
        formed.age,
        formed.form_classification,
        formed.form,
        formed.citizenship,
        formed.breakdown,
        formed.breakdown_code,
        formed.reporting_entity,
        sum(formed.lower_sum) as lower_sum,
        sum(formed.upper_sum) as upper_sum,
        sum(formed.n_cells) as n_cells,
        sum(formed.n_known) as n_known,
        sum(formed.n_intervals) as n_intervals,
        max(formed.gap_rank) as gap_rank
    from formed
    group by
        formed.indicator,
        formed.reference_area,
        formed.period,
        formed.source_type,
        formed.status_scope,
        formed.counting_basis,
        formed.unit_of_count,
        formed.sex,
        formed.age,
        formed.form_classification,
        formed.form,
        formed.citizenship,
        formed.breakdown,
        formed.breakdown_code,
        formed.reporting_entity
),

by_rank as (
    select
        by_entity.*,
        row_number() over (
            partition by {{ prefixed("by_entity", reported_series() ~ "," ~ cell_columns()) }}
            order by by_entity.lower_sum desc, by_entity.reporting_entity asc
        ) as entity_rank
    from by_entity
),

by_figure as (
    select
        by_rank.indicator,
        by_rank.reference_area,
        by_rank.period,
        by_rank.source_type,
        by_rank.status_scope,
        by_rank.counting_basis,
        by_rank.unit_of_count,
        by_rank.sex,
        by_rank.age,
        by_rank.form_classification,
        by_rank.form,
        by_rank.citizenship,
        by_rank.breakdown,
        by_rank.breakdown_code,
        sum(by_rank.lower_sum) as lower_sum,
        sum(by_rank.upper_sum) as upper_sum,
        sum(by_rank.n_cells) as n_cells,
        sum(by_rank.n_known) as n_known,
        sum(by_rank.n_intervals) as n_intervals,
        max(by_rank.gap_rank) as gap_rank,
        count(*) as n_entities,
        cast(sum(case when by_rank.entity_rank = 1 then by_rank.lower_sum else 0 end) as bigint)
            as largest_contribution,
        cast(sum(case when by_rank.entity_rank = 2 then by_rank.lower_sum else 0 end) as bigint)
            as second_contribution
    from by_rank
    group by
        by_rank.indicator,
        by_rank.reference_area,
        by_rank.period,
        by_rank.source_type,
        by_rank.status_scope,
        by_rank.counting_basis,
        by_rank.unit_of_count,
        by_rank.sex,
        by_rank.age,
        by_rank.form_classification,
        by_rank.form,
        by_rank.citizenship,
        by_rank.breakdown,
        by_rank.breakdown_code
),

-- a sum over gaps is a value with a note, but never a zero
kinds as (
    select
        by_figure.*,
        case
            when by_figure.n_known = 0 then {{ gap_kind("by_figure.gap_rank") }}
            when by_figure.n_intervals > 0 then 'WITHHELD_AT_SOURCE'
            when by_figure.lower_sum > 0 then 'VALUE'
            when by_figure.n_known = by_figure.n_cells then 'TRUE_ZERO'
            else {{ gap_kind("by_figure.gap_rank") }}
        end as cell_kind
    from by_figure
),

month_spans as (
    select distinct
        one_level.indicator,
        one_level.reference_area,
        one_level.period,
        one_level.source_type,
        month(one_level.period_start) as first_month,
        month(one_level.period_end) as last_month
    from one_level
    where one_level.is_value or one_level.is_interval
),

months as (
    select month_list.calendar_month
    from (
        values (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12)
    ) as month_list (calendar_month)
),

covered_months as (
    select distinct
        month_spans.indicator,
        month_spans.reference_area,
        month_spans.period,
        month_spans.source_type,
        months.calendar_month
    from month_spans
    inner join months
        on months.calendar_month between month_spans.first_month and month_spans.last_month
),

month_numbers as (
    select
        covered_months.indicator,
        covered_months.reference_area,
        covered_months.period,
        covered_months.source_type,
        count(*) as n_months
    from covered_months
    group by
        covered_months.indicator,
        covered_months.reference_area,
        covered_months.period,
        covered_months.source_type
),

sources as (
    select
        one_level.indicator,
        one_level.reference_area,
        one_level.period,
        one_level.source_type,
        {{ join_distinct("one_level.submission_id") }} as submissions,
        {{ join_distinct("one_level.substitute_measure") }} as substitute_measures
    from one_level
    group by
        one_level.indicator,
        one_level.reference_area,
        one_level.period,
        one_level.source_type
),

-- registrations and persons of one series stand under one unit of count each
unit_choices as (
    select
        kinds.*,
        row_number() over (
            partition by
                kinds.indicator,
                kinds.reference_area,
                kinds.period,
                kinds.source_type,
                kinds.status_scope,
                kinds.counting_basis,
                kinds.sex,
                kinds.age,
                kinds.form_classification,
                kinds.form,
                kinds.citizenship,
                kinds.breakdown,
                kinds.breakdown_code
            order by kinds.unit_of_count desc
        ) as unit_no
    from kinds
),

figures as (
    select
        unit_choices.indicator,
        unit_choices.reference_area,
        unit_choices.period,
        unit_choices.source_type,
        unit_choices.status_scope,
        case
            when unit_choices.indicator in ('victims_registered', 'victims_assisted')
                then 'DETECTED_HERE'
            else '_Z'
        end as population_scope,
        unit_choices.counting_basis,
        case
            when
                unit_choices.indicator in (
                    'persons_tried', 'persons_acquitted', 'persons_convicted'
                )
                then '_U'
            else '_Z'
        end as instance,
        unit_choices.sex,
        unit_choices.age,
        unit_choices.form_classification,
        unit_choices.form,
        unit_choices.citizenship,
        unit_choices.breakdown,
        unit_choices.breakdown_code,
        unit_choices.unit_of_count,
        unit_choices.cell_kind,
        case
            when unit_choices.cell_kind in ('VALUE', 'TRUE_ZERO')
                then cast(unit_choices.lower_sum as double)
        end as value,
        case
            when unit_choices.cell_kind = 'WITHHELD_AT_SOURCE'
                then cast(unit_choices.lower_sum as double)
        end as lower_bound,
        case
            when
                unit_choices.cell_kind = 'WITHHELD_AT_SOURCE'
                and unit_choices.n_known = unit_choices.n_cells
                then cast(unit_choices.upper_sum as double)
        end as upper_bound,
        unit_choices.n_entities,
        unit_choices.largest_contribution,
        unit_choices.second_contribution,
        cast(unit_choices.n_cells as bigint) as n_cells,
        cast(unit_choices.n_known as bigint) as n_known,
        cast(coalesce(month_numbers.n_months, 0) as integer) as n_months,
        sources.submissions,
        sources.substitute_measures
    from unit_choices
    inner join sources
        on
            unit_choices.indicator = sources.indicator
            and unit_choices.reference_area = sources.reference_area
            and unit_choices.period = sources.period
            and unit_choices.source_type = sources.source_type
    left join month_numbers
        on
            unit_choices.indicator = month_numbers.indicator
            and unit_choices.reference_area = month_numbers.reference_area
            and unit_choices.period = month_numbers.period
            and unit_choices.source_type = month_numbers.source_type
    where unit_choices.unit_no = 1
)

select * from figures
