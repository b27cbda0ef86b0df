"""The snapshot of registry and landing that a build reads: typed Parquet, also where it is empty.

dbt sees neither the registry's database nor a settings file: all it may know stands in the
``inputs`` folder of the build. Files are ordered, so that two snapshots of the same submissions
differ in nothing but the identity of the build.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from tipstat import __version__, population
from tipstat.classification import Offence, offence_areas, offences
from tipstat.contract import load_contract
from tipstat.errors import WorkplaceError
from tipstat.project import seeds_dir
from tipstat.registry import Registry
from tipstat.registry.expected import due_by
from tipstat.registry.models import ExpectedReturn, LinkAuthorisation, ReportingEntity, Submission
from tipstat.rules import refuse
from tipstat.updates import Files, complete_updates
from tipstat.workspace import Workspace

Row = Mapping[str, object]

#: Name and DuckDB type of each column of a file.
Schema = Mapping[str, str]

#: Metadata of a return that the indicators need (STATISTICS section 9), as columns of the snapshot.
METADATA_COLUMNS = (
    "status_scope",
    "deduplication",
    "offence_rule",
    "attempts_included",
    "threats_included",
    "aiding_included",
    "accomplices_included",
    "conspiracy_included",
    "incitement_included",
    "age_moment",
    "area_covered",
    "units_in_scope",
    "units_silent",
)

SUBMISSION_SCHEMA: Schema = {
    "submission_id": "varchar",
    "sender": "varchar",
    "kind": "varchar",
    "reference_area": "varchar",
    "period_start": "date",
    "period_end": "date",
    "received_at": "timestamp",
    "due_date": "date",
    "sequence": "bigint",
    "status": "varchar",
    "maturity": "varchar",
    "intent": "varchar",
    "earlier_submission": "varchar",
    "nil_return": "boolean",
    **dict.fromkeys(METADATA_COLUMNS, "varchar"),
    "legal_basis": "varchar",
    "layout_id": "varchar",
}
ENTITY_SCHEMA: Schema = {
    "reporting_entity": "varchar",
    "name": "varchar",
    "entity_type": "varchar",
    "parent": "varchar",
    "reference_area": "varchar",
    "confidential": "boolean",
}
AUTHORISATION_SCHEMA: Schema = {
    "authorisation_id": "varchar",
    "entity_a": "varchar",
    "entity_b": "varchar",
    "purpose": "varchar",
    "valid_from": "date",
    "expires_on": "date",
}
COVERAGE_SCHEMA: Schema = {
    "submission_id": "varchar",
    "reporting_entity": "varchar",
    "scope": "varchar",
}
LANDING_SCHEMA: Schema = {
    "kind": "varchar",
    "record_type": "varchar",
    "submission_id": "varchar",
    "path": "varchar",
}
OFFENCE_SCHEMA: Schema = {field.name: "varchar" for field in fields(Offence)}
BUILD_SCHEMA: Schema = {
    "build_id": "varchar",
    "built_at": "timestamp",
    "tipstat_version": "varchar",
    "seed_digest": "varchar",
    "as_of": "date",
}

#: What ``loaders`` writes beside the records of every submission.
FINDING_SCHEMA: Schema = {
    "rule_id": "varchar",
    "severity": "varchar",
    "record_type": "varchar",
    "sheet": "varchar",
    "cell": "varchar",
    "row": "integer",
    "column_letter": "varchar",
    "variable": "varchar",
    "value": "varchar",
    "expected": "varchar",
    "nearest": "varchar",
    "message": "varchar",
    "count": "bigint",
}
MAPPING_SCHEMA: Schema = {
    "variable": "varchar",
    "code_list": "varchar",
    "value_as_sent": "varchar",
    "code": "varchar",
    "map_entry": "varchar",
    "n": "bigint",
}
#: Folder of the updates that were completed from earlier submissions: records, not only figures.
COMPLETED = "completed"
#: Files that every submission may have, whatever its kind.
COMMON_FILES = {"findings": FINDING_SCHEMA, "mapping": MAPPING_SCHEMA}


@dataclass(frozen=True)
class BuildIdentity:
    """Which build it is, and from which version of the code and the classification.

    Attributes:
        as_of: the day up to which authorisations and due dates are judged.
    """

    build_id: str
    built_at: datetime
    tipstat_version: str
    seed_digest: str
    as_of: date


@dataclass(frozen=True)
class Inputs:
    """What of the registry a build is made from.

    Attributes:
        submissions: those in the figures, in order of acceptance.
        authorisations: those in force on the day of the build.
        expected: the returns that are expected, by which the day is known on which one was due.
    """

    submissions: tuple[Submission, ...]
    entities: tuple[ReportingEntity, ...]
    authorisations: tuple[LinkAuthorisation, ...]
    expected: tuple[ExpectedReturn, ...] = ()


def current_inputs(registry: Registry, on: date) -> Inputs:
    """What the registry holds now: accepted submissions, entities, authorisations in force.

    Args:
        registry: at the current revision.
        on: the day of the build.
    """
    return Inputs(
        in_order(registry.current_submissions()),
        tuple(registry.entities()),
        tuple(registry.authorisations(on)),
        tuple(registry.expected_returns()),
    )


def in_order(submissions: Iterable[Submission]) -> tuple[Submission, ...]:
    """Submissions in the order in which they were accepted."""
    return tuple(sorted(submissions, key=lambda s: (s.sequence or 0, s.id)))


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that was written: its build and the accepted submissions in it."""

    build: BuildIdentity
    submissions: tuple[str, ...]


