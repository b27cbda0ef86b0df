with records as (
    select * from {{ ref("stg_police_event") }}
),

victims as (
    select * from {{ ref("int_victim_record") }}
),

perpetrators as (
    select * from {{ ref("stg_police_perpetrator") }}
),

offences as (
    select * from {{ ref("stg_police_offence") }}
),

versions as (
    {{ versions("records", ["event_key"]) }}
),

dated as (
    select
        versions.*,
        {{ first_sent("event_registration_date", ["event_key"]) }} as first_registration_date
    from versions
),

registered as (
    select
        dated.event_key,
        'RECORD' as event_basis,
        dated.reporting_entity,
        dated.event_ref,
        dated.reference_area,
        dated.first_registration_date as event_registration_date,
        dated.event_start_date,
        dated.event_end_date,
        dated.case_issuer,
        dated.case_ref,
        dated.exploitation_country,
        dated.cross_border,
        dated.purpose,
        dated.act,
        dated.means,
        dated.event_area,
        dated.weapon,
        dated.situational_context,
        dated.location_type,
        dated.motive,
        dated.cybercrime,
        dated.reported_by,
        dated.submission_id,
        dated.record_id,
        dated.source_sheet,
        dated.source_row
    from dated
    where dated.version_no = 1
),

mentioned as (
    select
        victims.event_key,
        victims.reporting_entity,
        victims.event_ref,
        victims.reference_area,
        victims.registration_date,
        victims.case_issuer,
        victims.case_ref,
        victims.submission_id,
        victims.submission_sequence,
        victims.source_sheet,
        victims.source_row,
        victims.record_id
    from victims
    union all
    select
        perpetrators.event_key,
        perpetrators.reporting_entity,
        perpetrators.event_ref,
        perpetrators.reference_area,
        perpetrators.registration_date,
        cast(null as string) as case_issuer,
        cast(null as string) as case_ref,
        perpetrators.submission_id,
        perpetrators.submission_sequence,
        perpetrators.source_sheet,
        perpetrators.source_row,
        perpetrators.record_id
    from perpetrators
    union all
    select
        offences.event_key,
        offences.reporting_entity,
        offences.event_ref,
        offences.reference_area,
        cast(null as date) as registration_date,
        cast(null as string) as case_issuer,
        cast(null as string) as case_ref,
        offences.submission_id,
        offences.submission_sequence,
        offences.source_sheet,
        offences.source_row,
        offences.record_id
    from offences
),

mentioned_only as (
    select
        mentioned.*,
        row_number() over (
            partition by mentioned.event_key
            order by
                mentioned.submission_sequence desc,
                case when mentioned.case_ref is null then 1 else 0 end,
                mentioned.source_sheet desc,
                mentioned.source_row desc,
                mentioned.record_id desc
        ) as version_no,
        min(mentioned.registration_date) over (
            partition by mentioned.event_key
        ) as earliest_registration_date
    from mentioned
    left join registered on mentioned.event_key = registered.event_key
    where registered.event_key is null
),

unregistered as (
    select
        mentioned_only.event_key,
        case
            when mentioned_only.event_ref is null then 'PLACEHOLDER' else 'REFERENCE'
        end as event_basis,
        mentioned_only.reporting_entity,
        mentioned_only.event_ref,
        mentioned_only.reference_area,
        mentioned_only.earliest_registration_date as event_registration_date,
        cast(null as date) as event_start_date,
        cast(null as date) as event_end_date,
        mentioned_only.case_issuer,
        mentioned_only.case_ref,
        '_N' as exploitation_country,
        '_N' as cross_border,
        '_N' as purpose,
        '_N' as act,
        '_N' as means,
        cast(null as string) as event_area,
        '_N' as weapon,
        '_N' as situational_context,
        '_N' as location_type,
        '_N' as motive,
        '_N' as cybercrime,
        '_N' as reported_by,
        mentioned_only.submission_id,
        mentioned_only.record_id,
        mentioned_only.source_sheet,
        mentioned_only.source_row
    from mentioned_only
    where mentioned_only.version_no = 1
),

united as (
    select * from registered
    union all
    select * from unregistered
)

select * from united
