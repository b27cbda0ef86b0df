{{ config(materialized="view") }}

-- The population of each area, year, sex, and child or adult: published totals first, else the sum
-- of the ages, else that of both sexes. Between two published years it lies on a straight line, and
-- a group of ages across 18 is split evenly: both are estimates.
with populations as (
    select * from {{ ref("stg_population") }}
),

years as (
    {{ year_spine(1950, 2100) }}
),

child_shares as (
    select
        populations.*,
        case
            when populations.age_to < 18 then cast(1 as double)
            when populations.age_from >= 18 then cast(0 as double)
            when populations.age_to is not null
                then
                    cast(18 - populations.age_from as double)
                    / cast(populations.age_to + 1 - populations.age_from as double)
        end as child_share
    from populations
    where not populations.is_all_ages
),

-- an open group that begins before 18 says nothing of children
by_age as (
    select
        child_shares.reference_area,
        child_shares.calendar_year,
        child_shares.sex,
        sum(cast(child_shares.population as double)) as population,
        sum(child_shares.population * child_shares.child_share) as children,
        sum(case when child_shares.child_share is null then 1 else 0 end) as n_unsplit,
        max(
            case
                when child_shares.child_share > 0 and child_shares.child_share < 1 then 1
                else 0
            end
        ) as has_split,
        {{ join_distinct("child_shares.population_source") }} as population_source,
        {{ join_distinct("child_shares.population_vintage") }} as population_vintage,
        {{ join_distinct("child_shares.population_method") }} as population_method
    from child_shares
    group by child_shares.reference_area, child_shares.calendar_year, child_shares.sex
),

points as (
    select
        populations.reference_area,
        populations.calendar_year,
        populations.sex,
        '_T' as age,
        1 as preference,
        cast(populations.population as double) as population,
        0 as is_split,
        populations.population_source,
        populations.population_vintage,
        populations.population_method
    from populations
    where populations.is_all_ages
    union all
    select
        by_age.reference_area,
        by_age.calendar_year,
        by_age.sex,
        age_list.age,
        2 as preference,
        case
            when age_list.age = '_T' then by_age.population
            when age_list.age = 'Y0T17' then by_age.children
            else by_age.population - by_age.children
        end as population,
        case when age_list.age = '_T' then 0 else by_age.has_split end as is_split,
        by_age.population_source,
        by_age.population_vintage,
        by_age.population_method
    from by_age
    inner join (values ('_T'), ('Y0T17'), ('Y_GE18')) as age_list (age)
        on by_age.n_unsplit = 0 or age_list.age = '_T'
),

both_sexes as (
    select
        points.reference_area,
        points.calendar_year,
        '_T' as sex,
        points.age,
        points.preference + 2 as preference,
        sum(points.population) as population,
        max(points.is_split) as is_split,
        {{ join_distinct("points.population_source") }} as population_source,
        {{ join_distinct("points.population_vintage") }} as population_vintage,
        {{ join_distinct("points.population_method") }} as population_method
    from points
    where points.sex in ('F', 'M')
    group by points.reference_area, points.calendar_year, points.age, points.preference
    having count(*) = 2
),

all_points as (
    select * from points
    union all
    select * from both_sexes
),

spans as (
    select
        all_points.*,
        lead(all_points.calendar_year) over (
            partition by
                all_points.reference_area, all_points.sex, all_points.age, all_points.preference
            order by all_points.calendar_year
        ) as next_year,
        lead(all_points.population) over (
            partition by
                all_points.reference_area, all_points.sex, all_points.age, all_points.preference
            order by all_points.calendar_year
        ) as next_population,
        lead(all_points.population_source) over (
            partition by
                all_points.reference_area, all_points.sex, all_points.age, all_points.preference
            order by all_points.calendar_year
        ) as next_source
    from all_points
),

annual as (
    select
        spans.reference_area,
        years.calendar_year,
        spans.sex,
        spans.age,
        spans.preference,
        case
            when years.calendar_year = spans.calendar_year then spans.population
            else
                spans.population
                + (spans.next_population - spans.population)
                * cast(years.calendar_year - spans.calendar_year as double)
                / cast(spans.next_year - spans.calendar_year as double)
        end as population,
        years.calendar_year <> spans.calendar_year as is_interpolated,
        spans.is_split = 1 as is_split,
        case
            when years.calendar_year = spans.calendar_year then spans.population_source
            else spans.next_source
        end as population_source,
        spans.population_vintage,
        spans.population_method
    from spans
    inner join years
        on
            spans.calendar_year <= years.calendar_year
            and coalesce(spans.next_year, spans.calendar_year + 1) > years.calendar_year
),

preferred as (
    select
        annual.*,
        row_number() over (
            partition by annual.reference_area, annual.calendar_year, annual.sex, annual.age
            order by annual.preference
        ) as place
    from annual
),

denominators as (
    select
        {{ key(
            "population",
            [
                "preferred.reference_area",
                "preferred.calendar_year",
                "preferred.sex",
                "preferred.age",
            ],
        ) }} as population_key,
        preferred.reference_area,
        cast(preferred.calendar_year as string) as period,
        preferred.sex,
        preferred.age,
        cast(round(preferred.population) as bigint) as population,
        preferred.is_interpolated
        or preferred.is_split
        or preferred.population_method = 'projection' as is_estimated,
        preferred.population_source,
        preferred.population_vintage,
        concat_ws(
            ', ',
            case
                when preferred.is_interpolated then 'interpolated'
                else preferred.population_method
            end,
            case when preferred.is_split then 'group of ages split at 18' end
        ) as population_method
    from preferred
    where preferred.place = 1
)

select * from denominators
