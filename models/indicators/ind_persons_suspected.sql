with numbered as (
    select * from {{ ref("ind_person_suspected") }}
),

{{ units_at_stage() }},

relationships as (
    select * from {{ ref("bridge_victim_perpetrator") }}
),

victim_forms as (
    select * from {{ ref("ind_victim_form") }}
    where form_classification <> 'sdg'
),

event_forms as (
    select * from {{ ref("ind_event_form") }}
),

linked_forms as (
    select
        relationships.event_perpetrator_key,
        victim_forms.form_classification,
        victim_forms.form
    from relationships
    inner join victim_forms on relationships.victim_event_key = victim_forms.victim_event_key
),

with_victim as (
    select distinct linked_forms.event_perpetrator_key
    from linked_forms
),

all_forms as (
    select
        numbered.form_key,
        linked_forms.form_classification,
        linked_forms.form
    from numbered
    inner join linked_forms on numbered.role_key = linked_forms.event_perpetrator_key
    union all
    select
        numbered.form_key,
        event_forms.form_classification,
        event_forms.form
    from numbered
    inner join event_forms on numbered.event_key = event_forms.event_key
    left join with_victim on numbered.role_key = with_victim.event_perpetrator_key
    where with_victim.event_perpetrator_key is null
),

{{ figures_at_stage("persons_suspected") }}

select * from figures
