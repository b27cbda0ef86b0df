{{ landing("court", "defendant") }}
