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
        {{ victim_columns() }}
    from records
    inner join submissions on records.submission_id = submissions.submission_id
    where records.record_state = 'accepted'
)

select * from accepted
