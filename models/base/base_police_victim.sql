{{ landing("police", "victim") }}
