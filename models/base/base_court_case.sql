{{ landing("court", "case") }}
