"""The rules of the generated CSV in frictionless; run by the Python of the peers' environment.

Called with the CSV and the rules as JSON; prints JSON with the seconds and what was found.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from frictionless import Checklist, Resource, Schema, checks


def descriptor(rules: dict[str, Any]) -> dict[str, Any]:
    """The table schema: types, patterns, ranges, what must be there, and the key."""
    fields = []
    for column in rules["columns"]:
        constraints: dict[str, Any] = {"required": column["required"]}
        field = {"name": column["name"], "type": "string", "constraints": constraints}
        if column["type"] == "code":
            constraints["pattern"] = column["pattern"]
        elif column["type"] == "date":
            field["type"] = "date"
            constraints |= {"minimum": "1900-01-01", "maximum": rules["last_date"]}
        elif column["type"] == "integer":
            field["type"] = "integer"
            constraints |= {"minimum": column["low"], "maximum": column["high"]}
        fields.append(field)
    return {"fields": fields, "primaryKey": [rules["key"]]}


def main() -> None:
    """Validate and print."""
    rules = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    path = Path(sys.argv[1])
    first, second = rules["ordered"]
    started = time.perf_counter()
    resource = Resource(
        path=path.name,
        basepath=str(path.parent),
        schema=Schema.from_descriptor(descriptor(rules)),
    )
    formula = f"{second} is None or {first} is None or {first} <= {second}"
    checklist = Checklist(checks=[checks.row_constraint(formula=formula)])
    report = resource.validate(checklist, limit_errors=100_000_000)
    found = sum(task.stats.get("errors") or 0 for task in report.tasks)
    print(json.dumps({"seconds": time.perf_counter() - started, "found": found}))


if __name__ == "__main__":
    main()
