"""Argentina's hotline: contacts and persons kept apart from victims and suspects.

Records of persons: the tests count them, and show or compare no record.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from loaders.findings import Finding
from tipstat.warehouse import reading
from tipstat.workspace import Workspace

Countries = tuple[Workspace, dict[str, list[Finding]]]

ROLES = {"REPORTED_VICTIM": 1206, "RELATIVE": 187, "ACCUSED": 1223}


def landed(ws: Workspace, record_type: str, select: str) -> list[tuple[Any, ...]]:
    """Landed records, counted; no record is shown."""
    files = ws.landing_dir / "service-arg-linea145-*" / f"{record_type}.parquet"
    return duckdb.execute(f"select {select} from '{files}' group by all order by 1").fetchall()


def messages(countries: Countries, rule: str) -> list[str]:
    return [f.message for f in countries[1]["arg_linea145"] if f.rule_id == rule]


def test_contacts_and_persons_by_role_are_those_of_the_publisher(countries: Countries) -> None:
    ws = countries[0]
    assert landed(ws, "contact", "record_state, count(*)") == [("accepted", 3352)]
    assert dict(landed(ws, "contact_person", "contact_role, count(*)")) == ROLES


def test_they_reach_the_warehouse_and_no_figure_of_victims_or_suspects(
    countries: Countries,
) -> None:
    with reading(countries[0]) as connection:
        persons = dict(
            connection.execute(
                "select contact_role, count(*) from fct_contact_person group by 1"
            ).fetchall()
        )
        [(contacts,)] = connection.execute("select count(*) from fct_contact").fetchall()
        indicators = connection.execute(
            "select indicator, sum(value)::integer from fct_indicator_value "
            "where reference_area = 'ARG' and source_type = 'service' and sex = '_T' "
            "and age = '_T' and citizenship = '_T' "
            "and form = '_T' and breakdown = '_T' group by 1 order by 1"
        ).fetchall()
        every = connection.execute(
            "select distinct indicator from fct_indicator_value where reference_area = 'ARG' "
            "and source_type = 'service'"
        ).fetchall()
    assert persons == ROLES
    assert contacts == 3352
    assert indicators == [("contact_persons", 2616), ("contacts_received", 3352)]
    assert {name for (name,) in every} == {"contact_persons", "contacts_received"}


def test_an_age_of_zero_of_an_accused_is_not_known(countries: Countries) -> None:
    accused = "contact_role, age_state, count(*), count(*) filter (age = 0)"
    rows = landed(countries[0], "contact_person", accused)
    assert ("ACCUSED", "not_known", 155, 0) in rows
    assert ("ACCUSED", "not_stated", 481, 0) in rows
    assert sum(zeros for *_, zeros in rows) == 72
    assert [m.split(":")[0] for m in messages(countries, "TIP-660")] == [
        "155 values of edad_aparente are taken as _U",
        "72 values of edad_aparente are kept",
    ]


def test_gender_is_no_sex(countries: Countries) -> None:
    assert landed(countries[0], "contact_person", "sex, count(*)") == [("_N", 2616)]
    genders = dict(landed(countries[0], "contact_person", "gender, count(*)"))
    assert genders["FEMININE"] == 1293
    assert genders["TRANS_NON_CONFORMING"] == 28


def test_repeated_rows_are_kept_and_counted_both_ways(countries: Countries) -> None:
    [message] = messages(countries, "TIP-661")
    assert message.startswith("2,616 rows, 2,495 of them different: 121 repeat another row exactly")
    numbers = "count(distinct contact_ref || '|' || person_no), count(*)"
    assert landed(countries[0], "contact_person", numbers) == [(2616, 2616)]


def test_every_person_is_joined_to_a_contact(countries: Countries) -> None:
    files = countries[0].landing_dir / "service-arg-linea145-*"
    [(orphans,)] = duckdb.execute(
        f"select count(*) from '{files}/contact_person.parquet' p anti join "
        f"'{files}/contact.parquet' c using (contact_ref)"
    ).fetchall()
    assert orphans == 0


def test_all_subtopics_have_a_scope(countries: Countries) -> None:
    scopes = dict(landed(countries[0], "contact", "contact_subject, count(*)"))
    assert set(scopes) == {"TIP", "TIP_RELATED", "OTHER", "_U"}
    assert sum(scopes.values()) == 3352
    assert not messages(countries, "TIP-201")


def test_no_free_text_of_the_files_is_landed(countries: Countries, test_data: Path) -> None:
    """Towns, institutions and what callers told of themselves are left out, not only unnamed."""
    told = free_texts(test_data)
    # Only numbers are compared here, so that a failure prints nothing of the files.
    n_told, n_kept = len(told), len(told & landed_texts(countries[0]))
    assert n_told > 100
    assert n_kept == 0


def free_texts(test_data: Path) -> set[str]:
    """Longer texts of the columns that are not loaded; provinces bear the names of towns."""
    [calls] = (test_data / "arg_linea145").glob("rescate-*.csv")
    columns = ("localidad", "denunciante_localidad", "origen", "derivacion_institucion")
    return {
        str(value)
        for column in columns
        for (value,) in duckdb.execute(
            f"with calls as (from read_csv('{calls}', all_varchar = true)) "
            f"select distinct {column} from calls where length({column}) > 12 "
            f"and {column} not in (select provincia from calls where provincia is not null)"
        ).fetchall()
    }


def landed_texts(ws: Workspace) -> set[str]:
    """Every value of every landed record, finding and map of the return."""
    return {
        str(value)
        for path in sorted(ws.landing_dir.glob("service-arg-linea145-*/*.parquet"))
        for row in duckdb.execute(f"select columns(*)::varchar from '{path}'").fetchall()
        for value in row
        if value
    }
