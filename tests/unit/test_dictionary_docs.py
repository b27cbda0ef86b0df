"""docs/dictionary.md is the contract: its tables are those of ``seeds/catalogue/variables.csv``.

After a change of the contract run ``python tests/unit/test_dictionary_docs.py``.
"""

from __future__ import annotations

from pathlib import Path

from tipstat.classification import label
from tipstat.contract import RecordType, Variable, load_contract

PAGE = Path(__file__).resolve().parents[2] / "docs" / "dictionary.md"
START, END = "<!-- dictionary: start -->", "<!-- dictionary: end -->"
HEAD = (
    "| variable | type | list | obligation | multi | definition | standard | since |\n"
    "|---|---|---|---|---|---|---|---|"
)


def row(variable: Variable) -> str:
    name = f"**`{variable.name}`**" if variable.is_key else f"`{variable.name}`"
    listed = f"`{variable.code_list}`" if variable.code_list else "–"
    multi = "yes" if variable.multi else "–"
    definition = variable.definition + _aside(variable)
    cells = (name, variable.type, listed, variable.obligation, multi, definition)
    return "| " + " | ".join((*cells, variable.standard, str(variable.since))) + " |"


def _aside(variable: Variable) -> str:
    notes = []
    if variable.refers_to:
        notes.append(f"names a record of `{variable.refers_to}`")
    if variable.default_value:
        notes.append(f"where empty: `{variable.default_value}`")
    return f" ({', '.join(notes)})" if notes else ""


def section(record_type: RecordType) -> str:
    title = f"### {record_type.kind}, {label('record_type', record_type.name).lower()}"
    lines = [title, "", f"Record type `{record_type.name}`.", "", HEAD]
    return "\n".join(lines + [row(variable) for variable in record_type.variables])


def tables() -> str:
    return "\n\n".join(section(rt) for rt in load_contract().record_types.values())


def parts() -> tuple[str, str, str]:
    before, rest = PAGE.read_text(encoding="utf-8").split(START)
    between, after = rest.split(END)
    return before, between, after


def test_the_page_has_every_variable_as_the_contract_has_it() -> None:
    assert parts()[1].strip() == tables()


def test_the_page_names_the_version_of_the_contract() -> None:
    assert f"version {load_contract().version} of the contract" in parts()[0]


if __name__ == "__main__":
    before, _, after = parts()
    PAGE.write_text(f"{before}{START}\n\n{tables()}\n\n{END}{after}", encoding="utf-8")
