"""A small warehouse with every kind of cell, two areas and several sources, made by hand."""

from __future__ import annotations

import csv
import datetime as dt
import itertools

import duckdb
import pyarrow as pa
import pytest

from tipstat.project import seeds_dir
from tipstat.settings import Settings, render_settings
from tipstat.warehouse import reading
from tipstat.workspace import Workspace

VINTAGE = "b20260131T170500-3f9a"
COLUMNS = {
    "indicator": "varchar", "reference_area": "varchar", "period": "varchar", "sex": "varchar",
    "age": "varchar", "form_classification": "varchar", "form": "varchar",
    "citizenship": "varchar", "breakdown": "varchar", "breakdown_code": "varchar",
    "source_type": "varchar", "status_scope": "varchar", "population_scope": "varchar",
    "counting_basis": "varchar", "reference_date_concept": "varchar", "instance": "varchar",
    "vintage": "varchar", "unit_of_count": "varchar", "value": "double", "numerator": "bigint",
    "denominator": "bigint", "lower_bound": "double", "upper_bound": "double",
    "cell_kind": "varchar", "observation_status": "varchar", "confidentiality_status": "varchar",
    "n_cases": "bigint", "n_entities": "bigint", "n_held_out": "bigint",
    "period_months": "integer", "basis": "varchar", "is_headline": "boolean",
    "submissions": "varchar", "map_version": "varchar", "comment": "varchar",
}  # fmt: skip
KINDS = (
    "VALUE", "TRUE_ZERO", "NOT_RECEIVED", "NOT_COLLECTED", "NOT_APPLICABLE", "NOT_KNOWN",
    "NOT_STATED", "WITHHELD_HERE", "WITHHELD_AT_SOURCE",
)  # fmt: skip
YEARS = ("2021", "2022", "2023")
INDICATORS = {
    "events_recorded": ("EVENT", "event", "registration"),
    "offences_recorded": ("OFFENCE", "offence", "registration"),
    "victims_registered": ("VICTIM_REGISTRATION", "registration", "registration"),
    "persons_suspected": ("PERSON", "person", "formal_contact"),
    "persons_charged": ("PERSON", "person", "charge"),
    "persons_convicted": ("PERSON", "person", "judgment"),
}
#: Indicator -> unit, date, source, and its breakdowns with some of their codes.
MORE = {
    "persons_tried": ("PERSON", "judgment", "court", {}),
    "persons_acquitted": ("PERSON", "judgment", "court", {}),
    "justice_decisions": ("DECISION", "judgment", "court", {
        "outcome": ("CONVICTED_TIP", "ACQUITTED"), "decision_stage": ("TRIAL", "APPEAL")}),
    "sanctions_imposed": ("PERSON", "judgment", "court", {
        "sanction_type": ("CUSTODIAL", "FINE"), "sanction_length": ("LT1Y", "GE10Y", "_U")}),
    "victims_assisted": ("VICTIM_REGISTRATION", "registration", "service", {}),
    "services_provided": ("SERVICE", "registration", "service", {
        "service_category": ("_U",), "service_phase": ("IMMEDIATE", "LONGER_TERM")}),
    "referrals": ("REFERRAL", "registration", "service", {
        "referral_direction": ("INCOMING", "OUTGOING"), "referral_reason": ("_U",)}),
    "status_decisions": ("DECISION", "registration", "service", {
        "victim_status": ("IDENTIFIED", "REJECTED"), "status_stage": ("FIRST", "SECOND")}),
    "contacts_received": ("CONTACT", "registration", "service", {
        "contact_subject": ("TIP", "OTHER"), "contact_channel": ("_U",)}),
    "contact_persons": ("CONTACT_PERSON", "registration", "service", {
        "contact_role": ("REPORTED_VICTIM", "RELATIVE", "ACCUSED")}),
}  # fmt: skip
POPULATION = "population WB SP.POP.TOTL, vintage 2024"


