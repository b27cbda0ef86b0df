with source as (
    select * from {{ ref("int_victim_in_event") }}
),

selected as (
    select
        victim_event_key,
        event_key,
        victim_key,
        reporting_entity,
        reference_area,
        record_kind,
        registration_date,
        {{ year_text("registration_date") }} as registration_year,
        age,
        age_group,
        age2,
        age_moment,
        age_basis,
        population_scope,
        population_scope_sent,
        recruiter_relationship,
        recruitment_country,
        transit_country,
        exploitation_country,
        entry_means,
        exit_means,
        migration_status,
        occupation,
        economic_activity_status,
        intoxication,
        residence_country,
        earlier_trafficking,
        exploitation_start_date,
        exploitation_end_date,
        exploitation_duration,
        age_first_trafficked,
        submission_id,
        record_id,
        source_sheet,
        source_row
    from source
)

select * from selected
