"""Taking an accepted submission out of the figures."""

from __future__ import annotations

from tipstat.errors import UsageError
from tipstat.landing import receipts
from tipstat.registry.models import SubmissionRelation
from tipstat.registry.store import change_status, get_submission, utc_now
from tipstat.rules import refuse
from tipstat.workspace import Workspace


def withdraw(ws: Workspace, submission_id: str, *, reason: str, actor: str | None = None) -> None:
    """Withdraw an accepted submission: it leaves the figures at the next build.

    A submission that it had replaced stays superseded.

    Raises:
        UsageError: TIP-922 no such submission, TIP-923 it is not accepted.
    """
    registry = ws.registry()
    registry.set_status(submission_id, "withdrawn", reason=reason, actor=actor)
    receipts.write_status_files(ws, registry, submission_id)


def supersede(
    ws: Workspace, earlier_id: str, later_id: str, *, reason: str, actor: str | None = None
) -> None:
    """Mark an accepted submission as replaced by another accepted one of the same kind.

    Raises:
        UsageError: TIP-922 no such submission, TIP-923 one of the two is not accepted, they
            are the same one, or of different kinds.
    """
    registry = ws.registry()
    with registry.write() as session:
        later, earlier = get_submission(session, later_id), get_submission(session, earlier_id)
        if later.status != "accepted":
            raise refuse("TIP-923", UsageError, where=later_id, found=later.status)
        if later_id == earlier_id or later.kind != earlier.kind:
            found = "the same submission" if later_id == earlier_id else f"a {later.kind} return"
            expected = f"another {earlier.kind} return"
            raise refuse("TIP-923", UsageError, where=later_id, found=found, expected=expected)
        change_status(session, earlier_id, "superseded", reason=reason, actor=actor)
        session.merge(
            SubmissionRelation(
                submission_id=later_id,
                earlier_id=earlier_id,
                relation="REPLACES",
                recorded_at=utc_now(),
            )
        )
    receipts.write_status_files(ws, registry, later_id)
