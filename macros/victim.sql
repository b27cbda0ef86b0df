{#- What a victim record of the police and one of a service have in common: codes, numbers, dates, and
    of the submission what tells ages and periods. -#}
{%- macro victim_columns() -%}
        coalesce(records.victim_status, '_N') as victim_status,
        coalesce(records.status_decided_by, '_N') as status_decided_by,
        coalesce(records.sex, '_N') as sex,
        coalesce(records.age_group, '_N') as age_group,
        coalesce(records.age_moment, '_N') as age_moment,
        coalesce(records.age_basis, '_N') as age_basis,
        coalesce(records.citizenship, '_N') as citizenship,
        coalesce(records.purpose, '_N') as purpose,
        coalesce(records.act, '_N') as act,
        coalesce(records.means, '_N') as means,
        coalesce(records.population_scope, '_N') as population_scope,
        coalesce(records.gender, '_N') as gender,
        coalesce(records.control, '_N') as control,
        coalesce(records.sector, '_N') as sector,
        coalesce(records.recruitment_method, '_N') as recruitment_method,
        coalesce(records.recruiter_relationship, '_N') as recruiter_relationship,
        coalesce(records.recruitment_country, '_N') as recruitment_country,
        coalesce(records.transit_country, '_N') as transit_country,
        coalesce(records.exploitation_country, '_N') as exploitation_country,
        coalesce(records.entry_means, '_N') as entry_means,
        coalesce(records.exit_means, '_N') as exit_means,
        coalesce(records.education, '_N') as education,
        coalesce(records.marital_status, '_N') as marital_status,
        coalesce(records.migration_status, '_N') as migration_status,
        coalesce(records.occupation, '_N') as occupation,
        coalesce(records.economic_activity_status, '_N') as economic_activity_status,
        coalesce(records.disability, '_N') as disability,
        coalesce(records.intoxication, '_N') as intoxication,
        coalesce(records.birth_country, '_N') as birth_country,
        coalesce(records.residence_country, '_N') as residence_country,
        coalesce(records.earlier_trafficking, '_N') as earlier_trafficking,
        -- numbers
        cast(records.age as integer) as age,
        coalesce(records.age_state, 'not_collected') as age_state,
        cast(records.age_first_trafficked as integer) as age_first_trafficked,
        coalesce(records.age_first_trafficked_state, 'not_collected')
            as age_first_trafficked_state,
        -- dates
        records.registration_date,
        coalesce(records.registration_date_state, 'not_collected') as registration_date_state,
        records.victim_status_date,
        coalesce(records.victim_status_date_state, 'not_collected') as victim_status_date_state,
        records.exploitation_start_date,
        coalesce(records.exploitation_start_date_state, 'not_collected')
            as exploitation_start_date_state,
        records.exploitation_end_date,
        coalesce(records.exploitation_end_date_state, 'not_collected')
            as exploitation_end_date_state,
        -- submission
        submissions.sequence as submission_sequence,
        submissions.reference_area,
        submissions.age_moment as submission_age_moment,
        submissions.period_end as submission_period_end
{%- endmacro -%}
