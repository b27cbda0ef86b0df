-- Persons named in contacts, by the day of the contact. They are what a caller says: nobody here is
-- in a figure of victims or suspects (STATISTICS section 5).
with contacts as (
    select * from {{ ref("fct_contact") }}
    where contact_date is not null
),

contact_persons as (
    select * from {{ ref("fct_contact_person") }}
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

units as (
    select
        contact_persons.reference_area,
        {{ year_text("contacts.contact_date") }} as period,
        entities.source_type,
        '_Z' as status_scope,
        '_Z' as population_scope,
        'contact_person' as counting_basis,
        '_Z' as instance,
        contact_persons.reporting_entity,
        contact_persons.contact_key as case_key,
        contact_persons.contact_person_key as form_key,
        {{ or_unknown("contact_persons.contact_role") }} as contact_role,
        {{ or_unknown("contact_persons.gender") }} as gender,
        1 as weight,
        true as is_counted
    from contact_persons
    inner join contacts on contact_persons.contact_key = contacts.contact_key
    inner join entities on contact_persons.reporting_entity = entities.reporting_entity
),

{{ counted_cells([
    {"breakdown": "contact_role"},
    {"breakdown": "gender"},
]) }},

figures as (
    {{ counted_figures("contact_persons", "'CONTACT_PERSON'") }}
)

select * from figures
