with records as (
    select * from {{ ref("stg_court_case") }}
),

defendants as (
    select * from {{ ref("stg_court_defendant") }}
),

charges as (
    select * from {{ ref("stg_court_charge") }}
),

versions as (
    {{ versions("records", ["case_key"]) }}
),

dated as (
    select
        versions.*,
        {{ first_sent("case_opened_date", ["case_key"]) }} as first_opened_date
    from versions
),

registered as (
    select
        dated.case_key,
        'RECORD' as case_basis,
        dated.reporting_entity,
        dated.case_issuer,
        dated.case_ref,
        dated.origin_case_issuer,
        dated.origin_case_ref,
        dated.reference_area,
        dated.first_opened_date as case_opened_date,
        dated.case_status,
        dated.submission_id,
        dated.record_id,
        dated.source_sheet,
        dated.source_row
    from dated
    where dated.version_no = 1
),

mentioned as (
    select
        defendants.case_key,
        defendants.reporting_entity,
        defendants.case_issuer,
        defendants.case_ref,
        defendants.reference_area,
        defendants.submission_id,
        defendants.submission_sequence,
        defendants.record_id,
        defendants.source_sheet,
        defendants.source_row
    from defendants
    union all
    select
        charges.case_key,
        charges.reporting_entity,
        charges.case_issuer,
        charges.case_ref,
        charges.reference_area,
        charges.submission_id,
        charges.submission_sequence,
        charges.record_id,
        charges.source_sheet,
        charges.source_row
    from charges
),

mentioned_only as (
    select
        mentioned.*,
        row_number() over (
            partition by mentioned.case_key
            order by
                mentioned.submission_sequence desc,
                mentioned.source_sheet desc,
                mentioned.source_row desc,
                mentioned.record_id desc
        ) as version_no
    from mentioned
    left join registered on mentioned.case_key = registered.case_key
    where registered.case_key is null
),

unregistered as (
    select
        mentioned_only.case_key,
        'REFERENCE' as case_basis,
        mentioned_only.reporting_entity,
        mentioned_only.case_issuer,
        mentioned_only.case_ref,
        cast(null as string) as origin_case_issuer,
        cast(null as string) as origin_case_ref,
        mentioned_only.reference_area,
        cast(null as date) as case_opened_date,
        '_N' as case_status,
        mentioned_only.submission_id,
        mentioned_only.record_id,
        mentioned_only.source_sheet,
        mentioned_only.source_row
    from mentioned_only
    where mentioned_only.version_no = 1
),

united as (
    select * from registered
    union all
    select * from unregistered
)

select * from united
