"""The pseudonym key: what it is read from, what may be shown of it, and the pads for HMAC."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tipstat.errors import WorkplaceError
from tipstat.keys import DEMO_KEY, create_key, load_key, make_key, read_key
from tipstat.workspace import Workspace


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_two_hashes_over_the_pads_are_hmac_sha_256(secret: bytes, message: bytes) -> None:
    key = make_key(secret)
    inner = hashlib.sha256(key.inner_pad + message).digest()
    outer = hashlib.sha256(key.outer_pad + inner).digest()
    assert outer == hmac.digest(secret, message, "sha256")


def test_the_fingerprint_names_the_key_and_nothing_else_of_it_is_shown() -> None:
    one, two = make_key(b"1" * 32), make_key(b"2" * 32)
    assert one.fingerprint != two.fingerprint
    assert len(one.fingerprint) == 16
    assert "1111" not in repr(one)


def test_the_demonstration_key_never_changes() -> None:
    assert DEMO_KEY.fingerprint == make_key(b"tipstat public demonstration key").fingerprint
    assert DEMO_KEY.fingerprint == "66374999f05361cd"


def test_a_key_file_is_made_once_and_read_back(tmp_path: Path) -> None:
    made = create_key(tmp_path / "deep" / "office.key")
    assert read_key(tmp_path / "deep" / "office.key") == made
    assert create_key(tmp_path / "deep" / "office.key") == made


@pytest.mark.parametrize("content", [b"", b"abc", b"zz" * 32, b"ab" * 31, b"\xff" * 64])
def test_a_file_that_holds_no_key_is_refused_without_quoting_it(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "office.key").write_bytes(content)
    with pytest.raises(WorkplaceError) as refusal:
        read_key(tmp_path / "office.key")
    assert refusal.value.rule == "TIP-917"
    assert refusal.value.found == ""
    assert refusal.value.__cause__ is None or b"\xff" in content


def test_a_missing_key_file_is_refused(tmp_path: Path) -> None:
    for missing in (tmp_path / "office.key", tmp_path):
        with pytest.raises(WorkplaceError, match=r"TIP-916(?s:.*)TIPSTAT_KEY_FILE"):
            read_key(missing)


def test_the_environment_goes_before_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ws = Workspace.create(tmp_path / "office", key_file=tmp_path / "one.key")
    other = create_key(tmp_path / "two.key")
    monkeypatch.setenv("TIPSTAT_KEY_FILE", str(tmp_path / "two.key"))
    assert load_key(ws) == other
    create_key(ws.root / "inside.key")
    monkeypatch.setenv("TIPSTAT_KEY_FILE", str(ws.root / "inside.key"))
    with pytest.raises(WorkplaceError, match="TIP-918"):
        load_key(ws)
