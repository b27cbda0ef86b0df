"""A layout is refused, with the place of the offence, before any file is read."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from loaders.layout import layout_paths, load_layout
from tipstat.errors import UsageError

CELLS = {
    "id": "cells",
    "title": "A long file",
    "kind": "aggregate",
    "language": "en",
    "reference_area": "XXA",
    "file": {"format": "csv"},
    "metadata": {"sender": "XXA-POLICE", "period_end": "2024-12-31"},
    "records": {
        "cell": {
            "columns": {"Area": "area"},
            "constants": {"measure": "VICTIMS_REGISTERED"},
            "period": {"year": "Year"},
            "ignore": ["Remarks"],
            "long": {
                "variable": "Name",
                "value": "Number",
                "variables": {
                    "T": {"form": "_T"},
                    "S": {"form": "SEX"},
                    "ALL": {"control": "total"},
                },
            },
        }
    },
}


def write(tmp_path: Path, content: object, name: str = "cells") -> Path:
    path = tmp_path / f"{name}.yml"
    text = content if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    return path


def changed(place: str, value: object) -> dict[str, object]:
    """The layout above with another value at a place, ``None`` taking the key away."""
    content = copy.deepcopy(CELLS)
    *path, last = place.split(".")
    target = content
    for key in path:
        target = target.setdefault(key, {})
    if value is None:
        del target[last]
    else:
        target[last] = value
    return content


def refused(tmp_path: Path, content: object) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load_layout(write(tmp_path, content))
    return caught.value


def test_a_valid_layout_is_loaded_with_the_hash_of_its_bytes(tmp_path):
    layout = load_layout(write(tmp_path, CELLS))
    assert layout.metadata["reference_area"] == "XXA"
    assert layout.records[0].used_columns == ("Area", "Year", "Name", "Number")
    assert len(layout.sha256) == 64


@pytest.mark.parametrize(
    ("place", "value", "rule", "says"),
    [
        ("colums", {}, "TIP-121", "colums"),
        ("records.cell.long.unit", "x", "TIP-121", "records.cell.long.unit"),
        ("file.format", "ods", "TIP-120", "file.format"),
        ("kind", "polic", "TIP-120", "nearest  police"),
        ("language", "de", "TIP-120", "language"),
        ("reference_area", "PERU", "TIP-124", "reference_area"),
        ("title", None, "TIP-120", "title"),
        ("title", ["a"], "TIP-120", "title"),
        ("id", "other", "TIP-120", "id"),
        ("file.header_row", "zero", "TIP-120", "file.header_row"),
        ("file.first_row", "1", "TIP-120", "first_row"),
        ("file.delimiter", "::", "TIP-120", "file.delimiter"),
        ("file.delimiter", '"', "TIP-120", "file.delimiter"),
        ("file.encoding", "klingon", "TIP-120", "file.encoding"),
        ("valid_from", "2017-13-01", "TIP-120", "valid_from"),
        ("metadata.sendr", "X", "TIP-123", "nearest  sender"),
        ("metadata.period_start", "2017", "TIP-120", "metadata.period_start"),
        ("metadata.maturity", "DRAFT", "TIP-124", "metadata.maturity"),
        ("records.cells", {}, "TIP-123", "nearest  cell"),
        ("records.cell.columns", {"Area": "aera"}, "TIP-123", "nearest  area"),
        ("records.cell.columns", {"A": "measure"}, "TIP-120", "constants"),
        ("records.cell.columns", {"A": "area", "B": "area"}, "TIP-120", "one place"),
        ("records.cell.constants.measure", "VICTIMS", "TIP-124", "constants.measure"),
        ("records.cell.ignore", ["Area"], "TIP-120", "ignore"),
        ("records.cell.skip", [{"where": {"Area": "x"}}], "TIP-120", "skip[0].reason"),
        ("records.cell.skip", {"where": {}}, "TIP-120", "skip"),
        (
            "records.cell.skip",
            [{"where": {"Area": {"matches": "("}}, "reason": "x"}],
            "TIP-120",
            "regular expression",
        ),
        (
            "records.cell.skip",
            [{"where": {"Area": {"matches": "(?!x)"}}, "reason": "x"}],
            "TIP-120",
            "RE2",
        ),
        ("records.cell.skip", [{"where": {"Area": {}}, "reason": "x"}], "TIP-120", "no condition"),
        ("records.cell.long.variables.S.form", "SEXX", "TIP-124", "variables.S.form"),
        ("records.cell.long.variables.S.frm", "SEX", "TIP-123", "nearest  form"),
        ("records.cell.long.variables.S", "SEX", "TIP-120", "variables.S"),
        ("records.cell.long.variables.ALL.form", "_T", "TIP-120", "one or the other"),
        (
            "records.cell.long.variables.S",
            {"breakdown_code": "INTERNET"},
            "TIP-120",
            "breakdown beside it",
        ),
        (
            "records.cell.long.variables.S",
            {"breakdown": "means", "breakdown_code": "INTERNET"},
            "TIP-124",
            "a code of means",
        ),
        (
            "records.cell.states",
            [{"variables": ["Q"], "values": ["0"], "cell_kind": "VALUE", "reason": "x"}],
            "TIP-123",
            "states[0].variables",
        ),
        (
            "records.cell.states",
            [{"values": ["0"], "cell_kind": "NONE", "reason": "x"}],
            "TIP-124",
            "states[0].cell_kind",
        ),
        (
            "records.cell.controls",
            [{"id": "a", "title": "a", "total": "T", "by": ["Year"]}],
            "TIP-120",
            "neither parts nor equals",
        ),
        (
            "records.cell.controls",
            [{"id": "a", "title": "a", "total": "T", "parts": ["Z"], "by": ["Year"]}],
            "TIP-123",
            "controls[0]",
        ),
        (
            "records.cell.controls",
            [{"id": "a", "title": "a", "total": "T", "parts": "S", "by": "Y", "tolerance": "-1"}],
            "TIP-120",
            "tolerance",
        ),
        ("values.sx", {"F": "F"}, "TIP-123", "values.sx"),
        ("values.sex", {"Woman": "W"}, "TIP-124", "values.sex.Woman"),
        (
            "values.sex",
            {"1": [{"code": "F", "valid_to": "2020-12-31"}, {"code": "M"}]},
            "TIP-120",
            "two codes at one time",
        ),
    ],
)
def test_an_offence_is_refused_with_its_place(tmp_path, place, value, rule, says):
    error = refused(tmp_path, changed(place, value))
    assert error.rule == rule
    assert says in error.render()


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path):
    text = yaml.safe_dump(CELLS, sort_keys=False).replace("S:\n", "T:\n")
    error = refused(tmp_path, text)
    assert (error.rule, error.found) == ("TIP-122", "records.cell.long.variables.T")
    assert "line" in error.where


@pytest.mark.parametrize(
    "text",
    [
        "id: !!python/object/apply:os.system ['true']\n",
        "id: !!int 3\n",
        "a: &x [1]\nb: *x\n",
        "a: [1\n",
        "- a\n",
        "",
        "\tid: x\n",
    ],
)
def test_tags_anchors_and_what_is_no_mapping_are_refused(tmp_path, text):
    assert refused(tmp_path, text).rule == "TIP-120"


def test_values_that_yaml_takes_for_another_type_stay_text(tmp_path):
    content = yaml.safe_dump(CELLS) + "values:\n  country: {no: NOR, 0204: PER, 2020-01-01: PER}\n"
    layout = load_layout(write(tmp_path, content))
    assert sorted(layout.values["country"]) == ["0204", "2020-01-01", "no"]


def test_an_unknown_layout_names_the_nearest(tmp_path):
    with pytest.raises(UsageError, match="nearest  per_pnp_2017"):
        load_layout("per_pnp_2071")


def test_a_layout_of_the_workspace_goes_before_the_shipped_one(tmp_path):
    own = write(tmp_path, changed("id", "per_pnp_2017"), "per_pnp_2017")
    assert layout_paths(tmp_path)["per_pnp_2017"] == own
    assert load_layout("per_pnp_2017", tmp_path).title == "A long file"


@pytest.mark.parametrize("name", sorted(layout_paths()))
def test_every_shipped_layout_is_valid(name):
    assert load_layout(name).id == name
