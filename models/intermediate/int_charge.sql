with records as (
    select * from {{ ref("stg_court_charge") }}
),

national_law as (
    select * from {{ ref("stg_national_offence") }}
),

versions as (
    {{ versions("records", ["charge_key"]) }}
),

dated as (
    select
        versions.*,
        {{ first_sent("charge_date", ["charge_key"]) }} as first_charge_date
    from versions
),

coded as (
    select
        dated.charge_key,
        {{ key("defendant_in_case", ["dated.perpetrator_key", "dated.case_key"]) }}
            as case_perpetrator_key,
        dated.case_key,
        dated.perpetrator_key,
        dated.reporting_entity,
        dated.charge_no,
        dated.reference_area,
        dated.first_charge_date as charge_date,
        dated.legal_article,
        coalesce(
            national.iccs_code,
            case when {{ is_missing("dated.iccs_code") }} then '_U' else dated.iccs_code end
        ) as iccs_code,
        case
            when national.offence_code is not null then national.relation
            when dated.iccs_code like '0204%' then 'TIP_SPECIFIC'
            when {{ is_missing("dated.iccs_code") }} then '_U'
            else 'NOT_TIP'
        end as relation,
        case
            when national.offence_code is not null then 'law'
            when {{ is_missing("dated.iccs_code") }} then 'none'
            else 'sender'
        end as iccs_basis,
        dated.iccs_code as iccs_code_sent,
        dated.charge_status,
        dated.attempted_completed,
        dated.purpose,
        dated.submission_id,
        dated.record_id,
        dated.source_sheet,
        dated.source_row
    from dated
    left join national_law as national
        on
            dated.legal_article = national.offence_code
            and dated.reference_area = national.area
            and dated.first_charge_date between national.valid_from and national.valid_to
    where dated.version_no = 1
),

related as (
    select
        coded.*,
        coded.relation in ('TIP_SPECIFIC', 'TIP_OTHER_ARTICLE')
        and coded.iccs_code like '0204%' as is_tip
    from coded
)

select * from related
