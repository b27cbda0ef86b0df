"""The models keep to the SQL that DuckDB and Spark share and to the layers (DESIGN 6 and 7)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MODELS = sorted((ROOT / "models").glob("*/*.sql"))
TESTS = sorted((ROOT / "tests" / "dbt").rglob("*.sql"))
#: What differs between the engines may stand only here.
ENGINE_MACROS = {"engine.sql", "landing.sql"}
MACROS = sorted(p for p in (ROOT / "macros").glob("*.sql") if p.name not in ENGINE_MACROS)

FORBIDDEN = {
    r"\bqualify\b": "qualify",
    r"\blist_\w+\s*\(": "list functions",
    r"\barray_\w+\s*\(": "array functions",
    r"\btry_cast\b": "try_cast",
    r"\bstrftime\b|\bstrptime\b": "strftime",
    r"\bstring_agg\b|\blistagg\b|\bgroup_concat\b": "string aggregation",
    r"\bstring_split\b|\bregexp_\w+\s*\(": "splitting and patterns",
    r"\bunnest\s*\(|\bexplode\s*\(": "unnest",
    r"\bread_(parquet|csv|json)\w*\b": "a scan of files",
    r"\bany_value\b|\barbitrary\b|\bfirst\s*\(|\blast\s*\(": "a value without a tie-break",
    r"\bgroup by all\b|\border by all\b|\bunion( all)? by name\b": "a shorthand of DuckDB",
    r"\bexclude\s*\(|\breplace\s*\(\s*\w+ as": "a shorthand of DuckDB",
    r"::": "the cast operator",
    r"\bas varchar\b|\bas text\b": "cast to string instead",
    r"\bilike\b|\bglob\b": "ilike",
    r"\bfilter\s*\(\s*where\b": "filter",
    r"\bgenerate_series\b|\brange\s*\(\s*\d+\s*,": "a series",
    r"\bgrouping sets\b|\bcube\s*\(|\brollup\s*\(": "cube: reduce to one row per unit first",
}

#: Prefixes of the models of each folder and of the models and seeds that they may read.
LAYERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "base": (("base_",), ()),
    "staging": (("stg_",), ("base_", "seed:")),
    "intermediate": (("int_",), ("stg_", "int_", "seed:")),
    "core": (("dim_", "fct_", "bridge_"), ("int_", "stg_", "dim_code", "seed:")),
    "indicators": (
        ("ind_", "fct_indicator_value"),
        ("dim_", "fct_", "bridge_", "ind_", "seed:"),
    ),
    "quality": (("dq_",), ("base_", "stg_", "int_", "dim_", "fct_", "bridge_", "ind_", "seed:")),
}

#: Models whose rows have no key, and why.
KEYLESS = {
    "base_any_findings": "one rule may be broken twice in one cell",
}

REF = re.compile(r"""\bref\(\s*["'](\w+)["']\s*\)""")


def _without_comments(text: str) -> str:
    text = re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)
    return re.sub(r"--[^\n]*", "", text)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [*MODELS, *TESTS, *MACROS], ids=_name)
def test_sql_stays_in_the_subset_that_duckdb_and_spark_share(path: Path) -> None:
    sql = _without_comments(path.read_text(encoding="utf-8")).lower()
    sql = re.sub(r"\{%.*?%\}", "", sql, flags=re.DOTALL)
    found = [why for pattern, why in FORBIDDEN.items() if re.search(pattern, sql)]
    assert found == []


@pytest.mark.parametrize("path", MODELS, ids=_name)
def test_a_model_reads_only_the_layers_under_it(path: Path) -> None:
    prefixes, readable = LAYERS[path.parent.name]
    models = {p.stem for p in MODELS}
    assert path.stem.startswith(prefixes)
    for name in REF.findall(path.read_text(encoding="utf-8")):
        kind = name if name in models else f"seed:{name}"
        assert kind.startswith(readable), f"{path.stem} reads {name}"


@pytest.mark.parametrize("folder", sorted(LAYERS))
def test_every_model_has_a_description_a_grain_and_a_test_of_its_key(folder: str) -> None:
    (properties,) = (ROOT / "models" / folder).glob("_*__models.yml")
    described = {m["name"]: m for m in yaml.safe_load(properties.read_text())["models"]}
    assert set(described) == {p.stem for p in MODELS if p.parent.name == folder}
    for name, model in described.items():
        assert model["description"].strip(), name
        assert model["config"]["meta"]["grain"].strip(), name
        tests = model.get("data_tests", [])
        assert name in KEYLESS or any("unique_combination" in test for test in tests), name


@pytest.mark.parametrize("folder", ["core", "indicators"])
def test_every_column_under_contract_is_described_and_typed(folder: str) -> None:
    (properties,) = (ROOT / "models" / folder).glob("_*__models.yml")
    for model in yaml.safe_load(properties.read_text())["models"]:
        assert model["columns"], model["name"]
        for column in model["columns"]:
            assert column["data_type"], (model["name"], column["name"])
            assert column["description"].strip(), (model["name"], column["name"])


def test_only_base_models_scan_files() -> None:
    scanning = {
        path.parent.name
        for path in MODELS
        if re.search(r"\b(landing|build_input|parquet_scan)\(", path.read_text(encoding="utf-8"))
    }
    assert scanning == {"base"}


def test_persons_named_in_contacts_are_in_no_figure_of_victims_or_suspects() -> None:
    """What a caller says of a person makes no victim and no suspect (STATISTICS section 5)."""
    readers = {
        p.stem
        for p in MODELS
        for name in REF.findall(p.read_text(encoding="utf-8"))
        if name.endswith("_contact_person")
    }
    assert readers - {"ind_coverage"} == {
        "stg_service_contact_person",
        "int_contact_person",
        "fct_contact_person",
        "ind_contact_persons",
    }
