-- Contacts by their day; a contact is no victim and no suspect.
with contacts as (
    select * from {{ ref("fct_contact") }}
    where contact_date is not null
),

entities as (
    select * from {{ ref("dim_reporting_entity") }}
),

units as (
    select
        contacts.reference_area,
        {{ year_text("contacts.contact_date") }} as period,
        entities.source_type,
        '_Z' as status_scope,
        '_Z' as population_scope,
        'contact' as counting_basis,
        '_Z' as instance,
        contacts.reporting_entity,
        contacts.contact_key as case_key,
        contacts.contact_key as form_key,
        {{ or_unknown("contacts.contact_subject") }} as contact_subject,
        {{ or_unknown("contacts.contact_channel") }} as contact_channel,
        1 as weight,
        true as is_counted
    from contacts
    inner join entities on contacts.reporting_entity = entities.reporting_entity
),

{{ counted_cells([
    {"breakdown": "contact_subject"},
    {"breakdown": "contact_channel"},
]) }},

figures as (
    {{ counted_figures("contacts_received", "'CONTACT'") }}
)

select * from figures
