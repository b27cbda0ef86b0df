{{ landing("police", "event") }}
