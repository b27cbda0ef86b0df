{{ landing("service", "contact_person") }}
