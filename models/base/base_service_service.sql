{{ landing("service", "service") }}
