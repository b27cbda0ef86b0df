{{ landing("court", "decision") }}
