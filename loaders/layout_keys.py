"""The keys that a layout may have, and the loading of its YAML as plain text.

Every plain scalar stays text: ``NO`` is Norway and ``0204`` keeps its zero. Tags, anchors and
aliases are refused, and so is a key that stands twice in one mapping.
"""

from __future__ import annotations

import datetime as dt
import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from tipstat.errors import TipstatError, UsageError
from tipstat.rules import refuse


@dataclass(frozen=True)
class Key:
    """What a key holds.

    Attributes:
        shape: ``text``, ``whole`` (a whole number), ``date``, ``texts`` (one text or a list),
            ``names`` (text -> text), ``where`` (a condition), ``free`` (checked elsewhere), or
            ``one:S``, ``many:S`` and ``map:S`` for one, a list or a mapping of section S.
    """

    shape: str = "text"
    required: bool = False


_TEXT, _NEEDED = Key(), Key(required=True)
_SHEET = {
    "sheet": _TEXT,
    "sheet_pattern": _TEXT,
    "header_row": Key("whole"),
    "header_rows": Key("whole"),
    "first_row": Key("whole"),
    "footer": Key("one:footer"),
}

#: Section -> its keys. ``docs/layouts.md`` documents each; a test compares the two.
KEYS: dict[str, dict[str, Key]] = {
    "layout": {
        "id": _NEEDED,
        "title": _NEEDED,
        "kind": _NEEDED,
        "language": _NEEDED,
        "reference_area": _NEEDED,
        "valid_from": Key("date"),
        "valid_to": Key("date"),
        "source": Key("one:source"),
        "file": Key("one:file", required=True),
        "files": Key("map:part"),
        "metadata": Key("names"),
        "values": Key("free"),
        "records": Key("map:record", required=True),
    },
    "source": {"publisher": _TEXT, "title": _TEXT, "url": _TEXT, "licence": _TEXT, "note": _TEXT},
    "file": {
        "format": _NEEDED,
        "name_pattern": _TEXT,
        "encoding": _TEXT,
        "delimiter": _TEXT,
        "date_order": _TEXT,
        "decimal_sign": _TEXT,
        "repairs": Key("many:repair"),
        **_SHEET,
    },
    "part": {"title": _TEXT, "columns": Key("texts", required=True)},
    "repair": {
        "fields": Key("whole", required=True),
        "join": Key("texts", required=True),
        "matches": _NEEDED,
        "reason": _NEEDED,
    },
    "footer": {"where": Key("where", required=True)},
    "record": {
        "file": _TEXT,
        **_SHEET,
        "expect": Key("many:rows"),
        "columns": Key("names"),
        "joined": Key("map:joined"),
        "recode": Key("map:recode"),
        "numbered": Key("map:number"),
        "constants": Key("names"),
        "period": Key("one:period"),
        "ignore": Key("texts"),
        "skip": Key("many:rows"),
        "refuse": Key("many:rows"),
        "repeats": Key("one:repeats"),
        "hidden": Key("many:hidden"),
        "remarks": Key("many:rows"),
        "numbers": Key("one:numbers"),
        "field_names": Key("one:field_names"),
        "separators": Key("names"),
        "dimensions": Key("free"),
        "groups": Key("many:group"),
        "count": Key("many:count"),
        "merge": Key("one:merge"),
        "long": Key("one:long"),
        "wide": Key("one:wide"),
        "states": Key("many:state"),
        "totals": Key("many:total"),
        "identities": Key("many:identity"),
        "controls": Key("many:control"),
        "sums": Key("many:sum"),
        "coverage": Key("one:coverage"),
    },
    "joined": {"columns": Key("texts", required=True), "separator": _TEXT, "with_period": _TEXT},
    "recode": {"column": _NEEDED, "cases": Key("many:case", required=True)},
    "case": {"matches": _NEEDED, "code": _NEEDED},
    "number": {"by": Key("texts", required=True)},
    "period": {
        "year": _NEEDED,
        "month": _TEXT,
        "whole_year": Key("many:rows"),
        "starts": _TEXT,
        "partial": Key("many:partial"),
    },
    "partial": {
        "where": Key("where", required=True),
        "first": _NEEDED,
        "last": _NEEDED,
        "reason": _NEEDED,
    },
    "numbers": {"thousands": _TEXT, "decimal": _TEXT},
    "field_names": {
        "row": Key("whole", required=True),
        "names": Key("names", required=True),
        "reason": _NEEDED,
    },
    "group": {"columns": Key("names", required=True), "constants": Key("names")},
    "count": {"by": Key("texts"), "where": Key("where"), "cells": Key("free")},
    "merge": {"reason": _NEEDED},
    "sum": {"id": _NEEDED, "title": _NEEDED, "dimension": _NEEDED, "overlapping": _TEXT},
    "rows": {"where": Key("where", required=True), "reason": _NEEDED},
    "long": {"variable": _NEEDED, "value": _NEEDED, "variables": Key("free", required=True)},
    "wide": {"columns": Key("free", required=True)},
    "repeats": {"columns": Key("texts"), "by": Key("texts"), "reason": _NEEDED},
    "hidden": {
        "column": _NEEDED,
        "values": Key("texts"),
        "matches": _TEXT,
        "where": Key("where"),
        "code": _TEXT,
        "reason": _NEEDED,
    },
    "total": {
        "id": _NEEDED,
        "title": _NEEDED,
        "where": Key("where", required=True),
        "parts": Key("where", required=True),
        "by": Key("texts", required=True),
        "values": Key("texts"),
        "keep": _TEXT,
    },
    "identity": {
        "id": _NEEDED,
        "title": _NEEDED,
        "plus": Key("texts", required=True),
        "minus": Key("texts"),
        "equals": Key("texts", required=True),
    },
    "state": {
        "variables": Key("texts"),
        "where": Key("where"),
        "values": Key("texts", required=True),
        "cell_kind": _NEEDED,
        "reason": _NEEDED,
    },
    "control": {
        "id": _NEEDED,
        "title": _NEEDED,
        "total": _NEEDED,
        "parts": Key("texts"),
        "equals": _TEXT,
        "by": Key("texts", required=True),
        "units": Key("texts"),
        "tolerance": _TEXT,
    },
    "coverage": {"year": _NEEDED, "month": _TEXT, "filled": Key("texts")},
    "condition": {"matches": _TEXT, "except": Key("texts")},
    "value": {"code": _NEEDED, "valid_from": Key("date"), "valid_to": Key("date")},
}


