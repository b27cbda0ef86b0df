with records as (
    select * from {{ ref("base_service_victim") }}
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
        case
            when records.event_ref is null
                then {{ key("no_event", ["records.reporting_entity", "records.victim_ref"]) }}
            else {{ key("event", ["records.reporting_entity", "records.event_ref"]) }}
        end as event_key,
        records.reporting_entity,
        records.victim_ref,
        records.event_ref,
        records.case_issuer,
        records.case_ref,
        records.person_key,
        -- codes
        coalesce(records.consent_basis, '_N') as consent_basis,
        {{ victim_columns() }}
    from records
    inner join submissions on records.submission_id = submissions.submission_id
    where records.record_state = 'accepted'
)

select * from accepted
