"""Reading delimited text: nothing dropped, nothing mended, what was guessed is shown."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders import read_csv
from loaders.read import Source, read_source
from loaders.read_csv import count_records, detect_delimiter
from tipstat.errors import ReturnRefused

#: Every example of a property writes over the same file.
SHARED_FOLDER = [HealthCheck.function_scoped_fixture]

CELL = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\ufeff"), max_size=20
)
TABLE = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=8)
)


def read(tmp_path: Path, content: bytes | str, **options: str) -> Source:
    path = tmp_path / "return.csv"
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return read_source(path, **options)


def rows(source: Source) -> list[list[str | None]]:
    table = source.sheets[0].table
    names = [name for name in table.column_names if name != "_row"]
    return [list(row) for row in zip(*(table.column(n).to_pylist() for n in names), strict=True)]


def rules(source: Source) -> list[str]:
    return [note.rule_id for note in source.notes]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(table=TABLE, delimiter=st.sampled_from(",;\t|"), quoting=st.sampled_from([0, 1]))
def test_any_text_survives_delimited_text_unchanged(tmp_path, table, delimiter, quoting):
    table = [["first", *row] for row in table]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=quoting).writerows(table)
    source = read(tmp_path, text.getvalue(), delimiter=delimiter)
    width = max((index + 1 for row in table for index, value in enumerate(row) if value), default=0)
    assert rows(source) == [[value or None for value in row[:width]] for row in table]
    assert set(rules(source)) <= {"TIP-158", "TIP-159"}, "odd letters are told and kept"


def test_quoted_fields_keep_line_ends_delimiters_and_doubled_quotes(tmp_path):
    source = read(tmp_path, 'a,b\r\n"two\nlines, ""quoted""",2\r\n3,4\r\n')
    assert rows(source) == [["a", "b"], ['two\nlines, "quoted"', "2"], ["3", "4"]]
    assert source.sheets[0].table.column("_row").to_pylist() == [1, 2, 3]


def test_text_is_not_taken_for_numbers_dates_or_missing_values(tmp_path):
    source = read(tmp_path, "a,b\n007,NA\nnull,1e5\nNaN,2020-1-1\n")
    assert rows(source)[1:] == [["007", "NA"], ["null", "1e5"], ["NaN", "2020-1-1"]]


@pytest.mark.parametrize(
    ("text", "delimiter", "name"),
    [
        ("a,b\n1,2\n", ",", "comma"),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";", "semicolon"),
        ("a\tb, c\n1\t2\n", "\t", "tab"),
        ("a|b\n1|2\n", "|", "vertical bar"),
        ("Title, of a table; 2024\n\na;b;c\n1;2;3\n4;5;6\n", ";", "semicolon"),
        ("only\none\n", ",", "comma"),
    ],
)
def test_the_delimiter_is_detected_and_shown(tmp_path, text, delimiter, name):
    assert detect_delimiter(text) == delimiter
    notes = [note for note in read(tmp_path, text).notes if note.rule_id == "TIP-109"]
    assert [(note.severity, name in note.message) for note in notes] == [("note", True)]


@pytest.mark.parametrize(
    ("encoding", "noted"),
    [("utf-8", False), ("utf-8-sig", False), ("utf-16", False), ("cp1252", True)],
)
def test_the_encoding_is_detected_and_a_guess_is_shown(tmp_path, encoding, noted):
    source = read(tmp_path, "país,niñas\nPerú,3\n".encode(encoding))
    assert rows(source) == [["país", "niñas"], ["Perú", "3"]]
    assert ("TIP-108" in rules(source)) is noted


def test_the_encoding_can_be_named(tmp_path):
    source = read(tmp_path, "имя,2\nда,1\n".encode("cp1251"), encoding="cp1251")
    assert rows(source)[0] == ["имя", "2"]
    assert "TIP-108" not in rules(source)


def test_a_named_encoding_that_does_not_fit_is_refused(tmp_path):
    with pytest.raises(ReturnRefused, match="TIP-114"):
        read(tmp_path, "niñas,1\n".encode("cp1252"), encoding="utf-8")


