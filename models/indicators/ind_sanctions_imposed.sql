-- Persons convicted of trafficking on whom a sanction was imposed, by type of sanction and by
-- length of the custodial sentence. A person with several sanctions counts once in each type and
-- once in the total.
with numbered as (
    select * from {{ ref("ind_person_convicted") }}
),

decisions as (
    select * from {{ ref("fct_decision") }}
    where outcome = 'CONVICTED_TIP'
),

sanctions as (
    select * from {{ ref("fct_sanction") }}
),

-- the sanctions of the conviction that is counted, not those of another instance
imposed as (
    select
        numbered.form_key,
        case
            when sanctions.sanction_type = 'CUSTODIAL' and sanctions.sanction_suspended = 'Y'
                then 'SUSPENDED'
            else {{ or_unknown("sanctions.sanction_type") }}
        end as sanction_type,
        sanctions.sanction_months
    from numbered
    inner join decisions
        on
            numbered.role_key = decisions.case_perpetrator_key
            and numbered.counted_date = decisions.decision_date
            and (
                (numbered.instance = 'LAST' and decisions.is_final = 'Y')
                or (
                    numbered.instance = 'FIRST'
                    and decisions.decision_stage = 'TRIAL'
                    and decisions.instance = 'FIRST'
                )
            )
    inner join sanctions on decisions.decision_key = sanctions.decision_key
),

-- the longest sentence to be served; life is longer than any number of months
longest as (
    select
        imposed.form_key,
        max(case when imposed.sanction_type = 'LIFE' then 1 else 0 end) as is_life,
        max(imposed.sanction_months) as sanction_months
    from imposed
    where imposed.sanction_type in ('CUSTODIAL', 'LIFE')
    group by imposed.form_key
),

unit_codes as (
    select distinct
        imposed.form_key,
        'sanction_type' as breakdown,
        imposed.sanction_type as code
    from imposed
    union all
    select
        longest.form_key,
        'sanction_length' as breakdown,
        case
            when longest.is_life = 1 then 'LIFE'
            when longest.sanction_months is null then '_U'
            when longest.sanction_months < 12 then 'LT1Y'
            when longest.sanction_months < 36 then 'Y1TO3'
            when longest.sanction_months < 60 then 'Y3TO5'
            when longest.sanction_months < 120 then 'Y5TO10'
            else 'GE10Y'
        end as code
    from longest
),

sanctioned as (
    select distinct imposed.form_key
    from imposed
),

units as (
    select
        numbered.*,
        '_Z' as status_scope,
        '_Z' as population_scope,
        1 as weight,
        not numbered.is_legal_entity as is_counted
    from numbered
    inner join sanctioned on numbered.form_key = sanctioned.form_key
    where numbered.role_no = 1
),

{{ counted_cells([
    {"sex": true},
    {"breakdown": "sanction_type", "many": true},
    {"breakdown": "sanction_length", "many": true},
    {"breakdown": "legal_status", "all_units": true},
]) }},

figures as (
    {{ counted_figures("sanctions_imposed", person_or_entity()) }}
)

select * from figures
