{{ landing("service", "referral") }}
