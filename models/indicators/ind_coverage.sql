-- What the current returns cover: per indicator, area, type of source and year the months, the
-- submissions, and whether a figure that is not there is a true zero. It is one only where a return
-- of that kind covers the year and the source is known to report the measure, or declares nil.
with submissions as (
    select * from {{ ref("dim_submission") }}
),

submission_entities as (
    select * from {{ ref("bridge_submission_entity") }}
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

periods as (
    select * from {{ ref("dim_period") }}
),

catalogue as (
    select * from {{ ref("dim_indicator") }}
),

kinds as (
    select
        kind_list.kind,
        kind_list.indicator
    from (
        values
        ('police', 'events_recorded'),
        ('police', 'offences_recorded'),
        ('police', 'victims_registered'),
        ('police', 'persons_suspected'),
        ('court', 'persons_charged'),
        ('court', 'persons_convicted'),
        ('court', 'persons_tried'),
        ('court', 'persons_acquitted'),
        ('court', 'justice_decisions'),
        ('court', 'sanctions_imposed'),
        ('service', 'victims_registered'),
        ('service', 'victims_assisted'),
        ('service', 'services_provided'),
        ('service', 'referrals'),
        ('service', 'status_decisions'),
        ('service', 'contacts_received'),
        ('service', 'contact_persons')
    ) as kind_list (kind, indicator)
),

used_records as (
    select
        'events_recorded' as indicator,
        'police' as kind,
        reporting_entity,
        reference_area,
        event_registration_date as counted_date,
        submission_id
    from {{ ref("fct_event") }}
    where event_basis = 'RECORD'
    union all
    select
        'offences_recorded' as indicator,
        'police' as kind,
        offences.reporting_entity,
        offences.reference_area,
        events.event_registration_date as counted_date,
        offences.submission_id
    from {{ ref("fct_offence") }} as offences
    inner join {{ ref("fct_event") }} as events on offences.event_key = events.event_key
    union all
    select
        'victims_registered' as indicator,
        record_kind as kind,
        reporting_entity,
        reference_area,
        registration_date as counted_date,
        submission_id
    from {{ ref("bridge_event_victim") }}
    union all
    select
        'persons_suspected' as indicator,
        'police' as kind,
        perpetrators.reporting_entity,
        perpetrators.reference_area,
        coalesce(statuses.status_date, perpetrators.registration_date) as counted_date,
        statuses.submission_id
    from {{ ref("fct_perpetrator_status") }} as statuses
    inner join {{ ref("bridge_event_perpetrator") }} as perpetrators
        on statuses.event_perpetrator_key = perpetrators.event_perpetrator_key
    union all
    select
        'persons_charged' as indicator,
        'court' as kind,
        reporting_entity,
        reference_area,
        charge_date as counted_date,
        submission_id
    from {{ ref("fct_charge") }}
    union all
    select
        'persons_convicted' as indicator,
        'court' as kind,
        reporting_entity,
        reference_area,
        decision_date as counted_date,
        submission_id
    from {{ ref("fct_decision") }}
    where decision_stage <> 'PROSECUTION'
    union all
    select
        decided.indicator,
        'court' as kind,
        decisions.reporting_entity,
        decisions.reference_area,
        decisions.decision_date as counted_date,
        decisions.submission_id
    from {{ ref("fct_decision") }} as decisions
    inner join (
        values ('persons_tried'), ('persons_acquitted'), ('justice_decisions')
    ) as decided (indicator)
        on decisions.decision_stage <> 'PROSECUTION' or decided.indicator = 'justice_decisions'
    union all
    select
        'sanctions_imposed' as indicator,
        'court' as kind,
        sanctions.reporting_entity,
        sanctions.reference_area,
        decisions.decision_date as counted_date,
        sanctions.submission_id
    from {{ ref("fct_sanction") }} as sanctions
    inner join {{ ref("fct_decision") }} as decisions
        on sanctions.decision_key = decisions.decision_key
    union all
    select
        'victims_assisted' as indicator,
        'service' as kind,
        reporting_entity,
        reference_area,
        service_start_date as counted_date,
        submission_id
    from {{ ref("fct_service") }}
    where service_outcome = 'PROVIDED'
    union all
    select
        'services_provided' as indicator,
        'service' as kind,
        reporting_entity,
        reference_area,
        service_start_date as counted_date,
        submission_id
    from {{ ref("fct_service") }}
    union all
    select
        'referrals' as indicator,
        'service' as kind,
        reporting_entity,
        reference_area,
        referral_date as counted_date,
        submission_id
    from {{ ref("fct_referral") }}
    union all
    select
        'status_decisions' as indicator,
        'service' as kind,
        reporting_entity,
        reference_area,
        victim_status_date as counted_date,
        submission_id
    from {{ ref("fct_status_decision") }}
    union all
    select
        'contacts_received' as indicator,
        'service' as kind,
        reporting_entity,
        reference_area,
        contact_date as counted_date,
        submission_id
    from {{ ref("fct_contact") }}
    union all
    select
        'contact_persons' as indicator,
        'service' as kind,
        contact_persons.reporting_entity,
        contact_persons.reference_area,
        contacts.contact_date as counted_date,
        contact_persons.submission_id
    from {{ ref("fct_contact_person") }} as contact_persons
    inner join {{ ref("fct_contact") }} as contacts
        on contact_persons.contact_key = contacts.contact_key
),

used as (
    select distinct
        used_records.indicator,
        used_records.kind,
        used_records.reference_area,
        entities.source_type,
        {{ year_text("used_records.counted_date") }} as period,
        used_records.submission_id
    from used_records
    inner join entities on used_records.reporting_entity = entities.reporting_entity
),

reporting_sources as (
    select distinct
        used.indicator,
        used.kind,
        used.reference_area,
        used.source_type
    from used
),

entity_coverage as (
    select
        submissions.submission_id,
        submissions.kind,
        submissions.reference_area,
        submissions.nil_return,
        submissions.period_start,
        submissions.period_end,
        submission_entities.reporting_entity,
        submission_entities.measure,
        entities.source_type
    from submissions
    inner join submission_entities
        on submissions.submission_id = submission_entities.submission_id
    inner join entities on submission_entities.reporting_entity = entities.reporting_entity
),

-- a nil return of tables has no cell to name its measures: those that its entity reports elsewhere
reported_measures as (
    select distinct
        entity_coverage.reporting_entity,
        entity_coverage.measure
    from entity_coverage
    where entity_coverage.kind = 'aggregate' and entity_coverage.measure <> ''
),

nil_measures as (
    select
        entity_coverage.reference_area,
        entity_coverage.source_type,
        entity_coverage.submission_id,
        entity_coverage.period_start,
        entity_coverage.period_end,
        coalesce(reported_measures.measure, entity_coverage.measure) as measure
    from entity_coverage
    left join reported_measures
        on
            entity_coverage.reporting_entity = reported_measures.reporting_entity
            and entity_coverage.measure = ''
    where entity_coverage.kind = 'aggregate' and entity_coverage.nil_return
),

declared as (
    select distinct
        'records' as basis,
        kinds.indicator,
        entity_coverage.reference_area,
        entity_coverage.source_type,
        entity_coverage.submission_id,
        entity_coverage.period_start,
        entity_coverage.period_end
    from entity_coverage
    inner join kinds on entity_coverage.kind = kinds.kind
    left join reporting_sources
        on
            kinds.indicator = reporting_sources.indicator
            and kinds.kind = reporting_sources.kind
            and entity_coverage.reference_area = reporting_sources.reference_area
            and entity_coverage.source_type = reporting_sources.source_type
    where entity_coverage.nil_return or reporting_sources.indicator is not null
    union
    select distinct
        'cells' as basis,
        catalogue.indicator,
        nil_measures.reference_area,
        nil_measures.source_type,
        nil_measures.submission_id,
        nil_measures.period_start,
        nil_measures.period_end
    from nil_measures
    inner join catalogue on nil_measures.measure = catalogue.measure
),

months as (
    select month_list.calendar_month
    from (
        values (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12)
    ) as month_list (calendar_month)
),

covered_months as (
    select distinct
        declared.basis,
        declared.indicator,
        declared.reference_area,
        declared.source_type,
        periods.period,
        months.calendar_month
    from declared
    inner join periods
        on
            declared.period_start <= periods.period_end
            and declared.period_end >= periods.period_start
    inner join months
        on
            make_date(periods.calendar_year, months.calendar_month, 1) >= declared.period_start
            and last_day(make_date(periods.calendar_year, months.calendar_month, 1))
            <= declared.period_end
),

month_numbers as (
    select
        covered_months.basis,
        covered_months.indicator,
        covered_months.reference_area,
        covered_months.source_type,
        covered_months.period,
        count(*) as n_months
    from covered_months
    group by
        covered_months.basis,
        covered_months.indicator,
        covered_months.reference_area,
        covered_months.source_type,
        covered_months.period
),

behind as (
    select
        declared.basis,
        declared.indicator,
        declared.reference_area,
        declared.source_type,
        periods.period,
        declared.submission_id,
        1 as is_covering
    from declared
    inner join periods
        on
            declared.period_start <= periods.period_end
            and declared.period_end >= periods.period_start
    union all
    select
        'records' as basis,
        used.indicator,
        used.reference_area,
        used.source_type,
        used.period,
        used.submission_id,
        0 as is_covering
    from used
    where used.period is not null
),

summarised as (
    select
        behind.basis,
        behind.indicator,
        behind.reference_area,
        behind.source_type,
        behind.period,
        max(behind.is_covering) = 1 as is_covered,
        {{ join_distinct("behind.submission_id") }} as submissions,
        max(case when submissions.maturity = 'PROVISIONAL' then 1 else 0 end) = 1
            as is_provisional
    from behind
    inner join submissions on behind.submission_id = submissions.submission_id
    group by
        behind.basis,
        behind.indicator,
        behind.reference_area,
        behind.source_type,
        behind.period
),

coverage as (
    select
        summarised.basis,
        summarised.indicator,
        summarised.reference_area,
        summarised.source_type,
        summarised.period,
        summarised.is_covered,
        cast(coalesce(month_numbers.n_months, 0) as integer) as n_months,
        summarised.submissions,
        summarised.is_provisional
    from summarised
    left join month_numbers
        on
            summarised.basis = month_numbers.basis
            and summarised.indicator = month_numbers.indicator
            and summarised.reference_area = month_numbers.reference_area
            and summarised.source_type = month_numbers.source_type
            and summarised.period = month_numbers.period
)

select * from coverage
