"""The rules of the generated CSV as plain data, for validators that know nothing of tipstat.

What is compared is the same work: codes, dates, whole numbers and their ranges, what must not be
blank, the key, and one rule over two columns.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import returns
from loaders.coding import STATED_MISSING
from tipstat.classification import code_list
from tipstat.contract import Variable, load_contract

if TYPE_CHECKING:
    from collections.abc import Sequence


def write_rules(path: Path, columns: Sequence[str]) -> Path:
    """Write the rules of these columns as JSON."""
    victim = load_contract().record_type("service", "victim")
    listed = [_column(victim.variable(name)) for name in columns]
    rules = {
        "columns": listed,
        "key": returns.KEY[0].upper(),
        "ordered": ["REGISTRATION_DATE", "VICTIM_STATUS_DATE"],
        "last_date": f"{returns.YEAR + 1}-02-01",
    }
    path.write_text(json.dumps(rules), encoding="utf-8")
    return path


def _column(variable: Variable) -> dict[str, Any]:
    column: dict[str, Any] = {
        "name": variable.name.upper(),
        "type": variable.type,
        "required": variable.is_key or variable.obligation == "core",
    }
    if variable.type == "code":
        codes = [code.code for code in code_list(variable.code_list).codes]
        one = "(?:" + "|".join(sorted({*codes, *STATED_MISSING})) + ")"
        column["pattern"] = f"{one}(?:; {one})*" if variable.multi else one
    elif variable.type == "integer":
        column |= {"low": 0, "high": 120}
    return column
