"""Peru's police file against UNODC's published series, through load, build and figures.

The figures are those of the United Nations Office on Drugs and Crime for detected victims in Peru
(data portal, file of 14 April 2025); where the two differ, the difference is stated.
"""

from __future__ import annotations

import pytest

from tipstat.warehouse import reading
from tipstat.workspace import Workspace

TOTALS = {"2017": 725, "2018": 734, "2019": 509, "2020": 372, "2021": 535, "2022": 631}
#: Year -> girls, women, boys, men.
SEX_AGE = {
    "2018": (213, 442, 33, 46),
    "2019": (165, 277, 37, 30),
    "2020": (119, 201, 26, 26),
    "2021": (103, 323, 43, 66),
    "2022": (197, 341, 26, 67),
}
#: The file says 223 for 2020 where UNODC says 245.
SEXUAL = {"2018": 504, "2019": 335, "2020": 223, "2021": 327, "2022": 331}
#: UNODC prints <5 for 2020.
FORCED_LABOUR = {"2018": 9, "2019": 5, "2020": 2, "2021": 9, "2022": 12}


def figure(ws: Workspace, period: str, **wanted: str) -> float | None:
    """One figure of victims registered by the police of Peru; totals where nothing is said."""
    names = ("sex", "age", "form_classification", "form", "citizenship", "breakdown")
    where = dict.fromkeys(names, "_T") | wanted
    conditions = " and ".join(f"{name} = ${name}" for name in where)
    with reading(ws) as connection:
        rows = connection.execute(
            "select value from fct_indicator_value where reference_area = 'PER'"
            " and indicator = 'victims_registered' and source_type = 'police'"
            " and status_scope = 'REGISTERED' and counting_basis = 'registration'"
            f" and period = $period and {conditions}",
            {"period": period, **where},
        ).fetchall()
    assert len(rows) == 1, f"{len(rows)} figures for {period} {wanted}"
    value: float | None = rows[0][0]
    return value


@pytest.mark.parametrize(("period", "expected"), TOTALS.items())
def test_per_t_totals_equal_unodc(golden_workspace: Workspace, period: str, expected: int) -> None:
    assert figure(golden_workspace, period) == expected


@pytest.mark.parametrize(("period", "expected"), SEX_AGE.items())
def test_per_sa_sex_and_age_equal_unodc(
    golden_workspace: Workspace, period: str, expected: tuple[int, ...]
) -> None:
    cells = [(sex, age) for sex in ("F", "M") for age in ("Y0T17", "Y_GE18")]
    found = tuple(figure(golden_workspace, period, sex=sex, age=age) for sex, age in cells)
    assert found == expected


@pytest.mark.parametrize(("period", "expected"), SEXUAL.items())
def test_per_sx_sexual_exploitation_equals_unodc(
    golden_workspace: Workspace, period: str, expected: int
) -> None:
    assert figure(golden_workspace, period, form_classification="unodc", form="SEX") == expected


@pytest.mark.parametrize(("period", "expected"), FORCED_LABOUR.items())
def test_per_fl_forced_labour_equals_unodc(
    golden_workspace: Workspace, period: str, expected: int
) -> None:
    assert figure(golden_workspace, period, form_classification="unodc", form="LAB") == expected


def test_the_year_without_ages_has_no_children(golden_workspace: Workspace) -> None:
    """In 2017 ages were not collected: the figure is no zero but missing, or not there at all."""
    with reading(golden_workspace) as connection:
        rows = connection.execute(
            "select value, cell_kind from fct_indicator_value where reference_area = 'PER'"
            " and indicator = 'victims_registered' and period = '2017' and age = 'Y0T17'"
        ).fetchall()
    assert all(value is None and kind == "NOT_COLLECTED" for value, kind in rows)
