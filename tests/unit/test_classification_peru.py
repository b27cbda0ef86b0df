"""Every part of the file of Peru's police has a code to be loaded as."""

import os
from functools import cache
from pathlib import Path

import pytest

from tipstat.classification import code_list, missing_codes
from tipstat.project import project_root

#: Block of the file -> list of its parts.
BLOCKS = {
    "C_": "recruitment_method",
    "M_": "means",
    "P3_": "education",
    "P4_": "relationship",
    "P5_": "reported_by",
    "F1_": "form",
    "F2_": "exploitation_place",
    "D_": "case_destination",
    "T_": "cross_border",
    "EF_": "age_group",
    "EM_": "age_group",
}
#: Parts that a code of a standard fits; all others name the part as the source of their code.
STANDARD = {
    "F1_EXPLOTACION SEXUAL": "SEX",
    "F1_MENDICIDAD": "BEGGING",
    "F1_NO IDENTIFICADO": "_U",
    "F1_TRABAJOS Y SERVICIOS FORZADOS": "LAB_FORCED",
    "F1_TRAFICO DE ORGANOS TEJIDO HUMANO": "ORGAN",
    "F1_VENTA DE NIÑOS": "ADOPTION",
    "C_OTRO (ESPECIFICAR)": "OTHER",
    "M_ABUSO DE PODER": "ABUSE_POWER",
    "M_CONCESION O RECEPCION DE PAGOS": "PAYMENTS",
    "M_ENGAÑO": "DECEPTION",
    "M_FRAUDE": "FRAUD",
    "P3_NO ESPECIFICA": "_X",
    "P3_PRIMARIA": "PRIMARY",
    "P4_CONOCIDO": "ACQUAINTANCE",
    "P4_CONYUGE": "CURRENT_PARTNER",
    "P4_FAMILIAR": "FAMILY",
    "F2_OTRO/ESPECIFICAR": "OTHER",
    "EF_DE 60 A MAS": "Y_GE60",
    "EM_DE 60 A MAS": "Y_GE60",
}


@cache
def parts_of_the_file() -> frozenset[str]:
    folder = Path(os.environ.get("TIPSTAT_TEST_DATA", project_root() / "../shared/data"))
    files = sorted((folder / "per_pnp").glob("*.xlsx"))
    if not files:
        pytest.skip("the file of Peru is not here: set TIPSTAT_TEST_DATA")
    import python_calamine

    sheet = python_calamine.CalamineWorkbook.from_path(files[0]).get_sheet_by_index(0)
    names = {str(row[8]) for row in sheet.to_python()[1:]}
    assert len(names) == 86
    return frozenset(name for name in names if "TOTAL" not in name)


def code_of(part: str) -> str | None:
    prefix = next(block for block in BLOCKS if part.startswith(block))
    codes = code_list(BLOCKS[prefix])
    if part in STANDARD:
        known = STANDARD[part]
        return known if known in missing_codes() or known in codes.by_code else None
    wanted = {part, part.removeprefix(prefix)}
    found = [c.code for c in codes.codes if c.source == "PNP Peru" and c.source_code in wanted]
    return found[0] if len(found) == 1 else None


def test_every_part_has_a_code():
    assert sorted(part for part in parts_of_the_file() if code_of(part) is None) == []


def test_no_two_parts_of_a_block_share_a_code():
    parts = parts_of_the_file()
    coded = {(part.split("_")[0], code_of(part)) for part in parts}
    assert len(coded) == len(parts)


def test_no_part_is_the_broader_category_of_another():
    # Parts of a block add up to its total, so none may contain another.
    for prefix, name in BLOCKS.items():
        used = {code_of(part) for part in parts_of_the_file() if part.startswith(prefix)}
        codes = code_list(name).by_code
        assert not [code for code in used & set(codes) if codes[str(code)].parent_code in used]
