with records as (
    select * from {{ ref("int_victim_record") }}
),

age_map as (
    select * from {{ ref("map_age_band") }}
),

versions as (
    {{ versions("records", ["victim_event_key"]) }}
),

dated as (
    select
        versions.*,
        {{ first_sent("registration_date", ["victim_event_key"]) }} as first_registration_date
    from versions
),

current_version as (
    select
        dated.victim_event_key,
        dated.victim_key,
        dated.event_key,
        dated.record_kind,
        dated.reference_area,
        dated.reporting_entity,
        dated.first_registration_date as registration_date,
        dated.age,
        {{ age_band("dated.age", "dated.age_group") }} as age_group,
        {{ age2("dated.age", "age_map.age2") }} as age2,
        case
            when not {{ is_missing("dated.age_moment") }} then dated.age_moment
            else coalesce(dated.submission_age_moment, '_N')
        end as age_moment,
        dated.age_basis,
        dated.purpose,
        dated.act,
        dated.means,
        case
            when {{ is_missing("dated.population_scope") }} then 'DETECTED_HERE'
            else dated.population_scope
        end as population_scope,
        dated.population_scope as population_scope_sent,
        dated.control,
        dated.sector,
        dated.recruitment_method,
        dated.recruiter_relationship,
        dated.recruitment_country,
        dated.transit_country,
        dated.exploitation_country,
        dated.entry_means,
        dated.exit_means,
        dated.migration_status,
        dated.occupation,
        dated.economic_activity_status,
        dated.intoxication,
        dated.residence_country,
        dated.earlier_trafficking,
        dated.exploitation_start_date,
        dated.exploitation_end_date,
        {{ exploitation_duration("dated.exploitation_start_date", "dated.exploitation_end_date") }}
            as exploitation_duration,
        dated.age_first_trafficked,
        dated.submission_id,
        dated.record_id,
        dated.source_sheet,
        dated.source_row
    from dated
    left join age_map on dated.age_group = age_map.age_group
    where dated.version_no = 1
)

select * from current_version