def figure(**changed: object) -> dict[str, object]:
    """A total of victims registered by police; anything of it can be said otherwise."""
    indicator = str(changed.get("indicator", "victims_registered"))
    unit, basis, date = INDICATORS.get(indicator, ("", "", ""))
    given: dict[str, object] = dict.fromkeys(COLUMNS)
    given |= dict.fromkeys(
        ("sex", "age", "form_classification", "form", "citizenship", "breakdown",
         "breakdown_code"), "_T",
    )  # fmt: skip
    given |= {
        "indicator": indicator, "reference_area": "XXA", "period": "2023",
        "source_type": "police", "population_scope": "DETECTED_HERE", "vintage": VINTAGE,
        "status_scope": "REGISTERED" if indicator == "victims_registered" else "_Z",
        "counting_basis": basis, "reference_date_concept": date, "unit_of_count": unit,
        "instance": "LAST" if indicator == "persons_convicted" else "_Z",
        "cell_kind": "VALUE", "observation_status": "A", "confidentiality_status": "N",
        "n_cases": 3, "n_entities": 2, "n_held_out": 1, "period_months": 12, "basis": "records",
        "is_headline": False, "submissions": "police-xxa-20231231-00000000-0000",
        "map_version": "1",
    }  # fmt: skip
    return given | changed


def _breakdowns() -> list[dict[str, str]]:
    found: list[dict[str, str]] = [{}]
    found += [{"sex": sex} for sex in ("F", "M", "_U")]
    found += [{"age": age} for age in ("Y0T17", "Y_GE18", "_U", "Y15T17", "Y18T20")]
    found += [{"sex": s, "age": a} for s, a in itertools.product("FM", ("Y0T17", "Y_GE18"))]
    found += [{"citizenship": code} for code in ("_OWN", "_FOREIGN", "_U", "XXA", "XXB", "PER")]
    forms = {
        "fine": ("SEX", "LAB", "LAB_FORCED", "ORGAN", "MARRIAGE", "_NS"),
        "iccs": ("02041", "02042", "02043", "02044", "0204"),
        "unodc": ("SEX", "LAB", "OTHER"),
    }
    for classification, codes in forms.items():
        found += [{"form_classification": classification, "form": code} for code in codes]
    for code in forms["iccs"]:
        iccs = {"form_classification": "iccs", "form": code}
        found += [iccs | {"sex": sex} for sex in ("F", "M", "_U")]
        found += [iccs | {"age": age} for age in ("Y0T17", "Y_GE18", "_U")]
        found += [iccs | {"citizenship": kind} for kind in ("_OWN", "_FOREIGN", "_U")]
    return found


def _figures() -> list[dict[str, object]]:
    made: list[dict[str, object]] = []
    for indicator, year in itertools.product(INDICATORS, YEARS):
        alone = indicator in ("events_recorded", "offences_recorded")
        sources = ["court"] if indicator == "persons_convicted" else ["police", "service"]
        for source, breakdown in itertools.product(sources, _breakdowns()):
            if alone and breakdown.keys() - {"form_classification", "form"}:
                continue
            value = float(100 - 17 * len(breakdown) - len(made) % 13)
            made.append(
                figure(indicator=indicator, period=year, source_type=source, value=value,
                       is_headline=source != "service", **breakdown)
            )  # fmt: skip
    made += [
        figure(period=year, status_scope=scope, value=value, source_type="police")
        for year in YEARS
        for scope, value in (("IDENTIFIED", 60.0), ("FORMAL", 40.0), ("ALL", 120.0))
    ]
    return made + _kinds() + _more() + _quotients()


def _more() -> list[dict[str, object]]:
    """The ladder beyond charges, decisions, sanctions, assistance and contacts."""
    made: list[dict[str, object]] = []
    for (indicator, given), year in itertools.product(MORE.items(), YEARS):
        unit, date, source, breakdowns = given
        fixed = {
            "unit_of_count": unit, "reference_date_concept": date, "source_type": source,
            "counting_basis": "person" if unit == "PERSON" else "registration",
            "status_scope": "ALL" if indicator == "victims_assisted" else "_Z",
            "instance": "FIRST" if source == "court" else "_Z",
        }  # fmt: skip
        cells = [{}, *({"sex": sex} for sex in ("F", "M") if indicator == "victims_assisted")]
        cells += [
            {"breakdown": name, "breakdown_code": code}
            for name, codes in breakdowns.items()
            for code in codes
        ]
        made += [
            figure(indicator=indicator, period=year, value=float(40 - place), **fixed, **cell)
            for place, cell in enumerate(cells)
        ]
    return made


