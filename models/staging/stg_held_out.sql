{%- set record_types = [
    ("police", "event"),
    ("police", "offence"),
    ("police", "victim"),
    ("police", "perpetrator"),
    ("police", "relationship"),
    ("court", "case"),
    ("court", "defendant"),
    ("court", "charge"),
    ("court", "decision"),
    ("court", "sanction"),
    ("service", "contact"),
    ("service", "contact_person"),
    ("service", "victim"),
    ("service", "status_decision"),
    ("service", "referral"),
    ("service", "service"),
    ("aggregate", "cell"),
] -%}

with records as (
    {%- for kind, record_type in record_types %}
    select
        submission_id,
        '{{ kind }}' as kind,
        '{{ record_type }}' as record_type,
        reporting_entity,
        held_out_rule
    from {{ ref("base_" ~ kind ~ "_" ~ record_type) }}
    where record_state = 'held_out'
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

counted as (
    select
        records.submission_id,
        records.kind,
        records.record_type,
        records.reporting_entity,
        coalesce(records.held_out_rule, '_U') as held_out_rule,
        count(*) as n_records
    from records
    group by
        records.submission_id,
        records.kind,
        records.record_type,
        records.reporting_entity,
        coalesce(records.held_out_rule, '_U')
)

select * from counted
