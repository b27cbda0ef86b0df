"""The words of the standard workbooks, one CSV per language (``key,text``)."""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib import resources

from tipstat.classification import labels

_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\]")


@cache
def texts(language: str) -> dict[str, str]:
    """Every text of a language by key.

    The key of a definition is the English definition in ``variables.csv``, so that a changed
    definition loses its translation visibly (a test lists it) instead of keeping a wrong one.

    Args:
        language: ``en``, ``es`` or ``fr``.

    Returns:
        Key -> text.
    """
    source = resources.files(__name__).joinpath(f"{language}.csv").read_text(encoding="utf-8")
    return {row["key"]: row["text"] for row in csv.DictReader(source.splitlines())}


def definition(text: str, language: str) -> str:
    """A definition of the contract in a language; in English where it is not translated."""
    return texts(language).get(text, text)


def record_type_label(name: str, language: str) -> str:
    """The label of a record type as the name of a sheet: at most 31 characters."""
    label = labels(language).get(("record_type", name), name)
    return _NOT_IN_SHEET_NAMES.sub(" ", label)[:31]


def variable_label(name: str, language: str) -> str:
    """The label of a variable without any mark."""
    return labels(language).get(("variable", name), name.replace("_", " ").capitalize())
