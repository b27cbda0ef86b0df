"""Workspaces and builds for the tests: a small dbt project of our own, quick to build.

The small project has one base view, one core table, the figures and one invariant. Its figures
count the accepted submissions, so that a test can tell the old warehouse from the new one.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tipstat import landing, warehouse
from tipstat.contract import load_contract
from tipstat.keys import load_key
from tipstat.landing import LandedCounts, SubmissionHeader
from tipstat.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
SMALL_PROJECT = Path(__file__).parent / "small_project"
ARROW = {
    "varchar": pa.string(),
    "date": pa.date32(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "decimal(18,2)": pa.decimal128(18, 2),
}
DRIVER = Path(__file__).parent / "build_driver.py"


def use_project(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    """Build with another dbt project than tipstat's own."""
    monkeypatch.setattr(warehouse, "project", SimpleNamespace(project_root=lambda: project))


def new_workspace(path: Path) -> Workspace:
    """A workspace with one police force of the sample country."""
    ws = Workspace.create(path, reference_area="XXA", key="demo")
    ws.registry().add_entity(
        "XXA-POL", name="Police", entity_type="POLICE", reference_area="XXA", actor="test"
    )
    return ws


def land_events(
    ws: Workspace, year: int, refs: Sequence[str], *, without: Sequence[str] = (), **values: str
) -> str:
    """Land a police return with these events, past all checks.

    Args:
        without: columns of the contract that are not landed, as an older contract lacked them.
        values: columns that every event gets.
    """
    columns = load_contract().record_type("police", "event").landed_columns
    schema = pa.schema([(name, ARROW[kind]) for name, kind in columns if name not in without])

    def write(folder: Path, submission_id: str) -> LandedCounts:
        rows = [
            {**_event(submission_id, year, ref, i), **values} for i, ref in enumerate(refs, start=2)
        ]
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / "event.parquet")
        return LandedCounts({"event": len(rows)}, {}, {})

    return landing.land(ws, header(ws, year, "|".join(refs)), write)


def _event(submission_id: str, year: int, ref: str, row: int) -> dict[str, object]:
    return {
        "submission_id": submission_id,
        "record_id": hashlib.md5(f"{submission_id}|event|{row}".encode()).hexdigest(),
        "source_sheet": "Events",
        "source_row": row,
        "record_state": "accepted",
        "reporting_entity": "XXA-POL",
        "event_ref": hashlib.sha256(ref.encode()).hexdigest(),
        "event_registration_date": date(year, 3, 1),
        "event_registration_date_state": "value",
        "event_status": "RECORDED",
        "event_status_source": "recorded",
    }


def header(ws: Workspace, year: int, content: str) -> SubmissionHeader:
    """What a police return of one year declares."""
    return SubmissionHeader(
        sender="XXA-POL",
        kind="police",
        reference_area="XXA",
        period_start=date(year, 1, 1),
        period_end=date(year, 12, 31),
        file_sha256=hashlib.sha256(f"{year} {content}".encode()).hexdigest(),
        file_format="xlsx",
        layout_id=None,
        layout_sha256=None,
        contract_version=load_contract().version,
        key_fingerprint=load_key(ws).fingerprint,
        maturity="FINAL",
        intent="NEW",
        earlier_submission=None,
        legal_basis="LAW",
        agreement="",
        confidentiality_class="RESTRICTED",
        destroy_by=None,
        nil_return=False,
        metadata={"status_scope": "REGISTERED", "deduplication": "WITHIN_UNIT"},
        coverage=(("XXA-POL", ""),),
    )


def submissions_in(ws: Workspace) -> int:
    """How many submissions the figures of the small project's warehouse in use count."""
    with warehouse.reading(ws) as connection:
        ((value,),) = connection.sql("select value from fct_indicator_value").fetchall()
    return int(value)


def build_in_process(ws: Workspace, point: str) -> subprocess.Popen[str]:
    """Start a build of the small project in a process of its own.

    Args:
        point: where it is killed, or ``hold`` to wait in mid build until it is killed.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, str(DRIVER), str(ws.root), str(SMALL_PROJECT), point],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
