with clients as (
    select * from {{ ref("ind_victim_assisted") }}
),

victims as (
    select * from {{ ref("dim_victim") }}
),

victim_forms as (
    select * from {{ ref("ind_victim_form") }}
),

units as (
    select
        clients.*,
        'ALL' as status_scope,
        '_Z' as instance,
        clients.victim_key as citizenship_key,
        1 as weight,
        true as is_counted
    from clients
    where clients.client_no = 1
),

client_units as (
    select distinct
        clients.form_key,
        clients.victim_event_key
    from clients
),

all_forms as (
    select
        client_units.form_key,
        victim_forms.form_classification,
        victim_forms.form
    from client_units
    inner join victim_forms on client_units.victim_event_key = victim_forms.victim_event_key
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

{{ counted_cells([{"breakdown": "client_kind"}], persons=true) }},

figures as (
    {{ counted_figures(
        "victims_assisted",
        "case when counted.counting_basis = 'person' then 'VICTIM' else 'VICTIM_REGISTRATION' end",
    ) }}
)

select * from figures
