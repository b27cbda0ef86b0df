"""Tables by article of law and persons named in contacts, from the return to the figures."""

from __future__ import annotations

import pytest
from cli_support import METADATA, run, workspace

from loaders.templates import write_template
from tipstat.warehouse import reading
from tipstat.workspace import Workspace

CELL = {
    "reporting_entity": "XXA-POLICE",
    "measure": "PERSONS_ARRESTED",
    "unit_of_count": "PERSON",
    "period_start": "2024-01-01",
    "period_end": "2024-12-31",
    "cell_nature": "FLOW",
    "cell_kind": "VALUE",
}
CELLS = [
    {**CELL, "legal_article": "PC-231-1", "value": "20"},
    {**CELL, "legal_article": "PC-233", "value": "4"},
    {**CELL, "legal_article": "PC-232", "value": "100"},
    {**CELL, "legal_article": "PC-240", "value": "300"},
    {**CELL, "measure": "PERSONS_CONVICTED", "legal_article": "PC-240", "value": "9"},
    {**CELL, "measure": "PERSONS_CHARGE_SHEETED", "value": "15"},
    {**CELL, "measure": "PERSONS_CHARGED", "value": "12"},
    {
        **CELL,
        "measure": "PERSONS_IN_CUSTODY",
        "cell_nature": "STOCK",
        "period_start": "2024-12-31",
        "value": "7",
    },
]
CONTACT = {
    "reporting_entity": "XXA-LINE",
    "contact_ref": "K-1",
    "contact_date": "2024-05-06",
    "contact_subject": "TIP",
}
NAMED = {"reporting_entity": "XXA-LINE", "contact_ref": "K-1"}
SERVICE_ROWS = {
    "contact": [CONTACT, {**CONTACT, "contact_ref": "K-2", "contact_subject": "OTHER"}],
    "contact_person": [
        {**NAMED, "person_no": "1", "contact_role": "REPORTED_VICTIM", "gender": "FEMININE"},
        {**NAMED, "person_no": "2", "contact_role": "ACCUSED", "gender": "MASCULINE"},
        {**NAMED, "person_no": "3", "contact_role": "ACCUSED"},
    ],
}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a table of the police and the contacts of a hotline, built."""
    root = workspace(tmp_path_factory.mktemp("cells") / "office")
    added = run(
        "-w", root, "entity", "add", "XXA-LINE",
        "--name", "Hotline", "--type", "HOTLINE", "--area", "XXA",
    )  # fmt: skip
    assert added.code == 0, added.text
    for kind, rows, sender in (
        ("aggregate", {"cell": CELLS}, "XXA-POLICE"),
        ("service", SERVICE_ROWS, "XXA-LINE"),
    ):
        path = root / f"{kind}.xlsx"
        metadata = {**METADATA, "sender": sender}
        write_template(kind, "en", path, reference_area="XXA", rows=rows, metadata=metadata)
        loaded = run("-w", root, "load", path)
        assert "accepted" in loaded.text, loaded.text
    built = run("-w", root, "build")
    assert built.code == 0, built.text
    return Workspace.find(str(root))


def _totals(office: Workspace) -> dict[str, tuple[float, str | None]]:
    with reading(office) as connection:
        rows = connection.execute(
            """
            select indicator, value, comment from fct_indicator_value
            where value > 0 and indicator not like '%ratio%'
                and sex = '_T' and age = '_T' and form = '_T' and citizenship = '_T'
                and breakdown = '_T'
            """
        ).fetchall()
    return {indicator: (value, comment) for indicator, value, comment in rows}


def test_only_articles_of_trafficking_make_a_figure_and_no_person_named_is_a_victim(
    office: Workspace,
) -> None:
    """20 and 4 arrested under trafficking; charged as charged, not charge-sheeted as well."""
    assert _totals(office) == {
        "persons_suspected": (24.0, "reported as PERSONS_ARRESTED"),
        "persons_charged": (12.0, None),
        "contacts_received": (2.0, None),
        "contact_persons": (3.0, None),
    }


def test_cells_of_other_articles_stay_with_their_law_for_the_lower_families(
    office: Workspace,
) -> None:
    with reading(office) as connection:
        rows = connection.execute(
            """
            select legal_article, iccs_code, relation, is_tip, cast(value as integer)
            from fct_reported_cell where measure = 'PERSONS_ARRESTED' order by legal_article
            """
        ).fetchall()
    assert rows == [
        ("PC-231-1", "02041", "TIP_SPECIFIC", True, 20),
        ("PC-232", "03021", "TIP_RELATED", False, 100),
        ("PC-233", "0204", "TIP_OTHER_ARTICLE", True, 4),
        ("PC-240", "08051", "TIP_RELATED", False, 300),
    ]


def test_persons_named_in_contacts_stand_by_role(office: Workspace) -> None:
    with reading(office) as connection:
        rows = connection.execute(
            """
            select breakdown_code, cast(value as integer) from fct_indicator_value
            where indicator = 'contact_persons' and breakdown = 'contact_role' order by all
            """
        ).fetchall()
    assert rows == [("ACCUSED", 2), ("REPORTED_VICTIM", 1)]
