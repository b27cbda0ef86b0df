"""What a workbook shows of a reply: counted, cut to what its sheets hold, and fit for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Groups of findings in the summary and findings in the list: the caps that the sheets state.
GROUPS, LISTED = 200, 2_000
#: Cells that one line of the summary names.
FIRST_CELLS = 5


@dataclass(frozen=True)
class Account:
    """What a reply says of the return as a whole.

    Attributes:
        submission_id: empty after a check, which records nothing.
        outcome: ``checked``, or the status of the submission.
        records, held_out: by record type.
    """

    file_name: str
    submission_id: str
    outcome: str
    sender: str
    kind: str
    reference_area: str
    period_start: str
    period_end: str
    language: str
    records: dict[str, int]
    held_out: dict[str, int]

    @property
    def read(self) -> int:
        """Records read, held out or not."""
        return sum(self.records.values())

    @property
    def held(self) -> int:
        """Records held out."""
        return sum(self.held_out.values())

    @property
    def loaded(self) -> int:
        """Records in the landing; none of a refused return or after a mere check."""
        return 0 if self.outcome in ("refused", "checked") else self.read - self.held


@dataclass(frozen=True)
class Content:
    """A reply as a workbook shows it; the parts are those of :class:`loaders.reply.Reply`.

    Attributes:
        account: what is said of the return as a whole.
        counts: findings by severity.
        groups: the first ``GROUPS`` groups of findings, of ``n_groups``.
        cells: the first cells in which anything was found, of ``n_cells``.
        findings: the first ``LISTED`` findings, of ``n_findings``.
        since: what was mended since the return before, where there is one.
    """

    account: Account
    counts: Mapping[str, int]
    groups: Sequence[Mapping[str, Any]]
    n_groups: int
    cells: Sequence[Mapping[str, Any]]
    n_cells: int
    findings: Sequence[Mapping[str, Any]]
    n_findings: int
    since: Mapping[str, Any] | None = None
