"""The registry: entities, submissions, authorisations and the audit trail (DESIGN section 1)."""

from tipstat.registry.models import (
    AuditEvent,
    Build,
    ExpectedReturn,
    LinkAuthorisation,
    LoadIntent,
    Purge,
    ReportingEntity,
    Submission,
    SubmissionCoverage,
    SubmissionRelation,
)
from tipstat.registry.store import Registry

__all__ = [
    "AuditEvent",
    "Build",
    "ExpectedReturn",
    "LinkAuthorisation",
    "LoadIntent",
    "Purge",
    "Registry",
    "ReportingEntity",
    "Submission",
    "SubmissionCoverage",
    "SubmissionRelation",
]
