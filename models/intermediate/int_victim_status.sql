with records as (
    select * from {{ ref("int_victim_record") }}
),

decisions as (
    select * from {{ ref("stg_service_status_decision") }}
),

service_victims as (
    select
        records.victim_key,
        records.victim_event_key
    from records
    where records.record_kind = 'service'
    group by records.victim_key, records.victim_event_key
),

sent as (
    select
        records.victim_event_key,
        records.victim_key,
        records.victim_status,
        records.victim_status_date as status_date,
        coalesce(records.victim_status_date, records.submission_period_end) as known_date,
        records.status_decided_by,
        '_N' as status_stage,
        0 as status_no,
        records.reporting_entity,
        records.submission_id,
        records.submission_sequence,
        records.source_row,
        records.record_id
    from records
    union all
    select
        service_victims.victim_event_key,
        decisions.victim_key,
        decisions.victim_status,
        decisions.victim_status_date as status_date,
        coalesce(decisions.victim_status_date, decisions.submission_period_end) as known_date,
        decisions.status_decided_by,
        decisions.status_stage,
        decisions.status_no,
        decisions.reporting_entity,
        decisions.submission_id,
        decisions.submission_sequence,
        decisions.source_row,
        decisions.record_id
    from decisions
    inner join service_victims on decisions.victim_key = service_victims.victim_key
),

known as (
    select
        sent.*,
        row_number() over (
            partition by sent.victim_event_key, sent.victim_status, sent.known_date
            order by
                sent.status_no desc,
                sent.submission_sequence desc,
                sent.source_row desc,
                sent.record_id desc
        ) as repeat_no
    from sent
    where not {{ is_missing("sent.victim_status") }}
),

ordered as (
    select
        {{ key(
            "victim_status",
            ["known.victim_event_key", "known.victim_status", "known.known_date"],
        ) }} as victim_status_key,
        known.victim_event_key,
        known.victim_key,
        known.victim_status,
        known.status_date,
        known.known_date,
        known.status_decided_by,
        known.status_stage,
        known.reporting_entity,
        known.submission_id,
        row_number() over (
            partition by known.victim_event_key
            order by
                known.known_date desc,
                known.status_no desc,
                known.submission_sequence desc,
                known.source_row desc,
                known.record_id desc
        ) as age_of_status
    from known
    where known.repeat_no = 1
)

select * from ordered
