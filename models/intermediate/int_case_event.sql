-- The shared case reference links events to cases, never persons. A placeholder is landed empty and
-- an empty reference links none; a reference on more records than the limit says nothing
-- (STATISTICS section 2, DESIGN section 4) and links none. Each link says how it came.
with cases as (
    select * from {{ ref("int_case") }}
),

events as (
    select * from {{ ref("int_event") }}
),

case_references as (
    select
        cases.case_key,
        cases.case_ref,
        cases.submission_id,
        'case_ref' as linked_by
    from cases
    where coalesce(trim(cases.case_ref), '') <> ''
    union all
    select
        cases.case_key,
        cases.origin_case_ref as case_ref,
        cases.submission_id,
        'origin_case_ref' as linked_by
    from cases
    where coalesce(trim(cases.origin_case_ref), '') <> ''
),

event_references as (
    select
        events.event_key,
        events.case_ref,
        events.submission_id
    from events
    where coalesce(trim(events.case_ref), '') <> ''
),

reference_uses as (
    select
        uses.case_ref,
        count(*) as n_uses
    from (
        select event_references.case_ref from event_references
        union all
        select case_references.case_ref from case_references
    ) as uses
    group by uses.case_ref
),

usable as (
    select
        reference_uses.case_ref,
        reference_uses.n_uses
    from reference_uses
    where reference_uses.n_uses <= {{ var("case_reference_limit") }}
),

matched as (
    select
        case_references.case_key,
        event_references.event_key,
        'SHARED_CASE_REFERENCE' as link_rule,
        min(case_references.linked_by) as linked_by,
        min(case_references.submission_id) as case_submission_id,
        min(event_references.submission_id) as event_submission_id,
        min(usable.n_uses) as n_records
    from case_references
    inner join event_references on case_references.case_ref = event_references.case_ref
    inner join usable on case_references.case_ref = usable.case_ref
    group by case_references.case_key, event_references.event_key
)

select * from matched
