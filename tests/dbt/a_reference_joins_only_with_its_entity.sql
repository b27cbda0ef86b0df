-- The key trap (models/core/_core__docs.md): a reference is unique only within its entity.
-- Victims joined to events by the surrogate key never meet the event of another entity; joined on
-- the bare reference they would, wherever two entities use the same one.
with events as (
    select * from {{ ref("fct_event") }}
),

victims_in_event as (
    select * from {{ ref("bridge_event_victim") }}
),

joined as (
    select
        victims_in_event.submission_id,
        victims_in_event.source_sheet,
        victims_in_event.source_row,
        victims_in_event.reporting_entity as victim_entity,
        events.reporting_entity as event_entity
    from victims_in_event
    inner join events on victims_in_event.event_key = events.event_key
)

select * from joined
where victim_entity <> event_entity
