-- Findings of the door, counted by submission, rule and variable: no value and no row goes on.
with findings as (
    select * from {{ ref("base_any_findings") }}
),

landing_files as (
    select * from {{ ref("base_landing_file") }}
),

counted as (
    select
        landing_files.submission_id,
        findings.rule_id,
        findings.severity,
        coalesce(findings.record_type, '') as record_type,
        coalesce(findings.variable, '') as variable,
        cast(sum(coalesce(findings.count, 1)) as bigint) as n_findings
    from findings
    inner join landing_files on findings.landing_path = landing_files.path
    group by
        landing_files.submission_id,
        findings.rule_id,
        findings.severity,
        coalesce(findings.record_type, ''),
        coalesce(findings.variable, '')
)

select * from counted
