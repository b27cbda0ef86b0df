"""An office's own map of national law: checks, builds and reports read the same one."""

from __future__ import annotations

import csv
import json
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from cli_support import METADATA, event, police_return, run, victim, workspace

from tipstat.classification import Offence, offence_areas, offences
from tipstat.errors import WorkplaceError
from tipstat.snapshot import seed_digest

COLUMNS = [field.name for field in fields(Offence)]
ROW = {
    "offence_code": "CRIM-7",
    "statute": "Criminal Act",
    "article": "7",
    "iccs_code": "02042",
    "match": "exact",
    "relation": "TIP_SPECIFIC",
    "decided_by": "office",
    "decided_on": "2024-01-01",
    "area": "XXA",
}


def write_map(folder: Path, area: str = "XXA", **changed: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"offence_{area}.csv"
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS, restval="")
        writer.writeheader()
        writer.writerow({**ROW, "area": area, **changed})
    return path


def test_the_offices_own_map_goes_before_the_shipped_one_whole(tmp_path: Path) -> None:
    write_map(tmp_path)
    assert [offence.offence_code for offence in offences("XXA", tmp_path)] == ["CRIM-7"]
    assert len(offences("XXA")) > 1


def test_the_offices_own_map_opens_a_new_area(tmp_path: Path) -> None:
    write_map(tmp_path, area="XXC")
    assert "XXC" in offence_areas(tmp_path)
    assert "XXC" not in offence_areas()


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"iccs_code": "2042"}, 'iccs_code "2042"'),
        ({"relation": "TRAFFICKING"}, 'relation "TRAFFICKING"'),
        ({"match": "close"}, 'match "close"'),
    ],
)
def test_a_map_that_does_not_fit_is_refused_at_its_line(
    changed: dict[str, str], found: str, tmp_path: Path
) -> None:
    write_map(tmp_path, **changed)
    with pytest.raises(WorkplaceError) as refused:
        offences("XXA", tmp_path)
    assert refused.value.rule == "TIP-761"
    assert found in refused.value.found
    assert "line 2" in refused.value.where


def test_the_seed_digest_tells_builds_with_another_map_apart(tmp_path: Path) -> None:
    before = seed_digest(tmp_path)
    write_map(tmp_path)
    assert seed_digest(tmp_path) != before == seed_digest()


def test_a_layout_is_listed_and_checked_by_the_offices_own_map(tmp_path: Path) -> None:
    office = workspace(tmp_path / "office")
    write_map(office / "correspondences")
    content = {
        "id": "articles",
        "title": "Victims by article",
        "kind": "aggregate",
        "language": "en",
        "reference_area": "XXA",
        "file": {"format": "csv", "header_row": 1},
        "metadata": {name: told for name, told in METADATA.items() if name != "reference_area"},
        "values": {"legal_article": {"Article 7": "CRIM-7"}},
        "records": {
            "cell": {
                "constants": {
                    "measure": "VICTIMS_REGISTERED",
                    "unit_of_count": "VICTIM_REGISTRATION",
                    "cell_nature": "FLOW",
                },
                "period": {"year": "Year"},
                "columns": {"Law": "legal_article", "Victims": "value"},
            }
        },
    }
    (office / "layouts" / "articles.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    path = tmp_path / "law.csv"
    path.write_text("Year,Law,Victims\n2024,Article 7,41\n")
    listed = json.loads(run("-w", office, "layout", "list", "--format", "json").out)
    assert {"Victims by article"} == {one["title"] for one in listed if one["id"] == "articles"}
    checked = run("-w", office, "layout", "check", "articles", path)
    loaded = run("-w", office, "load", path, "--layout", "articles")
    assert (checked.code, loaded.code) == (0, 0), checked.text + loaded.text


def test_a_return_is_checked_and_counted_by_the_offices_own_map(tmp_path: Path) -> None:
    office = workspace(tmp_path / "office")
    write_map(office / "correspondences")
    people = {"event": [event(n) for n in range(1, 4)], "victim": [victim(n) for n in range(1, 4)]}
    own = [
        {
            "reporting_entity": "XXA-POLICE",
            "event_ref": f"EV-{n:04d}",
            "offence_no": "1",
            "legal_article": "CRIM-7",
        }
        for n in range(1, 4)
    ]
    shipped = [{**own[0], "event_ref": "EV-0001", "offence_no": "2", "legal_article": "PC-231-1"}]
    path = police_return(tmp_path / "year.xlsx", {**people, "offence": [*own, *shipped]})
    loaded = run("-w", office, "load", path)
    assert "TIP-203" in loaded.text, "the shipped article is not in the office's map"
    assert run("-w", office, "build").code == 0
    figures = run(
        "-w", office, "indicators", "offences_recorded", "--year", "2024",
        "--form", "02042", "--form-classification", "iccs", "--format", "json",
    )  # fmt: skip
    assert '"value": 3' in figures.out.replace("3.0", "3"), figures.text
