"""Reads damaged files of one kind in a process of its own, and says what became of each.

A reader may abort its process on a damaged file, which is why tipstat reads in a process of its
own; here many files share one, and the test goes on behind the file that ended it.

Usage: ``fuzz_driver.py KIND FOLDER FIRST LAST``; prints ``seed outcome seconds``.
"""

from __future__ import annotations

import os
import random
import sys
import time
import traceback
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
from cli_support import METADATA, event, police_return, victim
from mutations import damaged
from pyarrow import parquet

from loaders.apart import confine
from loaders.layout import apply_layout, load_layout
from loaders.read import read_source
from loaders.templates import recognise, returned
from tipstat.errors import TipstatError
from tipstat.limits import Limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))

from odd_files import Day, Error, Page, ods, xls, xlsb  # of the unit tests

SEED = int(os.environ.get("TIPSTAT_FUZZ_SEED", "1"))
#: Read in this process, where a traceback is seen; small, so that a damaged size is refused.
HERE = Limits(unpacked_mb=64, cells=1_000_000, child_process=False)
BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"
DATA = Path(os.environ.get("TIPSTAT_TEST_DATA", BESIDE))

PAGES = (
    Page("Events", [["ref", "date", "n", "x"], ["E1", Day(45000), 12, Error("#REF!", True)],
                    ["E2", Day(45001), 1.5, True], ["E3", None, Error("#N/A"), "é"]],
         hidden_rows=frozenset({2}), hidden_columns=frozenset({1}), merged=[(0, 0, 0, 1)]),
    Page("Lists", [["code"], ["F"], ["M"]], hidden=True),
)  # fmt: skip


def csv_return(folder: Path) -> Path:
    """Standard CSV files in a zip."""
    records = {"event": [event(n) for n in range(1, 9)], "victim": [victim(n) for n in range(1, 9)]}
    tables = {name: _csv(rows) for name, rows in records.items()}
    tables["metadata"] = "variable,value\nkind,police\n" + "".join(
        f"{name},{value}\n" for name, value in METADATA.items()
    )
    with zipfile.ZipFile(folder / "return.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in tables.items():
            archive.writestr(f"{name}.csv", text)
    return folder / "return.zip"


def _csv(rows: list[dict[str, object]]) -> str:
    lines = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    return "".join(",".join(line) + "\n" for line in lines)


def plain_csv(folder: Path) -> Path:
    path = folder / "return.csv"
    text = 'ref;sex;note\nE1;F;"two\nlines"\nE2;M;niña "quoted"\nE3;F;l’été\n' * 20
    path.write_bytes(text.encode("cp1252"))
    return path


def cells(folder: Path) -> Path:
    path = folder / "cells.parquet"
    table = pa.table({"n": [1, 2, 3], "share": [0.5, 1.0, None], "sex": ["F", "M", "_T"]})
    parquet.write_table(table, path)
    return path


def peru(folder: Path) -> Path:
    """The head of Peru's police file, which its layout reads."""
    sound, path = folder / "sound.xlsx", folder / "peru.xlsx"
    if not sound.exists():
        (found,) = (DATA / "per_pnp").glob("*.xlsx")
        book, cut = openpyxl.load_workbook(found, read_only=True), openpyxl.Workbook()
        cut.remove(cut.active)
        for sheet in book:
            copy = cut.create_sheet(sheet.title)
            for row in sheet.iter_rows(max_row=30, values_only=True):
                copy.append(row)
        cut.save(sound)
    path.write_bytes(sound.read_bytes())
    return path


WRITERS: dict[str, Callable[[Path], Path]] = {
    "standard xlsx": lambda folder: police_return(folder / "return.xlsx"),
    "xls": lambda folder: xls(folder / "a.xls", *PAGES),
    "xlsb": lambda folder: xlsb(folder / "a.xlsb", *PAGES),
    "ods": lambda folder: ods(folder / "a.ods", *PAGES),
    "csv": plain_csv,
    "zip": csv_return,
    "parquet": cells,
    "peru": peru,
}


def seed_of(kind: str, number: int) -> str:
    return f"{SEED}-{kind}-{number}"


def damage(kind: str, number: int, data: bytes) -> bytes:
    return damaged(random.Random(seed_of(kind, number)), data)  # reproducible


def main() -> None:
    kind, folder, first, last = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    sound = WRITERS[kind](folder)
    data = sound.read_bytes()
    layout = load_layout("per_pnp_2017") if kind == "peru" else None
    confine(Limits(memory_mb=3_000, seconds=100_000), files=True)
    for number in range(first, last):
        sound.write_bytes(damage(kind, number, data))
        started = time.monotonic()
        try:
            source = read_source(sound, limits=HERE)
            info = recognise(source)
            if layout is not None:
                apply_layout(layout, source)
            elif info is not None:
                returned(source, info)
            outcome = "read"
        except TipstatError as refusal:
            outcome = refusal.rule
        except BaseException:
            outcome = "broken"
            traceback.print_exc()
        seconds = time.monotonic() - started
        print(seed_of(kind, number).replace(" ", "_"), outcome, f"{seconds:.2f}", flush=True)


if __name__ == "__main__":
    main()
