-- The shared case reference links events to cases, never persons. A reference on more records than
-- the limit says nothing (STATISTICS section 2, DESIGN section 4) and links none.
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
        'case_ref' as linked_by
    from cases
    where cases.case_ref is not null
    union all
    select
        cases.case_key,
        cases.origin_case_ref as case_ref,
        'origin_case_ref' as linked_by
    from cases
    where cases.origin_case_ref is not null
),

event_references as (
    select
        events.event_key,
        events.case_ref
    from events
    where events.case_ref is not null
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
    select reference_uses.case_ref
    from reference_uses
    where reference_uses.n_uses <= {{ var("case_reference_limit") }}
),

matched as (
    select
        case_references.case_key,
        event_references.event_key,
        min(case_references.linked_by) as linked_by
    from case_references
    inner join event_references on case_references.case_ref = event_references.case_ref
    inner join usable on case_references.case_ref = usable.case_ref
    group by case_references.case_key, event_references.event_key
)

select * from matched
