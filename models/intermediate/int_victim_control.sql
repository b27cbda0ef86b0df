-- Nobody states control for a whole event: the event side of the attribution is empty.
with victims_in_event as (
    select * from {{ ref("int_victim_in_event") }}
),

events as (
    select
        event_key,
        '_N' as control
    from {{ ref("int_event") }}
),

{{ attributed("control") }}

select * from attributed