class _TextLoader(yaml.SafeLoader):
    """A safe loader for which every plain scalar is text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML reads the class's own)


_TextLoader.yaml_constructors = {
    tag: constructor
    for tag, constructor in yaml.SafeLoader.yaml_constructors.items()
    if tag in {f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")}
}


def parse_yaml(name: str, raw: bytes) -> dict[str, Any]:
    """Load a layout's YAML as nested mappings and lists of text.

    Args:
        name: of the layout, for messages.
        raw: the bytes of the file.

    Raises:
        UsageError: no YAML, a tag, an alias, a doubled key, or no mapping at the top.
    """
    try:
        text = raw.decode("utf-8-sig")
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, yaml.TagToken | yaml.AliasToken | yaml.AnchorToken):
                where = f"{name} line {token.start_mark.line + 1}"
                raise invalid(where, "a YAML tag, anchor or alias", "plain YAML")
        node = yaml.compose(text, Loader=_TextLoader)
        _refuse_doubled(name, node, "")
        content = yaml.load(text, Loader=_TextLoader)  # noqa: S506 (a SafeLoader, narrowed)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name} line {mark.line + 1}" if mark else name
        found = getattr(error, "problem", None) or "a file that is not YAML in UTF-8"
        raise invalid(where, found, "YAML") from error
    if not isinstance(content, dict):
        raise invalid(name, "no keys", "the keys of docs/layouts.md")
    return content


def _refuse_doubled(name: str, node: yaml.Node | None, path: str) -> None:
    """Refuse a key that stands twice in one mapping; YAML itself would keep the last."""
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _refuse_doubled(name, item, f"{path}[{index}]")
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            here = joined_path(path, str(key.value))
            if str(key.value) in seen:
                line = key.start_mark.line + 1
                raise refuse("TIP-122", UsageError, where=f"{name} line {line}", found=here)
            seen.add(str(key.value))
            _refuse_doubled(name, value, here)


def tidy(header: str) -> str:
    """A header without what the eye does not see: composed, blanks and line breaks single."""
    return " ".join(unicodedata.normalize("NFC", header).split())


def joined_path(path: str, key: str) -> str:
    """The YAML path of a key below another path."""
    return f"{path}.{key}" if path else key


def nearest(name: str, among: Iterable[str]) -> str:
    """The accepted names most like a wrong one, joined by commas; empty if none is like it."""
    folded = {candidate.casefold(): candidate for candidate in among}
    close = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.6)
    return ", ".join(folded[candidate] for candidate in close)


def invalid(where: str, found: str, expected: str, close: str = "") -> TipstatError:
    """The refusal of a layout that is not as documented."""
    return refuse("TIP-120", UsageError, where=where, found=found, expected=expected, nearest=close)


class Shape:
    """Checks nested YAML against ``KEYS``.

    Args:
        name: of the layout, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def section(self, content: object, section: str, path: str) -> None:
        """Check one section and all below it.

        Raises:
            UsageError: an unknown or missing key, or a value of another shape.
        """
        keys = KEYS[section]
        if not isinstance(content, dict):
            raise self._wrong(path, "no keys", f"the keys {', '.join(keys)}")
        for key, value in content.items():
            if key not in keys:
                raise refuse(
                    "TIP-121",
                    UsageError,
                    where=self._name,
                    found=joined_path(path, key),
                    expected=f"one of {', '.join(keys)}",
                    nearest=nearest(key, keys),
                )
            self._value(value, keys[key].shape, joined_path(path, key))
        for key, rule in keys.items():
            if rule.required and content.get(key) in (None, "", [], {}):
                raise self._wrong(joined_path(path, key), "nothing", "a value")

    def _value(self, value: object, shape: str, path: str) -> None:
        form, _, section = shape.partition(":")
        if form == "free":
            return
        if form == "one":
            self.section(value, section, path)
        elif form in ("many", "map"):
            self._members(value, form, section, path)
        else:
            checks = {
                "text": self._text,
                "texts": self._texts,
                "names": self._names,
                "whole": self._whole,
                "date": self.date,
                "where": self._where,
            }
            checks[form](value, path)

    def _members(self, value: object, form: str, section: str, path: str) -> None:
        if form == "many" and isinstance(value, list):
            for index, item in enumerate(value):
                self.section(item, section, f"{path}[{index}]")
        elif form == "map" and isinstance(value, dict):
            for key, item in value.items():
                self.section(item, section, joined_path(path, key))
        else:
            raise self._wrong(path, "another shape", "a list" if form == "many" else "a mapping")

    def _text(self, value: object, path: str) -> None:
        if not isinstance(value, str):
            raise self._wrong(path, "a list or mapping", "one text")

    def _texts(self, value: object, path: str) -> None:
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) for item in items):
            raise self._wrong(path, "nested values", "a text or a list of texts")

    def _names(self, value: object, path: str) -> None:
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise self._wrong(path, "another shape", "a mapping of text to text")

    def _whole(self, value: object, path: str) -> None:
        if not (isinstance(value, str) and value.isdecimal() and int(value) > 0):
            raise self._wrong(path, str(value), "a whole number from 1")

    def date(self, value: object, path: str) -> None:
        """An ISO date."""
        try:
            dt.date.fromisoformat(str(value))
        except ValueError:
            raise self._wrong(path, str(value), "a date such as 2017-01-31") from None

    def _where(self, value: object, path: str) -> None:
        if not isinstance(value, dict) or not value:
            raise self._wrong(path, "no condition", "column: value, values, matches or except")
        for column, condition in value.items():
            if condition in ({}, []):
                raise self._wrong(joined_path(path, column), "no condition", "a value, or matches")
            if isinstance(condition, dict):
                self.section(condition, "condition", joined_path(path, column))
            else:
                self._texts(condition, joined_path(path, column))

    def _wrong(self, path: str, found: str, expected: str) -> TipstatError:
        return invalid(f"{self._name}: {path}", found, expected)
