"""The standard workbook of each kind of return, in English, Spanish and French.

Every sheet is derived from the contract (``variables.csv``), the code lists and their labels; the
running text comes from ``loaders/template_texts``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from loaders.template_texts import definition, record_type_label, texts, variable_label
from tipstat.classification import code_list, labels, offences
from tipstat.contract import Contract, RecordType, Variable, load_contract

#: Version of the sheets' arrangement; raised when an older workbook can no longer be read.
TEMPLATE_VERSION = 1
#: Rows of a record sheet, counted from 0: hidden variable names, visible labels, first record.
CODE_ROW, LABEL_ROW, FIRST_ROW = 0, 1, 2
#: Columns of the metadata sheet, counted from 0; the last one is hidden.
LABEL_COLUMN, VALUE_COLUMN, MEANING_COLUMN, CODE_COLUMN = 0, 1, 2, 3
MARKER_SHEET, LISTS_SHEET = "_tipstat", "_lists"
MARKER = "tipstat_template"
CORE_MARK = " *"
READY_ROWS = 2000

#: Missing words offered in every drop-down; a blank cell means "not stated" by itself.
OFFERED_MISSING = ("_U", "_X", "_Z")
#: Lists whose codes are what practitioners write; they are offered as codes.
SHOWN_AS_CODES = frozenset({"iccs", "currency"})
_NATIONAL_LIST = re.compile(r"offence_([A-Z]{3})")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_INTEGER = re.compile(r"0|[1-9]\d{0,14}")
_DECIMAL = re.compile(r"(0|[1-9]\d{0,11})(\.\d{1,2})?")
_FORMULA_STARTS = ("=", "+", "-", "@")

Rows = Mapping[str, Sequence[Mapping[str, str]]]


def list_of(variable: Variable, reference_area: str | None) -> str | None:
    """The list offered for a variable, or ``None`` where record or country decides it."""
    if variable.code_list == "national_offence":
        return f"offence_{reference_area}" if reference_area else None
    return None if variable.code_list in ("", "@breakdown") else variable.code_list


def shown_values(list_name: str, language: str) -> dict[str, str]:
    """Code -> what the workbook shows for it.

    A code is shown by its label, or by itself where the label is missing, is shared with another
    code of the list, or holds the separator of multiple values.
    """
    national = _NATIONAL_LIST.fullmatch(list_name)
    if national:
        return {o.offence_code: o.offence_code for o in offences(national[1])}
    named = labels(language)
    codes = [code.code for code in code_list(list_name).codes]
    if list_name in SHOWN_AS_CODES:
        return {code: code for code in codes}
    wanted = {code: named.get((list_name, code), "").strip() for code in codes}
    times = Counter(label.casefold() for label in wanted.values())
    return {
        code: label if label and ";" not in label and times[label.casefold()] == 1 else code
        for code, label in wanted.items()
    }


def missing_words(language: str) -> dict[str, str]:
    """Missing code -> the word offered for it."""
    return {code: labels(language).get(("missing", code), code) for code in OFFERED_MISSING}


@dataclass
class _Template:
    """What the writing of one workbook needs throughout."""

    book: Workbook
    kind: str
    language: str
    reference_area: str | None
    contract: Contract

    @cached_property
    def words(self) -> dict[str, str]:
        return texts(self.language)

    @cached_property
    def formats(self) -> dict[str, Format]:
        head = {"bold": True, "text_wrap": True, "valign": "top", "bottom": 2}
        return {
            "title": self.book.add_format({"bold": True, "font_size": 16}),
            "head": self.book.add_format({**head, "bg_color": "#E7E6E6"}),
            "core": self.book.add_format({**head, "bg_color": "#BDD7EE", "top": 2}),
            "recommended": self.book.add_format({**head, "bold": False, "bg_color": "#DDEBF7"}),
            "optional": self.book.add_format({**head, "bold": False, "italic": True}),
            "wrap": self.book.add_format({"text_wrap": True, "valign": "top"}),
            "label": self.book.add_format({"bold": True, "text_wrap": True, "valign": "top"}),
            "text": self.book.add_format({"num_format": "@"}),
            "quoted": self.book.add_format({"num_format": "@", "quote_prefix": True}),
            "date": self.book.add_format({"num_format": "yyyy-mm-dd", "align": "left"}),
            "integer": self.book.add_format({"num_format": "0"}),
            "decimal": self.book.add_format({"num_format": "0.00"}),
        }

    @cached_property
    def record_types(self) -> tuple[RecordType, ...]:
        return self.contract.of_kind(self.kind)

    @cached_property
    def lists(self) -> dict[str, dict[str, str]]:
        """Every list of the workbook: name -> code -> what is shown."""
        variables = [v for rt in (self.contract.metadata, *self.record_types) for v in rt.variables]
        names = {list_of(v, self.reference_area) for v in variables if v.type == "code"}
        missing = missing_words(self.language)
        return {
            name: {**shown_values(name, self.language), **missing}
            for name in sorted(filter(None, names))
        }

    def format_of(self, variable: Variable) -> Format:
        kinds = {"date": "date", "birth_date": "date", "integer": "integer", "decimal": "decimal"}
        return self.formats[kinds.get(variable.type, "text")]


def write_template(
    kind: str,
    language: str,
    path: Path,
    *,
    reference_area: str | None = None,
    rows: Rows | None = None,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write the standard workbook of a kind of return.

    Args:
        kind: ``police``, ``court``, ``service`` or ``aggregate``.
        language: ``en``, ``es`` or ``fr``.
        path: the file to write; an existing one is replaced.
        reference_area: ISO 3166-1 alpha-3; fills the metadata sheet and offers the country's
            offences where its correspondence is known.
        rows: record type -> records (variable -> value) to fill in. Codes are written as labels
            of the language, ISO dates as dates, whole numbers as numbers, all else as text.
        metadata: values of the metadata sheet.

    Raises:
        KeyError: the contract has no such kind.
    """
    contract = load_contract()
    if kind not in contract.kinds():
        raise KeyError(kind)
    options = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        template = _Template(book, kind, language, reference_area, contract)
        title = f"{template.words['title']}: {labels(language).get(('kind', kind), kind)}"
        # A fixed day of creation: the same content gives the same bytes, and so the same hash.
        book.set_properties({"title": title, "created": datetime(2020, 1, 1)})
        _instructions(template)
        _metadata(template, {**_known(reference_area), **(metadata or {})})
        for record_type in template.record_types:
            _record_sheet(template, record_type, (rows or {}).get(record_type.name, ()))
        _lists(template)
        _marker(template)


