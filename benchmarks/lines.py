"""The lines of the table: what is measured, with what it is compared, and how far it must reach."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT, Measured, TaskFailed, best, command, task

GIB = 1024**3
SEED = 20260101

#: Reach of each work (DESIGN section 10): a factor over the peer, or seconds.
CSV_FACTOR, KEYED_FACTOR, XLSX_FACTOR = 4.0, 5.0, 3.0
SHELL_SECONDS, COUNTRY_SECONDS, FIGURE_SECONDS = 2.0, 12.0, 1.0
BUILD_FACTOR, BUILD_START, BUILD_NODE, BUILD_TEST = 1.2, 3.0, 0.04, 0.015
MEMORY = 2 * GIB


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        csv: records of the CSV; the validators get a tenth of them.
        xlsx: rows of the workbook of forty columns.
        workbook: victims in the standard workbook.
        builds: victims in each build of the scale.
        many: victims and submissions of the build of many submissions.
        country: victims and submissions of the small country.
        repeats: runs of each work of the door and its peer, in turns; the fastest counts.
    """

    csv: int
    xlsx: int
    workbook: int
    builds: tuple[int, ...]
    many: tuple[int, int]
    country: tuple[int, int]
    repeats: int


SIZES = {
    "tiny": Size(500, 200, 50, (60,), (60, 10), (60, 10), 1),
    "small": Size(100_000, 10_000, 5_000, (1_000, 10_000), (2_000, 100), (5_000, 50), 2),
    "full": Size(
        1_000_000, 100_000, 5_000, (10_000, 100_000, 1_000_000), (100_000, 2_000), (5_000, 50), 2
    ),
}


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        against: what it is compared with; empty where the reach is in seconds.
        peer: the peer's run, ``None`` where there is none or it is not installed.
        reach: the reach in words.
        limit: the most seconds that reach it; ``None`` where nothing is promised.
        note: in the place of a result, such as ``not installed``.
    """

    work: str
    own: Measured
    against: str = ""
    peer: Measured | None = None
    reach: str = ""
    limit: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Seconds over the peer's seconds."""
        return self.own.seconds / self.peer.seconds if self.peer and self.peer.seconds else None

    @property
    def reached(self) -> bool | None:
        """Whether it was fast enough; ``None`` where nothing is promised."""
        return None if self.limit is None else self.own.seconds <= self.limit


