-- Findings of the door on current submissions, by rule; no value and no row of a return is in it.
with findings as (
    select * from {{ ref("stg_any_findings") }}
),

submissions as (
    select * from {{ ref("dim_submission") }}
),

named as (
    select
        findings.submission_id,
        submissions.sender,
        submissions.kind,
        findings.rule_id,
        findings.severity,
        findings.record_type,
        findings.variable,
        findings.n_findings
    from findings
    inner join submissions on findings.submission_id = submissions.submission_id
)

select * from named
