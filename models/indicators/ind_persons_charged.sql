with numbered as (
    select * from {{ ref("ind_person_charged") }}
),

{{ units_at_stage() }},

{{ forms_charged("is_tip and charge_date is not null") }},

all_forms as (
    {{ forms_of_case() }}
),

{{ figures_at_stage("persons_charged") }}

select * from figures
