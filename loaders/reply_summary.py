"""The content of a reply's sheets and notes: header, counts by rule, first cells, what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from loaders.findings import SEVERITIES
from loaders.reply_content import FIRST_CELLS, LISTED, Content
from loaders.reply_sheets import Cell, ReplySheet
from loaders.reply_words import column_name, kind_name, language_of, record_type_name, words

_SUMMARY_WIDTHS = (28, 9, 30, 40, 32, 14, 22, 10, *([8] * FIRST_CELLS), 14)
_LIST_WIDTHS = (28, 9, 14, 8, 22, 16, 28, 28, 22, 30, 40)


@dataclass(frozen=True)
class Target:
    """The workbook that the sheets stand in.

    Attributes:
        sheets: names of its sheets, to whose cells links lead.
        marked: cells with colour and note.
    """

    sheets: frozenset[str]
    marked: int


def sheets_of(
    content: Content, free_name: Callable[[str], str], target: Target | None
) -> list[ReplySheet]:
    """The summary and the list of findings.

    Args:
        content: what is replied.
        free_name: gives a name that no sheet of the workbook has.
        target: the workbook that they stand in; ``None`` for one of findings alone.
    """
    said = words(language_of(content.account.language))
    summary = ReplySheet(free_name(said["sheet.summary"]), _SUMMARY_WIDTHS)
    _header(summary, content, said, target)
    _legend(summary, content, said)
    _groups(summary, content, said, target)
    listed = ReplySheet(free_name(said["sheet.list"]), _LIST_WIDTHS)
    _list(listed, content, said, target)
    return [summary, listed]


def _header(
    sheet: ReplySheet, content: Content, said: Mapping[str, str], target: Target | None
) -> None:
    account, language = content.account, language_of(content.account.language)
    sheet.add(Cell(said["title"], font="title"))
    sheet.add(Cell(said["lead.marked" if target else "lead.list"]))
    sheet.skip()
    period = f"{account.period_start} – {account.period_end}".strip(" –")
    outcome = said.get(f"outcome.{account.outcome}", account.outcome)
    lines: list[tuple[str, str | int]] = [
        ("file", account.file_name),
        ("return", kind_name(account.kind, language)),
        ("sender", account.sender),
        ("period", period),
        ("submission", account.submission_id),
        ("outcome", outcome),
        ("read", account.read),
        ("held", account.held),
        ("loaded", account.loaded),
    ]
    if content.since:
        numbers = {n: f"{content.since[n]:,}" for n in ("mended", "left", "new")}
        earlier = content.since["earlier"]
        lines.append(("since", said["since.text"].format(earlier=earlier, **numbers)))
    for key, value in lines:
        if value != "":
            shown = f"{value:,}" if isinstance(value, int) else value
            sheet.add(Cell(said[f"head.{key}"], font="bold"), Cell(), Cell(shown))
    sheet.skip()


def _legend(sheet: ReplySheet, content: Content, said: Mapping[str, str]) -> None:
    """Findings by severity, in their colour, with what each severity means."""
    counts = content.counts
    names = ("severity", "places", "meaning")
    sheet.add(*(Cell(said[f"column.{n}"], font="bold", colour="head") for n in names))
    for severity in SEVERITIES:
        sheet.add(
            _severity(severity, said),
            Cell(counts.get(severity, 0)),
            Cell(said[f"meaning.{severity}"]),
        )
    sheet.add(Cell(said["total"], font="bold"), Cell(sum(counts.values()), font="bold"))
    sheet.skip()


def _groups(
    sheet: ReplySheet, content: Content, said: Mapping[str, str], target: Target | None
) -> None:
    if not content.groups:
        sheet.add(Cell(said["nothing"], font="bold"))
        return
    names = ("severity", "rule", "wrong", "do", "expected", "sheet", "column", "places", "cells")
    head = [Cell(said[f"column.{n}"], font="bold", colour="head") for n in names]
    sheet.add(*head, *([Cell("", colour="head")] * FIRST_CELLS))
    for group in content.groups:
        sheet.add(*_group(group, content, said, target))
    if content.n_groups > len(content.groups):
        _more(sheet, said["more.groups"], content.n_groups - len(content.groups))
    if target and content.n_cells > target.marked:
        _more(sheet, said["more.cells"], content.n_cells - target.marked)


def _severity(severity: str, said: Mapping[str, str]) -> Cell:
    return Cell(said[f"severity.{severity}"], font="bold", colour=severity, wrap=True)


def _more(sheet: ReplySheet, text: str, n: int) -> None:
    sheet.add(Cell(text.format(n=f"{n:,}"), font="bold"))


def _group(
    group: Mapping[str, Any], content: Content, said: Mapping[str, str], target: Target | None
) -> list[Cell]:
    language = language_of(content.account.language)
    wrong = "\n".join([group["title"], *(group["messages"] or [])])
    column = column_name(
        group["record_type"], group["variable"], group["column_letter"] or "", language
    )
    place = group["sheet"] or record_type_name(group["record_type"], language)
    cells = group["cells"] or []
    more = group["n_cells"] - len(cells)
    row = [
        _severity(group["severity"], said),
        Cell(group["rule_id"]),
        Cell(wrong, wrap=True),
        Cell(group["fix"], wrap=True),
        Cell(_expected(group["expected"], group["nearest"] or [], said), wrap=True),
        Cell(place, wrap=True),
        Cell(column, wrap=True),
        Cell(int(group["n"])),
        *(_link(group["sheet"], cell, target) for cell in cells),
        *([Cell()] * (FIRST_CELLS - len(cells))),
    ]
    return [*row, Cell(said["more"].format(n=f"{more:,}"))] if more > 0 else row


def _expected(expected: str, nearest: list[str], said: Mapping[str, str]) -> str:
    near = f"{said['nearest']}: {', '.join(nearest)}" if nearest else ""
    return "\n".join(part for part in (expected, near) if part)


def _link(sheet: str, cell: str, target: Target | None) -> Cell:
    if target is None or sheet not in target.sheets:
        return Cell(cell)
    return Cell(cell, font="link", target=(sheet, cell))


def _list(
    sheet: ReplySheet, content: Content, said: Mapping[str, str], target: Target | None
) -> None:
    language = language_of(content.account.language)
    n = content.n_findings
    sheet.add(Cell(said["sheet.list"], font="title"))
    if n > LISTED:
        sheet.add(Cell(said["more.list"].format(n=f"{n - LISTED:,}", m=f"{LISTED:,}"), font="bold"))
    names = (
        "severity", "rule", "sheet", "cell", "column", "found", "wrong", "detail", "nearest",
        "expected", "do",
    )  # fmt: skip
    sheet.filtered = sheet.add(
        *(Cell(said[f"column.{name}"], font="bold", colour="head") for name in names)
    )
    for row in content.findings:
        letter = row["column_letter"] or ""
        column = column_name(row["record_type"], row["variable"], letter, language)
        sheet.add(
            _severity(row["severity"], said),
            Cell(row["rule_id"]),
            Cell(row["sheet"] or record_type_name(row["record_type"], language)),
            _link(row["sheet"], row["cell"], target),
            Cell(column, wrap=True),
            Cell(row["value"] or "", wrap=True),
            Cell(row["title"], wrap=True),
            Cell(row["message"], wrap=True),
            Cell(row["nearest"], wrap=True),
            Cell(row["expected"], wrap=True),
            Cell(row["fix"], wrap=True),
        )


def note_of(cell: Mapping[str, Any], language: str) -> str:
    """The note on a cell: of each finding the rule, what was found and expected, what to do."""
    said = words(language_of(language))
    blocks = [_block(found, said) for found in cell["found"]]
    if cell["n"] > len(blocks):
        blocks.append(said["more"].format(n=f"{cell['n'] - len(blocks):,}"))
    return "\n\n".join(blocks)


def _block(found: Mapping[str, Any], said: Mapping[str, str]) -> str:
    shown = f'"{found["value"]}"' if found["value"] is not None else ""
    parts = (
        ("found", " ".join(part for part in (shown, found["message"]) if part)),
        ("expected", found["expected"]),
        ("nearest", found["nearest"]),
        ("do", found["fix"]),
    )
    severity = said[f"severity.{found['severity']}"]
    head = f"{severity}: {found['title']} ({found['rule_id']})"
    return "\n".join([head, *(f"{said[name]}: {text}" for name, text in parts if text)])
