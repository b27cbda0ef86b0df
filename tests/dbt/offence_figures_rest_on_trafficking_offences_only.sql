{{ config(tags=["invariant"]) }}

-- The published number of offences is the number of trafficking offences, no more.
with figures as (
    select
        reference_area,
        cast(sum(value) as bigint) as n_published
    from {{ ref("fct_indicator_value") }}
    where
        indicator = 'offences_recorded'
        and basis = 'records'
        and form_classification = '_T'
        and breakdown = '_T'
    group by reference_area
),

offences as (
    select
        offences.reference_area,
        cast(sum(offences.offence_count) as bigint) as n_offences
    from {{ ref("fct_offence") }} as offences
    inner join {{ ref("fct_event") }} as events on offences.event_key = events.event_key
    where
        offences.relation in ('TIP_SPECIFIC', 'TIP_OTHER_ARTICLE')
        and offences.iccs_code like '0204%'
        and events.event_status not in ('REQUALIFIED', 'UNFOUNDED', 'CANCELLED')
        and events.event_registration_date is not null
    group by offences.reference_area
)

select
    figures.reference_area,
    figures.n_published,
    offences.n_offences
from figures
left join offences on figures.reference_area = offences.reference_area
where figures.n_published <> coalesce(offences.n_offences, 0)
