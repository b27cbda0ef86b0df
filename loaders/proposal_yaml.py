"""A proposal as the YAML of a layout, which explains itself in comments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from loaders.coding import collapsed, folded
from loaders.proposal import Proposal
from loaders.proposal_cells import Cell
from loaders.proposal_fit import Fit, Placed
from loaders.proposal_names import Meaning
from tipstat.contract import Variable, load_contract

#: Values of one variable that are written down, commonest first.
SHOWN = 60
#: Values of a record's column above which it may be free text, whose values are not shown.
FEW = 30

_PLAIN = re.compile(r"[^\W\d_][\w]*(?:[ ._/-]?\w)*")


def layout_id(text: str) -> str:
    """A name of a file from any text: letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", folded(text)).strip("_") or "layout"


def render(
    proposal: Proposal,
    name: str,
    file_name: str,
    asked: Mapping[str, str | None] | None = None,
) -> str:
    """The layout as it is written to a file.

    Args:
        proposal: what the file may be.
        name: id of the layout, which is also the name of its file.
        file_name: of the return, without its folder.
        asked: ``encoding`` and ``delimiter`` of the text, where they were given by hand.

    Returns:
        YAML that the engine accepts as it is; what is left to fill in stands in its head.
    """
    kind = "guessed by its columns" if proposal.guessed_kind else "as asked for"
    lines = [
        *_head(proposal, name, file_name),
        f"id: {_text(name)}",
        f"title: {_text(file_name)}",
        f"kind: {proposal.kind}{_note(kind)}",
        f"language: {proposal.language}{_note('by the words of its headings')}",
        f"reference_area: {proposal.area}",
        *_file(proposal, asked or {}),
        *_metadata(proposal),
        *_values(proposal),
        "",
        "records:",
        f"  {proposal.record_type.name}:",
        *_columns(proposal),
        *_joined(proposal),
        *_units(proposal),
        *_constants(proposal),
        *_period(proposal),
        *_cells(proposal),
        *_skip(proposal),
        *_totals(proposal),
        *_controls(proposal),
        *_ignore(proposal),
    ]
    return "\n".join(lines) + "\n"


def to_fill(proposal: Proposal) -> list[tuple[str, str]]:
    """What a person must still say, with its definition: core items of the metadata sheet."""
    known = {"reference_area", *(("period_start", "period_end") if proposal.period[0] else ())}
    items = [
        (f"metadata.{variable.name}", variable.definition)
        for variable in load_contract().metadata.variables
        if variable.obligation == "core" and variable.name not in known
    ]
    told = _told(proposal)
    for variable in proposal.record_type.variables:
        if variable.obligation == "core" and variable.name not in told:
            place = f"records.{proposal.record_type.name}: {variable.name}"
            items.append((place, variable.definition))
    return items


def _told(proposal: Proposal) -> set[str]:
    """Variables that are filled from somewhere, or that have a default."""
    cells = (*proposal.cells.values(), *proposal.wide.values())
    told = {name for cell in cells for name in cell.dimensions}
    told |= {one.variable.name for one in proposal.placed} | set(proposal.constants)
    told |= {"unit_of_count"} if proposal.units[0] else set()
    told |= {"value"} if cells else set()
    told |= {"period_start", "period_end"} if proposal.year else set()
    told |= {v.name for v in proposal.record_type.variables if v.default_value}
    return told | ({"age"} if "birth_date" in told else set())


def _head(proposal: Proposal, name: str, file_name: str) -> list[str]:
    found = proposal.found
    rows = found.header_row if found.header_rows == 1 else f"{found.header_row} and above"
    lines = [
        f"Proposed from {file_name}, sheet {found.sheet.name}:",
        f"heading in row {rows}, {found.rows:,} rows below.",
        "A proposal and no decision: read every line, mend it, then see what it would load:",
        f"  tipstat layout check {name} {file_name}",
        "",
        "To fill in, here or with --set:",
        *(f"  {place:<32} {what}" for place, what in to_fill(proposal)),
    ]
    guessed = [f"  {variable}: {code}, {why}" for variable, (code, why) in _guesses(proposal)]
    if guessed:
        lines += ["Guessed, to confirm:", *guessed]
    if proposal.unplaced:
        lines += ["Not placed, and left aside under ignore:"]
        lines += [
            f"  {column.header} (column {column.letter}): {why}"
            for column, why in proposal.unplaced
        ]
        if proposal.kind == "aggregate":
            lines += ["If one of them divides the numbers, its rows now pass for totals: place it."]
    return [f"# {_one_line(line)}".rstrip() for line in lines]


