"""``make bench``: measure, and print the table of DESIGN section 10."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks.lines import MEMORY, SIZES, Bench, Line, as_json, memory_reached
from benchmarks.measure import ROOT

HEADINGS = (
    "work",
    "seconds",
    "compared with",
    "its seconds",
    "ratio",
    "reach",
    "reached",
    "peak MiB",
)
MIB = 1024**2


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--size", type=click.Choice(list(SIZES)), default="small", show_default=True)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep files and workspaces here; by default a temporary folder that is deleted.",
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the lines too.")
@click.option(
    "--peers",
    type=click.Path(path_type=Path),
    default=ROOT / ".venv-peers" / "bin" / "python",
    help="Python that has pandera and frictionless.",
)
def main(size: str, folder: Path | None, json_path: Path | None, peers: Path) -> None:
    """Measure tipstat against the bare engine in the same run."""
    with _folder(folder) as place:
        lines = []
        for line in Bench(SIZES[size], place, peers).lines():
            lines.append(line)
            click.echo(f"{line.own.seconds:9.2f} s  {line.work}", err=True)
    click.echo(_machine(size))
    click.echo(table(lines))
    most = max(line.own.peak for line in lines)
    verdict = "yes" if memory_reached(lines) else "no"
    click.echo(
        f"\nMost memory of any of them: {most / MIB:,.0f} MiB; "
        f"at most {MEMORY / MIB:,.0f}: {verdict}."
    )
    if json_path:
        json_path.write_text(json.dumps([as_json(line) for line in lines], indent=1) + "\n")


@contextmanager
def _folder(asked: Path | None) -> Iterator[Path]:
    if asked:
        asked.mkdir(parents=True, exist_ok=True)
        yield asked.resolve()
        return
    made = Path(tempfile.mkdtemp(prefix="tipstat-bench-"))
    try:
        yield made
    finally:
        shutil.rmtree(made)


def _machine(size: str) -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, size {size}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {sys.version.split()[0]}\n"
    )


def table(lines: list[Line]) -> str:
    """The lines as a table in Markdown."""
    rows = [HEADINGS, *(_cells(line) for line in lines)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADINGS))]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([texts[0], rule, *texts[1:]])


def _cells(line: Line) -> tuple[str, ...]:
    reached = {True: "yes", False: "no", None: "–"}[line.reached]
    return (
        line.work,
        f"{line.own.seconds:.2f}",
        line.against or "–",
        f"{line.peer.seconds:.2f}" if line.peer else line.note or "–",
        f"{line.ratio:.2f}" if line.ratio is not None else "–",
        line.reach or "–",
        reached,
        f"{line.own.peak / MIB:,.0f}",
    )


if __name__ == "__main__":
    main()
