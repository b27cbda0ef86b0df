-- Share of records in which a variable holds no value, by variable, type of source and year.
with entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

victims as (
    select
        victims.*,
        {{ year_text("victims.first_registration_date") }} as registration_year
    from {{ ref("dim_victim") }} as victims
),

perpetrators as (
    select
        perpetrators.*,
        {{ year_text("perpetrators.first_registration_date") }} as registration_year
    from {{ ref("dim_perpetrator") }} as perpetrators
    where not perpetrators.is_legal_entity
),

events as (
    select * from {{ ref("fct_event") }}
    where event_basis = 'RECORD'
),

victims_in_event as (
    select * from {{ ref("bridge_event_victim") }}
),

purposes as (
    select
        victims_in_event.reporting_entity,
        victims_in_event.reference_area,
        victims_in_event.registration_year,
        victim_purposes.form
    from {{ ref("bridge_victim_purpose") }} as victim_purposes
    inner join victims_in_event
        on victim_purposes.victim_event_key = victims_in_event.victim_event_key
),

charges as (
    select
        charges.*,
        {{ year_text("charges.charge_date") }} as charge_year
    from {{ ref("fct_charge") }} as charges
),

observed as (
    {%- for relation, record_type, year_column, column in [
        ("events", "event", "event_registration_year", "event_status"),
        ("events", "event", "event_registration_year", "cross_border"),
        ("events", "event", "event_registration_year", "exploitation_country"),
        ("victims", "victim", "registration_year", "sex"),
        ("victims", "victim", "registration_year", "citizenship"),
        ("victims_in_event", "victim", "registration_year", "age_group"),
        ("victims_in_event", "victim", "registration_year", "age_moment"),
        ("victims_in_event", "victim", "registration_year", "age_basis"),
        ("victims_in_event", "victim", "registration_year", "population_scope_sent"),
        ("purposes", "victim", "registration_year", "form"),
        ("perpetrators", "perpetrator", "registration_year", "sex"),
        ("perpetrators", "perpetrator", "registration_year", "age_group"),
        ("perpetrators", "perpetrator", "registration_year", "citizenship"),
        ("perpetrators", "perpetrator", "registration_year", "legal_status"),
        ("charges", "charge", "charge_year", "iccs_code"),
        ("charges", "charge", "charge_year", "charge_purpose"),
    ] %}
    select
        '{{ record_type }}' as record_type,
        '{{ column }}' as variable,
        {{ relation }}.reporting_entity,
        {{ relation }}.reference_area,
        coalesce({{ relation }}.{{ year_column }}, '_U') as period,
        case when {{ is_missing(relation ~ "." ~ column) }} then 1 else 0 end as is_missing
    from {{ relation }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

shares as (
    select
        observed.reference_area,
        entities.source_type,
        observed.period,
        observed.record_type,
        observed.variable,
        count(*) as n_records,
        cast(sum(observed.is_missing) as bigint) as n_missing,
        cast(sum(observed.is_missing) as double) / count(*) as share_missing
    from observed
    inner join entities on observed.reporting_entity = entities.reporting_entity
    group by
        observed.reference_area,
        entities.source_type,
        observed.period,
        observed.record_type,
        observed.variable
)

select * from shares
