-- Nobody states sectors for a whole event: the event side of the attribution is empty.
with victims_in_event as (
    select * from {{ ref("int_victim_in_event") }}
),

events as (
    select
        event_key,
        '_N' as sector
    from {{ ref("int_event") }}
),

{{ attributed("sector") }}

select * from attributed
