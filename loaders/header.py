"""What a checked return declares, as the landing and the registry keep it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from loaders.typed import quoted
from tipstat.contract import load_contract
from tipstat.landing import SubmissionHeader

if TYPE_CHECKING:
    from loaders.check import CheckResult
    from tipstat.keys import PseudonymKey


def header_of(result: CheckResult, key: PseudonymKey) -> SubmissionHeader | None:
    """The header of a return, or ``None`` where it does not say who sends what period of where."""
    metadata = result.metadata
    start, end = metadata.get("period_start"), metadata.get("period_end")
    sender, area = metadata.get("sender"), metadata.get("reference_area")
    if not (sender and area and isinstance(start, date) and isinstance(end, date)):
        return None
    destroy_by = metadata.get("destroy_by")
    return SubmissionHeader(
        sender=str(sender),
        kind=result.kind,
        reference_area=str(area),
        period_start=start,
        period_end=end,
        file_sha256=result.file_sha256,
        file_format=result.file_format,
        layout_id=result.returned.layout_id,
        layout_sha256=result.returned.layout_sha256,
        contract_version=load_contract().version,
        key_fingerprint=key.fingerprint,
        maturity=_text(result, "maturity"),
        intent=_text(result, "intent"),
        earlier_submission=_text(result, "earlier_submission") or None,
        legal_basis=_text(result, "legal_basis"),
        agreement=_text(result, "agreement"),
        confidentiality_class=_text(result, "confidentiality_class"),
        destroy_by=destroy_by if isinstance(destroy_by, date) else None,
        nil_return=metadata.get("nil_return") == "Y",
        metadata={**_declared(result), "language": result.returned.language},
        coverage=_coverage(result, str(sender)),
    )


def _text(result: CheckResult, name: str) -> str:
    value = result.metadata.get(name)
    return "" if value is None else str(value)


def _declared(result: CheckResult) -> dict[str, str]:
    """Every item of the metadata sheet that was accepted, as text."""
    names = [variable.name for variable in load_contract().metadata.variables]
    return {name: _text(result, name) for name in names if result.metadata.get(name) is not None}


def _coverage(result: CheckResult, sender: str) -> tuple[tuple[str, str], ...]:
    """Entities that the return speaks for, by measure where it has cells; else its sender."""
    pairs: set[tuple[str, str]] = set()
    for name in result.records:
        scope = "measure" if name == "cell" else "''"
        rows = result.connection.execute(
            f"select distinct reporting_entity, {scope} from {quoted('rec_' + name)} "
            "where reporting_entity is not null"
        )
        pairs.update((str(entity), str(measure)) for entity, measure in rows.fetchall())
    return tuple(sorted(pairs)) or ((sender, ""),)
