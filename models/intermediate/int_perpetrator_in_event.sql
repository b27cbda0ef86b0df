with records as (
    select * from {{ ref("int_perpetrator_record") }}
),

police_records as (
    select * from records
    where record_kind = 'police'
),

versions as (
    {{ versions("police_records", ["perpetrator_key", "parent_key"]) }}
),

dated as (
    select
        versions.*,
        {{ first_sent("registration_date", ["perpetrator_key", "parent_key"]) }}
            as first_registration_date
    from versions
),

current_version as (
    select
        {{ key("perpetrator_in_event", ["dated.perpetrator_key", "dated.parent_key"]) }}
            as event_perpetrator_key,
        dated.perpetrator_key,
        dated.parent_key as event_key,
        dated.reference_area,
        dated.reporting_entity,
        dated.first_registration_date as registration_date,
        dated.role,
        dated.intoxication,
        dated.organised_group,
        dated.submission_id,
        dated.record_id,
        dated.source_sheet,
        dated.source_row
    from dated
    where dated.version_no = 1
)

select * from current_version
