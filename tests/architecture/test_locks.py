"""The two lock files: what is tested is what is installed."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def pins(name: str) -> list[str]:
    """Name, extras and version of every entry; a package may have one for each platform."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(r"^([a-zA-Z0-9_.-]+(?:\[[a-z,]+\])?==\S+)", text, re.MULTILINE)


def test_the_test_tools_are_locked_beside_the_same_libraries() -> None:
    installed = pins("requirements.lock")
    assert installed
    assert set(installed) <= set(pins("requirements-test.lock"))


def test_every_pin_has_hashes_and_no_address() -> None:
    for name in ("requirements.lock", "requirements-test.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert len(re.findall(r"==\S+ .*\\\n    --hash=sha256:", text)) == len(pins(name))
        assert "://" not in text
