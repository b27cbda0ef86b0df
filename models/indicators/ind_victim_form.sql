-- Forms of exploitation of each victim in an event, fine and in the classes of ICCS and UNODC.
-- Where the fine form cannot be separated, a class still can if all purposes of the event fall
-- into it.
with purposes as (
    select * from {{ ref("bridge_victim_purpose") }}
),

victims as (
    select * from {{ ref("bridge_event_victim") }}
),

events as (
    select * from {{ ref("fct_event") }}
),

form_map as (
    select * from {{ ref("ind_form_map") }}
),

victim_forms as (
    select
        victims.victim_event_key,
        victims.event_key,
        victims.reference_area,
        victims.registration_year,
        {{ or_unknown("purposes.form") }} as form
    from purposes
    inner join victims on purposes.victim_event_key = victims.victim_event_key
),

event_purposes as (
    select
        events.event_key,
        {{ unnest_multi("events.event_purpose") }} as form
    from events
),

candidates as (
    select
        victim_forms.victim_event_key,
        victim_forms.reference_area,
        victim_forms.registration_year,
        event_purposes.form
    from victim_forms
    inner join event_purposes on victim_forms.event_key = event_purposes.event_key
    where victim_forms.form = '_NS' and not {{ is_missing("event_purposes.form") }}
),

separable as (
    select
        candidates.victim_event_key,
        form_map.form_classification,
        min(form_map.target_form) as form
    from candidates
    inner join form_map
        on
            candidates.reference_area = form_map.reference_area
            and candidates.registration_year = form_map.period
            and candidates.form = form_map.form
    group by candidates.victim_event_key, form_map.form_classification
    having min(form_map.target_form) = max(form_map.target_form)
),

all_forms as (
    select
        victim_forms.victim_event_key as form_key,
        'fine' as form_classification,
        victim_forms.form
    from victim_forms
    union all
    select
        victim_forms.victim_event_key as form_key,
        form_map.form_classification,
        coalesce(separable.form, form_map.target_form) as form
    from victim_forms
    inner join form_map
        on
            victim_forms.reference_area = form_map.reference_area
            and victim_forms.registration_year = form_map.period
            and victim_forms.form = form_map.form
    left join separable
        on
            victim_forms.victim_event_key = separable.victim_event_key
            and form_map.form_classification = separable.form_classification
            and victim_forms.form = '_NS'
),

{{ known_forms() }},

named as (
    select
        unit_forms.form_key as victim_event_key,
        unit_forms.form_classification,
        unit_forms.form
    from unit_forms
)

select * from named
