-- Reported cells of one entity and year added up, each block of parts judged against its total
-- (STATISTICS sections 3 and 5).
with one_level as (
    select * from {{ ref("ind_reported_flow") }}
),

-- per entity and cell as sent: known values and intervals added, the rest counted as gaps
summed as (
    select
        one_level.indicator,
        one_level.reference_area,
        one_level.period,
        one_level.source_type,
        one_level.status_scope,
        one_level.counting_basis,
        one_level.unit_of_count,
        one_level.reporting_entity,
        one_level.sex,
        one_level.age_group,
        one_level.form,
        one_level.citizenship,
        one_level.breakdown,
        one_level.breakdown_code,
        sum(
            case
                when one_level.is_value then one_level.value
                when one_level.is_interval then coalesce(one_level.lower_bound, 0)
                else 0
            end
        ) as lower_sum,
        sum(
            case
                when one_level.is_value then one_level.value
                when one_level.is_interval then one_level.upper_bound
                else 0
            end
        ) as upper_sum,
        count(*) as n_cells,
        sum(case when one_level.is_value or one_level.is_interval then 1 else 0 end) as n_known,
        sum(
            case
                when
                    one_level.is_interval
                    and coalesce(one_level.lower_bound, 0) <> one_level.upper_bound
                    then 1
                else 0
            end
        ) as n_intervals,
        max(
            case
                when one_level.is_value or one_level.is_interval then 0
                else {{ gap_rank("one_level.cell_kind") }}
            end
        ) as gap_rank
    from one_level
    group by
        one_level.indicator,
        one_level.reference_area,
        one_level.period,
        one_level.source_type,
        one_level.status_scope,
        one_level.counting_basis,
        one_level.unit_of_count,
        one_level.reporting_entity,
        one_level.sex,
        one_level.age_group,
        one_level.form,
        one_level.citizenship,
        one_level.breakdown,
        one_level.breakdown_code
),

-- a block is all cells of one entity and series with the same breakdowns
patterned as (
    select
        summed.*,
        concat(
            case when summed.sex = '_T' then '-' else 's' end,
            case when summed.age_group = '_T' then '-' else 'a' end,
            case when summed.form = '_T' then '-' else 'f' end,
            case when summed.citizenship = '_T' then '-' else 'c' end,
            case when summed.breakdown = '_T' then '-' else summed.breakdown end
        ) as block
    from summed
),

totals as (
    select * from patterned
    where block = '-----'
),

blocks as (
    select
        patterned.*,
        sum(patterned.lower_sum) over (
            partition by
                {{ prefixed("patterned", reported_series() ~ ",reporting_entity,block") }}
        ) as block_sum,
        sum(patterned.n_cells - patterned.n_known + patterned.n_intervals) over (
            partition by
                {{ prefixed("patterned", reported_series() ~ ",reporting_entity,block") }}
        ) as block_open_cells
    from patterned
),

judged as (
    select
        blocks.*,
        -- parts that are all zero under a positive total were not collected
        blocks.block <> '-----'
        and blocks.block_sum = 0
        and blocks.block_open_cells = 0
        and coalesce(totals.lower_sum, 0) > 0 as is_empty_block,
        -- parts that add up to the total leave nobody out
        blocks.block_open_cells = 0
        and totals.n_known = totals.n_cells
        and totals.n_intervals = 0
        and blocks.block_sum = totals.lower_sum as is_exhaustive
    from blocks
    left join totals
        on
            {{ matching("blocks", "totals", reported_series()) }}
            and blocks.reporting_entity = totals.reporting_entity
),

given as (
    select
        judged.indicator,
        judged.reference_area,
        judged.period,
        judged.source_type,
        judged.status_scope,
        judged.counting_basis,
        judged.unit_of_count,
        judged.reporting_entity,
        judged.block,
        coalesce(judged.is_exhaustive, false) as is_exhaustive,
        judged.sex,
        judged.age_group,
        judged.form,
        judged.citizenship,
        judged.breakdown,
        judged.breakdown_code,
        judged.lower_sum,
        judged.upper_sum,
        judged.n_cells,
        case when judged.is_empty_block then 0 else judged.n_known end as n_known,
        judged.n_intervals,
        case
            when judged.is_empty_block then {{ gap_rank("'NOT_COLLECTED'") }}
            else judged.gap_rank
        end as gap_rank
    from judged
),

