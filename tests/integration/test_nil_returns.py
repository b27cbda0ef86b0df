"""A nil return is a received zero of what its sender reports, and stands in the way of others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli_support import Outcome, run, workspace
from test_difference import LAYOUT

from tipstat import warehouse
from tipstat.workspace import Workspace


@pytest.fixture
def office(tmp_path: Path) -> Path:
    ws = workspace(tmp_path / "office")
    (ws / "layouts" / "t.yml").write_text(LAYOUT)
    return ws


def load(office: Path, path: Path, year: int, *cells: str, nil: bool = False) -> Outcome:
    lines = ["Year,Place,Victims", *cells]
    path.write_text("\n".join(lines) + "\n")
    items = [f"period_start={year}-01-01", f"period_end={year}-12-31",
             f"extraction_date={year + 1}-02-01", f"nil_return={'Y' if nil else 'N'}"]  # fmt: skip
    given = [part for item in items for part in ("--set", item)]
    return run("-w", office, "load", path, "--layout", "t", *given)


def test_a_nil_return_of_tables_is_a_true_zero_of_the_measures_its_sender_reports(
    office: Path, tmp_path: Path
) -> None:
    assert load(office, tmp_path / "a.csv", 2021, "2021,,41").code == 0
    nil = load(office, tmp_path / "b.csv", 2022, nil=True)
    assert "accepted as aggregate-xxa-police-20221231" in nil.out, nil.text
    assert run("-w", office, "build").code == 0
    with warehouse.reading(Workspace.open(office)) as connection:
        figures = connection.execute(
            "select indicator, period, value, cell_kind from fct_indicator_value "
            "where indicator in ('victims_registered', 'persons_suspected') and sex = '_T' "
            "and age = '_T' and form = '_T' and citizenship = '_T' and breakdown = '_T' "
            "order by all"
        ).fetchall()
    assert figures == [
        ("victims_registered", "2021", 41.0, "VALUE"),
        ("victims_registered", "2022", 0.0, "TRUE_ZERO"),
    ]


def test_cells_beside_a_nil_return_of_the_same_period_are_refused_until_they_replace_it(
    office: Path, tmp_path: Path
) -> None:
    nil = load(office, tmp_path / "a.csv", 2022, nil=True)
    found = re.search(r"accepted as ([^\s:]+)", nil.out)
    assert found
    cells = load(office, tmp_path / "b.csv", 2022, "2022,A,3")
    assert (cells.code, "TIP-540" in cells.out) == (1, True)
    replacing = ("--set", "intent=REPLACES", "--set", f"earlier_submission={found[1]}",
                 "--set", "period_start=2022-01-01", "--set", "period_end=2022-12-31",
                 "--set", "extraction_date=2023-02-01")  # fmt: skip
    done = run("-w", office, "load", tmp_path / "b.csv", "--layout", "t", *replacing)
    assert "accepted as" in done.out, done.text