def seed_digest(office: Path | None = None, populations: Path | None = None) -> str:
    """SHA-256 over every file of the classification, with its place in the folder.

    Args:
        office: the office's own correspondences, which count where there are any.
        populations: the office's own populations, likewise.

    Returns:
        64 hex characters, equal wherever the same seeds are installed and the same maps used.
    """
    digest = hashlib.sha256()
    roots = (("", seeds_dir()), ("office/", office), ("populations/", populations))
    for prefix, root in roots:
        paths = [p for kind in ("*.csv", "*.parquet") for p in (root.rglob(kind) if root else ())]
        for name, path in sorted((p.relative_to(root or p).as_posix(), p) for p in paths):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{prefix}{name}\0{content}\n".encode())
    return digest.hexdigest()


def identify(
    build_id: str, now: datetime, office: Path | None = None, populations: Path | None = None
) -> BuildIdentity:
    """The identity of a build that starts now; ``now`` is in UTC, ``as_of`` is the local day.

    Args:
        build_id: id of the build.
        now: the present moment.
        office: the office's own correspondences.
        populations: the office's own populations.
    """
    return BuildIdentity(
        build_id=build_id,
        built_at=now,
        tipstat_version=__version__,
        seed_digest=seed_digest(office, populations),
        as_of=now.astimezone().date(),
    )


def write_snapshot(ws: Workspace, inputs: Inputs, build: BuildIdentity) -> Snapshot:
    """Write the inputs of a build into the ``inputs`` folder of the building folder.

    Only what is in the figures is written: what was refused, superseded or withdrawn is not
    (STATISTICS section 2).

    Args:
        ws: the workspace.
        inputs: what of its registry the build is made from.
        build: the identity of the build, written as an input of its own.

    Returns:
        The identity and the ids of the submissions, in order of acceptance.

    Raises:
        WorkplaceError: TIP-805, an accepted submission has no folder in the landing; TIP-940 to
            TIP-946, a population file of the office cannot be used.
    """
    folder = ws.building_dir / "inputs"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "contract").mkdir(parents=True)
    current, entities = inputs.submissions, inputs.entities
    with duckdb.connect() as connection:
        for name, schema in contract_files().items():
            _write(connection, folder / "contract" / f"{name}.parquet", schema, ())
    landing, completed_in = ws.landing_dir, folder / COMPLETED
    completed = complete_updates(current, landing, folder / "contract", completed_in)
    landed = [row for s in current for row in _landed_files(landing, s, completed)]
    areas = {entity.reference_area for entity in entities}
    areas |= {submission.reference_area for submission in current}
    tables: tuple[tuple[str, Schema, Iterable[Row]], ...] = (
        ("submission", SUBMISSION_SCHEMA, [_submission_row(s, inputs.expected) for s in current]),
        ("submission_entity", COVERAGE_SCHEMA, _coverage_rows(current)),
        ("reporting_entity", ENTITY_SCHEMA, _entity_rows(entities)),
        ("link_authorisation", AUTHORISATION_SCHEMA, _authorisation_rows(inputs.authorisations)),
        ("landing_file", LANDING_SCHEMA, landed),
        ("national_offence", OFFENCE_SCHEMA, _offence_rows(ws.correspondences_dir)),
        ("population", population.SCHEMA, _population_rows(ws.populations_dir, areas)),
        ("build", BUILD_SCHEMA, [_build_row(build)]),
    )
    with duckdb.connect() as connection:
        for name, schema, rows in tables:
            _write(connection, folder / f"{name}.parquet", schema, rows)
    return Snapshot(build, tuple(s.id for s in current))


def _offence_rows(office: Path) -> list[Row]:
    """National law of every area: the office's own map where it has one, else the shipped one."""
    areas = offence_areas(office)
    return [vars(offence) for area in areas for offence in offences(area, office)]


