with records as (
    select * from {{ ref("base_police_victim") }}
),

submissions as (
    select * from {{ ref("base_submission") }}
),

accepted as (
    select
        -- ids
        records.submission_id,
        records.record_id,
        records.source_sheet,
        records.source_row,
        {{ key("victim", ["records.reporting_entity", "records.victim_ref"]) }} as victim_key,
        {{ key("event", ["records.reporting_entity", "records.event_ref"]) }} as event_key,
        records.reporting_entity,
        records.event_ref,
        records.victim_ref,
        records.person_key,
        -- codes
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
        -- numbers
        cast(records.age as integer) as age,
        coalesce(records.age_state, 'not_collected') as age_state,
        -- dates
        records.registration_date,
        coalesce(records.registration_date_state, 'not_collected') as registration_date_state,
        records.victim_status_date,
        coalesce(records.victim_status_date_state, 'not_collected') as victim_status_date_state,
        -- submission
        submissions.sequence as submission_sequence,
        submissions.reference_area,
        submissions.age_moment as submission_age_moment,
        submissions.period_end as submission_period_end
    from records
    inner join submissions on records.submission_id = submissions.submission_id
    where records.record_state = 'accepted'
)

select * from accepted
