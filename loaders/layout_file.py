"""Layouts as they are written: found, validated against the contract, and held as data."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from loaders.coding import STATED_MISSING, collapsed
from loaders.layout_keys import Shape, invalid, joined_path, nearest, parse_yaml, tidy
from loaders.layout_model import (
    Condition,
    Control,
    Count,
    CountedCell,
    Coverage,
    FieldNames,
    Group,
    Hidden,
    Identity,
    Joined,
    Layout,
    Long,
    MappedValue,
    Numbers,
    Partial,
    Period,
    Place,
    Recode,
    RecordLayout,
    Repair,
    Repeats,
    Rows,
    State,
    Sum,
    TotalRows,
    Wide,
)
from loaders.tables import text_array
from loaders.text_options import delimiter_of, encoding_of
from tipstat.classification import LANGUAGES, code_list, offences
from tipstat.contract import RecordType, Variable, load_contract
from tipstat.errors import TipstatError, UsageError
from tipstat.rules import refuse

#: Layouts that come with tipstat.
SHIPPED = Path(__file__).resolve().parent / "layouts"

#: Codes that any coded variable may hold besides those of its list.
MISSING_LIST = "missing"

_T = TypeVar("_T")

FORMATS = ("xlsx", "csv")
DATE_ORDERS = ("dmy", "mdy")
DECIMAL_SIGNS = (",", ".")


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


def _items(
    content: Mapping[str, Any], path: str, key: str
) -> Iterable[tuple[Mapping[str, Any], str]]:
    """The items of a list, each with its path."""
    return ((item, f"{path}.{key}[{index}]") for index, item in enumerate(content.get(key, ())))


def _made(
    content: Mapping[str, Any],
    path: str,
    key: str,
    make: Callable[[Mapping[str, Any], str], _T],
) -> tuple[_T, ...]:
    """What is made of each item of a list."""
    return tuple(make(item, here) for item, here in _items(content, path, key))


def _repeats(content: Mapping[str, Any] | None) -> Repeats | None:
    if content is None:
        return None
    columns, by = _columns(content.get("columns")), _columns(content.get("by"))
    return Repeats(columns, by, content["reason"])


def _identity(item: Mapping[str, Any]) -> Identity:
    plus, minus, equals = (_columns(item.get(key)) for key in ("plus", "minus", "equals"))
    return Identity(item["id"], item["title"], plus, minus, equals)


def _counted_dimensions(counts: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Variables that counted cells fill, once each."""
    names = (
        name
        for count in counts
        for cell in (count.get("cells") if isinstance(count.get("cells"), list) else None) or ()
        if isinstance(cell, dict)
        for name in cell
        if name != "where"
    )
    return tuple(dict.fromkeys(names))


def _text_dimensions(columns: object) -> tuple[str, ...]:
    """Variables that the texts of columns stand for, once each."""
    texts = columns.values() if isinstance(columns, dict) else ()
    return tuple(dict.fromkeys(name for cells in texts for name in _dimensions(cells, besides="")))