block_list as (
    select distinct
        given.indicator,
        given.reference_area,
        given.period,
        given.source_type,
        given.status_scope,
        given.counting_basis,
        given.unit_of_count,
        given.reporting_entity,
        given.block
    from given
),

-- one-way margins of sex by age, where the sender gave none and the parts leave nobody out
margins as (
    select
        given.indicator,
        given.reference_area,
        given.period,
        given.source_type,
        given.status_scope,
        given.counting_basis,
        given.unit_of_count,
        given.reporting_entity,
        given.sex,
        '_T' as age_group,
        given.form,
        given.citizenship,
        given.breakdown,
        given.breakdown_code,
        given.lower_sum,
        given.upper_sum,
        given.n_cells,
        given.n_known,
        given.n_intervals,
        given.gap_rank
    from given
    left join block_list
        on
            {{ matching("given", "block_list", reported_series()) }}
            and given.reporting_entity = block_list.reporting_entity
            and block_list.block = 's----'
    where given.block = 'sa---' and given.is_exhaustive and block_list.block is null
    union all
    select
        given.indicator,
        given.reference_area,
        given.period,
        given.source_type,
        given.status_scope,
        given.counting_basis,
        given.unit_of_count,
        given.reporting_entity,
        '_T' as sex,
        given.age_group,
        given.form,
        given.citizenship,
        given.breakdown,
        given.breakdown_code,
        given.lower_sum,
        given.upper_sum,
        given.n_cells,
        given.n_known,
        given.n_intervals,
        given.gap_rank
    from given
    left join block_list
        on
            {{ matching("given", "block_list", reported_series()) }}
            and given.reporting_entity = block_list.reporting_entity
            and block_list.block = '-a---'
    where given.block = 'sa---' and given.is_exhaustive and block_list.block is null
),

foreigners as (
    select
        given.indicator,
        given.reference_area,
        given.period,
        given.source_type,
        given.status_scope,
        given.counting_basis,
        given.unit_of_count,
        given.reporting_entity,
        given.sex,
        given.age_group,
        given.form,
        case
            when given.citizenship = given.reference_area then '_OWN' else '_FOREIGN'
        end as citizenship,
        given.breakdown,
        given.breakdown_code,
        given.lower_sum,
        given.upper_sum,
        given.n_cells,
        given.n_known,
        given.n_intervals,
        given.gap_rank
    from given
    where given.block = '---c-' and given.is_exhaustive and given.citizenship <> '_U'
),

all_cells as (
    select
        given.indicator,
        given.reference_area,
        given.period,
        given.source_type,
        given.status_scope,
        given.counting_basis,
        given.unit_of_count,
        given.reporting_entity,
        given.sex,
        given.age_group,
        given.form,
        given.citizenship,
        given.breakdown,
        given.breakdown_code,
        given.lower_sum,
        given.upper_sum,
        given.n_cells,
        given.n_known,
        given.n_intervals,
        given.gap_rank
    from given
    union all
    select * from margins
    union all
    select * from foreigners
),

-- several parts make one margin
added as (
    select
        all_cells.indicator,
        all_cells.reference_area,
        all_cells.period,
        all_cells.source_type,
        all_cells.status_scope,
        all_cells.counting_basis,
        all_cells.unit_of_count,
        all_cells.reporting_entity,
        all_cells.sex,
        all_cells.age_group,
        all_cells.form,
        all_cells.citizenship,
        all_cells.breakdown,
        all_cells.breakdown_code,
        sum(all_cells.lower_sum) as lower_sum,
        sum(all_cells.upper_sum) as upper_sum,
        cast(sum(all_cells.n_cells) as bigint) as n_cells,
        cast(sum(all_cells.n_known) as bigint) as n_known,
        cast(sum(all_cells.n_intervals) as bigint) as n_intervals,
        max(all_cells.gap_rank) as gap_rank
    from all_cells
    group by
        all_cells.indicator,
        all_cells.reference_area,
        all_cells.period,
        all_cells.source_type,
        all_cells.status_scope,
        all_cells.counting_basis,
        all_cells.unit_of_count,
        all_cells.reporting_entity,
        all_cells.sex,
        all_cells.age_group,
        all_cells.form,
        all_cells.citizenship,
        all_cells.breakdown,
        all_cells.breakdown_code
)

select * from added
