{{ landing("service", "victim") }}
