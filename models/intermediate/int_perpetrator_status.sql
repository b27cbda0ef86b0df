with records as (
    select * from {{ ref("stg_police_perpetrator") }}
),

known as (
    select
        records.*,
        coalesce(records.justice_status_date, records.submission_period_end) as known_date,
        row_number() over (
            partition by
                records.perpetrator_key,
                records.event_key,
                records.justice_status,
                coalesce(records.justice_status_date, records.submission_period_end)
            order by
                records.submission_sequence desc,
                records.source_row desc,
                records.record_id desc
        ) as repeat_no
    from records
    where not {{ is_missing("records.justice_status") }}
),

ordered as (
    select
        {{ key(
            "perpetrator_status",
            [
                "known.perpetrator_key",
                "known.event_key",
                "known.justice_status",
                "known.known_date",
            ],
        ) }} as perpetrator_status_key,
        {{ key("perpetrator_in_event", ["known.perpetrator_key", "known.event_key"]) }}
            as event_perpetrator_key,
        known.perpetrator_key,
        known.justice_status,
        known.justice_status_date as status_date,
        known.known_date,
        known.submission_id,
        row_number() over (
            partition by known.perpetrator_key, known.event_key
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
