-- Forms of exploitation of each event: the union of its victims' and of those sent for the event.
with events as (
    select * from {{ ref("fct_event") }}
),

victims as (
    select * from {{ ref("bridge_event_victim") }}
),

victim_forms as (
    select * from {{ ref("ind_victim_form") }}
    where form_classification <> 'sdg'
),

form_map as (
    select * from {{ ref("ind_form_map") }}
    where form_classification <> 'sdg'
),

event_codes as (
    select
        events.event_key,
        events.reference_area,
        events.event_registration_year,
        {{ unnest_multi("events.event_purpose") }} as code
    from events
),

event_purposes as (
    select
        event_codes.event_key,
        event_codes.reference_area,
        event_codes.event_registration_year,
        {{ or_unknown("event_codes.code") }} as form
    from event_codes
),

all_forms as (
    select
        victims.event_key as form_key,
        victim_forms.form_classification,
        victim_forms.form
    from victim_forms
    inner join victims on victim_forms.victim_event_key = victims.victim_event_key
    union all
    select
        event_purposes.event_key as form_key,
        'fine' as form_classification,
        event_purposes.form
    from event_purposes
    union all
    select
        event_purposes.event_key as form_key,
        form_map.form_classification,
        form_map.target_form as form
    from event_purposes
    inner join form_map
        on
            event_purposes.reference_area = form_map.reference_area
            and event_purposes.event_registration_year = form_map.period
            and event_purposes.form = form_map.form
),

{{ known_forms() }},

named as (
    select
        unit_forms.form_key as event_key,
        unit_forms.form_classification,
        unit_forms.form
    from unit_forms
)

select * from named
