{{ landing("police", "relationship") }}
