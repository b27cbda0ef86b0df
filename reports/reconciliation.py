"""A reconciliation as a file: every cell, the counts, and what the file may be used for."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from reports.files import replacing
from reports.sheets import Book, Column, Table
from reports.texts import texts
from tipstat.errors import UsageError
from tipstat.formulas import neutral
from tipstat.reconcile import COLUMNS, OFFICE_ONLY, Reconciliation
from tipstat.rules import refuse


def write_reconciliation(result: Reconciliation, sources: Sequence[str], path: Path) -> None:
    """Write a comparison for the office; it is never for a sender (STATISTICS section 6).

    Args:
        result: the comparison.
        sources: what A and B are, in one line each.
        path: ends in ``.csv``, ``.json`` or ``.xlsx``.

    Raises:
        UsageError: TIP-703 for another ending.
        WorkplaceError: TIP-704, the file cannot be written.
    """
    writers = {".csv": _csv, ".json": _json, ".xlsx": _xlsx}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        found, expected = path.suffix or "no ending", "one of " + ", ".join(writers)
        raise refuse("TIP-703", UsageError, where=path.name, found=found, expected=expected)
    with replacing(path) as temporary:
        writer(result, sources, temporary)


def _cells(result: Reconciliation) -> list[list[object]]:
    return [
        [neutral(value) if isinstance(value := row[name], str) else value for name in COLUMNS]
        for row in result.rows
    ]


def _csv(result: Reconciliation, sources: Sequence[str], path: Path) -> None:
    del sources
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_cells(result))


def _json(result: Reconciliation, sources: Sequence[str], path: Path) -> None:
    document = {
        "use": OFFICE_ONLY,
        "a": sources[0],
        "b": sources[1],
        "counts": dict(result.counts),
        "not_compared": {"a": result.outside[0], "b": result.outside[1]},
        "cells": [dict(row) for row in result.rows],
    }
    text = json.dumps(document, ensure_ascii=False, indent=1, default=str)
    path.write_text(text + "\n", encoding="utf-8")


def _xlsx(result: Reconciliation, sources: Sequence[str], path: Path) -> None:
    columns = tuple(Column(name) for name in COLUMNS)
    counts = [f"{verdict}: {number:,}" for verdict, number in result.counts.items()]
    lines = [OFFICE_ONLY, f"A: {sources[0]}", f"B: {sources[1]}", *counts]
    with Book(path, texts("en"), title="Reconciliation") as book:
        book.data_sheet("cells", Table("cells", columns, _cells(result)))
        book.text_sheet("about", "Reconciliation", lines)
