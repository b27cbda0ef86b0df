"""What is proposed for real files, beside the layouts that somebody wrote for them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from loaders.layout import apply_layout, load_layout
from loaders.proposal import Proposal, propose
from loaders.proposal_yaml import render
from loaders.read import read_source
from tipstat.project import project_root

DATA = Path(os.environ.get("TIPSTAT_TEST_DATA", project_root().parent / "shared" / "data"))


def proposed(name: str, area: str) -> tuple[Proposal, Path]:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{path.name} is not here (TIPSTAT_TEST_DATA)")
    return propose(read_source(path), area), path


def records(proposal: Proposal, path: Path, tmp_path: Path) -> int:
    """How many records the proposed layout gives as it is."""
    target = tmp_path / "proposed.yml"
    target.write_text(render(proposal, "proposed", path.name), encoding="utf-8")
    returned = apply_layout(load_layout(target), read_source(path))
    return sum(one.table.num_rows for one in returned.tables)


def test_nine_of_ten_variables_of_the_police_of_peru_become_the_cells_that_they_are(tmp_path):
    name = "per_pnp/DataSet_trata_personas_enero2017_septiembre2025.xlsx"
    proposal, path = proposed(name, "PER")
    [shipped] = load_layout("per_pnp_2017").records
    assert shipped.long is not None
    assert (proposal.kind, proposal.language) == ("aggregate", "es")
    assert (proposal.year, proposal.month) == ("AÑO", "MES")
    assert proposal.long == (shipped.long.variable, shipped.long.value)
    assert proposal.joined == ("PROVINCIA", "DISTRITO", "COMISARÍA")
    assert {p.column.header: p.variable.name for p in proposal.placed} == {"lugar": "area"}
    right = [
        name
        for name in shipped.long.names
        if dict(proposal.cells[name].dimensions) == shipped.long.variables.get(name, {})
    ]
    assert len(right) / len(shipped.long.names) >= 0.9
    assert records(proposal, path, tmp_path) > 60_000


def test_the_columns_of_an_sdg_file_are_placed_and_its_rates_left_out(tmp_path):
    proposal, path = proposed("sdg1622/mlt_nso/data_indicator_16-2-2.csv", "MLT")
    assert {p.column.header: p.variable.name for p in proposal.placed} == {
        "Series": "measure",
        "Sex": "sex",
        "Age": "age_group",
        "Broad citizenship": "citizenship",
        "Form of exploitation": "form",
        "Units": "unit_of_count",
        "Value": "value",
    }
    assert proposal.year == "Year"
    assert proposal.unplaced == ()
    assert records(proposal, path, tmp_path) == 77


def test_the_heading_of_unodcs_file_is_found_in_its_third_row(tmp_path):
    proposal, path = proposed("glotip/data_glotip_2025-04-14.xlsx", "PER")
    assert proposal.found.header_row == 3
    told = {p.column.header: p.variable.name for p in proposal.placed}
    assert told["Indicator"] == "measure"
    assert told["Sex"] == "sex"
    assert told["Age"] == "age_group"
    assert told["txtVALUE"] == "value"
    assert records(proposal, path, tmp_path) > 50_000


def test_columns_of_arrests_by_age_and_sex_become_cells_and_total_rows_controls():
    name = "ind_ncrb/07_02_Persons_arrested_by_sex_and_age_group_SLL_2014.csv"
    proposal, _ = proposed(name, "IND")
    assert len(proposal.wide) == 15
    assert dict(proposal.wide["45 and above and below 60 years_Female"].dimensions) == {
        "measure": "PERSONS_ARRESTED",
        "sex": "F",
        "age_group": "Y45T59",
    }
    assert proposal.totals is not None
    assert "Total (All India)" in proposal.totals.values


def test_of_a_hotlines_records_no_value_is_written_down_that_is_no_code():
    name = "arg_linea145/oficina-rescate-denuncias-referidos-202001-202112_data_cruda.csv"
    proposal, path = proposed(name, "ARG")
    text = render(proposal, "proposed", path.name)
    told = {p.column.header: p.variable.name for p in proposal.placed}
    assert told["nacionalidad"] == "citizenship"
    assert told["edad_aparente"] == "age"
    assert "2 values are not known" in text
    assert "Sin descripcion" not in text
