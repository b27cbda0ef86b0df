{{ landing("aggregate", "cell") }}
