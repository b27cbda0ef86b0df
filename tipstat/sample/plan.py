"""What a sample is asked to be, checked before anything is made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from tipstat.classification import Offence, code_list, offences
from tipstat.errors import UsageError
from tipstat.rules import refuse

#: The office extracts its data so long after the end of the period.
EXTRACTION_LAG = timedelta(days=31)
#: Above this a return would be refused for its held-out records.
MOST_MISTAKES = 0.1


@dataclass(frozen=True)
class Plan:
    """A sample to make.

    Attributes:
        country: ISO 3166-1 alpha-3 code of a country whose law is mapped to ICCS.
        events: number of police events.
        seed: the same plan gives the same records.
        first_year: first year of registration.
        last_year: last year; each return covers all of them.
        mistakes: share of records with a mistake that the door knows.
        late: share of decisions that fall more than a year after the registration.
        unlinked: share of persons whose identifier is not sent.
        doubled: share of victims who stand in one register under two references.
    """

    country: str = "XXA"
    events: int = 1000
    seed: int = 1
    first_year: int = 2022
    last_year: int = 2024
    mistakes: float = 0.02
    late: float = 0.15
    unlinked: float = 0.2
    doubled: float = 0.02

    @property
    def first_day(self) -> date:
        """First day of the reference period."""
        return date(self.first_year, 1, 1)

    @property
    def last_day(self) -> date:
        """Last day of the reference period."""
        return date(self.last_year, 12, 31)

    @property
    def years(self) -> range:
        """The years of the reference period."""
        return range(self.first_year, self.last_year + 1)

    @property
    def law(self) -> tuple[Offence, ...]:
        """The articles that were in force in the whole period."""
        first, last = self.first_day.isoformat(), self.last_day.isoformat()
        return tuple(
            article
            for article in offences(self.country)
            if article.valid_from <= first and last <= (article.valid_to or last)
        )

    def sender(self, kind: str) -> str:
        """Id of the entity that sends a return; it must be registered before loading."""
        names = {"police": "POLICE", "court": "COURT", "service": "SHELTER"}
        return f"{self.country}-{names[kind]}"


def make_plan(
    country: str,
    events: int,
    seed: int,
    *,
    years: str = "2022:2024",
    mistakes: float = Plan.mistakes,
    late: float = Plan.late,
    unlinked: float = Plan.unlinked,
    doubled: float = Plan.doubled,
) -> Plan:
    """Check the options of a sample.

    Raises:
        UsageError: TIP-973, with the option that cannot be followed.
    """
    shares = {"late": late, "unlinked": unlinked, "doubled": doubled}
    for name, share in shares.items():
        _check(0 <= share <= 1, f"--{name} {share}", "a share from 0 to 1")
    _check(0 <= mistakes <= MOST_MISTAKES, f"--mistakes {mistakes}", f"0 to {MOST_MISTAKES}")
    _check(events >= 1, f"--events {events}", "1 or more")
    _check(seed >= 0, f"--seed {seed}", "0 or more")
    first, last = _years(years)
    area = country.upper()
    known = area in code_list("country").by_code
    _check(known, f"--country {country}", "an ISO 3166-1 alpha-3 code")
    plan = Plan(area, events, seed, first, last, mistakes, late, unlinked, doubled)
    mapped = any(article.relation == "TIP_SPECIFIC" for article in plan.law)
    found = f"--country {country} --years {years}"
    _check(mapped, found, f"articles of offence_{area}.csv that were in force throughout")
    return plan


def _years(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{4})(?::(\d{4}))?", text)
    first = int(found[1]) if found else 0
    last = int(found[2] or found[1]) if found else 0
    _check(2012 <= first <= last, f"--years {text}", "such as 2022:2024, from 2012 on")
    over = date(last, 12, 31) + EXTRACTION_LAG <= date.today()
    _check(over, f"--years {text}", "years that are over and extracted")
    return first, last


def _check(right: bool, found: str, expected: str) -> None:
    if not right:
        raise refuse("TIP-973", UsageError, found=found, expected=expected)
