{{ landing("court", "sanction") }}
