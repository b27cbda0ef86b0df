"""``tipstat explain`` on the sample country: what is told, and what never is."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tipstat.cli.main import cli
from tipstat.errors import TipstatError
from tipstat.explain import explain_figure, explain_record
from tipstat.warehouse import reading
from tipstat.workspace import Workspace


def one(ws: Workspace, query: str) -> str:
    with reading(ws) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return str(row[0])


def told(rows: list[dict[str, object]], section: str, *names: str) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in names) for row in rows if row["section"] == section]


def test_a_link_of_event_and_case_names_its_rule_field_and_records(
    golden_workspace: Workspace,
) -> None:
    links = "select event_key from bridge_case_event where n_records = 2 order by 1 limit 1"
    event = one(golden_workspace, links)
    case = one(
        golden_workspace, f"select case_key from bridge_case_event where event_key='{event}'"
    )
    rows = explain_record(golden_workspace, "event", event)
    ((key, rule, field, detail),) = told(rows, "link", "key", "rule", "reference", "detail")
    assert (key, rule, field) == (case, "SHARED_CASE_REFERENCE", "origin_case_ref")
    assert str(detail).startswith("2 records carry it")
    assert told(rows, "group", "item", "key") == [("EVENT", event), ("CASE", case)]
    back = explain_record(golden_workspace, "case", case)
    assert told(back, "link", "key") == [(event,)]


def test_a_person_over_two_entities_names_the_authorisation(golden_workspace: Workspace) -> None:
    person = one(
        golden_workspace,
        "select person_id from bridge_person_role where link_state = 'linked'"
        " group by 1 having count(distinct reporting_entity) = 2 order by 1 limit 1",
    )
    rows = explain_record(golden_workspace, "person", person)
    assert set(told(rows, "person", "entity")) == {("XXA-POLICE",), ("XXA-SHELTER",)}
    ((entities, basis),) = told(rows, "authorisation", "entity", "rule")
    assert entities == "XXA-POLICE, XXA-SHELTER"
    assert basis == "Sample Statistics Act, article 12"


def test_a_record_names_where_each_version_was_sent(golden_workspace: Workspace) -> None:
    for kind, table in (("victim", "dim_victim"), ("perpetrator", "dim_perpetrator")):
        key = one(golden_workspace, f"select min({kind}_key) from {table}")
        rows = explain_record(golden_workspace, kind, key)
        place = told(rows, "record", "submission", "sheet", "row")
        won = [r for r in rows if (r["section"], r.get("item")) == ("version", "won")]
        assert [(r["submission"], r["sheet"], r["row"]) for r in won] == place


def test_an_explanation_holds_no_attribute_of_a_person(golden_workspace: Workspace) -> None:
    key = one(golden_workspace, "select min(victim_key) from dim_victim")
    rows = explain_record(golden_workspace, "victim", key)
    shown = {name for row in rows for name in row}
    assert shown.isdisjoint({"sex", "age", "citizenship", "form", "victim_ref", "person_key"})


def test_a_figure_names_its_submissions_and_why_it_is_the_headline(
    golden_workspace: Workspace,
) -> None:
    chosen = {"sex": "F"}
    rows = explain_figure(golden_workspace, "victims_registered", "XXA", "2023", chosen)
    figure = {row["name"]: row["value"] for row in rows}
    assert {row["figure"] for row in rows} == {1}
    assert (figure["value"], figure["source_type"], figure["is_headline"]) == (70, "police", True)
    assert str(figure["headline_rule"]).startswith("police, registration, REGISTERED")
    assert str(figure["submissions"]).startswith("police-xxa-police-")
    every = explain_figure(
        golden_workspace, "victims_registered", "XXA", "2023", chosen, every=True
    )
    assert len({row["figure"] for row in every}) > 1


@pytest.mark.parametrize("key", ["EV-0001", "0" * 32])
def test_what_the_warehouse_has_not_is_refused(golden_workspace: Workspace, key: str) -> None:
    with pytest.raises(TipstatError) as refused:
        explain_record(golden_workspace, "event", key)
    assert refused.value.rule == "TIP-431"
    assert "EV-0001" not in str(refused.value)


def test_a_figure_that_is_not_there_is_refused_with_the_nearest(
    golden_workspace: Workspace,
) -> None:
    with pytest.raises(TipstatError) as refused:
        explain_figure(golden_workspace, "victim_registered", "XXA", "2023", {})
    assert (refused.value.rule, refused.value.nearest) == ("TIP-432", "victims_registered")


def test_the_commands_print_it_for_the_office_only(golden_workspace: Workspace) -> None:
    key = one(golden_workspace, "select min(event_key) from fct_event")
    asked = [
        ["event", key],
        ["figure", "sdg_16_2_2_rate", "--area", "PER", "--year", "2019", "--all"],
    ]
    for arguments in asked:
        ran = CliRunner().invoke(
            cli, ["-w", str(golden_workspace.root), "explain", *arguments, "--format", "json"]
        )
        assert ran.exit_code == 0, ran.output
        assert json.loads(ran.stdout)
        assert "for the office only" in ran.stderr
