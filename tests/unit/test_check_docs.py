"""docs/checks.md lists every rule: its table is that of the catalogue.

After a change of ``seeds/catalogue/rules.csv`` run ``python tests/unit/test_check_docs.py``.
"""

from __future__ import annotations

from pathlib import Path

from loaders.typed import CELL_SIGNS
from tipstat.rules import all_rules

PAGE = Path(__file__).resolve().parents[2] / "docs" / "checks.md"
START, END = "<!-- rules: start -->", "<!-- rules: end -->"


def table() -> str:
    lines = ["| id | rule | severity | concerns | expected | do |", "|---|---|---|---|---|---|"]
    for rule in sorted(all_rules().values(), key=lambda entry: entry.rule_id):
        about = " ".join(part for part in (rule.scope, rule.record_type, rule.variable) if part)
        cells = (rule.rule_id, rule.title, rule.severity, about, rule.expected, rule.fix)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def parts() -> tuple[str, str, str]:
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(START)
    between, after = rest.split(END)
    return before, between, after


def test_the_page_lists_every_rule_as_the_catalogue_has_it() -> None:
    assert parts()[1].strip() == table()


def test_the_page_lists_every_sign_that_stands_for_a_number() -> None:
    before = parts()[0]
    assert [sign for sign in CELL_SIGNS if f"`{sign}`" not in before] == []


if __name__ == "__main__":
    before, _, after = parts()
    PAGE.write_text(f"{before}{START}\n\n{table()}\n\n{END}{after}", encoding="utf-8")
