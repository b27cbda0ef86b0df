"""Official files in one folder: each is given the layout that was written for it."""

from __future__ import annotations

import shutil
from pathlib import Path

from loaders.layout import load_layout
from loaders.layout_file import SHIPPED
from loaders.post import sort_post

WANTED = {
    "ind_ncrb/43_Arrests_under_crime_against_women.csv": "ind_ncrb_arrests_2001_2010",
    "ind_ncrb/04_01_Person_arrested_and_their_disposal_by_police_and_court_SLL_crime_2012.csv": (
        "ind_ncrb_disposal_2012"
    ),
    "ind_ncrb/04_01_Person_arrested_and_their_disposal_by_police_and_court_SLL_crime_2014.csv": (
        "ind_ncrb_disposal_2014"
    ),
}


def test_the_files_of_three_countries_are_told_apart(test_data: Path, tmp_path: Path) -> None:
    for folder in ("ind_ncrb", "arg_linea145", "per_pnp"):
        shutil.copytree(test_data / folder, tmp_path / folder)
    shipped = [*SHIPPED.glob("ind_*.yml"), *SHIPPED.glob("arg_*.yml"), *SHIPPED.glob("per_*.yml")]
    pieces = sort_post(tmp_path, [load_layout(path) for path in shipped])
    found = {piece.name: piece.layout for piece in pieces if piece.refusal is None}
    assert {name: found[name] for name in WANTED} == WANTED
    together = [piece for piece in pieces if piece.layout == "arg_linea145"]
    assert [len(piece.paths) for piece in together] == [2]
    assert [piece.name for piece in pieces if piece.layout == "per_pnp_2017"] == [
        "per_pnp/DataSet_trata_personas_enero2017_septiembre2025.xlsx"
    ]
