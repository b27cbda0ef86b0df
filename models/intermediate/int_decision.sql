with records as (
    select * from {{ ref("stg_court_decision") }}
),

versions as (
    {{ versions("records", ["decision_key"]) }}
),

current_version as (
    select
        versions.decision_key,
        {{ key("defendant_in_case", ["versions.perpetrator_key", "versions.case_key"]) }}
            as case_perpetrator_key,
        versions.case_key,
        versions.perpetrator_key,
        case
            when versions.charge_no is null then null
            else {{ key(
                "charge",
                [
                    "versions.reporting_entity",
                    "versions.case_issuer",
                    "versions.case_ref",
                    "versions.defendant_ref",
                    "versions.charge_no",
                ],
            ) }}
        end as charge_key,
        versions.reporting_entity,
        versions.decision_no,
        versions.reference_area,
        versions.decision_date,
        versions.decision_stage,
        versions.instance,
        versions.outcome,
        versions.final as is_final,
        versions.submission_id,
        versions.record_id,
        versions.source_sheet,
        versions.source_row
    from versions
    where versions.version_no = 1
)

select * from current_version
