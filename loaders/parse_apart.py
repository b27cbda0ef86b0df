"""Parse a file in a process of its own: what is asked of it, and what is believed of its answer."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from loaders.apart import Answer, put, work_apart
from loaders.findings import Finding
from loaders.parse import Parsed, Reading, parse_file
from loaders.source import ErrorCell, Sheet

if TYPE_CHECKING:
    from loaders.layout_model import Repair
    from tipstat.limits import Limits


def parse_apart(name: str, data: bytes, how: Reading) -> Parsed:
    """Parse a file in a process of its own; the arguments are those of ``parse_file``.

    Returns:
        As ``parse_file``.

    Raises:
        ReturnRefused: as ``parse_file``; TIP-151 where the process took too much memory or time,
            and TIP-103 where it broke off.
        WorkplaceError: TIP-199 the process did not start.
    """
    asked = {
        "encoding": how.encoding,
        "delimiter": how.delimiter,
        "repairs": [asdict(repair) for repair in how.repairs],
    }
    return work_apart("parse", name, data, how.limits, asked=asked, believed=_parsed)


def _parsed(head: dict[str, Any], answer: Answer) -> Parsed:
    sheets = tuple(Sheet(one["name"], one["hidden"], _table(answer)) for one in head["sheets"])
    return Parsed(
        head["format"],
        sheets,
        tuple(ErrorCell(**cell) for cell in head["error_cells"]),
        tuple(Finding(**note) for note in head["notes"]),
        head["read_as"],
        head["date_1904"],
        head["encoding"],
        head["delimiter"],
    )


def _table(answer: Answer) -> pa.Table:
    """One sheet, which is looked through while it comes.

    Offsets that lead out of their buffers, or a text that is none, would lead our own process
    astray.
    """
    with pa.ipc.open_stream(answer) as stream, ThreadPoolExecutor(1) as beside:
        if not all(field.type in (pa.string(), pa.int32()) for field in stream.schema):
            raise ValueError("a sheet holds text and the numbers of its rows")
        batches, looked_through = [], []
        for batch in stream:
            batches.append(batch)
            looked_through.append(beside.submit(batch.validate, full=True))
        for one in looked_through:
            one.result()
        return pa.Table.from_batches(batches, stream.schema)


# ── in the process ────────────────────────────────────────────────────────────────────────────


def answer(asked: dict[str, Any], data: bytes, limits: Limits, out: io.BufferedWriter) -> None:
    """Parse the file and tell what it holds."""
    how = Reading(asked["encoding"], asked["delimiter"], _repairs(asked["repairs"]), limits)
    _tell(parse_file(asked["name"], data, how), out)


def _repairs(asked: list[dict[str, Any]]) -> tuple[Repair, ...]:
    if not asked:
        return ()
    from loaders.layout_model import Repair

    return tuple(Repair(**{**repair, "join": tuple(repair["join"])}) for repair in asked)


def _tell(parsed: Parsed, out: io.BufferedWriter) -> None:
    head: dict[str, Any] = {
        "format": parsed.format,
        "sheets": [{"name": sheet.name, "hidden": sheet.hidden} for sheet in parsed.sheets],
        "error_cells": [asdict(cell) for cell in parsed.error_cells],
        "notes": [asdict(note) for note in parsed.notes],
        "read_as": parsed.read_as,
        "date_1904": parsed.date_1904,
        "encoding": parsed.encoding,
        "delimiter": parsed.delimiter,
    }
    put(out, json.dumps(head).encode())
    for sheet in parsed.sheets:
        with pa.ipc.new_stream(pa.PythonFile(out, mode="w"), sheet.table.schema) as stream:
            stream.write_table(sheet.table)
