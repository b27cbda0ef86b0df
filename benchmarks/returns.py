"""Generated returns of victims for the door: a CSV of thirty columns and its layout, and workbooks.

Every value follows from the number of the record and the name of its column, so that two runs see
the same file. One value in two thousand is wrong, one in ten optional ones is blank.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from tipstat.classification import code_list
from tipstat.contract import RecordType, Variable, load_contract

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The year that the returns are of, and their sender.
YEAR = 2023
SENDER = "XXA-NGO"
AREA = "XXA"

#: Columns of a file after its references, as many as make its width.
VALUES = (
    "registration_date",
    "consent_basis",
    "victim_status",
    "victim_status_date",
    "status_decided_by",
    "sex",
    "age",
    "age_group",
    "citizenship",
    "purpose",
    "act",
    "means",
    "age_moment",
    "age_basis",
    "population_scope",
    "gender",
    "marital_status",
    "migration_status",
    "education",
    "economic_activity_status",
    "disability",
    "intoxication",
    "birth_country",
    "residence_country",
    "recruitment_country",
    "exploitation_country",
    "control",
    "recruitment_method",
    "sector",
    "earlier_trafficking",
    "age_first_trafficked",
    "occupation",
    "entry_means",
    "exit_means",
    "transit_country",
    "recruiter_relationship",
)
KEY = ("victim_ref",)
THREE_REFERENCES = ("victim_ref", "event_ref", "case_issuer", "case_ref")
WIDTH = 30

#: So many codes of a long list, such as that of countries, appear in a column.
MOST_CODES = 40

#: One value in so many is no code, date or number.
WRONG_EVERY = 2000
#: Share of blanks in columns that need not be filled, in percent.
BLANK_PERCENT = 10

LAYOUT = """\
id: {id}
title: Generated return of {width} columns
kind: service
language: en
reference_area: {area}
valid_from: {year}-01-01
valid_to: {year}-12-31

source:
  publisher: the benchmark
  title: generated records
  url: https://example.org
  licence: none needed

file:
  format: {format}
  header_row: 1

metadata:
  sender: {sender}
  period_start: {year}-01-01
  period_end: {year}-12-31
  extraction_date: {after}-02-01
  maturity: FINAL
  intent: NEW
  nil_return: N
  legal_basis: LAW
  confidentiality_class: RESTRICTED

