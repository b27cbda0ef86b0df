"""Refusals read in four parts, and the catalogue fills what the caller leaves out."""

from __future__ import annotations

import pytest

from tipstat.errors import ExitCode, ReturnRefused, TipstatError, UsageError, WorkplaceError
from tipstat.rules import all_rules, refuse, rule


def test_a_refusal_prints_headline_then_the_parts_that_are_known() -> None:
    refusal = TipstatError(
        "TIP-201",
        "unknown code",
        where="police.xlsx > Victims > F17",
        found='"femal"',
        expected="a code of sex",
        do="correct the cell",
    )
    assert refusal.render().splitlines() == [
        "TIP-201 unknown code     police.xlsx > Victims > F17",
        '  found    "femal"',
        "  expected a code of sex",
        "  do       correct the cell",
    ]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (ReturnRefused, ExitCode.FINDINGS),
        (UsageError, ExitCode.USAGE),
        (WorkplaceError, ExitCode.ENVIRONMENT),
    ],
)
def test_each_kind_of_refusal_has_its_exit_code(kind: type[TipstatError], code: ExitCode) -> None:
    assert kind.exit_code == code


def test_a_refusal_takes_title_expectation_and_advice_from_the_catalogue() -> None:
    known = next(iter(all_rules().values()))
    refusal = refuse(known.rule_id, UsageError, found="something else")
    assert refusal.rule == known.rule_id
    assert known.title in str(refusal)
    assert "something else" in str(refusal)
    assert refusal.do == known.fix


def test_an_id_that_is_not_in_the_catalogue_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        rule("TIP-000")
