"""Damaged files by the hundred: each is read or refused, nothing hangs, nothing lands by halves.

Seeded: a failure names the seed of its file. ``TIPSTAT_FUZZ=5000`` makes it thousands of each kind
(docs/reading.md); the usual run keeps to a minute.
"""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_support import police_return, run, workspace
from fuzz_driver import DATA, WRITERS, damage, seed_of
from mutations import damaged

from loaders.check import check_file
from loaders.layout import layout_paths, load_layout
from loaders.read import read_source
from tipstat.errors import TipstatError
from tipstat.limits import Limits
from tipstat.workspace import Workspace

FILES = int(os.environ.get("TIPSTAT_FUZZ", "60"))
#: Seconds that no small file may take, however damaged.
PATIENCE = 20.0
ROOT = Path(__file__).resolve().parents[2]


def outcomes_of(kind: str, folder: Path) -> dict[int, tuple[str, float]]:
    """What became of every damaged file; one that ended its process is read again as usual."""
    found: dict[int, tuple[str, float]] = {}
    while len(found) < FILES:
        first = len(found)
        ran = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("fuzz_driver.py")), kind, str(folder),
             str(first), str(FILES)],
            # Telling where it ran out of memory takes memory, and may wait for itself forever.
            env={**os.environ, "PYTHONPATH": str(ROOT), "RUST_BACKTRACE": "0"},
            cwd=folder, capture_output=True,
            text=True, check=False, timeout=60 + FILES,
        )  # fmt: skip
        for line in ran.stdout.splitlines():
            _, outcome, seconds = line.split()
            found[len(found)] = (outcome, float(seconds))
        assert "broken" not in {outcome for outcome, _ in found.values()}, ran.stderr[-4000:]
        if len(found) < FILES:
            assert len(found) > first or ran.returncode < 0, ran.stderr[-4000:]
            found[len(found)] = ("ended", 0.0)
            assert_refused_apart(kind, folder, len(found) - 1)
    return found


def assert_refused_apart(kind: str, folder: Path, number: int) -> None:
    """A file that ends the process of its reader is refused, and ends nothing else."""
    sound = WRITERS[kind](folder)
    sound.write_bytes(damage(kind, number, sound.read_bytes()))
    with pytest.raises(TipstatError, match="TIP-1"):
        read_source(sound, limits=Limits(unpacked_mb=64, cells=1_000_000, memory_mb=3_000))


@pytest.mark.parametrize("kind", WRITERS)
def test_a_damaged_file_is_read_or_refused(kind: str, tmp_path: Path) -> None:
    if kind == "peru" and not (DATA / "per_pnp").is_dir():
        pytest.skip("TIPSTAT_TEST_DATA has no per_pnp")
    found = outcomes_of(kind, tmp_path)
    assert [seed_of(kind, n) for n, (_, seconds) in found.items() if seconds > PATIENCE] == []
    assert len({outcome for outcome, _ in found.values()}) > 1, "the damage reaches the file"


def test_a_damaged_layout_is_loaded_or_refused(tmp_path: Path) -> None:
    shipped = sorted(layout_paths().values())
    outcomes: Counter[str] = Counter()
    for number in range(FILES):
        seed = seed_of("layout", number)
        rng = random.Random(seed)  # reproducible
        chosen = rng.choice(shipped)
        path = tmp_path / chosen.name
        path.write_bytes(_changed_lines(rng, chosen.read_bytes()))
        try:
            load_layout(path)
        except TipstatError as refusal:
            outcomes[refusal.rule] += 1
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
        else:
            outcomes["loaded"] += 1
    assert len(outcomes) > 1, "the damage reaches the layout"
    assert outcomes["loaded"], "and not all of it matters"


def _changed_lines(rng: random.Random, data: bytes) -> bytes:
    """A layout with lines left out, repeated, indented or damaged."""
    lines = data.split(b"\n")
    place = rng.randrange(len(lines))
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: b"\n".join(lines[:place] + lines[place + 1 :]),
        lambda: b"\n".join(lines[:place] + lines[place : place + 1] + lines[place:]),
        lambda: b"\n".join([*lines[:place], b"  " + lines[place], *lines[place + 1 :]]),
        lambda: b"\n".join([*lines[:place], lines[place].lstrip(), *lines[place + 1 :]]),
        lambda: damaged(rng, data),
    )
    return rng.choice(ways)()


# ── nothing by halves ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["standard xlsx", "zip"])
def test_a_damaged_return_lands_whole_or_not_at_all(kind: str, tmp_path: Path) -> None:
    office = workspace(tmp_path / "office")
    sound = WRITERS[kind](tmp_path)
    data, ending = sound.read_bytes(), sound.suffix
    for number in range(max(FILES // 4, 8)):
        seed = seed_of(f"load {kind}", number)
        path = tmp_path / f"damaged{ending}"
        path.write_bytes(damaged(random.Random(seed), data))  # reproducible
        outcome = run("-w", office, "load", path)
        assert outcome.code in (0, 1, 2, 3), seed
        assert "Traceback" not in outcome.text, seed
        assert landed(office) == accepted(office), seed
        assert not [p for p in (office / "landing").glob(".*") if p.is_dir()], seed


def landed(office: Path) -> set[str]:
    """Folders of submissions in which records stand."""
    aside = {"findings.parquet", "mapping.parquet"}
    return {p.parent.name for p in (office / "landing").rglob("*.parquet") if p.name not in aside}


def accepted(office: Path) -> set[str]:
    with sqlite3.connect(office / "registry.sqlite") as registry:
        rows = registry.execute("select id from submission where status = 'accepted'").fetchall()
    return {row[0] for row in rows}


def test_a_check_of_a_damaged_return_changes_nothing(tmp_path: Path) -> None:
    office = workspace(tmp_path / "office")
    ws = Workspace.find(str(office))
    sound = police_return(tmp_path / "return.xlsx")
    data, before = sound.read_bytes(), files_of(office)
    for number in range(max(FILES // 6, 5)):
        sound.write_bytes(damage("check", number, data))
        try:
            check_file(sound, ws).close()
        except TipstatError:
            continue
    assert files_of(office) == before


def files_of(office: Path) -> dict[str, bytes]:
    return {
        path.relative_to(office).as_posix(): path.read_bytes()
        for path in office.rglob("*")
        if path.is_file() and not path.name.startswith("registry.sqlite")
    }
