"""Records of persons from two files: joined, recoded, numbered, repeated and with hidden ages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from check_returns import CONTEXT

from loaders.check import check_with
from loaders.findings import Finding
from loaders.layout import apply_layout, load_layout
from loaders.read import read_source
from loaders.returned import Returned
from tipstat.errors import ReturnRefused, UsageError

CALLS = ["Call,Day,Came by,Topic", "1,2024-01-05,hot line,work", "2,2024-02-01,by e-mail,other"]
PERSONS = [
    "Call,Role,Age",
    "1,accused,0",
    "1,victim,0",
    "2,accused,40",
    "2,accused,40",
]
LAYOUT: dict[str, Any] = {
    "id": "line",
    "title": "A hotline",
    "kind": "service",
    "language": "en",
    "reference_area": "XXA",
    "file": {"format": "csv", "delimiter": ","},
    "files": {
        "calls": {"columns": ["Call", "Came by"]},
        "persons": {"columns": ["Call", "Role"]},
    },
    "metadata": {
        "sender": "XXA-SHELTER",
        "period_start": "2024-01-01",
        "period_end": "2024-12-31",
        "extraction_date": "2025-01-31",
        "maturity": "FINAL",
        "intent": "NEW",
        "legal_basis": "LAW",
    },
    "values": {
        "contact_role": {"accused": "ACCUSED", "victim": "REPORTED_VICTIM"},
        "contact_subject": {"work": "TIP", "other": "OTHER"},
    },
    "records": {
        "contact": {
            "file": "calls",
            "columns": {"Call": "contact_ref", "Day": "contact_date", "Topic": "contact_subject"},
            "recode": {
                "contact_channel": {
                    "column": "Came by",
                    "cases": [
                        {"matches": "(?i)mail", "code": "EMAIL"},
                        {"matches": "(?i)line", "code": "TELEPHONE"},
                    ],
                }
            },
        },
        "contact_person": {
            "file": "persons",
            "columns": {"Call": "contact_ref", "Role": "contact_role", "Age": "age"},
            "numbered": {"person_no": {"by": ["Call"]}},
            "repeats": {"by": ["Role"], "reason": "there is no identifier"},
            "hidden": [
                {
                    "column": "Age",
                    "values": ["0"],
                    "where": {"Role": "accused"},
                    "code": "_U",
                    "reason": "nobody accuses an infant",
                },
                {"column": "Age", "values": ["0"], "reason": "infants are possible"},
            ],
        },
    },
}


def layout_path(folder: Path, **top: object) -> Path:
    path = folder / "line.yml"
    path.write_text(yaml.safe_dump({**LAYOUT, **top}, sort_keys=False), encoding="utf-8")
    return path


def files(folder: Path, calls: list[str] = CALLS, persons: list[str] = PERSONS) -> list[Path]:
    paths = [folder / "a.csv", folder / "b.csv"]
    for path, lines in zip(paths, (calls, persons), strict=True):
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return paths


def applied(folder: Path, paths: list[Path]) -> Returned:
    return apply_layout(load_layout(layout_path(folder)), read_source(paths))


def column(returned: Returned, record_type: str, name: str) -> list[object]:
    [one] = [t for t in returned.tables if t.record_type == record_type]
    values: list[object] = one.table.column(name).to_pylist()
    return values


def found(returned: Returned, rule: str) -> list[Finding]:
    return [finding for finding in returned.findings if finding.rule_id == rule]


def test_two_files_are_one_return_in_whatever_order_they_are_given(tmp_path: Path) -> None:
    paths = files(tmp_path)
    one, other = (applied(tmp_path, order) for order in (paths, paths[::-1]))
    assert one == other
    assert read_source(paths).sha256 == read_source(paths[::-1]).sha256
    assert column(one, "contact", "contact_ref") == ["1", "2"]
    assert column(one, "contact_person", "_sheet") == ["b"] * 4


def test_columns_taken_as_they_stand_stay_beside_those_that_are_made(tmp_path: Path) -> None:
    calls = [*CALLS, ",,,", "3,2024-02-02,by line,work", ",,,", ",,by mail,"]
    returned = applied(tmp_path, files(tmp_path, calls=calls))
    rows = zip(
        *(
            column(returned, "contact", name)
            for name in (
                "contact_ref",
                "contact_date",
                "contact_subject",
                "contact_channel",
                "_row",
            )
        ),
        strict=True,
    )
    assert list(rows) == [
        ("1", "2024-01-05", "work", "TELEPHONE", 2),
        ("2", "2024-02-01", "other", "EMAIL", 3),
        ("3", "2024-02-02", "work", "TELEPHONE", 5),
        (None, None, None, "EMAIL", 7),
    ]


def test_a_file_that_is_missing_or_too_many_is_refused(tmp_path: Path) -> None:
    calls, persons = files(tmp_path)
    third = tmp_path / "c.csv"
    third.write_text("Quite,another\n1,2\n", encoding="utf-8")
    for given, says in (
        ([calls], "0 files with the columns of persons (Call, Role)"),
        ([calls, persons, third], "another file, c"),
    ):
        with pytest.raises(ReturnRefused) as caught:
            applied(tmp_path, given)
        assert (caught.value.rule, caught.value.found) == ("TIP-135", says)


def test_a_record_must_name_one_of_the_files(tmp_path: Path) -> None:
    records = {**LAYOUT["records"], "contact": {"columns": {"Call": "contact_ref"}}}
    with pytest.raises(UsageError, match=r"records\.contact\.file"):
        load_layout(layout_path(tmp_path, records=records))


def test_texts_become_codes_by_the_first_pattern_that_matches(tmp_path: Path) -> None:
    calls = [*CALLS, "3,2024-03-01,a line in an E-Mail,work", "4,2024-03-02,pigeon,work"]
    returned = applied(tmp_path, files(tmp_path, calls))
    assert column(returned, "contact", "contact_channel") == [
        "TELEPHONE",
        "EMAIL",
        "EMAIL",
        "pigeon",
    ]


def test_persons_are_numbered_within_their_contact(tmp_path: Path) -> None:
    returned = applied(tmp_path, files(tmp_path))
    assert column(returned, "contact_person", "person_no") == ["1", "2", "1", "2"]


def test_a_hidden_missing_age_is_emptied_and_another_only_reported(tmp_path: Path) -> None:
    returned = applied(tmp_path, files(tmp_path))
    assert column(returned, "contact_person", "age") == ["_U", "0", "40", "40"]
    assert [(f.cell, f.message, f.value) for f in found(returned, "TIP-660")] == [
        ("C2", "1 values of Age are taken as _U: nobody accuses an infant", None),
        ("C3", "1 values of Age are kept: infants are possible", None),
    ]


def test_repeated_rows_are_kept_and_counted_both_ways(tmp_path: Path) -> None:
    returned = applied(tmp_path, files(tmp_path))
    [finding] = found(returned, "TIP-661")
    assert (finding.row, finding.count) == (5, 1)
    assert finding.message == (
        "4 rows, 3 of them different: 1 repeat another row exactly and are kept; there is no "
        "identifier (accused 3 (2 different), victim 1 (1 different))"
    )
    assert len(column(returned, "contact_person", "age")) == 4


def test_a_person_whose_contact_is_in_no_file_is_found(tmp_path: Path) -> None:
    returned = applied(tmp_path, files(tmp_path, persons=[*PERSONS, "9,victim,20"]))
    result = check_with(returned, CONTEXT, "line")
    try:
        about = [f for f in result.findings() if f.record_type == "contact_person"]
    finally:
        result.close()
    [orphan] = [f for f in about if f.variable == "contact_ref"]
    assert (orphan.sheet, orphan.cell, orphan.value) == ("b", "A6", None)


@pytest.mark.parametrize("key", ["totals", "identities"])
def test_numbers_of_records_of_persons_are_compared_in_no_finding(tmp_path: Path, key: str) -> None:
    value: dict[str, object] = {
        "totals": [{"id": "a", "title": "a", "where": {"Role": "x"}, "parts": {"Role": "y"},
                    "by": ["Call"], "values": ["Age"]}],
        "identities": [{"id": "a", "title": "a", "plus": ["Age"], "equals": ["Age"]}],
    }  # fmt: skip
    person = {**LAYOUT["records"]["contact_person"], key: value[key]}
    records = {**LAYOUT["records"], "contact_person": person}
    with pytest.raises(UsageError, match="an aggregate return"):
        load_layout(layout_path(tmp_path, records=records))
