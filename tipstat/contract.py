"""The contract of the returns: which variables each record type has and how they are landed.

Stated once in ``seeds/catalogue/variables.csv``; templates, checks, landing schema, base models
and the data dictionary are derived from it.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from functools import cache

from tipstat.project import seeds_dir

#: Columns that every landed record has, before its variables: name and DuckDB type.
SYSTEM_COLUMNS: tuple[tuple[str, str], ...] = (
    ("submission_id", "varchar"),
    ("record_id", "varchar"),
    ("source_sheet", "varchar"),
    ("source_row", "integer"),
    ("record_state", "varchar"),
    ("held_out_rule", "varchar"),
)

#: How the value of a variable of each type is landed.
LANDED_TYPES = {
    "code": "varchar",
    "entity": "varchar",
    "issuer": "varchar",
    "label": "varchar",
    "submission": "varchar",
    "reference": "varchar",
    "identifier": "varchar",
    "date": "date",
    "integer": "bigint",
    "decimal": "decimal(18,2)",
}


@dataclass(frozen=True)
class Variable:
    """One variable of a record type.

    Attributes:
        type: code, entity, issuer, label, submission, reference, identifier, date, birth_date,
            integer or decimal.
        code_list: the list that a code is taken from; ``@breakdown`` means the list named by the
            record's own ``breakdown``.
        multi: several codes may be sent, separated by ``;``.
        obligation: core, recommended or optional.
        is_key: part of the key of the record type.
        refers_to: record type of the same return whose key this one completes.
        default_value: taken where nothing was sent: a code, ``sender``, ``return`` (the item of
            that name of the metadata sheet), or another variable.
    """

    kind: str
    record_type: str
    name: str
    type: str
    code_list: str
    multi: bool
    obligation: str
    is_key: bool
    refers_to: str
    default_value: str
    definition: str
    standard: str
    since: int

    @property
    def landed_columns(self) -> tuple[tuple[str, str], ...]:
        """The columns that the variable becomes in the landing: name and DuckDB type.

        A coded variable keeps the value as sent beside the code (``<name>_source``); a typed one
        keeps the state of its value (``<name>_state``); an identifier becomes ``person_key``; a
        birth date is never landed (STATISTICS section 6).
        """
        if self.type == "birth_date":
            return ()
        if self.type == "identifier":
            return (("person_key", "varchar"),)
        column = (self.name, LANDED_TYPES[self.type])
        if self.type == "code":
            return (column, (f"{self.name}_source", "varchar"))
        if self.type in ("date", "integer", "decimal"):
            return (column, (f"{self.name}_state", "varchar"))
        return (column,)


@dataclass(frozen=True)
class RecordType:
    """One record type of a kind of return, with its variables in the order of the contract."""

    kind: str
    name: str
    variables: tuple[Variable, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the variables that identify a record within its kind."""
        return tuple(v.name for v in self.variables if v.is_key)

    @property
    def landed_columns(self) -> tuple[tuple[str, str], ...]:
        """Every column of the landed Parquet, in order: name and DuckDB type."""
        own = tuple(column for v in self.variables for column in v.landed_columns)
        return (*SYSTEM_COLUMNS, *own)

    def variable(self, name: str) -> Variable:
        """The variable of that name; ``KeyError`` if the record type has none."""
        for candidate in self.variables:
            if candidate.name == name:
                return candidate
        raise KeyError(name)


@dataclass(frozen=True)
class Contract:
    """All record types, keyed by kind and name, and the version of the contract."""

    version: int
    digest: str
    record_types: dict[tuple[str, str], RecordType]

    def kinds(self) -> tuple[str, ...]:
        """The kinds of return, in the order of the contract."""
        return tuple(dict.fromkeys(kind for kind, _ in self.record_types if kind != "any"))

    def of_kind(self, kind: str) -> tuple[RecordType, ...]:
        """The record types of one kind of return, without the metadata sheet."""
        return tuple(rt for (k, _), rt in self.record_types.items() if k == kind)

    def record_type(self, kind: str, name: str) -> RecordType:
        """One record type; ``KeyError`` if there is none of that kind and name."""
        return self.record_types[(kind, name)]

    @property
    def metadata(self) -> RecordType:
        """The variables of the metadata sheet that every return carries (STATISTICS section 9)."""
        return self.record_types[("any", "metadata")]


def _variable(row: dict[str, str]) -> Variable:
    return Variable(
        kind=row["kind"],
        record_type=row["record_type"],
        name=row["variable"],
        type=row["type"],
        code_list=row["code_list"],
        multi=row["multi"] == "Y",
        obligation=row["obligation"],
        is_key=row["role"] == "key",
        refers_to=row["refers_to"],
        default_value=row["default_value"],
        definition=row["definition"],
        standard=row["standard"],
        since=int(row["since"]),
    )


@cache
def load_contract() -> Contract:
    """Read the contract from the seeds.

    Returns:
        The contract; its version is the highest ``since`` of any variable.
    """
    path = seeds_dir() / "catalogue" / "variables.csv"
    raw = path.read_bytes()
    variables = [_variable(row) for row in csv.DictReader(raw.decode("utf-8").splitlines())]
    grouped: dict[tuple[str, str], list[Variable]] = {}
    for variable in variables:
        grouped.setdefault((variable.kind, variable.record_type), []).append(variable)
    return Contract(
        version=max(v.since for v in variables),
        digest=hashlib.sha256(raw).hexdigest()[:16],
        record_types={
            (kind, name): RecordType(kind, name, tuple(members))
            for (kind, name), members in grouped.items()
        },
    )
