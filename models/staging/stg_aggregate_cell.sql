with records as (
    select * from {{ ref("base_aggregate_cell") }}
),

submissions as (
    select * from {{ ref("base_submission") }}
),

accepted as (
    select
        -- ids
        records.submission_id,
        records.record_id,
        records.source_sheet,
        records.source_row,
        {{ key(
            "cell",
            [
                "records.reporting_entity",
                "coalesce(records.reference_area, submissions.reference_area)",
                "records.measure",
                "records.unit_of_count",
                "records.period_start",
                "records.period_end",
                "records.cell_nature",
                "records.area",
                "records.area_unit",
                "coalesce(records.legal_article, '_T')",
                "records.status_scope",
                "records.sex",
                "records.age_group",
                "records.form",
                "records.citizenship",
                "records.breakdown",
                "records.breakdown_code",
            ],
        ) }} as cell_key,
        records.reporting_entity,
        -- codes
        coalesce(records.cell_kind, '_N') as cell_kind,
        coalesce(records.measure, '_N') as measure,
        coalesce(records.unit_of_count, '_N') as unit_of_count,
        coalesce(records.cell_nature, '_N') as cell_nature,
        coalesce(records.area, '_T') as area,
        coalesce(records.area_unit, '_T') as area_unit,
        coalesce(records.legal_article, '_T') as legal_article,
        coalesce(records.status_scope, '_N') as status_scope,
        coalesce(records.sex, '_T') as sex,
        coalesce(records.age_group, '_T') as age_group,
        coalesce(records.form, '_T') as form,
        coalesce(records.citizenship, '_T') as citizenship,
        coalesce(records.breakdown, '_T') as breakdown,
        coalesce(records.breakdown_code, '_T') as breakdown_code,
        -- numbers
        records.value,
        coalesce(records.value_state, 'not_collected') as value_state,
        records.lower_bound,
        coalesce(records.lower_bound_state, 'not_collected') as lower_bound_state,
        records.upper_bound,
        coalesce(records.upper_bound_state, 'not_collected') as upper_bound_state,
        -- dates
        records.period_start,
        coalesce(records.period_start_state, 'not_collected') as period_start_state,
        records.period_end,
        coalesce(records.period_end_state, 'not_collected') as period_end_state,
        -- submission
        submissions.sequence as submission_sequence,
        coalesce(records.reference_area, submissions.reference_area) as reference_area,
        submissions.period_end as submission_period_end,
        submissions.status_scope as submission_status_scope,
        submissions.deduplication
    from records
    inner join submissions on records.submission_id = submissions.submission_id
    where records.record_state = 'accepted'
)

select * from accepted
