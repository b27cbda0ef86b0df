-- Decisions on trafficking: those on a defendant who is charged with it in that case, or convicted
-- of it. A charge requalified to trafficking makes no earlier decision one on trafficking.
with decisions as (
    select * from {{ ref("fct_decision") }}
    where decision_date is not null
),

charges as (
    select * from {{ ref("fct_charge") }}
),

known_since as (
    select
        charges.case_perpetrator_key,
        case
            when charges.charge_status = 'REQUALIFIED' and charges.charge_date is not null
                then charges.charge_date
            else cast('0001-01-01' as date)
        end as tip_since
    from charges
    where charges.is_tip
    union all
    select
        decisions.case_perpetrator_key,
        decisions.decision_date as tip_since
    from decisions
    where decisions.outcome = 'CONVICTED_TIP'
),

tip_defendants as (
    select
        known_since.case_perpetrator_key,
        min(known_since.tip_since) as tip_since
    from known_since
    group by known_since.case_perpetrator_key
),

-- the last final decision on a defendant in a case is the one that stands
final_dates as (
    select
        decisions.case_perpetrator_key,
        max(decisions.decision_date) as final_date
    from decisions
    where decisions.is_final = 'Y'
    group by decisions.case_perpetrator_key
),

on_trafficking as (
    select
        decisions.decision_key,
        decisions.case_perpetrator_key,
        decisions.case_key,
        decisions.perpetrator_key,
        decisions.reporting_entity,
        decisions.reference_area,
        decisions.decision_date,
        decisions.decision_stage,
        decisions.instance,
        decisions.outcome,
        -- a decision that names another charge decides on that charge alone
        coalesce(charges.is_tip, true) as is_on_tip_charge,
        decisions.is_final = 'Y'
        and decisions.decision_date = final_dates.final_date as is_standing
    from decisions
    inner join tip_defendants
        on
            decisions.case_perpetrator_key = tip_defendants.case_perpetrator_key
            and decisions.decision_date >= tip_defendants.tip_since
    left join charges on decisions.charge_key = charges.charge_key
    left join final_dates
        on decisions.case_perpetrator_key = final_dates.case_perpetrator_key
),

selected as (
    select
        on_trafficking.decision_key,
        on_trafficking.case_perpetrator_key,
        on_trafficking.case_key,
        on_trafficking.perpetrator_key,
        on_trafficking.reporting_entity,
        on_trafficking.reference_area,
        on_trafficking.decision_date,
        on_trafficking.decision_stage,
        on_trafficking.instance,
        on_trafficking.outcome,
        on_trafficking.is_on_tip_charge,
        coalesce(on_trafficking.is_standing, false) as is_standing
    from on_trafficking
)

select * from selected