records:
  victim:
    columns:
{columns}
"""


def columns_of(references: Sequence[str], width: int = WIDTH) -> tuple[str, ...]:
    """The columns of a file: these references, then as many others as make the width."""
    known = {variable.name for variable in _victim().variables}
    values = [name for name in VALUES if name in known]
    return (*references, *values)[:width]


def write_layout(path: Path, columns: Sequence[str], file_format: str = "csv") -> Path:
    """Write the layout under which a generated file is read; its headers are in capitals."""
    listed = "\n".join(f"      {name.upper()}: {name}" for name in columns)
    text = LAYOUT.format(
        id=path.stem,
        width=len(columns),
        area=AREA,
        year=YEAR,
        after=YEAR + 1,
        sender=SENDER,
        format=file_format,
        columns=listed,
    )
    path.write_text(text, encoding="utf-8")
    return path


def write_csv(path: Path, rows: int, columns: Sequence[str], seed: int) -> Path:
    """Write a return of so many records as CSV in UTF-8."""
    with duckdb.connect() as connection:
        connection.execute(
            f"copy ({records_sql(rows, columns, seed)}) to '{path.as_posix()}' "
            "(format csv, header true)"
        )
    return path


def records_sql(rows: int, columns: Sequence[str], seed: int) -> str:
    """The query that makes the records, in their order, all columns text."""
    victim = _victim()
    picked = ", ".join(
        f"{_value(victim.variable(name), seed)} as {name.upper()}" for name in columns
    )
    return f"select {picked} from range({rows}) as records(i) order by i"


def _victim() -> RecordType:
    return load_contract().record_type("service", "victim")


def _value(variable: Variable, seed: int) -> str:
    """The SQL of a value as sent; ``i`` is the number of the record."""
    sound = _sound(variable, seed)
    if variable.type in ("reference", "issuer"):
        return sound
    wrong = f"when {_draw(variable.name + ' wrong', seed)} % {WRONG_EVERY} = 0 then 'n0 such value'"
    blank = ""
    if variable.obligation != "core":
        blank = f"when {_draw(variable.name + ' blank', seed)} % 100 < {BLANK_PERCENT} then null"
    return f"case {wrong} {blank} else {sound} end"


def _sound(variable: Variable, seed: int) -> str:
    draw = _draw(variable.name, seed)
    if variable.type == "reference":
        # Two victims an event and three a case; a name of two words and a number with letters.
        share = {"event_ref": 2, "case_ref": 3}.get(variable.name, 1)
        return f"'{variable.name[:2].upper()}-{YEAR}-' || lpad((i // {share})::varchar, 7, '0')"
    if variable.type == "issuer":
        return "'XXA-COURT'"
    age = f"(5 + {_draw('age', seed)} % 60)"
    if variable.name == "age_group":
        return f"case when {age} < 18 then 'Y0T17' else 'Y_GE18' end"
    if variable.type == "integer":
        # No younger when first trafficked than the years allow.
        return f"{age}::varchar" if variable.name == "age" else f"({age} - {draw} % 5)::varchar"
    if variable.type == "date":
        # Every record is registered by November, and whatever follows is of December.
        day = f"{draw} % 330" if variable.name == "registration_date" else f"335 + {draw} % 30"
        return f"strftime(date '{YEAR}-01-01' + ({day})::integer, '%Y-%m-%d')"
    return _coded(variable, seed)


def _coded(variable: Variable, seed: int) -> str:
    codes = [code.code for code in code_list(variable.code_list).codes if code.code != "NONE"]
    codes = codes[:: max(len(codes) // MOST_CODES, 1)]
    listed = ", ".join(f"'{code}'" for code in codes)
    one = f"([{listed}])[1 + ({_draw(variable.name, seed)} % {len(codes)})::integer]"
    if not variable.multi:
        return one
    other = f"([{listed}])[1 + ({_draw(variable.name + ' 2', seed)} % {len(codes)})::integer]"
    return f"case when i % 10 = 0 then {one} || '; ' || {other} else {one} end"


def _draw(name: str, seed: int) -> str:
    """A number that looks random and is the same in every run."""
    return f"hash(i, '{name} {seed}')"


def write_sheet(path: Path, rows: int, columns: Sequence[str], seed: int) -> Path:
    """Write a return of so many records as a workbook of one sheet."""
    import xlsxwriter

    with duckdb.connect() as connection:
        records = connection.execute(records_sql(rows, columns, seed)).fetchall()
    workbook = xlsxwriter.Workbook(path, {"constant_memory": True})
    sheet = workbook.add_worksheet("Victims")
    for number, row in enumerate([[name.upper() for name in columns], *records]):
        for column, value in enumerate(row):
            if value is not None:
                sheet.write_string(number, column, value)
    workbook.close()
    return path


def write_standard_workbook(path: Path, rows: int, seed: int) -> Path:
    """Write a return of so many victims as the standard workbook of services."""
    from loaders.templates import write_template

    columns = columns_of(KEY)
    with duckdb.connect() as connection:
        records = connection.execute(records_sql(rows, columns, seed)).fetchall()
    victims = [
        {name: value for name, value in zip(columns, record, strict=True) if value is not None}
        for record in records
    ]
    metadata = {
        "sender": SENDER,
        "reference_area": AREA,
        "period_start": f"{YEAR}-01-01",
        "period_end": f"{YEAR}-12-31",
        "extraction_date": f"{YEAR + 1}-02-01",
        "maturity": "FINAL",
        "intent": "NEW",
        "legal_basis": "LAW",
        "confidentiality_class": "RESTRICTED",
    }
    write_template("service", "en", path, rows={"victim": victims}, metadata=metadata)
    return path
