"""How fast tipstat is, as ratios against the bare engine in the same run (docs/benchmark.md)."""
