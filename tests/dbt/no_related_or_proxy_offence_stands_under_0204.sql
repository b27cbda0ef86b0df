{{ config(tags=["invariant"]) }}

-- Only trafficking-specific articles, and trafficking tried under another one, enter ICCS 0204
-- (STATISTICS section 5).
with offences as (
    select
        'fct_offence' as relation_name,
        submission_id,
        reporting_entity,
        source_sheet,
        source_row,
        relation,
        iccs_code
    from {{ ref("fct_offence") }}
    where is_tip
),

charges as (
    select
        'fct_charge' as relation_name,
        submission_id,
        reporting_entity,
        source_sheet,
        source_row,
        relation,
        iccs_code
    from {{ ref("fct_charge") }}
    where is_tip
),

counted as (
    select * from offences
    union all
    select * from charges
)

select * from counted
where
    relation not in ('TIP_SPECIFIC', 'TIP_OTHER_ARTICLE')
    or iccs_code not like '0204%'
