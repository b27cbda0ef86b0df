"""The layer rules of DESIGN section 6, read from dbt's manifest."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tipstat.project import project_root

Node = Mapping[str, Any]

EXCEPTIONS = Path(__file__).parent / "layer_exceptions.csv"

PREFIXES = {
    "base": ("base_",),
    "staging": ("stg_",),
    "intermediate": ("int_",),
    "core": ("dim_", "fct_", "bridge_"),
    "indicators": ("ind_", "fct_indicator_value"),
    "quality": ("dq_",),
}
#: layer -> layers that it may read, besides itself and seeds.
READS = {
    "base": set(),
    "staging": {"base"},
    "intermediate": {"staging"},
    "core": {"intermediate"},
    "indicators": {"core"},
    "quality": {"base", "staging", "intermediate", "core", "indicators"},
}
#: A layer whose models read one another only here: a base or staging model stands alone.
READS_ITSELF = {"intermediate", "core", "indicators", "quality"}
KEY_TESTS = {"unique", "unique_key", "unique_combination", "key", "unique_combination_of_columns"}


def exceptions(rule: str) -> dict[str, str]:
    """Models that a rule spares, with the reason."""
    with EXCEPTIONS.open(encoding="utf-8", newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["rule"] == rule]
    return {row["model"]: row["reason"] for row in rows}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """The manifest of a parse in a folder of its own."""
    folder = tmp_path_factory.mktemp("parse")
    project = str(project_root())
    program = "from dbt.cli.main import cli; cli()"
    ran = subprocess.run(
        [
            *(sys.executable, "-c", program),
            *("--no-send-anonymous-usage-stats", "--no-version-check", "--log-level-file=none"),
            *("parse", f"--project-dir={project}", f"--profiles-dir={project}"),
            *(f"--target-path={folder / 'target'}", f"--log-path={folder / 'logs'}"),
        ],
        env={"TIPSTAT_BUILD_DIR": str(folder), "PATH": "", "HOME": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    parsed: Node = json.loads((folder / "target" / "manifest.json").read_text(encoding="utf-8"))
    return parsed


@pytest.fixture(scope="module")
def models(manifest: Node) -> dict[str, Node]:
    found = {k: n for k, n in manifest["nodes"].items() if n["resource_type"] == "model"}
    assert found
    return found


def layer(node: Node) -> str:
    return str(node["path"]).replace("\\", "/").split("/")[0]


def test_every_layer_has_models(models: dict[str, Node]) -> None:
    assert {layer(node) for node in models.values()} == set(PREFIXES)


def test_prefixes_match_folders(models: dict[str, Node]) -> None:
    wrong = [
        f"{node['name']} in {layer(node)}"
        for node in models.values()
        if not node["name"].startswith(PREFIXES[layer(node)])
        or (node["name"] == "fct_indicator_value") != (node["name"] in ("fct_indicator_value",))
    ]
    assert wrong == []


def test_every_layer_reads_only_the_layers_before_it(models: dict[str, Node]) -> None:
    spared = exceptions("reads")
    wrong = []
    for node in models.values():
        own = layer(node)
        allowed = READS[own] | ({own} if own in READS_ITSELF else set())
        for name in node["depends_on"]["nodes"]:
            if name in models and layer(models[name]) not in allowed:
                wrong.append((node["name"], models[name]["name"]))
    assert [pair for pair in wrong if pair[0] not in spared] == []
    assert set(spared) <= {name for name, _ in wrong}, "an exception that nothing needs"


def test_only_base_reads_the_landing_and_the_snapshot(models: dict[str, Node]) -> None:
    macros = {"macro.tipstat.landing", "macro.tipstat.build_input"}
    callers = {n["name"] for n in models.values() if macros & set(n["depends_on"]["macros"])}
    assert {name for name in callers if not name.startswith("base_")} == set()
    base = {node["name"] for node in models.values() if layer(node) == "base"}
    assert base <= callers
    raw = {n["name"] for n in models.values() if "read_parquet" in n["raw_code"]}
    assert raw == set()


def test_there_is_one_base_model_for_every_record_type(models: dict[str, Node]) -> None:
    from tipstat.contract import load_contract

    expected = {f"base_{k}_{n}" for k, n in load_contract().record_types if k != "any"}
    assert expected <= {node["name"] for node in models.values()}


def test_a_base_model_is_a_view_and_what_reports_read_is_a_table(models: dict[str, Node]) -> None:
    kinds = {(layer(n), n["config"]["materialized"]) for n in models.values()}
    assert {kind for folder, kind in kinds if folder == "base"} == {"view"}
    assert {kind for folder, kind in kinds if folder in ("core", "indicators", "quality")} == {
        "table"
    }


def test_reports_read_only_core_indicators_and_quality(models: dict[str, Node]) -> None:
    hidden = {n["name"] for n in models.values() if layer(n) in ("base", "staging", "intermediate")}
    readers = [*(project_root() / "reports").rglob("*.py")]
    readers += [project_root() / "tipstat" / "cli" / f"{n}.py" for n in ("indicators", "report")]
    wrong = [
        (path.name, name)
        for path in readers
        for name in set(re.findall(r"\b(?:base|stg|int)_\w+", path.read_text(encoding="utf-8")))
        if name in hidden
    ]
    assert wrong == []


def meta(node: Node) -> Mapping[str, Any]:
    return {**node.get("meta", {}), **node["config"].get("meta", {})}


def test_every_model_has_a_description_and_a_grain(models: dict[str, Node]) -> None:
    assert [n["name"] for n in models.values() if not n["description"].strip()] == []
    assert [n["name"] for n in models.values() if not meta(n).get("grain")] == []


def test_every_model_has_a_key_test(manifest: Node, models: dict[str, Node]) -> None:
    spared = exceptions("key")
    tested = {
        parent
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        and (node.get("test_metadata") or {}).get("name") in KEY_TESTS
        for parent in [node["attached_node"]]
    }
    without = {node["name"] for key, node in models.items() if key not in tested}
    assert without - set(spared) == set()
    assert set(spared) <= without, "an exception that nothing needs"


def test_every_column_of_core_and_indicators_is_documented(models: dict[str, Node]) -> None:
    """Contracts are on, so that the columns of the yml are those of the table."""
    documented = [n for n in models.values() if layer(n) in ("core", "indicators")]
    without = [
        f"{node['name']}.{column['name']}"
        for node in documented
        for column in node["columns"].values()
        if not column["description"].strip()
    ]
    assert without == []
    assert [n["name"] for n in documented if not n["config"]["contract"]["enforced"]] == []
    assert [n["name"] for n in documented if not n["columns"]] == []


def test_every_exception_has_a_reason() -> None:
    with EXCEPTIONS.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row for row in rows if len(row["reason"].split()) < 4] == []


def test_every_seed_is_at_most_three_megabytes() -> None:
    seeds = (project_root() / "seeds").rglob("*.csv")
    assert [path.name for path in seeds if path.stat().st_size > 3_000_000] == []
