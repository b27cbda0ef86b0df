"""The catalogue of rules: every check and every refusal, with a stable id."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from tipstat.errors import TipstatError
from tipstat.project import seeds_dir

Refusal = TypeVar("Refusal", bound=TipstatError)


@dataclass(frozen=True)
class Rule:
    """One row of ``seeds/catalogue/rules.csv``.

    Attributes:
        scope: kind of return that the rule concerns, ``any``, or ``tipstat`` for commands.
        predicate: SQL boolean over the typed columns of the record type, true for a bad row;
            empty where the rule is built from the contract.
    """

    rule_id: str
    name: str
    family: str
    severity: str
    scope: str
    record_type: str
    variable: str
    predicate: str
    title: str
    expected: str
    fix: str


@cache
def all_rules() -> dict[str, Rule]:
    """Every rule of the catalogue, by id."""
    path = seeds_dir() / "catalogue" / "rules.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        return {row["rule_id"]: Rule(**row) for row in csv.DictReader(handle)}


_TEXTS = ("title", "expected", "fix")


@dataclass(frozen=True)
class RuleText:
    """What a rule says to a sender in one language."""

    title: str
    expected: str
    fix: str


@cache
def rule_texts(language: str) -> dict[str, RuleText]:
    """The texts of the rules as a sender reads them, by id.

    The catalogue speaks to the office. ``rules_<language>.csv`` speaks to the sender: in English
    where that differs, in the other languages for every rule that a sender can meet.

    Args:
        language: ``en``, or another one with a ``seeds/catalogue/rules_<language>.csv``.

    Returns:
        Rule id -> texts; of a rule or text that is not in the file those of the catalogue.
    """
    path = seeds_dir() / "catalogue" / f"rules_{language}.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        own = {row["rule_id"]: row for row in csv.DictReader(handle)}
    return {
        rule_id: RuleText(
            *(own.get(rule_id, {}).get(name) or getattr(rule, name) for name in _TEXTS)
        )
        for rule_id, rule in all_rules().items()
    }


def rule(rule_id: str) -> Rule:
    """One rule; ``KeyError`` if the catalogue has none of that id."""
    return all_rules()[rule_id]


def refuse(
    rule_id: str,
    kind: type[Refusal],
    *,
    where: str = "",
    found: str = "",
    expected: str = "",
    nearest: str = "",
    do: str = "",
) -> Refusal:
    """Make the refusal of a rule, with title, expectation and advice from the catalogue.

    Args:
        kind: the class of refusal, which sets the exit code.
        expected: replaces the catalogue's expectation where the case allows a closer one.
        do: replaces the catalogue's advice likewise.

    Returns:
        The exception, to be raised by the caller.
    """
    entry = rule(rule_id)
    return kind(
        rule_id,
        entry.title,
        where=where,
        found=found,
        expected=expected or entry.expected,
        nearest=nearest,
        do=do or entry.fix,
    )
