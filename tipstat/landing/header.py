"""What a submission declares and what was landed of it."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True)
class SubmissionHeader:
    """A return as declared by its metadata, and the file, layout and key it was read with.

    Attributes:
        sender: id of the entity that sends; it may send for other reporting entities.
        layout_sha256: hash of the layout, ``None`` for a standard workbook.
        intent: ``NEW``, ``REPLACES`` or ``UPDATES``.
        earlier_submission: id that the intent refers to; several are joined by ``;`` (a year that
            replaces its four quarters).
        metadata: every variable of the metadata sheet, as coded, and the language of the return.
        coverage: pairs of reporting entity and scope; the scope is empty for records and the
            measure for cells. Overlaps are judged pair by pair.
    """

    sender: str
    kind: str
    reference_area: str
    period_start: date | None
    period_end: date | None
    file_sha256: str
    file_format: str
    layout_id: str | None
    layout_sha256: str | None
    contract_version: int
    key_fingerprint: str
    maturity: str
    intent: str
    earlier_submission: str | None
    legal_basis: str
    agreement: str
    confidentiality_class: str
    destroy_by: date | None
    nil_return: bool
    metadata: dict[str, str]
    coverage: tuple[tuple[str, str], ...]

    @property
    def earlier_ids(self) -> tuple[str, ...]:
        """Ids of the submissions that this one replaces or updates, in the order named."""
        if self.intent not in ("REPLACES", "UPDATES"):
            return ()
        return earlier_ids(self.earlier_submission or "")

    @property
    def layout_key(self) -> str:
        """The layout's hash as the registry keeps it: empty without a layout, never null."""
        return self.layout_sha256 or ""


def earlier_ids(text: str) -> tuple[str, ...]:
    """The ids that ``earlier_submission`` names, joined by ``;``, once each and in their order."""
    named = (part.strip().lower() for part in text.split(";"))
    return tuple(dict.fromkeys(part for part in named if part))


@dataclass(frozen=True)
class LandedCounts:
    """How much was landed.

    Attributes:
        records: accepted records, by record type.
        held_out: records held out, by record type.
        findings: findings, by severity.
    """

    records: dict[str, int] = field(default_factory=dict)
    held_out: dict[str, int] = field(default_factory=dict)
    findings: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Passage:
    """The way of a file through the door, for the audit trail.

    Attributes:
        received_at: when it was received; with its time zone.
        checked_at: when every rule had been applied.
        actor: who loads it; ``None`` means the operating system's user.
    """

    received_at: datetime
    checked_at: datetime
    actor: str | None = None


def new_submission_id(header: SubmissionHeader) -> str:
    """An id that names kind, sender and period, fit to be a folder's name on any system.

    Returns:
        ``<kind>-<sender>-<last day>-<8 digits of the file's hash>-<4 random digits>``.
    """
    sender = re.sub(r"[^a-z0-9]+", "-", header.sender.lower()).strip("-")[:32] or "unknown"
    kind = re.sub(r"[^a-z0-9]+", "-", header.kind.lower())[:20] or "unknown"
    day = f"{header.period_end:%Y%m%d}" if header.period_end else "00000000"
    return f"{kind}-{sender}-{day}-{header.file_sha256[:8].lower()}-{secrets.token_hex(2)}"
