"""Made-up returns of any size that overlap as real ones do, and the figures they must give."""

from __future__ import annotations

from tipstat.sample.plan import Plan, make_plan
from tipstat.sample.returns import Sample, make_sample
from tipstat.sample.truth import figures, findings, links

__all__ = ["Plan", "Sample", "figures", "findings", "links", "make_plan", "make_sample"]