def _quotients() -> list[dict[str, object]]:
    """Same-year ratios, and SDG 16.2.2 as number and rate."""
    ratio = {
        "indicator": "justice_ratio", "unit_of_count": "RATIO", "counting_basis": "person",
        "reference_date_concept": "judgment", "source_type": "court", "breakdown": "ratio",
    }  # fmt: skip
    made = [
        figure(**ratio, breakdown_code="convicted_per_charged", value=12.345, numerator=1,
               denominator=2),
        figure(**ratio, breakdown_code="charged_per_suspected", value=1.0, numerator=7,
               denominator=7),
    ]  # fmt: skip
    sdg = {"counting_basis": "registration", "reference_date_concept": "registration"}
    number = sdg | {"indicator": "sdg_16_2_2_number", "unit_of_count": "VICTIM_REGISTRATION"}
    rate = sdg | {
        "indicator": "sdg_16_2_2_rate", "unit_of_count": "RATE", "value": 1.256, "numerator": 100,
        "denominator": 7_961_783, "comment": POPULATION,
    }  # fmt: skip
    sexual = {"breakdown": "form_sdg", "breakdown_code": "VC_HTF_DETVSX"}
    for year, cell in itertools.product(YEARS, ({}, {"sex": "F"}, {"age": "Y0T17"}, sexual)):
        made.append(figure(**number, period=year, value=100.0, **cell))
        status = "E" if "age" in cell else "A"
        made.append(figure(**rate, period=year, observation_status=status, **cell))
    return made


def _kinds() -> list[dict[str, object]]:
    """Peru: one category of each kind of cell, and a provisional part year."""
    forms = ("SEX", "LAB", "BEGGING", "CRIME", "ORGAN", "MARRIAGE", "MILITARY", "ADOPTION", "OTHER")
    values = {"VALUE": 7.0, "TRUE_ZERO": 0.0}
    made = [
        figure(reference_area="PER", basis="cells", form_classification="fine", form=form,
               value=values.get(kind), cell_kind=kind,
               lower_bound=0.0 if kind == "WITHHELD_AT_SOURCE" else None,
               upper_bound=4.0 if kind == "WITHHELD_AT_SOURCE" else None,
               submissions="aggregate-per-20231231-00000000-0000")
        for form, kind in zip(forms, KINDS, strict=True)
    ]  # fmt: skip
    made.append(
        figure(reference_area="PER", basis="cells", value=900.0, observation_status="P",
               period_months=9, comment="=HYPERLINK(0)", is_headline=True,
               submissions="aggregate-per-20231231-00000000-0000")
    )  # fmt: skip
    return made


def _fill(connection: duckdb.DuckDBPyConnection) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    connection.execute(f"create table fct_indicator_value ({columns})")
    rows = pa.Table.from_pylist(_figures())
    chosen = ", ".join(COLUMNS)
    connection.register("rows", rows)
    connection.execute(f"insert into fct_indicator_value select {chosen} from rows")
    connection.unregister("rows")
    _fill_labels(connection)
    connection.execute(
        "create table dim_indicator as select unnest($names) as indicator,"
        " 'What is counted, as the catalogue says.' as definition, 'C1 C2 C12' as caveats",
        {"names": [*INDICATORS, *MORE]},
    )
    connection.execute(
        "create table dim_reporting_entity as select * from (values"
        " ('pnp', 'National Police', 'POLICE', 'police', 'XXA', false),"
        " ('casa', 'House of the Lime Tree', 'NGO', 'service', 'XXA', true))"
        " as e(reporting_entity, entity_name, entity_type, source_type, reference_area,"
        " confidential)"
    )
    _fill_events(connection)
    _fill_cells(connection)
    connection.execute(
        "create table dim_submission as select 'police-xxa-20231231-00000000-0000' as"
        " submission_id, 'pnp' as sender, 'police' as kind, 'XXA' as reference_area,"
        " date '2023-01-01' as period_start, date '2023-12-31' as period_end,"
        " 'FINAL' as maturity, 'PRINCIPAL' as offence_rule, 'Y' as attempts_included,"
        " 'N' as threats_included, '_X' as aiding_included"
    )
    connection.execute(
        "create table dim_build as select $id as build_id, timestamp '2026-01-31 17:05:00' as"
        " built_at, '0.1.0' as tipstat_version",
        {"id": VINTAGE},
    )


