-- How much of a year the current returns cover, by type of source: entities that reported against
-- those registered, and the months that they cover (indicators K2 and K5).
with submissions as (
    select * from {{ ref("dim_submission") }}
),

submission_entities as (
    select * from {{ ref("bridge_submission_entity") }}
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

periods as (
    select * from {{ ref("dim_period") }}
),

months as (
    select month_list.calendar_month
    from (
        values (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12)
    ) as month_list (calendar_month)
),

registered as (
    select
        entities.reference_area,
        entities.source_type,
        count(*) as n_entities
    from entities
    group by entities.reference_area, entities.source_type
),

-- a month counts only where a return covers all of it
entity_months as (
    select distinct
        submissions.reference_area,
        entities.source_type,
        periods.period,
        submission_entities.reporting_entity,
        months.calendar_month
    from submissions
    inner join submission_entities
        on submissions.submission_id = submission_entities.submission_id
    inner join entities on submission_entities.reporting_entity = entities.reporting_entity
    inner join periods
        on
            submissions.period_start <= periods.period_end
            and submissions.period_end >= periods.period_start
    inner join months
        on
            make_date(periods.calendar_year, months.calendar_month, 1) >= submissions.period_start
            and last_day(make_date(periods.calendar_year, months.calendar_month, 1))
            <= submissions.period_end
),

by_entity as (
    select
        entity_months.reference_area,
        entity_months.source_type,
        entity_months.period,
        entity_months.reporting_entity,
        count(*) as n_months
    from entity_months
    group by
        entity_months.reference_area,
        entity_months.source_type,
        entity_months.period,
        entity_months.reporting_entity
),

covered as (
    select
        by_entity.reference_area,
        by_entity.source_type,
        by_entity.period,
        count(*) as n_entities_reporting,
        sum(case when by_entity.n_months = 12 then 1 else 0 end) as n_entities_whole_year,
        sum(by_entity.n_months) as n_entity_months
    from by_entity
    group by by_entity.reference_area, by_entity.source_type, by_entity.period
),

shares as (
    select
        covered.reference_area,
        covered.source_type,
        covered.period,
        covered.n_entities_reporting,
        cast(covered.n_entities_whole_year as bigint) as n_entities_whole_year,
        coalesce(registered.n_entities, 0) as n_entities_registered,
        cast(covered.n_entity_months as bigint) as n_entity_months,
        cast(covered.n_entity_months as double) / nullif(12 * registered.n_entities, 0)
            as share_covered
    from covered
    left join registered
        on
            covered.reference_area = registered.reference_area
            and covered.source_type = registered.source_type
)

select * from shares
