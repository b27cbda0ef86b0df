{{ landing("police", "offence") }}
