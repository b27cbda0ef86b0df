{%- set of_victim = [
    "victim_status",
    "status_decided_by",
    "sex",
    "age_group",
    "age_moment",
    "age_basis",
    "citizenship",
    "purpose",
    "act",
    "means",
    "population_scope",
    "gender",
    "control",
    "sector",
    "recruitment_method",
    "recruiter_relationship",
    "recruitment_country",
    "transit_country",
    "exploitation_country",
    "entry_means",
    "exit_means",
    "education",
    "marital_status",
    "migration_status",
    "occupation",
    "economic_activity_status",
    "disability",
    "intoxication",
    "birth_country",
    "residence_country",
    "earlier_trafficking",
] -%}
{%- set record_types = [
    ("police", "event", [
        "event_status",
        "exploitation_country",
        "cross_border",
        "purpose",
        "act",
        "means",
        "weapon",
        "situational_context",
        "location_type",
        "motive",
        "cybercrime",
        "reported_by",
    ]),
    ("police", "offence", [
        "legal_article",
        "iccs_code",
        "attempted_completed",
        "principal_offence",
    ]),
    ("police", "victim", of_victim),
    ("police", "perpetrator", [
        "justice_status",
        "legal_status",
        "sex",
        "age_group",
        "citizenship",
        "role",
        "intoxication",
        "economic_activity_status",
        "repeat_offender",
        "organised_group",
    ]),
    ("police", "relationship", [
        "relationship",
    ]),
    ("court", "case", [
        "case_status",
    ]),
    ("court", "defendant", [
        "legal_status",
        "sex",
        "age_group",
        "citizenship",
        "intoxication",
        "economic_activity_status",
        "repeat_offender",
    ]),
    ("court", "charge", [
        "legal_article",
        "iccs_code",
        "charge_status",
        "attempted_completed",
        "purpose",
    ]),
    ("court", "decision", [
        "decision_stage",
        "instance",
        "outcome",
        "final",
    ]),
    ("court", "sanction", [
        "sanction_type",
        "sanction_suspended",
        "sanction_currency",
    ]),
    ("service", "contact", [
        "contact_channel",
        "contact_subject",
        "contact_topic",
        "contact_urgency",
        "contact_origin",
        "anonymous",
    ]),
    ("service", "contact_person", [
        "contact_role",
        "sex",
        "gender",
        "age_group",
        "citizenship",
        "disability",
        "pregnant",
    ]),
    ("service", "victim", ["consent_basis"] + of_victim),
    ("service", "status_decision", [
        "victim_status",
        "status_decided_by",
        "status_stage",
    ]),
    ("service", "referral", [
        "referral_direction",
        "other_entity_type",
        "referral_reason",
    ]),
    ("service", "service", [
        "service_category",
        "service_phase",
        "service_outcome",
    ]),
    ("aggregate", "cell", [
        "measure",
        "unit_of_count",
        "cell_nature",
        "status_scope",
        "sex",
        "age_group",
        "form",
        "citizenship",
        "breakdown",
        "breakdown_code",
        "cell_kind",
        "legal_article",
    ]),
] %}

-- Coded values that were sent and are no code of the list: how often, by submission and variable.
with
{%- for kind, record_type, variables in record_types %}
{{ kind }}_{{ record_type }} as (
    select * from {{ ref("base_" ~ kind ~ "_" ~ record_type) }}
),
{% endfor %}
invalid as (
    {%- for kind, record_type, variables in record_types %}
    {%- set outer = loop %}
    {%- for variable in variables %}
    select
        submission_id,
        '{{ kind }}' as kind,
        '{{ record_type }}' as record_type,
        '{{ variable }}' as variable,
        {{ variable }}_source as value_as_sent
    from {{ kind }}_{{ record_type }}
    where concat(';', {{ variable }}, ';') like '%;\_I;%' escape '\'
    {{ "union all" if not (loop.last and outer.last) }}
    {%- endfor %}
    {%- endfor %}
),

counted as (
    select
        invalid.submission_id,
        invalid.kind,
        invalid.record_type,
        invalid.variable,
        coalesce(invalid.value_as_sent, '') as value_as_sent,
        count(*) as n_records
    from invalid
    group by
        invalid.submission_id,
        invalid.kind,
        invalid.record_type,
        invalid.variable,
        coalesce(invalid.value_as_sent, '')
)

select * from counted
