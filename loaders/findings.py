"""What a check found: where, which rule, what was expected and what to do."""

from __future__ import annotations

from dataclasses import dataclass

#: The worst first (DESIGN section 5).
SEVERITIES = ("refusal", "error-record", "error-value", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One finding of a check.

    Attributes:
        rule_id: id in ``seeds/catalogue/rules.csv``.
        severity: refusal, error-record, error-value, warning or note.
        cell: address such as ``C17``; empty where the finding concerns a whole sheet or file.
        value: the value as sent; ``None`` for reference, identifier, birth-date and free-text
            columns, whose values are never shown (STATISTICS section 6).
        count: number of places that this finding stands for.
    """

    rule_id: str
    severity: str
    message: str
    record_type: str = ""
    sheet: str = ""
    cell: str = ""
    row: int | None = None
    column_letter: str = ""
    variable: str = ""
    value: str | None = None
    expected: str = ""
    nearest: str = ""
    count: int = 1


#: The columns of ``findings.parquet``; ``count`` stays with the check.
FINDING_COLUMNS = (
    "rule_id",
    "severity",
    "record_type",
    "sheet",
    "cell",
    "row",
    "column_letter",
    "variable",
    "value",
    "expected",
    "nearest",
    "message",
)
