"""Layouts as they are written: found, validated against the contract, and held as data."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from loaders.layout_keys import Shape, invalid, joined_path, nearest, parse_yaml, tidy
from loaders.tables import text_array
from tipstat.classification import LANGUAGES, code_list, offences
from tipstat.contract import RecordType, Variable, load_contract
from tipstat.errors import TipstatError, UsageError
from tipstat.rules import refuse

#: Layouts that come with tipstat.
SHIPPED = Path(__file__).resolve().parent / "layouts"

#: Codes that any coded variable may hold besides those of its list.
MISSING_LIST = "missing"

FORMATS = ("xlsx", "csv")


@dataclass(frozen=True)
class Condition:
    """A condition on one column: one of the values, a pattern, or none of the values.

    Attributes:
        values: accepted values, the empty text standing for a blank cell.
        matches: regular expression that the value must match somewhere.
        besides: values that do not meet the condition.
    """

    column: str
    values: tuple[str, ...] = ()
    matches: str = ""
    besides: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rows:
    """Rows that meet all conditions, and why they are treated in another way."""

    where: tuple[Condition, ...]
    reason: str


@dataclass(frozen=True)
class Place:
    """Where a table stands in the file.

    Attributes:
        sheet: exact name; empty where there is but one visible sheet.
        sheet_pattern: regular expression for the name, where it changes with every edition.
        footer: conditions on the first row that no longer belongs to the table.
    """

    sheet: str
    sheet_pattern: str
    header_row: int
    first_row: int
    footer: tuple[Condition, ...]


@dataclass(frozen=True)
class Joined:
    """Several columns that make one variable, blanks left out."""

    columns: tuple[str, ...]
    separator: str


@dataclass(frozen=True)
class Period:
    """Columns of year and month that make ``period_start`` and ``period_end``."""

    year: str
    month: str
    whole_year: tuple[Rows, ...]


@dataclass(frozen=True)
class Long:
    """A file with one number a row and its name beside it.

    Attributes:
        variables: name as sent -> dimensions of its cell.
        controls: name as sent -> what the number is, for totals that are only compared.
    """

    variable: str
    value: str
    variables: dict[str, dict[str, str]]
    controls: dict[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """All names that the layout knows."""
        return (*self.variables, *self.controls)


@dataclass(frozen=True)
class State:
    """Values that stand for no number: which, under what condition, and what they mean."""

    variables: tuple[str, ...]
    where: tuple[Condition, ...]
    values: tuple[str, ...]
    cell_kind: str
    reason: str


@dataclass(frozen=True)
class Control:
    """A total, its parts or another total, and the groups by which they are compared.

    Attributes:
        units: columns that with ``by`` name one sending unit, to find the first cell concerned.
    """

    id: str
    title: str
    total: str
    parts: tuple[str, ...]
    equals: str
    by: tuple[str, ...]
    units: tuple[str, ...]
    tolerance: str

    @property
    def names(self) -> tuple[str, ...]:
        """The numbers compared: variables of a long file, columns of another."""
        return (self.total, *self.parts, *([self.equals] if self.equals else []))


@dataclass(frozen=True)
class Coverage:
    """Columns that show whether years are whole and areas are named."""

    year: str
    month: str
    filled: tuple[str, ...]


@dataclass(frozen=True)
class RecordLayout:
    """How the records of one type are read from one table."""

    record_type: RecordType
    place: Place
    columns: dict[str, str]
    joined: dict[str, Joined]
    constants: dict[str, str]
    period: Period | None
    ignore: tuple[str, ...]
    skip: tuple[Rows, ...]
    refuse: tuple[Rows, ...]
    long: Long | None
    states: tuple[State, ...]
    controls: tuple[Control, ...]
    coverage: Coverage | None

    @property
    def used_columns(self) -> tuple[str, ...]:
        """Every column of the file that the layout reads, once, in the order of the layout."""
        whole_year = self.period.whole_year if self.period else ()
        rows = (*self.skip, *self.refuse, *whole_year)
        conditions = [
            *(condition for one in rows for condition in one.where),
            *(condition for state in self.states for condition in state.where),
            *self.place.footer,
        ]
        names = [
            *self.columns,
            *(column for joined in self.joined.values() for column in joined.columns),
            *((self.period.year, self.period.month) if self.period else ()),
            *((self.long.variable, self.long.value) if self.long else ()),
            *(condition.column for condition in conditions),
            *(column for control in self.controls for column in (*control.by, *control.units)),
            *(name for control in self.controls if not self.long for name in control.names),
            *((self.coverage.year, self.coverage.month) if self.coverage else ()),
            *(self.coverage.filled if self.coverage else ()),
        ]
        return tuple(dict.fromkeys(name for name in names if name))


@dataclass(frozen=True)
class MappedValue:
    """Our code for a value as sent, with the dates between which it stands."""

    code: str
    valid_from: dt.date | None
    valid_to: dt.date | None


@dataclass(frozen=True)
class Layout:
    """A validated layout.

    Attributes:
        metadata: constants of the metadata sheet; a caller may override them.
        values: variable or code list -> value as sent -> codes by validity.
        sha256: of the YAML's bytes.
    """

    id: str
    title: str
    kind: str
    language: str
    reference_area: str
    valid_from: dt.date | None
    valid_to: dt.date | None
    source: dict[str, str]
    format: str
    encoding: str | None
    delimiter: str | None
    metadata: dict[str, str]
    values: dict[str, dict[str, tuple[MappedValue, ...]]]
    records: tuple[RecordLayout, ...]
    sha256: str
    path: Path


def layout_paths(workspace_layouts: Path | None = None) -> dict[str, Path]:
    """Every layout by id (the file's name): a workspace's own go before the shipped ones."""
    folders = [SHIPPED, *([workspace_layouts] if workspace_layouts else [])]
    return {
        path.stem: path
        for folder in folders
        if folder.is_dir()
        for path in sorted(folder.glob("*.yml"))
    }


def load_layout(
    path_or_id: Path | str, workspace_layouts: Path | None = None, *, office: Path | None = None
) -> Layout:
    """Load and validate a layout.

    Args:
        path_or_id: the path of a ``.yml`` file, or the id of a layout.
        workspace_layouts: the folder of the workspace's own layouts.
        office: the workspace's own ``correspondences`` folder, for national offences.

    Returns:
        The layout, every name in it known to the contract and the code lists.

    Raises:
        UsageError: there is no such layout, or it is not valid; the refusal names the YAML path.
    """
    known = layout_paths(workspace_layouts)
    path = known.get(str(path_or_id), Path(path_or_id))
    if not path.is_file() or path.suffix not in (".yml", ".yaml"):
        name = str(path_or_id)
        raise refuse("TIP-125", UsageError, found=name, nearest=nearest(name, known))
    raw = path.read_bytes()
    content = parse_yaml(path.name, raw)
    Shape(path.name).section(content, "layout", "")
    return _Reader(path, content, hashlib.sha256(raw).hexdigest(), office).layout()


def _texts(value: object) -> tuple[str, ...]:
    """A text or a list of texts as a tuple."""
    if value is None:
        return ()
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _columns(value: object) -> tuple[str, ...]:
    """Column names as headers are compared."""
    return tuple(tidy(name) for name in _texts(value))


def _date(value: str | None) -> dt.date | None:
    return dt.date.fromisoformat(value) if value else None


def _conditions(where: Mapping[str, Any] | None) -> tuple[Condition, ...]:
    conditions = []
    for column, condition in (where or {}).items():
        if isinstance(condition, dict):
            matches, besides = condition.get("matches", ""), _texts(condition.get("except"))
            conditions.append(Condition(tidy(column), matches=matches, besides=besides))
        else:
            conditions.append(Condition(tidy(column), values=_texts(condition)))
    return tuple(conditions)


def _rows(items: Iterable[Mapping[str, Any]] | None) -> tuple[Rows, ...]:
    return tuple(Rows(_conditions(item["where"]), item["reason"]) for item in items or ())


class _Reader:
    """Turns checked YAML into a layout, and checks its names against contract and code lists."""

    def __init__(
        self, path: Path, content: dict[str, Any], sha256: str, office: Path | None
    ) -> None:
        self._path, self._content, self._sha256 = path, content, sha256
        self._office = office
        self._area = content["reference_area"]

    def layout(self) -> Layout:
        content, contract = self._content, load_contract()
        self._one_of(content["kind"], contract.kinds(), "kind")
        self._one_of(content["language"], LANGUAGES, "language")
        self._one_of(content["file"]["format"], FORMATS, "file.format")
        if content["id"] != self._path.stem:
            raise self._wrong("id", content["id"], f"the name of the file, {self._path.stem}")
        self._codes("country", (self._area,), "reference_area")
        file = content["file"]
        metadata = content.get("metadata", {})
        self._constants(contract.metadata, metadata, "metadata")
        records = tuple(self._record(name, record) for name, record in content["records"].items())
        return Layout(
            id=content["id"],
            title=content["title"],
            kind=content["kind"],
            language=content["language"],
            reference_area=self._area,
            valid_from=_date(content.get("valid_from")),
            valid_to=_date(content.get("valid_to")),
            source=dict(content.get("source", {})),
            format=file["format"],
            encoding=file.get("encoding") or None,
            delimiter=self._delimiter(file.get("delimiter")),
            metadata={"reference_area": self._area, **metadata},
            values=self._values(content.get("values", {}), records),
            records=records,
            sha256=self._sha256,
            path=self._path,
        )

    def _delimiter(self, text: str | None) -> str | None:
        if text in (None, ""):
            return None
        delimiter = "\t" if text in ("tab", "\\t") else str(text)
        if len(delimiter) != 1 or not delimiter.isascii():
            raise self._wrong("file.delimiter", str(text), "one character, or tab")
        return delimiter

    def _record(self, name: str, content: Mapping[str, Any]) -> RecordLayout:
        path = f"records.{name}"
        kind = self._content["kind"]
        types = {record.name: record for record in load_contract().of_kind(kind)}
        if name not in types:
            raise self._unknown(path, name, types)
        record_type = types[name]
        self._assigned_once(record_type, content, path)
        self._constants(record_type, content.get("constants", {}), f"{path}.constants")
        long = self._long(record_type, content.get("long"), f"{path}.long")
        if long is None and content.get("states"):
            raise self._wrong(f"{path}.states", "states without long", "states of a long file")
        record = RecordLayout(
            record_type=record_type,
            place=self._place(content, path),
            columns={tidy(name): v for name, v in content.get("columns", {}).items()},
            joined={
                variable: Joined(_columns(item["columns"]), item.get("separator", " "))
                for variable, item in content.get("joined", {}).items()
            },
            constants=dict(content.get("constants", {})),
            period=self._period(content.get("period")),
            ignore=_columns(content.get("ignore")),
            skip=_rows(content.get("skip")),
            refuse=_rows(content.get("refuse")),
            long=long,
            states=tuple(
                self._state(item, long, f"{path}.states[{index}]")
                for index, item in enumerate(content.get("states", ()))
            ),
            controls=tuple(
                self._control(item, long, f"{path}.controls[{index}]")
                for index, item in enumerate(content.get("controls", ()))
            ),
            coverage=self._coverage(content.get("coverage")),
        )
        self._patterns(record, path)
        both = [column for column in record.ignore if column in record.used_columns]
        if both:
            raise self._wrong(f"{path}.ignore", both[0], "columns that nothing else reads")
        return record

    def _place(self, content: Mapping[str, Any], path: str) -> Place:
        merged = {**self._content["file"], **{k: v for k, v in content.items() if k != "columns"}}
        header = int(merged.get("header_row", "1"))
        first = int(merged.get("first_row", header + 1))
        if first <= header:
            raise self._wrong(f"{path}.first_row", str(first), f"a row below the header, {header}")
        return Place(
            sheet=merged.get("sheet", ""),
            sheet_pattern=merged.get("sheet_pattern", ""),
            header_row=header,
            first_row=first,
            footer=_conditions(merged.get("footer", {}).get("where")),
        )

    @staticmethod
    def _period(content: Mapping[str, Any] | None) -> Period | None:
        if content is None:
            return None
        year, month = tidy(content["year"]), tidy(content.get("month", ""))
        return Period(year, month, _rows(content.get("whole_year")))

    @staticmethod
    def _coverage(content: Mapping[str, Any] | None) -> Coverage | None:
        if content is None:
            return None
        month, filled = tidy(content.get("month", "")), _columns(content.get("filled"))
        return Coverage(tidy(content["year"]), month, filled)

    def _assigned_once(
        self, record_type: RecordType, content: Mapping[str, Any], path: str
    ) -> None:
        """Every variable is known and filled from one place only."""
        long = content.get("long") or {}
        variables = long.get("variables")
        dimensions = {
            dimension
            for cell in (variables.values() if isinstance(variables, dict) else ())
            if isinstance(cell, dict)
            for dimension in cell
            if dimension != "control"
        }
        sources = {
            "columns": tuple(content.get("columns", {}).values()),
            "joined": tuple(content.get("joined", {})),
            "constants": tuple(content.get("constants", {})),
            "period": ("period_start", "period_end") if content.get("period") else (),
            "long.variables": tuple(dimensions),
            "long": ("value",) if long else (),
        }
        seen: dict[str, str] = {}
        known = [variable.name for variable in record_type.variables]
        for key, names in sources.items():
            for name in names:
                if name not in known:
                    raise self._unknown(f"{path}.{key}", name, known)
                if name in seen:
                    expected = f"{name} from one place; {seen[name]} fills it already"
                    raise self._wrong(f"{path}.{key}", name, expected)
                seen[name] = key

    def _long(
        self, record_type: RecordType, content: Mapping[str, Any] | None, path: str
    ) -> Long | None:
        if content is None:
            return None
        variables: dict[str, dict[str, str]] = {}
        controls: dict[str, str] = {}
        if not isinstance(content["variables"], dict):
            raise self._wrong(f"{path}.variables", "no mapping", "name: dimensions of its cell")
        for name, cell in content["variables"].items():
            here = joined_path(f"{path}.variables", name)
            if not isinstance(cell, dict):
                raise self._wrong(here, str(cell), "dimensions of a cell, or control: text")
            if set(cell) == {"control"}:
                controls[name] = str(cell["control"])
                continue
            if "control" in cell:
                raise self._wrong(here, "control beside dimensions", "one or the other")
            self._constants(record_type, cell, here)
            variables[name] = dict(cell)
        return Long(tidy(content["variable"]), tidy(content["value"]), variables, controls)

    def _state(self, item: Mapping[str, Any], long: Long | None, path: str) -> State:
        names = _texts(item.get("variables"))
        self._among(names, long, f"{path}.variables")
        self._codes("cell_kind", (item["cell_kind"],), f"{path}.cell_kind")
        where = _conditions(item.get("where"))
        return State(names, where, _texts(item["values"]), item["cell_kind"], item["reason"])

    def _control(self, item: Mapping[str, Any], long: Long | None, path: str) -> Control:
        parts, equals = _texts(item.get("parts")), item.get("equals", "")
        if not parts and not equals:
            raise self._wrong(path, "neither parts nor equals", "what the total is compared with")
        self._among((item["total"], *parts, *([equals] if equals else [])), long, path)
        tolerance = item.get("tolerance", "0")
        if not re.fullmatch(r"\d+(\.\d+)?", tolerance):
            raise self._wrong(f"{path}.tolerance", tolerance, "a number from 0")
        return Control(
            id=item["id"],
            title=item["title"],
            total=item["total"],
            parts=parts,
            equals=equals,
            by=_columns(item["by"]),
            units=_columns(item.get("units")),
            tolerance=tolerance,
        )

    def _among(self, names: Iterable[str], long: Long | None, path: str) -> None:
        """In a long file, states and controls name variables that the file may hold."""
        for name in names:
            if long is not None and name not in long.names:
                raise self._unknown(path, name, long.names)

    def _values(
        self, content: object, records: tuple[RecordLayout, ...]
    ) -> dict[str, dict[str, tuple[MappedValue, ...]]]:
        """Value maps, keyed by a variable of the records or by a code list."""
        if not isinstance(content, dict):
            raise self._wrong("values", "no mapping", "variable: value as sent: code")
        variables = {v.name: v for record in records for v in record.record_type.variables}
        lists = {v.code_list for v in variables.values() if v.code_list}
        result = {}
        for key, values in content.items():
            path = f"values.{key}"
            if key not in variables and key not in lists:
                raise self._unknown(path, key, (*variables, *lists))
            if not isinstance(values, dict):
                raise self._wrong(path, "no mapping", "value as sent: code")
            list_name = variables[key].code_list if key in variables else key
            result[key] = {
                value: self._mapped(list_name, entry, f"{path}.{value}")
                for value, entry in values.items()
            }
        return result

    def _mapped(self, list_name: str, entry: object, path: str) -> tuple[MappedValue, ...]:
        """A code, or a code with its validity, or a list of these."""
        items = entry if isinstance(entry, list) else [entry]
        mapped = []
        for item in items:
            content = {"code": item} if isinstance(item, str) else item
            Shape(self._path.name).section(content, "value", path)
            self._codes(list_name, content["code"].split(";"), path)
            limits = _date(content.get("valid_from")), _date(content.get("valid_to"))
            mapped.append(MappedValue(content["code"], *limits))
        ordered = sorted(mapped, key=lambda m: m.valid_from or dt.date.min)
        for one, next_one in pairwise(ordered):
            if (one.valid_to or dt.date.max) >= (next_one.valid_from or dt.date.min):
                raise self._wrong(path, "two codes at one time", "validities that do not overlap")
        return tuple(ordered)

    def _constants(self, record_type: RecordType, values: Mapping[str, Any], path: str) -> None:
        """Variables exist, and their codes are in their lists."""
        known = {variable.name: variable for variable in record_type.variables}
        for name, value in values.items():
            here = f"{path}.{name}"
            if name not in known:
                raise self._unknown(here, name, known)
            if not isinstance(value, str):
                raise self._wrong(here, "a list or mapping", "one text")
            self._constant(known[name], value, values, here)

    def _constant(
        self, variable: Variable, value: str, siblings: Mapping[str, Any], path: str
    ) -> None:
        if variable.type == "date":
            Shape(self._path.name).date(value, path)
        if variable.type != "code":
            return
        name = variable.code_list
        if name == "@breakdown":
            if "breakdown" not in siblings:
                raise self._wrong(path, "a breakdown_code alone", "breakdown beside it")
            name = siblings["breakdown"]
        self._codes(name, value.split(";") if variable.multi else (value,), path)

    def _codes(self, list_name: str, codes: Iterable[str], path: str) -> None:
        allowed = codes_of(list_name, self._area, self._office)
        for code in codes:
            if code not in allowed:
                raise refuse(
                    "TIP-124",
                    UsageError,
                    where=f"{self._path.name}: {path}",
                    found=code,
                    expected=f"a code of {list_name}",
                    nearest=nearest(code, allowed),
                )

    def _patterns(self, record: RecordLayout, path: str) -> None:
        """Regular expressions are well formed, for the engine that will run them."""
        whole_year = record.period.whole_year if record.period else ()
        conditions = [
            *record.place.footer,
            *(c for rows in (*record.skip, *record.refuse, *whole_year) for c in rows.where),
            *(c for state in record.states for c in state.where),
        ]
        for pattern in (record.place.sheet_pattern, *(c.matches for c in conditions)):
            try:
                re.compile(pattern)
                # Arrow and DuckDB share one engine, which knows no look-around.
                pc.match_substring_regex(text_array([""]), pattern)
            except (re.error, pa.ArrowInvalid):
                raise self._wrong(path, pattern, "a regular expression (RE2)") from None

    def _one_of(self, value: str, among: Iterable[str], path: str) -> None:
        options = list(among)
        if value not in options:
            expected = f"one of {', '.join(options)}"
            where = f"{self._path.name}: {path}"
            raise invalid(where, value, expected, nearest(value, options))

    def _unknown(self, path: str, name: str, among: Iterable[str]) -> TipstatError:
        return refuse(
            "TIP-123",
            UsageError,
            where=f"{self._path.name}: {path}",
            found=name,
            nearest=nearest(name, among),
        )

    def _wrong(self, path: str, found: str, expected: str) -> TipstatError:
        return invalid(f"{self._path.name}: {path}", found, expected)


def codes_of(list_name: str, reference_area: str, office: Path | None) -> frozenset[str]:
    """The codes that a variable of that list may hold, the missing codes included."""
    missing = {code.code for code in code_list(MISSING_LIST).codes}
    if list_name == "national_offence":
        return frozenset(missing | {o.offence_code for o in offences(reference_area, office)})
    return frozenset(missing | {code.code for code in code_list(list_name).codes})
