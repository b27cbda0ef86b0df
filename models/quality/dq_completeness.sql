{#- Record type -> the relation that holds it, the year of its records, and its coded variables. -#}
{%- set observed = [
    ("event", "events", "event_registration_year", [
        "event_status",
        "cross_border",
        "exploitation_country",
        "weapon",
        "situational_context",
        "location_type",
        "motive",
        "cybercrime",
        "reported_by",
    ]),
    ("victim", "victims", "registration_year", [
        "sex",
        "citizenship",
        "gender",
        "birth_country",
        "education",
        "marital_status",
        "disability",
    ]),
    ("victim", "victims_in_event", "registration_year", [
        "age_group",
        "age_moment",
        "age_basis",
        "population_scope_sent",
        "recruiter_relationship",
        "recruitment_country",
        "transit_country",
        "exploitation_country",
        "entry_means",
        "exit_means",
        "migration_status",
        "occupation",
        "economic_activity_status",
        "intoxication",
        "residence_country",
        "earlier_trafficking",
    ]),
    ("victim", "purposes", "registration_year", ["form"]),
    ("perpetrator", "perpetrators", "registration_year", [
        "sex",
        "age_group",
        "citizenship",
        "legal_status",
        "economic_activity_status",
        "repeat_offender",
    ]),
    ("charge", "charges", "charge_year", ["iccs_code", "charge_purpose"]),
] -%}
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

-- each relation is read once, whatever the number of its variables
{%- for record_type, relation, year_column, variables in observed %}
counted_{{ relation }} as (
    select
        {{ relation }}.reporting_entity,
        {{ relation }}.reference_area,
        coalesce({{ relation }}.{{ year_column }}, '_U') as period,
        {%- for variable in variables %}
        sum(
            case when {{ is_missing(relation ~ "." ~ variable) }} then 1 else 0 end
        ) as {{ variable }},
        {%- endfor %}
        count(*) as n_records
    from {{ relation }}
    group by
        {{ relation }}.reporting_entity,
        {{ relation }}.reference_area,
        coalesce({{ relation }}.{{ year_column }}, '_U')
),
{% endfor %}
counted as (
    {%- for record_type, relation, year_column, variables in observed %}
    {%- set last_relation = loop.last %}
    {%- for variable in variables %}
    select
        '{{ record_type }}' as record_type,
        '{{ variable }}' as variable,
        counted_{{ relation }}.reporting_entity,
        counted_{{ relation }}.reference_area,
        counted_{{ relation }}.period,
        counted_{{ relation }}.n_records,
        counted_{{ relation }}.{{ variable }} as n_missing
    from counted_{{ relation }}
    {{ "union all" if not (last_relation and loop.last) }}
    {%- endfor %}
    {%- endfor %}
),

shares as (
    select
        counted.reference_area,
        entities.source_type,
        counted.period,
        counted.record_type,
        counted.variable,
        cast(sum(counted.n_records) as bigint) as n_records,
        cast(sum(counted.n_missing) as bigint) as n_missing,
        cast(sum(counted.n_missing) as double) / cast(sum(counted.n_records) as double)
            as share_missing
    from counted
    inner join entities on counted.reporting_entity = entities.reporting_entity
    group by
        counted.reference_area,
        entities.source_type,
        counted.period,
        counted.record_type,
        counted.variable
)

select * from shares
