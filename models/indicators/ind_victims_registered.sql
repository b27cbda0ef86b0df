with scoped as (
    select * from {{ ref("ind_victim_registered") }}
),

victims as (
    select * from {{ ref("dim_victim") }}
),

victim_forms as (
    select * from {{ ref("ind_victim_form") }}
),

units as (
    select
        scoped.*,
        '_Z' as instance,
        scoped.victim_key as citizenship_key,
        1 as weight,
        true as is_counted
    from scoped
    where scoped.registration_no = 1
),

victim_units as (
    select distinct
        scoped.form_key,
        scoped.victim_event_key
    from scoped
),

all_forms as (
    select
        victim_units.form_key,
        victim_forms.form_classification,
        victim_forms.form
    from victim_units
    inner join victim_forms on victim_units.victim_event_key = victim_forms.victim_event_key
),

{{ known_forms() }},

citizens as (
    select
        victims.victim_key as citizenship_key,
        victims.reference_area,
        victims.citizenship
    from victims
),

{{ citizenship_sets() }},

{{ counted_cells([{"breakdown": "victim_status"}, {"form": ["sdg"]}], persons=true) }},

figures as (
    {{ counted_figures(
        "victims_registered",
        "case when counted.counting_basis = 'person' then 'VICTIM' else 'VICTIM_REGISTRATION' end",
    ) }}
)

select * from figures
