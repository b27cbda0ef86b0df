"""Wide tables, total rows, identities, expected content and repaired lines, on small made files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from loaders.findings import Finding
from loaders.layout import apply_layout, load_layout
from loaders.read import read_source
from loaders.returned import Returned
from tipstat.errors import ReturnRefused, UsageError

HEADER = ["Area", "Law", "Open at start", "New", "Closed", "Open at end"]
ROWS = [
    ["North", "Trafficking", "10", "5", "3", "12"],
    ["South", "Trafficking", "1", "2", "3", "0"],
    ["ALL", "Trafficking", "11", "7", "6", "12"],
    ["North", "Theft", "0", "9", "9", "0"],
    ["South", "Theft", "0", "1", "1", "0"],
    ["ALL", "Theft", "0", "10", "10", "0"],
]
STOCK = {"measure": "PERSONS_UNDER_TRIAL"}
LAYOUT: dict[str, Any] = {
    "id": "wide",
    "title": "A wide table",
    "kind": "aggregate",
    "language": "en",
    "reference_area": "XXA",
    "file": {"format": "csv"},
    "metadata": {"sender": "XXA-POLICE", "period_end": "2024-12-31"},
    "values": {"legal_article": {"Trafficking": "PC-231"}},
    "records": {
        "cell": {
            "columns": {"Area": "area", "Law": "legal_article"},
            "constants": {
                "unit_of_count": "PERSON",
                "period_start": "2024-01-01",
                "period_end": "2024-12-31",
            },
            "skip": [{"where": {"Law": "Theft"}, "reason": "no trafficking"}],
            "wide": {
                "columns": {
                    "Open at start": {**STOCK, "at": "start"},
                    "New": {"measure": "PERSONS_CHARGED", "cell_nature": "FLOW"},
                    "Closed": {"measure": "PERSONS_TRIED", "cell_nature": "FLOW"},
                    "Open at end": {**STOCK, "at": "end"},
                }
            },
            "identities": [
                {
                    "id": "flow",
                    "title": "persons under trial",
                    "plus": ["Open at start", "New"],
                    "minus": ["Closed"],
                    "equals": ["Open at end"],
                }
            ],
            "totals": [
                {
                    "id": "all",
                    "title": "the whole country",
                    "where": {"Area": "ALL"},
                    "parts": {"Area": {"except": ["ALL"]}},
                    "by": ["Law"],
                }
            ],
        }
    },
}


def layout_path(folder: Path, file: Any = None, **record: Any) -> Path:
    cell = {**LAYOUT["records"]["cell"], **record}
    content = {**LAYOUT, "records": {"cell": cell}, "file": {"format": "csv", **(file or {})}}
    path = folder / "wide.yml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def applied(folder: Path, rows: list[list[str]], **changed: Any) -> Returned:
    layout = load_layout(layout_path(folder, **changed))
    path = folder / "return.csv"
    path.write_text("".join(",".join(row) + "\n" for row in rows), encoding="utf-8")
    return apply_layout(layout, read_source(path, repairs=layout.repairs))


def found(returned: Returned, rule: str) -> list[Finding]:
    return [finding for finding in returned.findings if finding.rule_id == rule]


def changed(row: int, column: int, value: str) -> list[list[str]]:
    rows = [HEADER, *[list(one) for one in ROWS]]
    rows[row - 1][column] = value
    return rows


def test_each_number_of_a_wide_row_is_a_cell_with_its_own_address(tmp_path: Path) -> None:
    one = applied(tmp_path, [HEADER, *ROWS]).tables[0]
    names = ("measure", "cell_nature", "period_start", "period_end", "value", "_pivot", "_letter")
    rows = list(zip(*(one.table.column(name).to_pylist() for name in names), strict=True))
    assert rows[:4] == [
        ("PERSONS_UNDER_TRIAL", "STOCK", "2024-01-01", "2024-01-01", "10", 1, "C"),
        ("PERSONS_CHARGED", "FLOW", "2024-01-01", "2024-12-31", "5", 2, "D"),
        ("PERSONS_TRIED", "FLOW", "2024-01-01", "2024-12-31", "3", 3, "E"),
        ("PERSONS_UNDER_TRIAL", "STOCK", "2024-12-31", "2024-12-31", "12", 4, "F"),
    ]
    assert len(rows) == 8
    assert (one.columns["area"], one.columns["value"], one.columns["measure"]) == ("A", "*", "*")


def test_total_rows_that_agree_are_left_out_and_nothing_else_is_said(tmp_path: Path) -> None:
    returned = applied(tmp_path, [HEADER, *ROWS])
    assert "ALL" not in returned.tables[0].table.column("area").to_pylist()
    assert not found(returned, "TIP-656")
    assert [f.message for f in found(returned, "TIP-131")] == [
        "2 total rows left out after they were compared with their parts",
        "2 rows left out: no trafficking",
    ]


def test_a_total_row_that_disagrees_with_its_parts_names_its_cell(tmp_path: Path) -> None:
    [finding] = found(applied(tmp_path, changed(7, 3, "11")), "TIP-656")
    assert (finding.cell, finding.value, finding.expected) == ("D7", "11", "10")
    assert finding.message == (
        "the whole country, Law Theft, New: 11 in the total row, 10 in its 2 parts"
    )
    assert finding.severity == "warning"


def test_a_total_row_whose_law_was_left_blank_is_told_with_the_parts_it_leaves(
    tmp_path: Path,
) -> None:
    findings = found(applied(tmp_path, changed(7, 1, "")), "TIP-657")
    assert [(f.cell, f.message) for f in findings] == [
        ("B5", "the whole country, Law Theft: 0 total rows over 2 parts"),
        ("B7", "the whole country, Law (blank): 1 total rows over 0 parts"),
    ]


def test_total_rows_may_stay_where_their_parts_are_left_out(tmp_path: Path) -> None:
    total = {**LAYOUT["records"]["cell"]["totals"][0], "keep": "yes"}
    skip = [{"where": {"Area": {"except": ["ALL"]}}, "reason": "parts"}]
    returned = applied(tmp_path, [HEADER, *ROWS], totals=[total], skip=skip)
    assert set(returned.tables[0].table.column("area").to_pylist()) == {"ALL"}


def test_an_identity_that_fails_names_the_cell_of_its_result(tmp_path: Path) -> None:
    returned = applied(tmp_path, changed(5, 5, "1"), totals=[])
    [finding] = found(returned, "TIP-658")
    assert (finding.cell, finding.value, finding.expected) == ("F5", "1", "0")
    assert "Open at start + New - Closed = Open at end gives 0 and 1" in finding.message
    [note] = found(returned, "TIP-659")
    assert note.message == "persons under trial: the numbers agree in 5 of 6 rows"


def test_a_row_with_a_blank_number_is_not_compared(tmp_path: Path) -> None:
    returned = applied(tmp_path, changed(5, 5, ""))
    assert not found(returned, "TIP-658")
    assert found(returned, "TIP-659")[0].message.endswith("5 of 5 rows")


def test_a_file_with_the_right_header_over_another_table_is_refused(tmp_path: Path) -> None:
    expect = [{"where": {"Law": "Trafficking"}, "reason": "the table of trafficking"}]
    rows = [[row[0], "Arson", *row[2:]] for row in ROWS[:3]]
    with pytest.raises(ReturnRefused) as caught:
        applied(tmp_path, [HEADER, *rows], expect=expect)
    assert caught.value.rule == "TIP-117"
    assert caught.value.found == "no row with Law Trafficking; the column holds Arson"
    assert caught.value.expected == "the table of trafficking"
    assert "another table than its name says" in (caught.value.do or "")


REPAIR = {
    "fields": "7",
    "join": ["2", "3"],
    "matches": "^Trafficking, act [0-9]+$",
    "reason": "no quotation marks",
}


def test_a_line_with_an_unprotected_comma_is_mended_and_told(tmp_path: Path) -> None:
    rows = [HEADER, *[list(row) for row in ROWS]]
    rows[1][1] = "Trafficking, act 5"
    returned = applied(tmp_path, rows, file={"repairs": [REPAIR]}, totals=[])
    assert returned.tables[0].table.column("legal_article")[0].as_py() == "Trafficking, act 5"
    [finding] = found(returned, "TIP-116")
    assert (finding.cell, finding.row) == ("B2", 2)
    assert finding.message == "fields 2 to 3 are read as one: no quotation marks"
    assert not found(returned, "TIP-110")


def test_a_line_that_the_repair_does_not_describe_stays_a_refusal(tmp_path: Path) -> None:
    rows = [HEADER, *[list(row) for row in ROWS]]
    rows[1][1] = "Trafficking, 2,5"
    path = tmp_path / "return.csv"
    path.write_text("".join(",".join(row) + "\n" for row in rows), encoding="utf-8")
    layout = load_layout(layout_path(tmp_path, file={"repairs": [REPAIR]}))
    notes = read_source(path, repairs=layout.repairs).notes
    assert [(n.rule_id, n.row) for n in notes if n.rule_id in ("TIP-110", "TIP-116")] == [
        ("TIP-110", 2)
    ]


@pytest.mark.parametrize("join", [["2", "4"], ["3"], ["6", "9"], ["0", "1"], ["two"]])
def test_fields_that_cannot_be_joined_are_refused(tmp_path: Path, join: list[str]) -> None:
    with pytest.raises(UsageError, match=r"file\.repairs\[0\]\.join"):
        load_layout(layout_path(tmp_path, file={"repairs": [{**REPAIR, "join": join}]}))


def test_two_columns_of_one_cell_are_refused(tmp_path: Path) -> None:
    columns = {"New": STOCK, "Closed": {"measure": "PERSONS_UNDER_TRIAL"}}
    with pytest.raises(UsageError) as caught:
        load_layout(layout_path(tmp_path, wide={"columns": columns}))
    assert caught.value.rule == "TIP-119"
    assert "Closed and New" in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [{"Fraud": "PC-231", "fraud": "PC-300"}, {"Fraud": "PC-231", " Fraud  ": "PC-231"}],
)
def test_a_value_mapped_twice_is_refused_with_both_spellings(
    tmp_path: Path, values: dict[str, str]
) -> None:
    path = tmp_path / "wide.yml"
    content = {**LAYOUT, "values": {"legal_article": values}}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load_layout(path)
    assert caught.value.rule == "TIP-118"
    assert "which are one value" in str(caught.value)
    assert "values.legal_article" in (caught.value.where or "")


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("wide", {"columns": ["New"]}, "wide.columns"),
        ("wide", {"columns": {"New": "x"}}, "wide.columns.New"),
        ("wide", {"columns": {"New": {**STOCK, "at": "noon"}}}, "wide.columns.New.at"),
        ("wide", {"columns": {"New": {"measure": "NONE"}}}, "wide.columns.New.measure"),
        ("totals", [{**LAYOUT["records"]["cell"]["totals"][0], "keep": "some"}], "keep"),
    ],
)
def test_what_a_wide_table_cannot_be_is_refused(
    tmp_path: Path, key: str, value: object, says: str
) -> None:
    with pytest.raises(UsageError, match=says.replace(".", r"\.")):
        load_layout(layout_path(tmp_path, **{key: value}))
