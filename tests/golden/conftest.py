"""One workspace with the sample country and Peru, loaded and built once for all golden tests."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from loaders.check import check_file
from loaders.findings import Finding
from loaders.land import load_checked
from tipstat.cli import demo
from tipstat.project import project_root
from tipstat.workspace import Workspace


@pytest.fixture(scope="session")
def told() -> list[str]:
    """What the loading of the returns said, line by line."""
    return []


@pytest.fixture(scope="session")
def golden_workspace(tmp_path_factory: pytest.TempPathFactory, told: list[str]) -> Workspace:
    """The workspace of the demonstration, through load and build."""
    root: Path = tmp_path_factory.mktemp("golden") / "demo"
    with demo.own_registry_and_key():
        ws = demo.make_workspace(root)
        demo.load_returns(ws, told.append)
        demo.build(ws, told.append)
    return ws


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of official data that tests may read and the product may not ship."""
    folder = Path(os.environ.get("TIPSTAT_TEST_DATA", project_root().parent / "shared" / "data"))
    if not (folder / "ind_ncrb").is_dir() or not (folder / "arg_linea145").is_dir():
        pytest.skip("the test data of India and Argentina are not here (TIPSTAT_TEST_DATA)")
    return folder


#: Layout -> the files of the return, by pattern.
COUNTRY_RETURNS = {
    "ind_ncrb_arrests_2001_2010": "ind_ncrb/43_Arrests_under_crime_against_women.csv",
    "ind_ncrb_disposal_2012": "ind_ncrb/04_01_*_2012.csv",
    "ind_ncrb_disposal_2014": "ind_ncrb/04_01_*_2014.csv",
    "arg_linea145": "arg_linea145/*.csv",
    "sdg1622_deu": "sdg1622/deu_destatis/en_data_16-2-2.csv",
    "sdg1622_bih": "sdg1622/bih_bhas/data_indicator_16-2-2.csv",
    "sdg1622_mlt": "sdg1622/mlt_nso/data_indicator_16-2-2.csv",
    "sdg1622_hrv": "sdg1622/hrv_dzs/data_indicator_16-2-2.csv",
    "sdg1622_gbr": "sdg1622/gbr_ons/data_indicator_16-2-2.csv",
    "unodc_glotip": "glotip/data_glotip_2025-04-14.xlsx",
    "ctdc_kanon_2021": "ctdc/ctdc_global_kanon_2021-07-15.csv",
    "ctdc_victim_perpetrator_2022": "ctdc/CTDC_VPsynthetic_condensed.csv",
}

#: Senders: id, name, type and reference area.
SENDERS = (
    ("IND-NCRB", "National Crime Records Bureau", "POLICE", "IND"),
    ("ARG-LINEA145", "Línea 145", "HOTLINE", "ARG"),
    ("DEU-DESTATIS", "Federal Statistical Office", "CENTRAL_GOVERNMENT", "DEU"),
    ("BIH-BHAS", "Agency for Statistics of Bosnia and Herzegovina", "CENTRAL_GOVERNMENT", "BIH"),
    ("MLT-NSO", "National Statistics Office", "CENTRAL_GOVERNMENT", "MLT"),
    ("HRV-DZS", "Croatian Bureau of Statistics", "CENTRAL_GOVERNMENT", "HRV"),
    ("GBR-ONS", "Office for National Statistics", "CENTRAL_GOVERNMENT", "GBR"),
    ("UNODC", "United Nations Office on Drugs and Crime", "INTERNATIONAL", "_Z"),
    ("CTDC-KANON", "Counter-Trafficking Data Collaborative, k-anonymised", "INTERNATIONAL", "_Z"),
    ("CTDC-VP", "CTDC, victims and perpetrators", "INTERNATIONAL", "_Z"),
)


@pytest.fixture(scope="session")
def countries(
    tmp_path_factory: pytest.TempPathFactory, test_data: Path
) -> tuple[Workspace, dict[str, list[Finding]]]:
    """The foreign files, loaded and built once; the findings of each load by layout."""
    found: dict[str, list[Finding]] = {}
    with demo.own_registry_and_key():
        ws = Workspace.create(tmp_path_factory.mktemp("countries") / "office", key="demo")
        registry = ws.registry()
        for entity, name, kind, area in SENDERS:
            registry.add_entity(entity, name=name, entity_type=kind, reference_area=area)
        for layout, pattern in COUNTRY_RETURNS.items():
            files = sorted(test_data.glob(pattern))
            with closing(check_file(files, ws, layout=layout)) as result:
                found[layout] = result.findings()
                assert load_checked(result, ws).outcome == "accepted"
        demo.build(ws, lambda _: None)
    return ws, found
