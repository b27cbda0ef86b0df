with source as (
    select * from {{ ref("int_reported_cell") }}
),

selected as (
    select
        cell_key,
        reporting_entity,
        reference_area,
        measure,
        unit_of_count,
        cell_nature,
        period_start,
        period_end,
        area,
        area_unit,
        legal_article,
        iccs_code,
        relation,
        is_tip,
        case
            when {{ is_missing("status_scope") }} then submission_status_scope
            else status_scope
        end as status_scope,
        deduplication,
        sex,
        age_group,
        form,
        citizenship,
        breakdown,
        breakdown_code,
        cell_kind,
        value,
        lower_bound,
        upper_bound,
        submission_id,
        record_id,
        source_sheet,
        source_row
    from source
)

select * from selected