def _fill_labels(connection: duckdb.DuckDBPyConnection) -> None:
    labels: dict[tuple[str, str], dict[str, str]] = {}
    for language in ("en", "es", "fr"):
        path = seeds_dir() / "labels" / f"{language}.csv"
        with path.open(encoding="utf-8", newline="") as handle:
            for row in csv.DictReader(handle):
                labels.setdefault((row["list"], row["code"]), {})[language] = row["label"]
    connection.execute(
        "create table dim_code (list varchar, code varchar, label_en varchar, label_es varchar,"
        " label_fr varchar)"
    )
    connection.execute(
        "insert into dim_code select unnest($l), unnest($c), unnest($en), unnest($es), unnest($fr)",
        {
            "l": [name for name, _ in labels],
            "c": [code for _, code in labels],
            **{lang: [of.get(lang) for of in labels.values()] for lang in ("en", "es", "fr")},
        },
    )


def _fill_events(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "create table fct_event as select * from (values"
        " ('e1', 'pnp', 'XXA', '2023', 'RECORDED', 'RECORD', 'GANG', 'CYBER', '_N'),"
        " ('e2', 'pnp', 'XXA', '2023', 'RECORDED', 'RECORD', '_X', 'NON_CYBER', '_N'),"
        " ('e3', 'pnp', 'XXA', '2023', 'UNFOUNDED', 'RECORD', 'GANG', 'CYBER', '_N'))"
        " as e(event_key, reporting_entity, reference_area, event_registration_year, event_status,"
        " event_basis, situational_context, cybercrime, motive)"
    )
    connection.execute(
        "create table fct_offence as select *, 'XXA' as reference_area,"
        " 'police-xxa-20231231-00000000-0000' as submission_id from (values"
        " ('e1', 'pnp', '02041', 'TIP_SPECIFIC', true, 1),"
        " ('e1', 'pnp', '03021', 'TIP_RELATED', false, 777))"
        " as o(event_key, reporting_entity, iccs_code, relation, is_tip, offence_count)"
    )


def _fill_cells(connection: duckdb.DuckDBPyConnection) -> None:
    """Proxy cells of an area that has nothing else, with states, a total of both and a stock."""
    given = {
        "reporting_entity": "pnp", "reference_area": "IND", "measure": "PERSONS_CONVICTED",
        "unit_of_count": "PERSON", "cell_nature": "FLOW", "period_start": dt.date(2012, 1, 1),
        "period_end": dt.date(2012, 12, 31), "area": "_T", "area_unit": "_T",
        "legal_article": "ITPA", "iccs_code": "0302", "relation": "PROXY", "is_tip": False,
        "sex": "_T", "age_group": "_T", "form": "_T", "citizenship": "_T", "breakdown": "_T",
        "breakdown_code": "_T", "cell_kind": "VALUE", "value": 900.0, "lower_bound": None,
        "upper_bound": None, "submission_id": "aggregate-ind-20121231-00000000-0000",
    }  # fmt: skip
    stock = {"measure": "PERSONS_IN_CUSTODY", "cell_nature": "STOCK"}
    month = {"period_end": dt.date(2012, 1, 31), "value": 5.0}
    states = [{"measure": "PERSONS_TRIED", "area": area} for area in ("North", "South")]
    rows = [
        given | changed
        for changed in (
            {}, {"area": "North", "value": 500.0}, {"sex": "F", "value": 1.0}, month, *states,
            stock, {"legal_article": "IPC-370", "relation": "TIP_SPECIFIC", "is_tip": True},
            {"measure": "PERSONS_ARRESTED", "value": None, "cell_kind": "NOT_RECEIVED"},
        )
    ]  # fmt: skip
    kinds = {"value": "double", "lower_bound": "double", "upper_bound": "double"}
    connection.register("rows", pa.Table.from_pylist(rows))
    chosen = ", ".join(f"{name}::{kinds[name]} as {name}" if name in kinds else name
                       for name in given)  # fmt: skip
    connection.execute(f"create table fct_reported_cell as select {chosen} from rows")
    connection.unregister("rows")


@pytest.fixture(scope="session")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("office")
    settings = Settings(workspace_id="00000000-0000-0000-0000-000000000000")
    (root / "tipstat.toml").write_text(render_settings(settings), encoding="utf-8")
    made = Workspace(root, settings)
    made.warehouse_dir.mkdir()
    with duckdb.connect(str(made.warehouse_dir / f"{VINTAGE}.duckdb")) as connection:
        _fill(connection)
    (made.warehouse_dir / "CURRENT").write_text(VINTAGE + "\n", encoding="utf-8")
    return made


@pytest.fixture
def warehouse(ws: Workspace):
    with reading(ws) as connection:
        yield connection
