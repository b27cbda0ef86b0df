"""Keying in the engine gives what Python's own HMAC and normalisation give."""

from __future__ import annotations

import hashlib
import hmac

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders import keyed
from tipstat.keys import DEMO_KEY


def engine(sql: str, value: str, **parameters: bytes) -> object:
    query = f"select {sql} from (select $value as v)"
    return duckdb.execute(query, {"value": value, **parameters}).fetchall()[0][0]


@given(st.text())
@settings(max_examples=60, deadline=None)
def test_the_engine_computes_the_hmac_of_rfc_2104(message: str) -> None:
    own = engine(keyed.keyed_sql("v"), message, **keyed.pads(DEMO_KEY))
    assert own == hmac.new(DEMO_KEY.secret, message.encode(), hashlib.sha256).hexdigest()


@given(st.text(st.characters(max_codepoint=127)))
@settings(max_examples=200, deadline=None)
def test_the_engine_normalises_ascii_as_python_does(text: str) -> None:
    assert engine(keyed.normalised_sql("v"), text) == keyed.normalised(text)


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_the_engine_tells_ascii_from_the_rest(text: str) -> None:
    assert engine(keyed.is_ascii_sql("v"), text) == text.isascii()


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_a_placeholder_is_one_in_the_engine_and_in_python(text: str) -> None:
    reference = keyed.normalised(text)
    assert engine(keyed.placeholder_sql("v"), reference) == keyed.is_placeholder(reference)


@pytest.mark.parametrize("sent", [" ab  12 ", "AB\t12", "ａｂ 12", "ab\u00a012"])
def test_spellings_of_one_reference_agree(sent: str) -> None:
    assert keyed.normalised(sent) == "AB 12"


@pytest.mark.parametrize("sent", ["s/n", "Sin número", "N/A", "0", "000", "-", "xxx", "none", "?"])
def test_placeholders_identify_nothing(sent: str) -> None:
    assert keyed.is_placeholder(keyed.normalised(sent))


@pytest.mark.parametrize("sent", ["S/N-12", "10", "X1", "2024-000", "NA7"])
def test_references_that_look_like_placeholders_are_none(sent: str) -> None:
    assert not keyed.is_placeholder(keyed.normalised(sent))
