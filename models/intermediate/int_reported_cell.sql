{{ config(materialized="view") }}

with records as (
    select * from {{ ref("stg_aggregate_cell") }}
),

national_law as (
    select * from {{ ref("stg_national_offence") }}
),

versions as (
    {{ versions("records", ["cell_key"]) }}
),

current_version as (
    select
        versions.cell_key,
        versions.reporting_entity,
        versions.reference_area,
        versions.measure,
        versions.unit_of_count,
        versions.cell_nature,
        versions.period_start,
        versions.period_end,
        versions.area,
        versions.area_unit,
        versions.legal_article,
        versions.status_scope,
        versions.submission_status_scope,
        versions.deduplication,
        versions.sex,
        versions.age_group,
        versions.form,
        versions.citizenship,
        versions.breakdown,
        versions.breakdown_code,
        versions.cell_kind,
        versions.value,
        versions.lower_bound,
        versions.upper_bound,
        versions.submission_id,
        versions.record_id,
        versions.source_sheet,
        versions.source_row
    from versions
    where versions.version_no = 1
),

-- the article as it last stood within the period of the cell
law_in_period as (
    select
        current_version.cell_key,
        national_law.iccs_code,
        national_law.relation,
        row_number() over (
            partition by current_version.cell_key
            order by national_law.valid_from desc, national_law.iccs_code asc
        ) as law_no
    from current_version
    inner join national_law
        on
            current_version.legal_article = national_law.offence_code
            and current_version.reference_area = national_law.area
            and current_version.period_end >= national_law.valid_from
            and current_version.period_start <= national_law.valid_to
    where current_version.legal_article <> '_T'
),

related as (
    select
        current_version.*,
        case
            when current_version.legal_article = '_T' then '_Z'
            else coalesce(law_in_period.iccs_code, '_U')
        end as iccs_code,
        case
            when current_version.legal_article = '_T' then '_Z'
            else coalesce(law_in_period.relation, '_U')
        end as relation,
        -- a sender who names no article counts trafficking; an article counts as the map says
        current_version.legal_article = '_T'
        or coalesce(
            law_in_period.relation in ('TIP_SPECIFIC', 'TIP_OTHER_ARTICLE')
            and law_in_period.iccs_code like '0204%',
            false
        ) as is_tip
    from current_version
    left join law_in_period
        on
            current_version.cell_key = law_in_period.cell_key
            and law_in_period.law_no = 1
)

select * from related
