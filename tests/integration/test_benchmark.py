"""The benchmark runs and its table has every line; how fast anything was is not asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tipstat.project import project_root

ROOT = project_root()

#: What DESIGN section 10 lists, and the validators, in the order of the table.
LINES = (
    ("check + land CSV", "one keyed reference", "DuckDB", "<= 4x"),
    ("check + land CSV", "three keyed references", "DuckDB", "<= 5x"),
    ("check CSV", "the same rules", "pandera", "–"),
    ("check CSV", "the same rules", "frictionless", "–"),
    ("check + land xlsx", "40 columns", "python-calamine", "<= 3x"),
    ("tipstat check", "from the shell", "–", "< 2 s"),
    ("tipstat build", "victims", "the same compiled SQL", "<= 1.2x + "),
    ("tipstat build", "submissions", "the same compiled SQL", "<= 1.2x + "),
    ("tipstat build", "a small country", "–", "< 12 s"),
    ("one indicator as a spreadsheet", "from the shell", "–", "< 1 s"),
    ("one comparison", "from the shell", "–", "< 1 s"),
)


def test_a_tiny_benchmark_prints_every_line_of_the_table(tmp_path: Path) -> None:
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks", "--size", "tiny"),
            *("--folder", tmp_path / "run", "--json", tmp_path / "lines.json"),
            *("--peers", tmp_path / "none" / "python"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    rows = [row for row in ran.stdout.splitlines() if row.startswith("|")][2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    shown = [(work, against, reach) for work, _, against, _, _, reach, *_ in cells]
    assert len(shown) == len(LINES)
    for (work, against, reach), (start, part, with_what, limit) in zip(shown, LINES, strict=True):
        assert work.startswith(start)
        assert part in work
        assert against.startswith(with_what)
        assert reach.startswith(limit)
    assert [row[3] for row in cells[2:4]] == ["not installed", "not installed"]
    assert "Most memory of any of them" in ran.stdout
    measured = json.loads((tmp_path / "lines.json").read_text(encoding="utf-8"))
    assert all(line["seconds"] > 0 and line["peak_bytes"] > 0 for line in measured)
    assert {line["details"].get("records") for line in measured[:2]} == {500}


def test_the_generated_return_is_the_same_in_every_run(tmp_path: Path) -> None:
    from benchmarks import returns

    columns = returns.columns_of(returns.THREE_REFERENCES)
    assert len(columns) == returns.WIDTH
    texts = [
        returns.write_csv(tmp_path / f"{run}.csv", 200, columns, seed).read_text(encoding="utf-8")
        for run, seed in (("first", 1), ("second", 1), ("other", 2))
    ]
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


def test_what_the_benchmark_times_does_not_enter_the_installed_package() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'packages = ["tipstat", "loaders", "reports"]' in text
