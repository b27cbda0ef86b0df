{{ landing("police", "perpetrator") }}
