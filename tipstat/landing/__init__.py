"""The landing: the accepted records of each submission, immutable, one folder each.

A load is one transaction over the landing folder and the registry (DESIGN section 1).
"""

from tipstat.landing.changes import supersede, withdraw
from tipstat.landing.header import LandedCounts, Passage, SubmissionHeader
from tipstat.landing.inspect import earlier_submission, findings_file
from tipstat.landing.purging import PurgeRequest
from tipstat.landing.rebuild import Rebuilt, rebuild_registry
from tipstat.landing.transaction import (
    already_accepted,
    check_acceptable,
    land,
    passage_now,
    record_refusal,
    sweep,
)

__all__ = [
    "LandedCounts",
    "Passage",
    "PurgeRequest",
    "Rebuilt",
    "SubmissionHeader",
    "already_accepted",
    "check_acceptable",
    "earlier_submission",
    "findings_file",
    "land",
    "passage_now",
    "rebuild_registry",
    "record_refusal",
    "supersede",
    "sweep",
    "withdraw",
]
