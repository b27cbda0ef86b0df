"""Dates and numbers as offices write them: told by their column or the layout, never guessed."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.written import cleaned_sql, date_map_sql, number_map_sql, plain_values

WHOLE = {"whole": True, "accepted": r"[+-]?\d{1,18}(\.0+)?", "landed": "bigint"}
DECIMAL = {
    "whole": False, "accepted": r"[+-]?\d{1,15}(\.\d{1,2}0*)?", "landed": "decimal(18,2)",
}  # fmt: skip

Read = dict[str, tuple[str | None, str | None, bool]]


def _read(query: str, values: list[str]) -> Read:
    with duckdb.connect() as con:
        con.execute("create temp table sent_values (sent varchar)")
        con.executemany("insert into sent_values values (?)", [(value,) for value in values])
        rows = con.execute(
            f"select sent, cast(val as varchar), why, resolved from ({query})"
        ).fetchall()
    return {sent: (val, why, bool(resolved)) for sent, val, why, resolved in rows}


DISTINCT = f"select distinct sent, {cleaned_sql('sent')} as text from sent_values"


def dates(*values: str, order: str = "", date_1904: bool = False) -> Read:
    return _read(date_map_sql(DISTINCT, order, date_1904), list(values))


def numbers(*values: str, sign: str = "", whole: bool = False) -> Read:
    return _read(number_map_sql(DISTINCT, sign, **(WHOLE if whole else DECIMAL)), list(values))


# ── dates ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("clear", "read"), [("31/05/2024", "2024-06-05"), ("05/31/2024", "2024-05-06")]
)
def test_dates_that_can_only_be_read_one_way_tell_the_order_of_the_others(clear, read):
    found = dates(clear, "05/06/2024")
    assert found["05/06/2024"] == (read, None, True)
    assert found[clear] == ("2024-05-31", None, False)


def test_a_date_that_nothing_tells_stays_a_finding():
    assert dates("05/06/2024", "2024-01-01")["05/06/2024"] == (None, "TIP-302", False)


def test_a_column_of_both_orders_tells_nothing():
    found = dates("31/05/2024", "05/31/2024", "05/06/2024")
    assert found["05/06/2024"] == (None, "TIP-302", False)
    assert found["31/05/2024"][0] == found["05/31/2024"][0] == "2024-05-31"


def test_a_day_that_does_not_exist_tells_nothing():
    found = dates("31/02/2024", "05/06/2024")
    assert found["31/02/2024"][1] == "TIP-303"
    assert found["05/06/2024"][1] == "TIP-302"


@pytest.mark.parametrize(("order", "read"), [("dmy", "2024-06-05"), ("mdy", "2024-05-06")])
def test_the_layout_goes_before_the_column(order, read):
    assert dates("05/06/2024", order=order)["05/06/2024"] == (read, None, False)
    assert dates("31/05/2024", order="mdy")["31/05/2024"][1] == "TIP-303"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2024-05-06", "2024-05-06"), ("2024-05-06T10:20:30", "2024-05-06"),
        ("2024/5/6", "2024-05-06"), ("07.07.2024", "2024-07-07"), ("31-12-2024", "2024-12-31"),
        ("31/12/2024 14:05", "2024-12-31"), ("\u00a02024-05-06\u200b", "2024-05-06"),
        ("２０２４-０５-０６", "2024-05-06"), ("٢٠٢٤-٠٥-٠٦", "2024-05-06"),
    ],
)  # fmt: skip
def test_a_date_that_can_be_read_one_way_is_read(text, read):
    assert dates(text)[text] == (read, None, False)


def test_a_bare_number_is_told_as_a_serial_and_not_taken_for_a_date():
    assert dates("43861", "43861.5", "123")["43861"] == (None, "TIP-161", False)
    assert dates("123")["123"][1] == "TIP-301"


@pytest.mark.parametrize(("date_1904", "day"), [(False, "2020-01-31"), (True, "2024-02-01")])
def test_the_day_of_a_serial_is_shown_by_the_date_system(date_1904, day):
    with duckdb.connect() as con:
        query = date_map_sql("select '43861' as sent, '43861' as text", "", date_1904)
        assert str(con.execute(f"select serial from ({query})").fetchall()[0][0]) == day


# ── numbers ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["17", "+17", "017", "17.0", " 17 ", "\u00a017", "17\ufeff"])
def test_a_plain_whole_number_is_read_without_a_word(text):
    assert numbers(text, whole=True)[text][:2] == ("17", None)


@pytest.mark.parametrize("text", ["１７", "١٧", "1\u200b7"])
def test_digits_of_other_scripts_and_invisible_characters_are_read_and_told(text):
    assert numbers(text, whole=True)[text] == ("17", None, True)


@pytest.mark.parametrize("text", ["1 234 567", "1\u00a0234\u202f567", "1'234'567", "1’234’567"])
def test_blanks_and_apostrophes_between_thousands_are_read_and_told(text):
    assert numbers(text, whole=True)[text] == ("1234567", None, True)


@pytest.mark.parametrize(
    ("clear", "point", "comma"),
    [
        ("12,5", "1234.00", "1.23"), ("1.234.567", "1234.00", "1.23"),
        ("1.234,50", "1234.00", "1.23"), ("12.5", "1.23", "1234.00"),
        ("1,234,567", "1.23", "1234.00"), ("1,234.50", "1.23", "1234.00"),
    ],
)  # fmt: skip
def test_numbers_that_can_only_be_read_one_way_tell_the_others(clear, point, comma):
    found = numbers(clear, "1.234", "1,234")
    wrong = "TIP-312"  # three decimals are more than a number may have
    for text, read in (("1.234", point), ("1,234", comma)):
        expected = (None, wrong, False) if read == "1.23" else (read, None, True)
        assert found[text] == expected


@pytest.mark.parametrize("text", ["1,234", "1.234", "1,000", "1.000"])
def test_a_number_that_nothing_tells_stays_a_finding(text):
    assert numbers(text, "7")[text] == (None, "TIP-163", False)


def test_a_number_in_a_column_of_both_signs_stays_a_finding():
    assert numbers("1,5", "1.5", "1,234")["1,234"][1] == "TIP-163"


def test_a_whole_number_has_no_decimals_so_its_sign_groups_thousands():
    found = numbers("1,234", "2,000", whole=True)
    assert found["1,234"] == ("1234", None, True)
    assert found["2,000"] == ("2000", None, True)


@pytest.mark.parametrize("text", ["1,000", "1.000", "25.000"])
def test_a_lone_number_of_thousands_is_not_taken_for_a_small_one(text):
    assert numbers(text, whole=True)[text] == (None, "TIP-163", False)


def test_many_groups_among_small_whole_numbers_tell_a_count():
    found = numbers("1,234", "2,345", "61,102", "3", "17", "204")
    assert found["61,102"] == ("61102.00", None, True)
    assert numbers("1,234", "2,345", "61,102", "3", "17", "204", "1500")["1,234"][1] == "TIP-163"


def test_the_layout_says_the_decimal_sign():
    assert numbers("1.234", sign=",")["1.234"][0] == "1234.00"
    assert numbers("1,5", sign=",")["1,5"][0] == "1.50"
    assert numbers("1,234", sign=".")["1,234"][0] == "1234.00"


@pytest.mark.parametrize("text", ["twelve", "12a", "1,23,4", "1.2.3", "--1", "1 23", "0,123,4"])
def test_what_is_no_number_stays_none(text):
    assert numbers(text, whole=True)[text][1] == "TIP-311"
    assert numbers(text)[text][1] == "TIP-312"


# ── values that are written plainly ───────────────────────────────────────────────────────────

DAYS = st.dates().map(str) | st.from_regex(
    r"[12][0-9]{3}-(0[0-9]|1[0-2])-[0-3][0-9]\n?", fullmatch=True
)
COUNTS = st.integers(0, 10**18).map(str) | st.from_regex(r"[0-9+-]{0,20}", fullmatch=True)


@pytest.mark.parametrize(("written", "texts"), [("date", DAYS), ("integer", COUNTS)])
def test_what_is_written_plainly_means_what_its_map_says(written, texts):
    seen = set()

    @settings(deadline=None)
    @given(st.lists(texts, min_size=1, max_size=4, unique=True))
    def holds(words: list[str]) -> None:
        values = plain_values(pa.array(words), written)
        seen.add(values is None)
        if values is not None:
            read = dates(*words) if written == "date" else numbers(*words, whole=True)
            said = zip(words, map(str, values.to_pylist()), strict=True)
            assert read == {word: (value, None, False) for word, value in said}

    holds()
    assert seen == {True, False}


@pytest.mark.parametrize("other", ["2023-02-29", "2023-1-01", "2023-01-01T10:00", "0001-01-01", ""])
def test_one_day_that_is_not_plain_asks_for_the_map(other):
    assert plain_values(pa.array(["2024-01-01"]), "date") is not None
    assert plain_values(pa.array(["2024-01-01", other]), "date") is None