def _known(reference_area: str | None) -> dict[str, str]:
    return {"reference_area": reference_area} if reference_area else {}


# ── instructions ──────────────────────────────────────────────────────────────────────────────


def _instructions(template: _Template) -> None:
    words, formats = template.words, template.formats
    sheet = template.book.add_worksheet(words["sheet"][:31])
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 30)
    sheet.set_column(2, 2, 16)
    sheet.set_column(3, 3, 70)
    kind = labels(template.language).get(("kind", template.kind), template.kind)
    sheet.write_string(0, 0, f"{words['title']}: {kind}", formats["title"])
    missing = missing_words(template.language)
    steps = [text.format_map(missing) for key, text in words.items() if key.startswith("step.")]
    for number, step in enumerate(steps, start=1):
        sheet.merge_range(number + 1, 0, number + 1, 3, f"{number}. {step}", formats["wrap"])
        sheet.set_row(number + 1, _height(step, 130))
    _column_table(template, sheet, len(steps) + 4)
    _page(sheet)


def _column_table(template: _Template, sheet: Worksheet, top: int) -> None:
    """All columns with their meaning, also for those who cannot see the notes of the header."""
    words = template.words
    for column, key in enumerate(("word.sheet", "word.column", "word.obligation", "word.meaning")):
        sheet.write_string(top, column, words[key], template.formats["head"])
    line = top
    for record_type in (template.contract.metadata, *template.record_types):
        name = record_type_label(record_type.name, template.language)
        for variable in record_type.variables:
            line += 1
            cells = (
                name,
                variable_label(variable.name, template.language),
                words[f"word.{variable.obligation}"],
                _meaning(template, variable),
            )
            for column, text in enumerate(cells):
                sheet.write_string(line, column, text, template.formats["wrap"])
            sheet.set_row(line, _height(cells[-1], 78))