def _population_rows(office: Path, areas: set[str]) -> list[Row]:
    """Population of the areas that report: the office's own file, else the shipped reference."""
    own = population.office_population(office)
    rows = [row for area in sorted(areas & own.keys()) for row in own[area]]
    return [vars(row) for row in [*rows, *population.reference(areas - own.keys())]]


def contract_files() -> dict[str, Schema]:
    """The files without rows: every record type, and the files beside the records.

    A base model reads its own before the landing, so that an older landing, which lacks a column
    added to the contract since, and a record type that nobody has sent yet have all columns.
    """
    landed: dict[str, Schema] = {
        f"{kind}_{name}": dict(record_type.landed_columns)
        for (kind, name), record_type in load_contract().record_types.items()
        if kind != "any"
    }
    return landed | {f"any_{name}": schema for name, schema in COMMON_FILES.items()}


def _write(
    connection: duckdb.DuckDBPyConnection, path: Path, schema: Schema, rows: Iterable[Row]
) -> None:
    """Write rows as typed Parquet, in their order.

    DuckDB takes them as one list of structs: building Arrow arrays from Python values would
    import pandas, which takes ten times as long as all of the snapshot.
    """
    struct = ", ".join(f'"{name}" {kind}' for name, kind in schema.items())
    columns = ", ".join(f'item."{name}"' for name in schema)
    connection.execute(
        f"create or replace table snapshot as select {columns} "
        f"from (select unnest(cast(? as struct({struct})[])) as item)",
        [[{name: row[name] for name in schema} for row in rows]],
    )
    target = path.as_posix().replace("'", "''")
    connection.execute(f"copy snapshot to '{target}' (format parquet)")


def _submission_row(submission: Submission, expected: Sequence[ExpectedReturn]) -> Row:
    metadata = submission.return_metadata
    return {
        "submission_id": submission.id,
        "sender": submission.sender,
        "kind": submission.kind,
        "reference_area": submission.reference_area,
        "period_start": submission.period_start,
        "period_end": submission.period_end,
        "received_at": _utc(submission.received_at),
        "due_date": due_by(submission, expected),
        "sequence": submission.sequence,
        # As it was in the build: one that is repeated may have been superseded since.
        "status": "accepted",
        "maturity": submission.maturity,
        "intent": submission.intent,
        "earlier_submission": submission.earlier_submission,
        "nil_return": submission.nil_return,
        **{name: metadata.get(name) or None for name in METADATA_COLUMNS},
        "legal_basis": submission.legal_basis,
        "layout_id": submission.layout_id,
    }


def _coverage_rows(submissions: Sequence[Submission]) -> list[Row]:
    return [
        {"submission_id": s.id, "reporting_entity": entity, "scope": scope}
        for s in submissions
        for entity, scope in sorted((c.reporting_entity, c.scope) for c in s.coverage)
    ]


def _entity_rows(entities: Sequence[ReportingEntity]) -> list[Row]:
    return [
        {
            "reporting_entity": entity.id,
            "name": entity.name,
            "entity_type": entity.entity_type,
            "parent": entity.parent,
            "reference_area": entity.reference_area,
            "confidential": entity.confidential,
        }
        for entity in sorted(entities, key=lambda e: e.id)
    ]


def _authorisation_rows(authorisations: Sequence[LinkAuthorisation]) -> list[Row]:
    return [
        {
            "authorisation_id": str(a.id),
            "entity_a": a.entity_a,
            "entity_b": a.entity_b,
            "purpose": a.purpose,
            "valid_from": a.valid_from,
            "expires_on": a.expires_on,
        }
        for a in sorted(authorisations, key=lambda a: a.id)
    ]


def _build_row(build: BuildIdentity) -> Row:
    return {
        "build_id": build.build_id,
        "built_at": _utc(build.built_at),
        "tipstat_version": build.tipstat_version,
        "seed_digest": build.seed_digest,
        "as_of": build.as_of,
    }


def _landed_files(landing: Path, submission: Submission, completed: Files) -> list[Row]:
    folder = landing / submission.id
    if not (folder / "submission.json").is_file():
        raise refuse("TIP-805", WorkplaceError, where=submission.id, found="no landed records")
    record_types = [rt.name for rt in load_contract().of_kind(submission.kind)]
    names = [(submission.kind, name) for name in record_types]
    names += [("any", name) for name in COMMON_FILES]
    return [
        {
            "kind": kind,
            "record_type": name,
            "submission_id": submission.id,
            "path": completed.get((submission.id, name), folder / f"{name}.parquet")
            .resolve()
            .as_posix(),
        }
        for kind, name in names
        if (folder / f"{name}.parquet").is_file()
    ]


def _utc(moment: datetime) -> datetime:
    """The moment in UTC without a zone, as DuckDB's timestamp has none."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