@dataclass(frozen=True)
class Bench:
    """One run of the benchmark.

    Attributes:
        folder: where files and workspaces are made.
        peers: Python of the environment that the validators are installed in.
        built: victims and submissions of the countries built so far, and what it took.
    """

    size: Size
    folder: Path
    peers: Path
    built: dict[tuple[int, int], Measured] = field(default_factory=dict)

    def lines(self) -> Iterator[Line]:
        """Measure everything, one line after the other."""
        task("make_office", path=self.folder / "office")
        yield from self._csv()
        yield from self._validators()
        yield self._xlsx()
        yield self._shell()
        yield from self._builds()
        yield self._many()
        yield self._country()
        yield from self._figures()

    # ── the door ──────────────────────────────────────────────────────────────────────────────

    def _csv(self) -> Iterator[Line]:
        for references, factor in (("one", CSV_FACTOR), ("three", KEYED_FACTOR)):
            made = self._make_csv(self.size.csv, references)
            own, peer = [], []
            for _ in range(self.size.repeats):
                target = self.folder / "bare.parquet"
                peer.append(task("bare_csv", path=made["path"], target=target))
                own.append(task("check_land", **made, office=self.folder / "office"))
            keyed = "one keyed reference" if references == "one" else "three keyed references"
            yield _by_factor(
                f"check + land CSV, {self.size.csv:,} rows x 30 columns, {keyed}",
                best(own),
                "DuckDB read_csv(all_varchar) -> Parquet",
                best(peer),
                factor,
            )

    def _make_csv(self, rows: int, references: str) -> dict[str, Path]:
        path = self.folder / f"victims_{rows}_{references}.csv"
        layout = self.folder / f"bench_{references}.yml"
        made = {"path": path, "layout": layout}
        task("make_csv", **made, rows=rows, references=references, seed=SEED)
        return made

    def _validators(self) -> Iterator[Line]:
        rows = self.size.csv // 10
        made = self._make_csv(rows, "three")
        rules = self.folder / "rules.json"
        task("make_rules", path=rules, references="three")
        own = task("check", **made, office=self.folder / "office")
        for name in ("pandera", "frictionless"):
            work = f"check CSV, {rows:,} rows x 30 columns, the same rules"
            peer = self._peer(name, made["path"], rules)
            note = "" if peer else "not installed"
            yield Line(work, own, name, peer, note=note)

    def _peer(self, name: str, path: Path, rules: Path) -> Measured | None:
        script = ROOT / "benchmarks" / f"peer_{name}.py"
        if not self.peers.exists():
            return None
        try:
            ran = command([str(self.peers), str(script), str(path), str(rules)])
        except TaskFailed as failure:
            if "ModuleNotFoundError" in str(failure):
                return None
            raise
        told = json.loads(ran.details["out"].splitlines()[-1])
        return Measured(told["seconds"], ran.peak, told)

    def _xlsx(self) -> Line:
        path, layout = self.folder / "victims.xlsx", self.folder / "bench_sheet.yml"
        made = task(
            "make_sheet", path=path, layout=layout, rows=self.size.xlsx, width=40, seed=SEED
        )
        own, peer = [], []
        for _ in range(self.size.repeats):
            peer.append(task("bare_xlsx", path=path))
            office = self.folder / "office"
            own.append(task("check_land", path=path, layout=layout, office=office))
        work = f"check + land xlsx, {self.size.xlsx:,} rows x {made.details['columns']} columns"
        return _by_factor(work, best(own), "python-calamine iter_rows", best(peer), XLSX_FACTOR)

    def _shell(self) -> Line:
        path = self.folder / "standard.xlsx"
        task("make_workbook", path=path, rows=self.size.workbook, seed=SEED)
        runs = [
            command(_tipstat(self.folder / "office", "check", str(path)), codes=(0, 1))
            for _ in range(self.size.repeats)
        ]
        work = f"tipstat check, standard workbook of {self.size.workbook:,} rows, from the shell"
        return _by_seconds(work, best(runs), SHELL_SECONDS)

    # ── the warehouse ─────────────────────────────────────────────────────────────────────────

    def _builds(self) -> Iterator[Line]:
        for victims in self.size.builds:
            yield self._build(victims, _submissions(victims))

    def _many(self) -> Line:
        return self._build(*self.size.many)

    def _build(self, victims: int, submissions: int) -> Line:
        own = self._built(victims, submissions)
        office = self._office_of(victims, submissions)
        peer = task("bare_build", office=office, target=office.with_suffix(".duckdb"))
        # What is as large as the warehouse itself goes as soon as it is measured.
        office.with_suffix(".duckdb").unlink()
        nodes = own.details["models"] + own.details["seeds"]
        fixed = BUILD_START + BUILD_NODE * nodes + BUILD_TEST * own.details["tests"]
        return Line(
            f"tipstat build, {victims:,} victims in {submissions:,} submissions",
            own,
            "the same compiled SQL in DuckDB",
            peer,
            f"<= {BUILD_FACTOR}x + {fixed:.1f} s",
            BUILD_FACTOR * peer.seconds + fixed,
        )

    def _built(self, victims: int, submissions: int) -> Measured:
        """Build a country of that size; one that is there already is not built again."""
        size = (victims, submissions)
        if size not in self.built:
            office = self._office_of(victims, submissions)
            made = {"victims": victims, "submissions": submissions, "seed": SEED}
            task("make_country", path=office, **made)
            self.built[size] = task("build", office=office)
        return self.built[size]

    def _office_of(self, victims: int, submissions: int) -> Path:
        return self.folder / f"country_{victims}_{submissions}"

    def _country(self) -> Line:
        victims, submissions = self.size.country
        own = self._built(victims, submissions)
        work = f"tipstat build, a small country: {submissions} returns, {victims:,} victims"
        return _by_seconds(work, own, COUNTRY_SECONDS)

    def _figures(self) -> Iterator[Line]:
        """On the largest warehouse that was built."""
        victims = self.size.builds[-1]
        office = self._office_of(victims, _submissions(victims))
        size = f"{victims:,} victims"
        for work, arguments in (
            (
                "one indicator as a spreadsheet, from the shell",
                ("indicators", "victims_registered", "-o", str(self.folder / "figures.xlsx")),
            ),
            (
                "one comparison (year, sex), from the shell",
                ("indicators", "victims_registered", "--year", "2019:2022", "--sex", "all"),
            ),
        ):
            runs = [command(_tipstat(office, *arguments)) for _ in range(self.size.repeats)]
            yield _by_seconds(f"{work}, {size}", best(runs), FIGURE_SECONDS)


def _submissions(victims: int) -> int:
    """Returns in which a country of so many victims is sent."""
    return 50 if victims > 1_000 else 10


_COMMAND = "from tipstat.cli.main import main; main()"


def _tipstat(office: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-c", _COMMAND, "-w", str(office), *arguments]


def _by_factor(work: str, own: Measured, against: str, peer: Measured, factor: float) -> Line:
    return Line(work, own, against, peer, f"<= {factor:g}x", factor * peer.seconds)


def _by_seconds(work: str, own: Measured, seconds: float) -> Line:
    return Line(work, own, reach=f"< {seconds:g} s", limit=seconds)


def memory_reached(lines: list[Line]) -> bool:
    """Whether no work held more than it may (DESIGN section 10)."""
    return all(line.own.peak <= MEMORY for line in lines)


def as_json(line: Line) -> dict[str, Any]:
    """A line for machines."""
    return {
        "work": line.work,
        "seconds": line.own.seconds,
        "against": line.against,
        "peer_seconds": line.peer.seconds if line.peer else None,
        "ratio": line.ratio,
        "reach": line.reach,
        "reached": line.reached,
        "peak_bytes": line.own.peak,
        "peer_peak_bytes": line.peer.peak if line.peer else None,
        "note": line.note,
        "details": {k: v for k, v in line.own.details.items() if k != "out"},
    }
