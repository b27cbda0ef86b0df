{{ landing("any", "findings", with_path=true) }}
