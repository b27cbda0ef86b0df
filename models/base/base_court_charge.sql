{{ landing("court", "charge") }}