def test_bytes_of_no_encoding_are_refused(tmp_path):
    with pytest.raises(ReturnRefused, match="TIP-114"):
        read(tmp_path, b"a,b\n\x81\xbf\xd2\xa9\xf7\xac,1\n")


def test_nul_characters_are_refused(tmp_path):
    with pytest.raises(ReturnRefused, match="TIP-112"):
        read(tmp_path, b"a,b\n1,\x002\n")


def test_ragged_rows_are_named_and_neither_dropped_nor_mended(tmp_path):
    source = read(tmp_path, "a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12\n")
    assert rows(source) == [
        ["a", "b", "c", None],
        ["1", "2", "3", None],
        ["4", "5", None, None],
        ["6", "7", "8", "9"],
        ["10", "11", "12", None],
    ]
    ragged = [note for note in source.notes if note.rule_id == "TIP-110"]
    assert [(note.row, note.severity) for note in ragged] == [(3, "refusal"), (4, "refusal")]


def test_row_numbers_are_those_of_records_when_fields_hold_line_ends(tmp_path):
    source = read(tmp_path, 'a,b\n"x\ny\nz",1\nonly\n2,3\n')
    assert [note.row for note in source.notes if note.rule_id == "TIP-110"] == [3]
    assert source.sheets[0].table.column("_row").to_pylist() == [1, 2, 3, 4]


def test_many_ragged_rows_end_in_one_finding_with_their_count(tmp_path):
    source = read(tmp_path, "a,b\n" + "1,2\n" * 200 + "1,2,3\n" * (read_csv.NAMED_RAGGED + 7))
    ragged = [note for note in source.notes if note.rule_id == "TIP-110"]
    assert [note.count for note in ragged] == [1] * read_csv.NAMED_RAGGED + [7]


def test_headings_above_the_table_are_not_ragged(tmp_path):
    source = read(tmp_path, "Arrests in 2024\n\na,b,c\n1,2,3\n4,5,6\n")
    assert rows(source)[0] == ["Arrests in 2024", None, None]
    assert "TIP-110" not in rules(source)


def test_blank_lines_inside_keep_the_row_numbers_right_and_those_at_the_end_go(tmp_path):
    source = read(tmp_path, "a,b\n\n1,2\n,\n\n\n")
    assert rows(source) == [["a", "b"], [None, None], ["1", "2"]]
    assert "TIP-110" not in rules(source)


def test_a_quotation_mark_that_is_never_closed_is_refused(tmp_path):
    with pytest.raises(ReturnRefused, match="TIP-111"):
        read(tmp_path, 'a,b\n1,say "x\n2,y\n3,z\n')


def test_a_quotation_mark_inside_a_field_is_a_warning_with_its_row(tmp_path):
    source = read(tmp_path, 'a,b\n1,the "big" one\n2,"x" y\n')
    stray = [note for note in source.notes if note.rule_id == "TIP-115"]
    assert [(note.row, note.severity) for note in stray] == [(2, "warning"), (3, "warning")]


@settings(max_examples=60, deadline=None)
@given(table=TABLE, chunk=st.integers(1, 40))
def test_records_are_counted_the_same_whatever_the_window(table, chunk):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["first", *row] for row in table])
    whole = read_csv.CHUNK
    try:
        read_csv.CHUNK = chunk
        assert count_records(text.getvalue().encode("utf-8"), ",") == (len(table), [])
    finally:
        read_csv.CHUNK = whole


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_three_line_ends_are_understood(tmp_path, end):
    assert rows(read(tmp_path, end.join(["a,b", "1,2", "3,4"]))) == [
        ["a", "b"],
        ["1", "2"],
        ["3", "4"],
    ]


def test_a_field_larger_than_the_usual_limit_is_read(tmp_path):
    long = "x" * 300_000
    assert rows(read(tmp_path, f"a,b\n{long},1\n2,3\n"))[1] == [long, "1"]
