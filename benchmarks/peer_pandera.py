"""The rules of the generated CSV in pandera; run by the Python of the peers' environment.

Called with the CSV and the rules as JSON; prints JSON with the seconds and what was found.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa


def schema(rules: dict[str, Any]) -> pa.DataFrameSchema:
    """One column after the other, and the rule over two."""
    columns = {}
    for column in rules["columns"]:
        checks = []
        if column["type"] == "code":
            checks.append(pa.Check.str_matches(f"^(?:{column['pattern']})$"))
        elif column["type"] == "date":
            last = rules["last_date"]
            checks.append(pa.Check.str_matches(r"^\d{4}-\d{2}-\d{2}$"))
            checks.append(pa.Check.in_range("1900-01-01", last))
        elif column["type"] == "integer":
            checks.append(pa.Check.str_matches(r"^\d{1,3}$"))
            low, high = column["low"], column["high"]
            checks.append(
                pa.Check(lambda s, a=low, b=high: pd.to_numeric(s, errors="coerce").between(a, b))
            )
        columns[column["name"]] = pa.Column(
            str,
            checks,
            nullable=not column["required"],
            unique=column["name"] == rules["key"],
        )
    first, second = rules["ordered"]
    ordered = pa.Check(lambda frame: frame[second].isna() | (frame[first] <= frame[second]))
    return pa.DataFrameSchema(columns, checks=[ordered])


def main() -> None:
    """Validate and print."""
    rules = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    started = time.perf_counter()
    frame = pd.read_csv(sys.argv[1], dtype=str, keep_default_na=False, na_values=[""])
    found = 0
    try:
        schema(rules).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        found = len(errors.failure_cases)
    print(json.dumps({"seconds": time.perf_counter() - started, "found": found}))


if __name__ == "__main__":
    main()
