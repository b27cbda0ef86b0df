"""docs/layouts.md documents exactly the keys that the validator accepts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from loaders.layout_keys import KEYS

PAGE = (Path(__file__).parents[2] / "docs" / "layouts.md").read_text(encoding="utf-8")
HEADING = re.compile(r"^## `(\w+)`$", re.MULTILINE)
ROW = re.compile(r"^\| `(\w+)` \|\s*(needed)?\s*\|", re.MULTILINE)


def documented(section: str) -> dict[str, bool]:
    start = PAGE.index(f"## `{section}`\n")
    end = PAGE.find("\n## ", start)
    return {key: bool(needed) for key, needed in ROW.findall(PAGE[start:end])}


def test_every_section_has_a_heading_and_every_heading_a_section():
    assert set(HEADING.findall(PAGE)) == set(KEYS)


@pytest.mark.parametrize("section", KEYS)
def test_every_key_of_a_section_has_a_row_that_says_whether_it_is_needed(section):
    assert documented(section) == {key: spec.required for key, spec in KEYS[section].items()}


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_every_example_is_yaml(block):
    assert isinstance(yaml.safe_load(block), dict)