def _guesses(proposal: Proposal) -> list[tuple[str, tuple[str, str]]]:
    kind = [("kind", (proposal.kind, "by its columns"))] if proposal.guessed_kind else []
    return [*kind, *proposal.constants.items()]


def _file(proposal: Proposal, asked: Mapping[str, str | None]) -> list[str]:
    found = proposal.found
    lines = ["", "file:", f"  format: {proposal.format}"]
    if proposal.format == "xlsx":
        lines.append(f"  sheet: {_text(found.sheet.name)}")
    for item in ("encoding", "delimiter"):
        if asked.get(item):
            lines.append(f"  {item}: {_text(str(asked[item]))}  # as given")
    lines.append(f'  header_row: "{found.header_row}"')
    if found.header_rows > 1:
        lines.append(f'  header_rows: "{found.header_rows}"  # merged cells stand over others')
    if found.footer:
        column, pattern = found.footer
        lines += ["  footer:  # notes below the table"]
        lines += [f"    where: {{{_text(column)}: {{matches: {_text(pattern)}}}}}"]
    return lines


def _metadata(proposal: Proposal) -> list[str]:
    missing = [place.removeprefix("metadata.") for place, _ in to_fill(proposal)]
    lines = ["", "metadata:"]
    if proposal.period[0]:
        first, last = proposal.period
        lines += [f"  period_start: {first}  # the first and the last year of the file"]
        lines += [f"  period_end: {last}"]
    else:
        lines += ["  nil_return: N"]
    return [*lines, *(f"  # {name}:" for name in missing if ":" not in name)]


def _values(proposal: Proposal) -> list[str]:
    """Value maps of the columns whose values are no codes or labels."""
    records = proposal.kind != "aggregate"
    lines: list[str] = []
    for one in proposal.placed:
        if one.fit is not None and _showable(proposal, one):
            lines += _value_lines(one.variable, one.fit, records=records)
    if all(line.lstrip().startswith("#") for line in lines):
        return ["", "# values:", *lines] if lines else []
    return ["", "values:", *lines]


def _showable(proposal: Proposal, one: Placed) -> bool:
    """Whether the values of a column may be written down (STATISTICS section 6)."""
    if proposal.kind == "aggregate":
        return True
    fits = one.fit is not None and one.fit.share >= 0.5
    return fits and one.column.distinct <= FEW


def _value_lines(variable: Variable, fit: Fit, *, records: bool) -> list[str]:
    mapped = list(_once(fit.mapped))[:SHOWN]
    unknown = [f"    # {_one_line(value)}: not known, to be mapped" for value in fit.unknown]
    if fit.unknown and (records or len(fit.unknown) > SHOWN):
        unknown = [f"    # {len(fit.unknown):,} values are not known, to be mapped"]
    if not mapped:
        return [f"  # {variable.name}:", *unknown] if unknown else []
    lines = [f"  {variable.name}:"]
    lines += [
        f"    {_quoted(value)}: {_text(code)}{_note(f'{why}, {score:.0%}')}"
        for value, code, why, score in mapped
    ]
    return [*lines, *unknown]


def _once(mapped: Mapping[str, Meaning]) -> Iterable[tuple[str, str, str, float]]:
    """Values to map, those alike but for capitals and blanks once."""
    seen: set[str] = set()
    for value, meaning in mapped.items():
        if collapsed(value) not in seen:
            seen.add(collapsed(value))
            yield value, meaning.code, meaning.why, meaning.score


def _columns(proposal: Proposal) -> list[str]:
    if not proposal.placed:
        return []
    lines = ["    columns:"]
    for one in proposal.placed:
        note = _note(f"{one.score:.0%} sure; {one.why}")
        lines.append(f"      {_quoted(one.column.header)}: {one.variable.name}{note}")
    return lines


def _joined(proposal: Proposal) -> list[str]:
    if not proposal.joined:
        return []
    columns = ", ".join(_quoted(header) for header in proposal.joined)
    return [
        "    joined:  # smaller places within the area, which together name one unit",
        f'      area_unit: {{columns: [{columns}], separator: " / "}}',
    ]


