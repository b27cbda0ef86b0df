"""Refusals in four parts: where, what was found and expected, the nearest, what to do.

Every refusal and every finding carries an id of ``seeds/catalogue/rules.csv``.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command tells its caller: clean, findings, wrong use, or an environment to mend."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    ENVIRONMENT = 3


class TipstatError(Exception):
    """A refusal that a person can act on.

    Args:
        rule: id in the rule catalogue, such as ``TIP-901``.
        title: the rule's short name.
        where: file, sheet and cell, or the thing refused; no value of a record.
        found: what was found (never an identifier or another record-level value).
        expected: what would have been accepted.
        nearest: the nearest accepted value, where there is one.
        do: what to do now.
    """

    exit_code = ExitCode.ENVIRONMENT

    def __init__(
        self,
        rule: str,
        title: str,
        *,
        where: str = "",
        found: str = "",
        expected: str = "",
        nearest: str = "",
        do: str = "",
    ) -> None:
        self.rule, self.title, self.where = rule, title, where
        self.found, self.expected, self.nearest, self.do = found, expected, nearest, do
        super().__init__(self.render())

    def render(self) -> str:
        """The message as printed: a headline and one line for each part that is known."""
        headline = f"{self.rule} {self.title}" + (f"     {self.where}" if self.where else "")
        parts = (
            ("found", self.found),
            ("expected", self.expected),
            ("nearest", self.nearest),
            ("do", self.do),
        )
        return "\n".join([headline, *(f"  {name:<9}{text}" for name, text in parts if text)])


class UsageError(TipstatError):
    """The command was called in a way that cannot work."""

    exit_code = ExitCode.USAGE


class WorkplaceError(TipstatError):
    """The workspace, registry, key or warehouse is not in a state to work with."""

    exit_code = ExitCode.ENVIRONMENT


class ReturnRefused(TipstatError):
    """A return cannot be read or accepted as it is; nothing of it was landed."""

    exit_code = ExitCode.FINDINGS
