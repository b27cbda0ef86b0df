"""Rules and commands: each stated once, used, and documented."""

from __future__ import annotations

import ast
import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from tipstat.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]

FAMILIES = {
    "structure",
    "type",
    "code",
    "key",
    "reference",
    "period",
    "scope",
    "cross-field",
    "control",
    "plausibility",
    "environment",
    "output",
    "build",
}
SEVERITIES = {"refusal", "error-record", "error-value", "warning", "note"}


def rules() -> list[dict[str, str]]:
    path = ROOT / "seeds" / "catalogue" / "rules.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def text_of(*folders: str, pattern: str) -> str:
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob(pattern))]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def ids_in(text: str) -> set[str]:
    """The rule ids of a text; ``TIP-201 to TIP-204`` and ``TIP-201-204`` name all four."""
    found = set(re.findall(r"TIP-\d{3}", text))
    for first, last in re.findall(r"TIP-(\d{3})\s*(?:to|–|-|…|\.\.)\s*(?:TIP-)?(\d{3})\b", text):
        found |= {f"TIP-{number}" for number in range(int(first), int(last) + 1)}
    return found


def test_rule_ids_and_names_are_unique() -> None:
    assert [k for k, n in Counter(row["rule_id"] for row in rules()).items() if n > 1] == []
    assert [k for k, n in Counter(row["name"] for row in rules()).items() if n > 1] == []


def test_rules_are_well_formed() -> None:
    wrong = [
        row["rule_id"]
        for row in rules()
        if not re.fullmatch(r"TIP-[1-9]\d{2}", row["rule_id"])
        or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row["name"])
        or row["family"] not in FAMILIES
        or row["severity"] not in SEVERITIES
        or not all((row["scope"], row["title"], row["expected"], row["fix"]))
        or None in row
    ]
    assert wrong == []


def test_every_rule_is_used_in_code_or_carries_a_predicate() -> None:
    used = {found for path in sources() for found in re.findall(r"TIP-\d{3}", working_text(path))}
    assert [r["rule_id"] for r in rules() if r["rule_id"] not in used and not r["predicate"]] == []


def sources() -> list[Path]:
    return [p for top in ("tipstat", "loaders", "reports") for p in (ROOT / top).rglob("*.py")]


def working_text(path: Path) -> str:
    """The string constants of a module but its docstrings, which only speak of rules."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and ast.get_docstring(node) is not None
        if isinstance(node.body[0], ast.Expr)
    }
    return "\n".join(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
    )


def test_every_rule_named_in_the_code_is_in_the_catalogue() -> None:
    code = text_of("tipstat", "loaders", "reports", pattern="*.py")
    named = set(re.findall(r'"(TIP-\d{3})"', code))
    assert named - {row["rule_id"] for row in rules()} == set()


def test_every_rule_is_documented() -> None:
    documented = ids_in(text_of("docs", pattern="*.md"))
    assert [row["rule_id"] for row in rules() if row["rule_id"] not in documented] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    mention = re.compile(rf"\btipstat (-w \S+ )?{command}\b")
    pages = [p.name for p in (ROOT / "docs").rglob("*.md") if mention.search(p.read_text())]
    assert pages, f"no page of docs/ names tipstat {command}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_a_worked_example(command: str) -> None:
    import click
    from click.testing import CliRunner

    from tipstat.cli.main import cli

    shown = CliRunner().invoke(cli, [command, "--help"])
    assert shown.exit_code == 0, shown.output
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    assert found.help
    assert re.search(rf"tipstat .*\b{command}\b", found.epilog or ""), command