def _height(text: str, width: int) -> float:
    """Height of a row in points for a wrapped text: programs other than Excel do not fit it."""
    return 15.0 * (1 + len(text) // width)


def _meaning(template: _Template, variable: Variable) -> str:
    """Definition, and how the value is written."""
    words = template.words
    parts = [f"{definition(variable.definition, template.language)}."]
    if variable.multi:
        parts.append(words["hint.multi"])
    if variable.code_list == "@breakdown":
        parts.append(words["hint.breakdown"])
    elif variable.code_list == "national_offence":
        parts.append(words["hint.offence"])
    hint = words.get(f"hint.{variable.type}")
    if hint:
        parts.append(hint)
    if variable.default_value:
        parts.append(words["hint.default"])
    return " ".join(parts)


def _page(sheet: Worksheet) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


# ── metadata and records ──────────────────────────────────────────────────────────────────────


def _metadata(template: _Template, values: Mapping[str, str]) -> None:
    sheet = template.book.add_worksheet(record_type_label("metadata", template.language))
    words, formats = template.words, template.formats
    sheet.set_column(LABEL_COLUMN, LABEL_COLUMN, 38)
    sheet.set_column(VALUE_COLUMN, VALUE_COLUMN, 34)
    sheet.set_column(MEANING_COLUMN, MEANING_COLUMN, 90)
    sheet.set_column(CODE_COLUMN, CODE_COLUMN, None, None, {"hidden": True})
    for column, key in enumerate(("word.item", "word.value", "word.meaning")):
        sheet.write_string(0, column, words[key], formats["head"])
    sheet.write_string(0, CODE_COLUMN, "variable", formats["head"])
    for line, variable in enumerate(template.contract.metadata.variables, start=1):
        label = _marked_label(template, variable)
        sheet.write_string(line, LABEL_COLUMN, label, formats[variable.obligation])
        meaning = _meaning(template, variable)
        sheet.write_string(line, MEANING_COLUMN, meaning, formats["wrap"])
        sheet.set_row(line, _height(meaning, 100))
        sheet.write_string(line, CODE_COLUMN, variable.name)
        _value(template, sheet, (line, VALUE_COLUMN), variable, values.get(variable.name, ""))
        _validation(template, sheet, variable, (line, VALUE_COLUMN, line, VALUE_COLUMN))
    sheet.freeze_panes(1, 0)
    _page(sheet)


def _marked_label(template: _Template, variable: Variable) -> str:
    """The label with a sign of its obligation, so that it does not hang on colour alone."""
    label = variable_label(variable.name, template.language)
    if variable.obligation == "core":
        return label + CORE_MARK
    if variable.obligation == "optional":
        return f"{label} ({template.words['word.optional']})"
    return label


def _record_sheet(
    template: _Template, record_type: RecordType, records: Sequence[Mapping[str, str]]
) -> None:
    sheet = template.book.add_worksheet(record_type_label(record_type.name, template.language))
    last = FIRST_ROW + READY_ROWS + len(records) - 1
    for column, variable in enumerate(record_type.variables):
        label = _marked_label(template, variable)
        width = min(34, max(14, len(label) // 2 + 6))
        sheet.set_column(column, column, width, template.format_of(variable))
        sheet.write_string(CODE_ROW, column, variable.name)
        sheet.write_string(LABEL_ROW, column, label, template.formats[variable.obligation])
        note = f"{label}\n{template.words[f'word.{variable.obligation}']}\n"
        sheet.write_comment(
            LABEL_ROW, column, note + _meaning(template, variable), {"x_scale": 2, "y_scale": 1.6}
        )
        _validation(template, sheet, variable, (FIRST_ROW, column, last, column))
        for line, record in enumerate(records, start=FIRST_ROW):
            _value(template, sheet, (line, column), variable, record.get(variable.name, ""))
    sheet.set_row(CODE_ROW, None, None, {"hidden": True})
    sheet.set_row(LABEL_ROW, 48)
    sheet.freeze_panes(FIRST_ROW, 0)
    sheet.repeat_rows(LABEL_ROW)
    _page(sheet)


def _value(
    template: _Template, sheet: Worksheet, cell: tuple[int, int], variable: Variable, value: str
) -> None:
    """Write one value as its type asks; what does not fit the type is written as text, as sent."""
    line, column = cell
    plain = template.format_of(variable)
    if value == "":
        sheet.write_blank(line, column, None, plain)
    elif variable.type in ("date", "birth_date") and (day := _real_date(value)):
        sheet.write_datetime(line, column, day, plain)
    elif variable.type == "integer" and _INTEGER.fullmatch(value):
        sheet.write_number(line, column, int(value), plain)
    elif variable.type == "decimal" and _DECIMAL.fullmatch(value):
        sheet.write_number(line, column, float(value), plain)
    else:
        shown = _shown(template, variable, value)
        quoted = shown.startswith(_FORMULA_STARTS)
        sheet.write_string(line, column, shown, template.formats["quoted" if quoted else "text"])


def _real_date(value: str) -> date | None:
    """The date that an ISO text names, from 1900 on: earlier days are no dates to a spreadsheet."""
    if not _ISO_DATE.fullmatch(value):
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if day > date(1900, 3, 1) else None


def _shown(template: _Template, variable: Variable, value: str) -> str:
    """A code as its label, several codes as several labels; whatever is no code as it is."""
    name = list_of(variable, template.reference_area)
    if variable.type != "code" or name is None:
        return value
    known = template.lists[name]
    if variable.multi and ";" in value:
        return "; ".join(known.get(part.strip(), part.strip()) for part in value.split(";"))
    return known.get(value, value)


def _validation(
    template: _Template, sheet: Worksheet, variable: Variable, cells: tuple[int, int, int, int]
) -> None:
    """The drop-down or the range of a column; multiple values and missing words stay possible."""
    words = template.words
    name = list_of(variable, template.reference_area)
    rule: dict[str, object]
    if variable.type == "code" and name is not None:
        rule = {
            "validate": "list",
            "source": f"=list_{name}",
            "show_error": not variable.multi,
            "error_title": words["error.title"],
            "error_message": words["error.list"],
        }
        if variable.multi:
            rule |= {"input_title": words["word.several"], "input_message": words["hint.multi"]}
    elif variable.type in ("date", "birth_date"):
        span = {"minimum": date(1900, 1, 1), "maximum": date(2099, 12, 31)}
        rule = {"validate": "date", "criteria": "between", **span, "error_type": "warning"}
        rule |= {"error_title": words["error.title"], "error_message": words["error.date"]}
    elif variable.type in ("integer", "decimal"):
        rule = {"validate": variable.type, "criteria": ">=", "value": 0, "error_type": "warning"}
        rule |= {"error_title": words["error.title"], "error_message": words["error.number"]}
    else:
        return
    sheet.data_validation(*cells, rule)


# ── hidden sheets ─────────────────────────────────────────────────────────────────────────────


def _lists(template: _Template) -> None:
    sheet = template.book.add_worksheet(LISTS_SHEET)
    for column, (name, values) in enumerate(template.lists.items()):
        sheet.write_string(0, column, name)
        sheet.write_column(1, column, list(values.values()))
        letter = xl_col_to_name(column)
        target = f"={LISTS_SHEET}!${letter}$2:${letter}${len(values) + 1}"
        template.book.define_name(f"list_{name}", target)
    sheet.hide()


def _marker(template: _Template) -> None:
    """What the loader recognises the workbook by; not reachable from the spreadsheet's menus."""
    sheet = template.book.add_worksheet(MARKER_SHEET)
    entries = {
        MARKER: "yes",
        "kind": template.kind,
        "language": template.language,
        "template_version": str(TEMPLATE_VERSION),
        "contract_version": str(template.contract.version),
        "contract_digest": template.contract.digest,
    }
    for line, (key, value) in enumerate(entries.items()):
        sheet.write_string(line, 0, key)
        sheet.write_string(line, 1, value)
    sheet.very_hidden()
