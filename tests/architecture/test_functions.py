"""The size of functions: short ones are read, long ones are scrolled."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 60
TYPICAL = 12


def sizes() -> dict[str, int]:
    """Lines of every function, its docstring and decorators not counted."""
    found = {}
    for top in ("tipstat", "loaders", "reports"):
        for path in sorted((ROOT / top).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    where = f"{path.relative_to(ROOT).as_posix()}:{node.lineno} {node.name}"
                    found[where] = lines(node)
    return found


def lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def test_no_function_is_longer_than_a_screen() -> None:
    assert {where: n for where, n in sizes().items() if n > LONGEST} == {}


def test_the_typical_function_is_short() -> None:
    assert median(sizes().values()) <= TYPICAL
