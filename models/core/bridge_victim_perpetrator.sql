with source as (
    select * from {{ ref("int_relationship") }}
),

selected as (
    select
        {{ key("victim_in_event", ["victim_key", "event_key"]) }} as victim_event_key,
        {{ key("perpetrator_in_event", ["perpetrator_key", "event_key"]) }}
            as event_perpetrator_key,
        event_key,
        victim_key,
        perpetrator_key,
        reporting_entity,
        relationship,
        submission_id,
        record_id,
        source_sheet,
        source_row
    from source
)

select * from selected
