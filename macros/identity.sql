{#- All versions of the records of one key over all current submissions, the newest numbered 1. -#}
{%- macro versions(relation, key_columns) -%}
    select
        records.*,
        row_number() over (
            partition by {{ prefixed("records", key_columns) }}
            order by
                records.submission_sequence desc,
                records.source_row desc,
                records.record_id desc
        ) as version_no
    from {{ relation }} as records
{%- endmacro -%}


{#- The first value ever sent of a date: later submissions never move it (STATISTICS section 2). -#}
{%- macro first_sent(column, key_columns) -%}
    first_value({{ column }}) over (
        partition by {{ key_columns | join(", ") }}
        order by
            case when {{ column }} is null then 1 else 0 end,
            submission_sequence,
            source_row,
            record_id
    )
{%- endmacro -%}


{#- Purposes, acts or means of each victim in an event. What was sent for the victim holds; what was
    sent for the event only is the victim's where there is one victim or one code, and else cannot be
    separated (`_NS`): it is never multiplied over the victims (STATISTICS section 1).
    Expects the CTEs `victims_in_event` and `events`. -#}
{%- macro attributed(column) -%}
victim_codes as (
    select
        victims_in_event.victim_event_key,
        {{ unnest_multi("victims_in_event." ~ column) }} as code
    from victims_in_event
),

known_victim_codes as (
    select distinct
        victim_codes.victim_event_key,
        victim_codes.code
    from victim_codes
    where not {{ is_missing("victim_codes.code") }}
),

event_codes as (
    select
        events.event_key,
        {{ unnest_multi("events." ~ column) }} as code
    from events
),

known_event_codes as (
    select distinct
        event_codes.event_key,
        event_codes.code
    from event_codes
    where not {{ is_missing("event_codes.code") }}
),

code_numbers as (
    select
        known_event_codes.event_key,
        count(*) as n_codes
    from known_event_codes
    group by known_event_codes.event_key
),

victim_numbers as (
    select
        victims_in_event.event_key,
        count(*) as n_victims
    from victims_in_event
    group by victims_in_event.event_key
),

without_own_code as (
    select
        victims_in_event.victim_event_key,
        victims_in_event.event_key,
        victims_in_event.{{ column }} as missing_code,
        victim_numbers.n_victims,
        coalesce(code_numbers.n_codes, 0) as n_codes
    from victims_in_event
    inner join victim_numbers on victims_in_event.event_key = victim_numbers.event_key
    left join code_numbers on victims_in_event.event_key = code_numbers.event_key
    left join known_victim_codes
        on victims_in_event.victim_event_key = known_victim_codes.victim_event_key
    where known_victim_codes.victim_event_key is null
),

attributed as (
    select
        known_victim_codes.victim_event_key,
        known_victim_codes.code,
        'victim' as attribution
    from known_victim_codes
    union all
    select
        without_own_code.victim_event_key,
        known_event_codes.code,
        'event' as attribution
    from without_own_code
    inner join known_event_codes on without_own_code.event_key = known_event_codes.event_key
    where without_own_code.n_codes = 1 or without_own_code.n_victims = 1
    union all
    select
        without_own_code.victim_event_key,
        '_NS' as code,
        'event' as attribution
    from without_own_code
    where without_own_code.n_codes > 1 and without_own_code.n_victims > 1
    union all
    select
        without_own_code.victim_event_key,
        case
            when {{ is_missing("without_own_code.missing_code") }}
                then coalesce(without_own_code.missing_code, '_N')
            else '_U'
        end as code,
        'victim' as attribution
    from without_own_code
    where without_own_code.n_codes = 0
)
{%- endmacro -%}
