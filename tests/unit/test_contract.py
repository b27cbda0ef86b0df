"""The contract: what the seeds say each record type has, and how it is landed."""

from __future__ import annotations

import pytest

from tipstat.contract import LANDED_TYPES, SYSTEM_COLUMNS, Variable, load_contract

CONTRACT = load_contract()
VARIABLES = [v for rt in CONTRACT.record_types.values() for v in rt.variables]


def test_the_kinds_of_return_come_in_the_order_of_the_contract() -> None:
    assert CONTRACT.kinds() == ("police", "court", "service", "aggregate")


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda v: f"{v.kind}.{v.record_type}.{v.name}")
def test_every_variable_is_defined_typed_and_of_one_obligation(variable: Variable) -> None:
    assert variable.definition
    assert variable.standard
    assert variable.obligation in {"core", "recommended", "optional"}
    assert variable.type in {*LANDED_TYPES, "birth_date"}
    assert (variable.type == "code") == bool(variable.code_list)
    assert not variable.multi or variable.type == "code"


@pytest.mark.parametrize("kind", CONTRACT.kinds())
def test_every_record_type_has_a_key_and_its_parents_are_of_the_same_kind(kind: str) -> None:
    names = {rt.name for rt in CONTRACT.of_kind(kind)}
    for record_type in CONTRACT.of_kind(kind):
        assert record_type.key
        assert {v.refers_to for v in record_type.variables} - {""} <= names


def test_a_birth_date_is_never_landed_and_an_identifier_only_as_a_key() -> None:
    victim = CONTRACT.record_type("police", "victim")
    landed = [name for name, _ in victim.landed_columns]
    assert not [name for name in landed if "birth_date" in name]
    assert "person_key" in landed
    assert "person_id" not in landed


def test_a_coded_value_is_landed_beside_the_value_as_sent_and_a_date_beside_its_state() -> None:
    columns = dict(CONTRACT.record_type("police", "victim").landed_columns)
    assert columns["sex"] == columns["sex_source"] == "varchar"
    assert columns["registration_date"] == "date"
    assert columns["registration_date_state"] == "varchar"
    assert tuple(columns)[: len(SYSTEM_COLUMNS)] == tuple(name for name, _ in SYSTEM_COLUMNS)


def test_an_unknown_variable_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        CONTRACT.record_type("police", "victim").variable("height")
