"""The three returns of a sample, and their standard CSV files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from tipstat.contract import load_contract
from tipstat.sample.court import Court, make_court
from tipstat.sample.mistakes import make_mistakes
from tipstat.sample.plan import EXTRACTION_LAG, Plan
from tipstat.sample.police import Police, make_police, make_relationships
from tipstat.sample.records import Records
from tipstat.sample.service import Service, make_service
from tipstat.sample.vocabulary import Country

KINDS = ("police", "court", "service")


@dataclass(frozen=True)
class Sample:
    """A sample: its plan, the three returns, and the country whose law and maps hold."""

    plan: Plan
    country: Country
    police: Police
    court: Court
    service: Service
    relationship: Records

    def records(self, kind: str) -> tuple[Records, ...]:
        """The record types of a return, parents first; without those that have no record."""
        listed = {
            "police": (*self.police.records, self.relationship),
            "court": self.court.records,
            "service": self.service.records,
        }[kind]
        return tuple(records for records in listed if records.n)

    @property
    def largest(self) -> int:
        """Number of records of the record type that has most."""
        sizes = [r.n + len(r.repeated) for kind in KINDS for r in self.records(kind)]
        return max(sizes)

    def metadata(self, kind: str) -> dict[str, str]:
        """The metadata of a return."""
        plan = self.plan
        return {
            "sender": plan.sender(kind),
            "reference_area": plan.country,
            "period_start": plan.first_day.isoformat(),
            "period_end": plan.last_day.isoformat(),
            "extraction_date": (plan.last_day + EXTRACTION_LAG).isoformat(),
            "maturity": "FINAL",
            "intent": "NEW",
            "nil_return": "N" if self.records(kind) else "Y",
            "status_scope": "ALL",
            "deduplication": "WITHIN_UNIT",
            "offence_rule": "ALL",
            "attempts_included": "Y",
            "age_moment": "REGISTRATION",
            "legal_basis": "CONSENT" if kind == "service" else "LAW",
            "confidentiality_class": "CONFIDENTIAL",
        }


def make_sample(plan: Plan) -> Sample:
    """Make the three returns of a plan; the same plan gives the same records."""
    rng = np.random.Generator(np.random.PCG64(plan.seed))
    country = Country(plan.country, plan.law)
    police = make_police(plan, country, rng)
    court = make_court(plan, country, rng, police)
    service = make_service(plan, country, rng, police)
    for records in (*police.records, *court.records, *service.records):
        make_mistakes(plan, rng, records)
    relationship = make_relationships(plan, police, rng)
    return Sample(plan, country, police, court, service, relationship)


def write_csv_return(sample: Sample, kind: str, folder: Path) -> None:
    """Write a return as standard CSV files into a folder, which is made.

    Args:
        sample: the sample.
        kind: police, court or service.
        folder: new or empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said = {"kind": kind, "language": "en", "contract_version": str(load_contract().version)}
    lines = [f"{name},{value}" for name, value in (said | sample.metadata(kind)).items()]
    text = "\n".join(["variable,value", *lines, ""])
    (folder / "metadata.csv").write_text(text, encoding="utf-8", newline="\n")
    for records in sample.records(kind):
        _write_table(records, folder / f"{records.name}.csv")


def _write_table(records: Records, path: Path) -> None:
    """One CSV file. No value has a comma, quotation mark or line end, so none is quoted."""
    options = arrow_csv.WriteOptions(include_header=False, quoting_style="none")
    with pa.OSFile(str(path), "wb") as sink:
        sink.write((",".join(records.columns) + "\n").encode())
        for table in records.batches():
            arrow_csv.write_csv(table, sink, options)