def _units(proposal: Proposal) -> list[str]:
    column, patterns = proposal.units
    if not column:
        return []
    lines = ["    recode:", "      unit_of_count:  # follows from the measure"]
    lines += [f"        column: {_quoted(column)}", "        cases:"]
    return [
        *lines,
        *(f"          - {{matches: {_quoted(p)}, code: {c}}}" for p, c in patterns.items()),
    ]


def _constants(proposal: Proposal) -> list[str]:
    lines = [
        f"      {name}: {code}{_note(why)}" for name, (code, why) in proposal.constants.items()
    ]
    if proposal.kind == "aggregate" and not {"period_start"} & _told(proposal):
        # A record needs its period, and nothing in the file tells it.
        lines += [f"      # {name}: no column tells it" for name in ("period_start", "period_end")]
    if not lines:
        return []
    return [f"    {'' if proposal.constants else '# '}constants:", *lines]


def _period(proposal: Proposal) -> list[str]:
    if not proposal.year:
        return []
    month = f", month: {_quoted(proposal.month)}" if proposal.month else ""
    return [f"    period: {{year: {_quoted(proposal.year)}{month}}}"]


def _cells(proposal: Proposal) -> list[str]:
    if proposal.long[0]:
        variable, value = proposal.long
        lines = [
            "    long:",
            f"      variable: {_quoted(variable)}",
            f"      value: {_quoted(value)}",
        ]
        return [*lines, "      variables:", *(_cell(n, c) for n, c in proposal.cells.items())]
    if proposal.wide:
        lines = ["    wide:", "      columns:"]
        return [*lines, *(_cell(name, cell) for name, cell in proposal.wide.items())]
    return []


def _cell(name: str, cell: Cell) -> str:
    content = {"control": cell.control} if cell.control else dict(cell.dimensions)
    pairs = ", ".join(f"{key}: {_text(value)}" for key, value in content.items())
    return f"        {_quoted(name)}: {{{pairs}}}{_note(cell.why)}"


def _skip(proposal: Proposal) -> list[str]:
    if not proposal.skip:
        return []
    lines = ["    skip:"]
    for column, pattern, reason in proposal.skip:
        lines.append(f"      - where: {{{_quoted(column)}: {{matches: {_quoted(pattern)}}}}}")
        lines.append(f"        reason: {_text(reason)}")
    return lines


def _totals(proposal: Proposal) -> list[str]:
    totals = proposal.totals
    if totals is None:
        return []
    values = [one.column.header for one in proposal.placed if one.variable.name == "value"]
    lines = ["    totals:  # compared with the rows that they sum up, then left out"]
    for index, text in enumerate(totals.values, start=1):
        others = ", ".join(_quoted(value) for value in totals.values)
        lines += [
            f"      - id: total_{index}",
            f"        title: {_quoted(text)}",
            f"        where: {{{_quoted(totals.column)}: {_quoted(text)}}}",
            f"        parts: {{{_quoted(totals.column)}: {{except: [{others}]}}}}",
            f"        by: [{', '.join(_quoted(column) for column in totals.by)}]",
        ]
        if not proposal.wide:
            lines.append(f"        values: [{', '.join(_quoted(value) for value in values)}]")
    return lines


def _controls(proposal: Proposal) -> list[str]:
    """Each block of a long file against its own total, year by year."""
    if not (proposal.year and proposal.blocks):
        return []
    lines = ["    controls:  # the parts of a block against its total"]
    for index, block in enumerate(proposal.blocks, start=1):
        parts = ", ".join(_quoted(part) for part in block.parts)
        lines += [
            f"      - id: block_{index}",
            f"        title: {_quoted(f'block {block.prefix}' if block.prefix else 'block')}",
            f"        total: {_quoted(block.total)}",
            f"        parts: [{parts}]",
            f"        by: [{_quoted(proposal.year)}]",
        ]
    return lines


def _ignore(proposal: Proposal) -> list[str]:
    if not proposal.unplaced:
        return []
    lines = ["    ignore:"]
    return [*lines, *(f"      - {_quoted(c.header)}{_note(why)}" for c, why in proposal.unplaced)]


def _one_line(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _note(text: str) -> str:
    return f"  # {_one_line(text)}" if text else ""


def _text(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    """A text in double quotes, as YAML and JSON have in common; what is not printable escaped."""
    written = json.dumps(text, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in written)
