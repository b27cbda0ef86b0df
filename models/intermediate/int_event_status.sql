with records as (
    select * from {{ ref("stg_police_event") }}
),

known as (
    select
        records.*,
        coalesce(records.event_status_date, records.submission_period_end) as known_date,
        row_number() over (
            partition by
                records.event_key,
                records.event_status,
                coalesce(records.event_status_date, records.submission_period_end)
            order by
                records.submission_sequence desc,
                records.source_row desc,
                records.record_id desc
        ) as repeat_no
    from records
    where not {{ is_missing("records.event_status") }}
),

ordered as (
    select
        {{ key(
            "event_status", ["known.event_key", "known.event_status", "known.known_date"]
        ) }} as event_status_key,
        known.event_key,
        known.event_status,
        known.event_status_date as status_date,
        known.known_date,
        known.submission_id,
        row_number() over (
            partition by known.event_key
            order by
                known.known_date desc,
                known.submission_sequence desc,
                known.source_row desc,
                known.record_id desc
        ) as age_of_status
    from known
    where known.repeat_no = 1
)

select * from ordered
