with records as (
    select * from {{ ref("stg_police_offence") }}
),

events as (
    select * from {{ ref("int_event") }}
),

national_law as (
    select * from {{ ref("stg_national_offence") }}
),

versions as (
    {{ versions("records", ["offence_key"]) }}
),

placed as (
    select
        versions.*,
        coalesce(events.event_start_date, events.event_registration_date) as law_date
    from versions
    left join events on versions.event_key = events.event_key
    where versions.version_no = 1
),

coded as (
    select
        placed.offence_key,
        placed.event_key,
        placed.reporting_entity,
        placed.offence_no,
        placed.reference_area,
        placed.legal_article,
        placed.law_date,
        coalesce(
            national.iccs_code,
            case when {{ is_missing("placed.iccs_code") }} then '_U' else placed.iccs_code end
        ) as iccs_code,
        case
            when national.offence_code is not null then national.relation
            when placed.iccs_code like '0204%' then 'TIP_SPECIFIC'
            when {{ is_missing("placed.iccs_code") }} then '_U'
            else 'NOT_TIP'
        end as relation,
        case
            when national.offence_code is not null then 'law'
            when {{ is_missing("placed.iccs_code") }} then 'none'
            else 'sender'
        end as iccs_basis,
        placed.iccs_code as iccs_code_sent,
        placed.attempted_completed,
        coalesce(placed.offence_count, 1) as offence_count,
        placed.principal_offence,
        placed.submission_id,
        placed.record_id,
        placed.source_sheet,
        placed.source_row
    from placed
    left join national_law as national
        on
            placed.legal_article = national.offence_code
            and placed.reference_area = national.area
            and placed.law_date between national.valid_from and national.valid_to
),

related as (
    select
        coded.*,
        coded.relation in ('TIP_SPECIFIC', 'TIP_OTHER_ARTICLE')
        and coded.iccs_code like '0204%' as is_tip
    from coded
)

select * from related
