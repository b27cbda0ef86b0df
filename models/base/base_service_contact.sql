{{ landing("service", "contact") }}
