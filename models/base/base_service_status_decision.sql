{{ landing("service", "status_decision") }}
