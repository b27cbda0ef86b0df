with records as (
    select * from {{ ref("base_service_contact_person") }}
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
        {{ key(
            "contact",
            [
                "records.reporting_entity",
                "records.contact_ref",
            ],
        ) }} as contact_key,
        {{ key(
            "contact_person",
            [
                "records.reporting_entity",
                "records.contact_ref",
                "records.person_no",
            ],
        ) }} as contact_person_key,
        records.reporting_entity,
        records.contact_ref,
        -- codes
        coalesce(records.contact_role, '_N') as contact_role,
        coalesce(records.sex, '_N') as sex,
        coalesce(records.gender, '_N') as gender,
        coalesce(records.age_group, '_N') as age_group,
        coalesce(records.citizenship, '_N') as citizenship,
        coalesce(records.disability, '_N') as disability,
        coalesce(records.pregnant, '_N') as pregnant,
        -- numbers
        cast(records.person_no as integer) as person_no,
        cast(records.age as integer) as age,
        coalesce(records.age_state, 'not_collected') as age_state,
        -- submission
        submissions.sequence as submission_sequence,
        submissions.reference_area,
        submissions.period_end as submission_period_end
    from records
    inner join submissions on records.submission_id = submissions.submission_id
    where records.record_state = 'accepted'
)

select * from accepted
