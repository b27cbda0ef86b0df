-- No accepted victim, event or perpetrator is lost between landing and core.
with sent as (
    select
        'victim' as record_type,
        count(distinct victim_event_key) as n_records
    from {{ ref("int_victim_record") }}
    union all
    select
        'event' as record_type,
        count(distinct event_key) as n_records
    from {{ ref("stg_police_event") }}
    union all
    select
        'perpetrator' as record_type,
        count(distinct perpetrator_key) as n_records
    from {{ ref("int_perpetrator_record") }}
),

kept as (
    select
        'victim' as record_type,
        count(*) as n_records
    from {{ ref("bridge_event_victim") }}
    union all
    select
        'event' as record_type,
        count(*) as n_records
    from {{ ref("fct_event") }}
    where event_basis = 'RECORD'
    union all
    select
        'perpetrator' as record_type,
        count(*) as n_records
    from {{ ref("dim_perpetrator") }}
)

select
    sent.record_type,
    sent.n_records as n_sent,
    kept.n_records as n_kept
from sent
inner join kept on sent.record_type = kept.record_type
where sent.n_records <> kept.n_records