def _dimensions(cells: object, besides: str | tuple[str, ...]) -> tuple[str, ...]:
    """Variables that the cells of a long or wide table fill, once each."""
    others = (besides,) if isinstance(besides, str) else besides
    return tuple(
        dict.fromkeys(
            dimension
            for cell in (cells.values() if isinstance(cells, dict) else ())
            if isinstance(cell, dict)
            for dimension in cell
            if dimension not in others
        )
    )


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
            name_pattern=self._name_pattern(file.get("name_pattern")),
            encoding=self._said(encoding_of, file, "encoding"),
            delimiter=self._said(delimiter_of, file, "delimiter"),
            date_order=self._choice(file, "date_order", DATE_ORDERS),
            decimal_sign=self._choice(file, "decimal_sign", DECIMAL_SIGNS),
            repairs=tuple(
                self._repair(item, f"file.repairs[{index}]")
                for index, item in enumerate(file.get("repairs", ()))
            ),
            files=self._files(),
            metadata={"reference_area": self._area, **metadata},
            values=self._values(content.get("values", {}), records),
            records=records,
            sha256=self._sha256,
            path=self._path,
        )

    def _name_pattern(self, pattern: str | None) -> str:
        try:
            re.compile(pattern or "")
        except re.error:
            expected = "a regular expression"
            raise self._wrong("file.name_pattern", str(pattern), expected) from None
        return pattern or ""

    def _choice(self, file: Mapping[str, Any], key: str, accepted: tuple[str, ...]) -> str:
        """An optional key of ``file`` that takes one of a few values."""
        if file.get(key) in (None, ""):
            return ""
        self._one_of(file[key], accepted, f"file.{key}")
        return str(file[key])

    def _said(
        self, meant: Callable[[str | None], str | None], file: Mapping[str, Any], key: str
    ) -> str | None:
        """How the text is said to be written."""
        said = None if file.get(key) is None else str(file[key])
        try:
            return meant(said)
        except ValueError as error:
            raise self._wrong(f"file.{key}", str(said), str(error)) from None

    def _repair(self, item: Mapping[str, Any], path: str) -> Repair:
        fields, join = int(item["fields"]), _texts(item["join"])
        numbers = [int(number) for number in join if number.isdecimal()]
        first = numbers[0] if numbers else 0
        if len(numbers) != len(join) or not 1 <= first < first + len(numbers) - 1 <= fields:
            raise self._wrong(f"{path}.join", ", ".join(join), f"numbers of fields, 1 to {fields}")
        if numbers != list(range(first, first + len(numbers))):
            raise self._wrong(f"{path}.join", ", ".join(join), "neighbouring fields, in order")
        self._pattern(item["matches"], f"{path}.matches")
        return Repair(fields, tuple(numbers), item["matches"], item["reason"])

    def _files(self) -> dict[str, tuple[str, ...]]:
        """Columns by which each file of the return is known; every record names its file."""
        files = {
            name: _columns(item["columns"]) for name, item in self._content.get("files", {}).items()
        }
        for name, record in self._content["records"].items():
            named = record.get("file", "")
            if named not in files and (named or files):
                raise self._unknown(f"records.{name}.file", named or "(none)", files)
        return files

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
        self._fitting_sections(content, path, long=long is not None)
        wide = self._wide(record_type, content, f"{path}.wide")
        record = RecordLayout(
            record_type=record_type,
            place=self._place(content, path),
            expect=_rows(content.get("expect")),
            columns={tidy(name): v for name, v in content.get("columns", {}).items()},
            joined={
                variable: self._joined(item, f"{path}.joined.{variable}")
                for variable, item in content.get("joined", {}).items()
            },
            recode=self._recode(record_type, content.get("recode", {}), f"{path}.recode"),
            numbered={
                variable: _columns(item["by"])
                for variable, item in content.get("numbered", {}).items()
            },
            constants=dict(content.get("constants", {})),
            period=self._period(content.get("period"), f"{path}.period"),
            ignore=_columns(content.get("ignore")),
            skip=_rows(content.get("skip")),
            refuse=_rows(content.get("refuse")),
            repeats=_repeats(content.get("repeats")),
            hidden=_made(content, path, "hidden", self._hidden),
            remarks=_rows(content.get("remarks")),
            numbers=self._numbers(content.get("numbers"), f"{path}.numbers"),
            field_names=self._field_names(content.get("field_names"), path),
            separators=dict(content.get("separators", {})),
            dimensions=self._cell_dimensions(record_type, content, path),
            groups=_made(content, path, "groups", partial(self._group, record_type)),
            count=_made(content, path, "count", partial(self._count, record_type)),
            merge=content.get("merge", {}).get("reason", ""),
            long=long,
            wide=wide,
            totals=_made(content, path, "totals", partial(self._total, wide)),
            identities=tuple(_identity(item) for item in content.get("identities", ())),
            states=_made(content, path, "states", partial(self._state, long)),
            controls=_made(content, path, "controls", partial(self._control, long)),
            sums=_made(content, path, "sums", partial(self._sum, record_type)),
            coverage=self._coverage(content.get("coverage")),
        )
        self._consistent(record, path)
        return record

    def _consistent(self, record: RecordLayout, path: str) -> None:
        """What can only be judged once the whole record is read."""
        self._patterns(record, path)
        self._counted(record, path)
        both = [column for column in record.ignore if column in record.used_columns]
        if both:
            raise self._wrong(f"{path}.ignore", both[0], "columns that nothing else reads")
        filled = (*record.columns.values(), *record.joined, *record.recode)
        for name in record.separators:
            if name not in filled:
                raise self._unknown(f"{path}.separators", name, filled)
        numbers = record.long or record.wide or record.count or "value" in record.columns.values()
        if record.merge and not numbers:
            raise self._wrong(f"{path}.merge", "no numbers", "long, wide, count or a value")
        if record.groups and (record.long or record.wide):
            raise self._wrong(f"{path}.groups", "groups beside long or wide", "one of them")

    def _fitting_sections(self, content: Mapping[str, Any], path: str, *, long: bool) -> None:
        """Refuse sections that the kind of return or the shape of the file does not have."""
        if not long and content.get("states"):
            raise self._wrong(f"{path}.states", "states without long", "states of a long file")
        kind = self._content["kind"]
        for key in ("totals", "identities", "dimensions", "count", "merge", "sums"):
            # Their findings show what stands in the file, which no record of a person may.
            if key in content and kind != "aggregate":
                raise self._wrong(
                    f"{path}.{key}", f"{key} of {kind} records", "an aggregate return"
                )

    def _place(self, content: Mapping[str, Any], path: str) -> Place:
        merged = {**self._content["file"], **{k: v for k, v in content.items() if k != "columns"}}
        header = int(merged.get("header_row", "1"))
        rows = int(merged.get("header_rows", "1"))
        if rows > header:
            raise self._wrong(f"{path}.header_rows", str(rows), f"at most {header}")
        first = int(merged.get("first_row", header + 1))
        if first <= header:
            raise self._wrong(f"{path}.first_row", str(first), f"a row below the header, {header}")
        return Place(
            file=self._files().get(content.get("file", ""), ()),
            sheet=merged.get("sheet", ""),
            sheet_pattern=merged.get("sheet_pattern", ""),
            header_row=header,
            header_rows=rows,
            first_row=first,
            footer=_conditions(merged.get("footer", {}).get("where")),
        )

    def _period(self, content: Mapping[str, Any] | None, path: str) -> Period | None:
        if content is None:
            return None
        year, month = tidy(content["year"]), tidy(content.get("month", ""))
        starts = self._day(content.get("starts", ""), f"{path}.starts")
        if starts and month:
            raise self._wrong(f"{path}.starts", "starts beside month", "one or the other")
        parts = tuple(
            Partial(
                Rows(_conditions(item["where"]), item["reason"]),
                self._day(item["first"], f"{here}.first"),
                self._day(item["last"], f"{here}.last"),
            )
            for item, here in _items(content, path, "partial")
        )
        return Period(year, month, _rows(content.get("whole_year")), starts, parts)

    def _day(self, text: str, path: str) -> str:
        """A day of the year, ``MM-DD``; every year has it."""
        if text:
            try:
                dt.date.fromisoformat(f"2001-{text}")
            except ValueError:
                raise self._wrong(path, text, "a day of the year such as 04-01") from None
        return text

    def _numbers(self, content: Mapping[str, Any] | None, path: str) -> Numbers | None:
        if content is None:
            return None
        thousands, decimal = content.get("thousands", ""), content.get("decimal", ".")
        known = (",", ".", "'", " ")
        self._one_of(decimal, known[:2], f"{path}.decimal")
        if thousands:
            self._one_of(thousands, [sign for sign in known if sign != decimal], path)
        return Numbers(thousands, decimal)

    def _field_names(self, content: Mapping[str, Any] | None, path: str) -> FieldNames | None:
        if content is None:
            return None
        names = {tidy(column): tidy(name) for column, name in content["names"].items()}
        return FieldNames(int(content["row"]), names, content["reason"])

    def _cell_dimensions(
        self, record_type: RecordType, content: Mapping[str, Any], path: str
    ) -> dict[str, dict[str, dict[str, str]]]:
        """Columns whose texts stand for several variables at once."""
        columns = content.get("dimensions", {})
        if not isinstance(columns, dict):
            raise self._wrong(f"{path}.dimensions", "no mapping", "column: text: dimensions")
        result = {}
        for column, texts in columns.items():
            here = f"{path}.dimensions.{column}"
            if not isinstance(texts, dict):
                raise self._wrong(here, "no mapping", "text: dimensions of its cell")
            for text, cell in texts.items():
                if not isinstance(cell, dict):
                    raise self._wrong(f"{here}.{text}", str(cell), "dimensions of a cell")
                self._constants(record_type, cell, f"{here}.{text}")
            self._each_once(texts, here)
            result[tidy(column)] = {collapsed(text): dict(cell) for text, cell in texts.items()}
        return result

    def _joined(self, item: Mapping[str, Any], path: str) -> Joined:
        with_period = item.get("with_period", "no")
        self._one_of(with_period, ("yes", "no"), f"{path}.with_period")
        columns = _columns(item["columns"])
        return Joined(columns, item.get("separator", " "), with_period == "yes")

    def _group(self, record_type: RecordType, item: Mapping[str, Any], path: str) -> Group:
        constants = dict(item.get("constants", {}))
        self._constants(record_type, constants, f"{path}.constants")
        return Group({tidy(k): v for k, v in item["columns"].items()}, constants)

    def _count(self, record_type: RecordType, item: Mapping[str, Any], path: str) -> Count:
        cells = item.get("cells", [{}])
        if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
            raise self._wrong(f"{path}.cells", "no list", "a list of where and dimensions")
        counted = []
        for index, cell in enumerate(cells):
            here = f"{path}.cells[{index}]"
            dimensions = {name: value for name, value in cell.items() if name != "where"}
            self._constants(record_type, dimensions, here)
            if "where" in cell:
                Shape(self._path.name).section(
                    {"where": cell["where"]}, "footer", here
                )  # a footer holds conditions and nothing else
            counted.append(CountedCell(_conditions(cell.get("where")), dimensions))
        return Count(_columns(item.get("by")), _conditions(item.get("where")), tuple(counted))

    def _counted(self, record: RecordLayout, path: str) -> None:
        """Rows are counted by columns that fill variables, and by nothing that holds numbers."""
        if not record.count:
            return
        shapes = ("long", "wide", "groups", "dimensions", "joined", "recode", "numbered")
        beside = [name for name in shapes if getattr(record, name)]
        if beside:
            raise self._wrong(f"{path}.count", f"count beside {beside[0]}", "one of them")
        filling = (*record.columns, *((record.period.year,) if record.period else ()))
        for index, count in enumerate(record.count):
            for column in count.by:
                if column not in filling:
                    raise self._unknown(f"{path}.count[{index}].by", column, filling)

    def _sum(self, record_type: RecordType, item: Mapping[str, Any], path: str) -> Sum:
        names = [variable.name for variable in record_type.variables if variable.type == "code"]
        if item["dimension"] not in names:
            raise self._unknown(f"{path}.dimension", item["dimension"], names)
        return Sum(item["id"], item["title"], item["dimension"], item.get("overlapping", ""))

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
        long, wide = content.get("long") or {}, content.get("wide") or {}
        sources = {
            "columns": tuple(content.get("columns", {}).values()),
            "joined": tuple(content.get("joined", {})),
            "recode": tuple(content.get("recode", {})),
            "numbered": tuple(content.get("numbered", {})),
            "constants": tuple(content.get("constants", {})),
            "period": ("period_start", "period_end") if content.get("period") else (),
            "dimensions": _text_dimensions(content.get("dimensions")),
            "groups": tuple(
                dict.fromkeys(
                    variable
                    for group in content.get("groups", ())
                    for variable in (*group["columns"].values(), *group.get("constants", {}))
                )
            ),
            "count.cells": _counted_dimensions(content.get("count", ())),
            "count": ("value",) if content.get("count") else (),
            "long.variables": _dimensions(long.get("variables"), besides="control"),
            "long": ("value",) if long else (),
            "wide.columns": _dimensions(wide.get("columns"), besides=("at", "month")),
            "wide": ("value",) if wide else (),
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

    def _wide(self, record_type: RecordType, content: Mapping[str, Any], path: str) -> Wide | None:
        if "wide" not in content:
            return None
        columns: dict[str, dict[str, str]] = {}
        census: dict[str, str] = {}
        months: dict[str, str] = {}
        if not isinstance(content["wide"]["columns"], dict):
            raise self._wrong(f"{path}.columns", "no mapping", "column: dimensions of its cell")
        for name, cell in content["wide"]["columns"].items():
            here = joined_path(f"{path}.columns", name)
            if not isinstance(cell, dict):
                raise self._wrong(here, str(cell), "dimensions of a cell")
            dimensions = {k: value for k, value in cell.items() if k not in ("at", "month")}
            if "month" in cell:
                self._month(cell["month"], content, f"{here}.month")
                months[tidy(name)] = cell["month"]
            if "at" in cell:
                self._one_of(cell["at"], ("start", "end"), f"{here}.at")
                census[tidy(name)] = cell["at"]
                dimensions["cell_nature"] = "STOCK"
            self._constants(record_type, dimensions, here)
            when = f"{cell.get('at', '')}/{cell.get('month', '')}"
            self._another_cell(columns, tidy(name), (dimensions, when), (census, months), here)
            columns[tidy(name)] = dimensions
        return Wide(columns, census, months)

    def _month(self, month: str, content: Mapping[str, Any], path: str) -> None:
        """A column of a month takes its year from the row."""
        self._one_of(month, [str(number) for number in range(1, 13)], path)
        period = content.get("period", {"month": ""})
        if "month" in period or "starts" in period:
            raise self._wrong(path, "no year for the month", "period with a calendar year only")

    def _another_cell(
        self,
        columns: Mapping[str, Mapping[str, str]],
        name: str,
        cell: tuple[Mapping[str, str], str],
        times: tuple[Mapping[str, str], Mapping[str, str]],
        path: str,
    ) -> None:
        """Two columns of one row are never the same cell."""
        census, months = times
        for other, dimensions in columns.items():
            when = f"{census.get(other, '')}/{months.get(other, '')}"
            if (dimensions, when) == cell:
                found = f"{name} and {other} as one cell"
                raise refuse("TIP-119", UsageError, where=f"{self._path.name}: {path}", found=found)

    def _recode(
        self, record_type: RecordType, content: Mapping[str, Any], path: str
    ) -> dict[str, Recode]:
        known = {variable.name: variable for variable in record_type.variables}
        named = [case["code"] for case in content.get("breakdown", {}).get("cases", ())]
        siblings = {"breakdown": next((code for code in named if code[0] != "_"), "_T")}
        result = {}
        for name, item in content.items():
            cases = []
            for index, case in enumerate(item["cases"]):
                here = f"{path}.{name}.cases[{index}]"
                self._pattern(case["matches"], here)
                self._constant(known[name], case["code"], siblings, here)
                cases.append((case["matches"], case["code"]))
            result[name] = Recode(tidy(item["column"]), tuple(cases))
        return result

    def _hidden(self, item: Mapping[str, Any], path: str) -> Hidden:
        code = item.get("code", "")
        if code:
            self._one_of(code, STATED_MISSING, f"{path}.code")
        values, matches = _texts(item.get("values")), item.get("matches", "")
        if bool(values) == bool(matches):
            raise self._wrong(path, "both or neither of values and matches", "one of the two")
        self._pattern(matches, f"{path}.matches")
        where = _conditions(item.get("where"))
        return Hidden(tidy(item["column"]), values, matches, where, code, item["reason"])

    def _total(self, wide: Wide | None, item: Mapping[str, Any], path: str) -> TotalRows:
        values = _columns(item.get("values")) or tuple(wide.columns if wide else ())
        if not values:
            raise self._wrong(f"{path}.values", "nothing", "the columns of the numbers")
        self._one_of(item.get("keep", "no"), ("yes", "no"), f"{path}.keep")
        return TotalRows(
            id=item["id"],
            title=item["title"],
            where=_conditions(item["where"]),
            parts=_conditions(item["parts"]),
            by=_columns(item["by"]),
            values=values,
            keep=item.get("keep") == "yes",
        )

    def _state(self, long: Long | None, item: Mapping[str, Any], path: str) -> State:
        names = _texts(item.get("variables"))
        self._among(names, long, f"{path}.variables")
        self._codes("cell_kind", (item["cell_kind"],), f"{path}.cell_kind")
        where = _conditions(item.get("where"))
        return State(names, where, _texts(item["values"]), item["cell_kind"], item["reason"])

    def _control(self, long: Long | None, item: Mapping[str, Any], path: str) -> Control:
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
            self._each_once(values, path)
            list_name = (variables[key].code_list if key in variables else key) or MISSING_LIST
            result[key] = {
                value: self._mapped(list_name, entry, f"{path}.{value}")
                for value, entry in values.items()
            }
        return result

    def _each_once(self, values: Iterable[str], path: str) -> None:
        """No value stands twice, in other capitals or with other blanks."""
        seen: dict[str, str] = {}
        for value in values:
            if collapsed(value) in seen:
                raise refuse(
                    "TIP-118",
                    UsageError,
                    where=f"{self._path.name}: {joined_path(path, value)}",
                    found=f'"{seen[collapsed(value)]}" and "{value}", which are one value',
                )
            seen[collapsed(value)] = value

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
            named = siblings["breakdown"]
            name = MISSING_LIST if named.startswith("_") else named
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
        patterns = (condition.matches for condition in record.conditions)
        for pattern in (record.place.sheet_pattern, *patterns):
            self._pattern(pattern, path)

    def _pattern(self, pattern: str, path: str) -> None:
        try:
            re.compile(pattern)
            # Arrow and DuckDB share one engine, which knows no look-around.
            pc.match_substring_regex(text_array([""]), pattern)
        except (re.error, pa.ArrowInvalid):
            raise self._wrong(path, pattern, "a regular expression (RE2)") from None

    def _one_of(self, value: object, among: Iterable[str], path: str) -> None:
        options = list(among)
        if not isinstance(value, str):
            raise self._wrong(path, "a list or mapping", f"one of {', '.join(options)}")
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
