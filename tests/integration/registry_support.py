"""Workspaces, returns and PostgreSQL schemas for the tests of registry and landing."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from tipstat.doctor import examine
from tipstat.keys import DEMO_KEY
from tipstat.landing import LandedCounts, SubmissionHeader
from tipstat.workspace import Workspace

POSTGRES = "TIPSTAT_TEST_POSTGRES_URL"
ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@contextmanager
def registry_url(engine: str) -> Iterator[str]:
    """The URL of an empty registry: SQLite in the workspace, or a PostgreSQL schema of its own."""
    if engine == "sqlite":
        yield "sqlite:///registry.sqlite"
        return
    base = os.environ.get(POSTGRES)
    if not base:
        pytest.skip(f"{POSTGRES} is not set")
    url = sa.make_url(base).set(drivername="postgresql+psycopg")
    schema = f"tipstat_{secrets.token_hex(6)}"
    server = sa.create_engine(url, poolclass=NullPool)
    with server.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    try:
        own = url.update_query_dict({"options": f"-csearch_path={schema}"})
        yield own.render_as_string(hide_password=False)
    finally:
        with server.begin() as connection:
            connection.execute(sa.schema.DropSchema(schema, cascade=True))


def make_workspace(path: Path, url: str = "sqlite:///registry.sqlite") -> Workspace:
    """A workspace with the demonstration key and two entities, a police force and its ministry."""
    ws = Workspace.create(path, key="demo", reference_area="XXA", registry=url)
    registry = ws.registry()
    registry.add_entity(
        "MIN", name="Ministry", entity_type="CENTRAL_GOVERNMENT", reference_area="XXA"
    )
    registry.add_entity(
        "NPF", name="Police", entity_type="POLICE", reference_area="XXA", parent="MIN"
    )
    return ws


def header(**changes: Any) -> SubmissionHeader:
    """The header of the police's return for 2023, with changes."""
    usual: dict[str, Any] = {
        "sender": "NPF",
        "kind": "police",
        "reference_area": "XXA",
        "period_start": date(2023, 1, 1),
        "period_end": date(2023, 12, 31),
        "file_sha256": "a" * 64,
        "file_format": "xlsx",
        "layout_id": None,
        "layout_sha256": None,
        "contract_version": 1,
        "key_fingerprint": DEMO_KEY.fingerprint,
        "maturity": "FINAL",
        "intent": "NEW",
        "earlier_submission": None,
        "legal_basis": "LAW",
        "agreement": "",
        "confidentiality_class": "RESTRICTED",
        "destroy_by": None,
        "nil_return": False,
        "metadata": {"status_scope": "REGISTERED"},
        "coverage": (("NPF", ""),),
    }
    return SubmissionHeader(**(usual | changes))


def write_events(folder: Path, submission_id: str) -> LandedCounts:
    """Write three events, as a load does."""
    target = folder / "event.parquet"
    duckdb.sql(f"copy (select '{submission_id}' as id, range from range(3)) to '{target}'")
    return LandedCounts(records={"event": 3}, findings={"warning": 1})


def write_findings(folder: Path) -> LandedCounts:
    """Write one finding, as the refusal of a file does."""
    target = folder / "findings.parquet"
    duckdb.sql(f"copy (select 'TIP-101' as rule_id, 'refusal' as severity) to '{target}'")
    return LandedCounts(findings={"refusal": 1})


def accepted(ws: Workspace) -> list[str]:
    """Ids of the accepted submissions, in order of acceptance."""
    return [row.id for row in ws.registry().current_submissions()]


def landed(ws: Workspace) -> list[str]:
    """Names in the landing besides the lock of the sweep."""
    return sorted(p.name for p in ws.landing_dir.iterdir() if p.name != ".sweep.lock")


def faults(ws: Workspace) -> list[str]:
    """What the doctor finds wrong."""
    return [f"{c.check}: {c.detail}" for c in examine(ws) if c.state == "wrong"]


def assert_consistent(ws: Workspace) -> None:
    """Registry and landing agree, every accepted record is there, and nothing is left over."""
    assert faults(ws) == []
    assert landed(ws) == sorted(row.id for row in ws.registry().submissions())
    assert ws.registry().open_intents() == []
    for name in accepted(ws):
        file = ws.landing_dir / name / "event.parquet"
        assert duckdb.sql(f"select count(*) from '{file}' where id = '{name}'").fetchall() == [(3,)]
