"""Which package may import which, and what the light commands must not import at all."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: package -> packages of ours that it may import.
ARROWS = {
    "tipstat": {"tipstat"},
    "tipstat.cli": {"tipstat", "tipstat.cli", "loaders", "reports"},
    "loaders": {"tipstat", "loaders"},
    "reports": {"tipstat", "reports"},
}
#: What the top level of a command module may import: the rest waits until the command is called.
LIGHT = {"click", "tipstat", "tipstat.errors", "tipstat.cli", "tipstat.cli.common"}
#: Heavy libraries that only building, exporting or migrating may need.
HEAVY = {"dbt", "pandas", "alembic"}


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def package_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return "tipstat.cli" if parts[:2] == ("tipstat", "cli") else parts[0]


def imported(tree: ast.AST, module: str) -> Iterator[str]:
    """Names of the modules that a piece of code imports, relative ones made absolute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = module.rsplit(".", node.level)[0] + "." if node.level else ""
            name = base + (node.module or "")
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names)


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def our_package(name: str) -> str | None:
    if name == "tipstat.cli" or name.startswith("tipstat.cli."):
        return "tipstat.cli"
    top = name.split(".", maxsplit=1)[0]
    return top if top in ARROWS else None


def test_packages_import_only_along_the_arrows() -> None:
    wrong = []
    for path in [p for top in ("tipstat", "loaders", "reports") for p in sources(top)]:
        allowed = ARROWS[package_of(path)]
        for name in imported(ast.parse(path.read_text(encoding="utf-8")), module_name(path)):
            target = our_package(name)
            if target is not None and target not in allowed:
                wrong.append(f"{module_name(path)} imports {name}")
    assert wrong == []


def runs_at_import(tree: ast.Module) -> ast.Module:
    """The statements of a module that run when it is imported, without type-checking blocks."""
    kept = [
        node
        for node in tree.body
        if not isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    return ast.Module(body=kept, type_ignores=[])


def test_command_modules_import_only_click_and_the_standard_library_at_their_top() -> None:
    wrong = []
    for path in sources("tipstat/cli"):
        tree = runs_at_import(ast.parse(path.read_text(encoding="utf-8")))
        for node in ast.walk(tree):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            wrong += [
                f"{module_name(path)} imports {name}"
                for name in names
                if name not in LIGHT and name.split(".")[0] not in sys.stdlib_module_names
            ]
    assert wrong == []


def test_only_the_runner_imports_dbt() -> None:
    importers = {
        module_name(path)
        for top in ("tipstat", "loaders", "reports")
        for path in sources(top)
        for name in imported(ast.parse(path.read_text(encoding="utf-8")), module_name(path))
        if name.split(".")[0] in ("dbt", "dbt_common")
    }
    assert importers == {"tipstat.dbt_runner"}


def modules_after(*arguments: str, folder: Path) -> set[str]:
    """The modules that are loaded when a command of a fresh process has ended."""
    program = (
        "import sys, json, atexit\n"
        "atexit.register(lambda: print('\\n' + json.dumps(sorted(sys.modules))))\n"
        "from tipstat.cli.main import main\n"
        "main()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    return set(json.loads(ran.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the warehouse of no submission."""
    from loaders.templates import write_template
    from tipstat.warehouse import build
    from tipstat.workspace import Workspace

    ws = Workspace.create(tmp_path_factory.mktemp("imports") / "office", key="demo")
    build(ws)
    (ws.root / "return.csv").write_text("a,b\n1,2\n")
    filled = {"event": [{"event_ref": "E1", "event_registration_date": "2024-03-01"}]}
    write_template("police", "en", ws.root / "return.xlsx", rows=filled, metadata={})
    return ws.root


def test_help_loads_nothing_but_the_command_line(tmp_path: Path) -> None:
    loaded = modules_after("--help", folder=tmp_path)
    ours = {name for name in loaded if our_package(name)}
    assert ours <= {"tipstat", "tipstat.errors", "tipstat.cli", "tipstat.cli.main"}
    heavy = HEAVY | {"duckdb", "pyarrow", "sqlalchemy", "numpy", "yaml", "openpyxl", "rich"}
    assert heavy & {name.split(".")[0] for name in loaded} == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "return.csv"),
        ("check", "return.xlsx"),
        ("indicators",),
        ("quality",),
        ("submissions",),
        ("codes", "sex"),
    ],
    ids=" ".join,
)
def test_a_light_command_loads_neither_dbt_nor_pandas_nor_alembic(
    office: Path, arguments: tuple[str, ...]
) -> None:
    loaded = {name.split(".")[0] for name in modules_after(*arguments, folder=office)}
    assert loaded & HEAVY == set()
