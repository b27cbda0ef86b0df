{{ config(materialized="view") }}

with police_victims as (
    select * from {{ ref("stg_police_victim") }}
),

service_victims as (
    select * from {{ ref("stg_service_victim") }}
),

united as (
    select
        'police' as record_kind,
        police_victims.submission_id,
        police_victims.record_id,
        police_victims.source_sheet,
        police_victims.source_row,
        police_victims.submission_sequence,
        police_victims.submission_period_end,
        police_victims.submission_age_moment,
        police_victims.reference_area,
        police_victims.reporting_entity,
        police_victims.victim_ref,
        police_victims.event_ref,
        police_victims.victim_key,
        police_victims.event_key,
        cast(null as string) as case_issuer,
        cast(null as string) as case_ref,
        police_victims.person_key,
        police_victims.registration_date,
        police_victims.victim_status,
        police_victims.victim_status_date,
        police_victims.status_decided_by,
        police_victims.sex,
        police_victims.age,
        police_victims.age_group,
        police_victims.age_moment,
        police_victims.age_basis,
        police_victims.citizenship,
        police_victims.purpose,
        police_victims.act,
        police_victims.means,
        police_victims.population_scope
    from police_victims
    union all
    select
        'service' as record_kind,
        service_victims.submission_id,
        service_victims.record_id,
        service_victims.source_sheet,
        service_victims.source_row,
        service_victims.submission_sequence,
        service_victims.submission_period_end,
        service_victims.submission_age_moment,
        service_victims.reference_area,
        service_victims.reporting_entity,
        service_victims.victim_ref,
        service_victims.event_ref,
        service_victims.victim_key,
        service_victims.event_key,
        service_victims.case_issuer,
        service_victims.case_ref,
        service_victims.person_key,
        service_victims.registration_date,
        service_victims.victim_status,
        service_victims.victim_status_date,
        service_victims.status_decided_by,
        service_victims.sex,
        service_victims.age,
        service_victims.age_group,
        service_victims.age_moment,
        service_victims.age_basis,
        service_victims.citizenship,
        service_victims.purpose,
        service_victims.act,
        service_victims.means,
        service_victims.population_scope
    from service_victims
),

keyed as (
    select
        united.*,
        {{ key("victim_in_event", ["united.victim_key", "united.event_key"]) }} as victim_event_key
    from united
)

select * from keyed
