"""``tipstat layout``: list layouts, and check a file against one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tipstat.cli.common import (
    delimiter_option,
    emit,
    encoding_option,
    format_option,
    progress,
    workspace_if_any,
)
from tipstat.errors import ExitCode, TipstatError, UsageError

if TYPE_CHECKING:
    from loaders.findings import Finding
    from loaders.inspection import Context
    from loaders.layout import Layout
    from loaders.preview import Preview
    from loaders.proposal import Proposal
    from loaders.proposal_cells import Cell
    from loaders.returned import Returned
    from tipstat.workspace import Workspace

#: Rules that compare numbers of the file with one another.
CONTROLS = (
    *("TIP-650", "TIP-651", "TIP-655", "TIP-656", "TIP-657", "TIP-658"),
    *("TIP-665", "TIP-666"),
)

#: Rows of an aggregate return that are shown.
FIRST_ROWS = 5
#: Entities and areas that are named.
SHOWN = 8

LISTED = ("id", "title", "kind", "area", "valid", "where")
FINDINGS = ("rule", "severity", "record_type", "sheet", "cell", "places", "message", "nearest")


@click.group(epilog="Example:  tipstat layout list")
def layout() -> None:
    """List layouts, or check a file against one.

    A layout says how a file that is not the standard workbook is read; docs/layouts.md tells how
    one is written.
    """


@layout.command("list", epilog="Example:  tipstat layout list --format csv")
@format_option
@click.pass_context
def list_layouts(ctx: click.Context, fmt: str) -> None:
    """List the layouts that come with tipstat and those of the workspace."""
    from loaders.layout import layout_paths

    ws = workspace_if_any(ctx.obj)
    paths = layout_paths(ws.layouts_dir if ws else None)
    emit([_listed(path, ws) for _, path in sorted(paths.items())], LISTED, fmt)


@layout.command("check", epilog="Example:  tipstat layout check per_pnp_2017 police.xlsx")
@click.argument("layout_name", metavar="LAYOUT")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@format_option
@click.pass_context
def check_layout(ctx: click.Context, layout_name: str, files: tuple[Path, ...], fmt: str) -> None:
    """Apply LAYOUT (an id, or the path of a .yml file) to FILES and show what it would load.

    Records by type, period, entities, columns, values with and without a code, controls and
    findings of every rule. Nothing is landed and no workspace is needed; without one every entity
    that the file names is taken as registered. The exit code is 1 where there are findings other
    than notes. Rows are shown for aggregate returns only, never for records of persons.
    """
    from loaders.reader import readers

    readers.prepare()
    from loaders.layout import apply_layout, load_layout
    from loaders.preview import preview
    from loaders.read import name_of, read_source

    ws = workspace_if_any(ctx.obj)
    chosen = load_layout(
        layout_name,
        ws.layouts_dir if ws else None,
        office=ws.correspondences_dir if ws else None,
    )
    with progress(f"reading {name_of(files)}"):
        source = read_source(
            files,
            encoding=chosen.encoding,
            delimiter=chosen.delimiter,
            repairs=chosen.repairs,
            limits=ws.settings.limits if ws else None,
        )
        returned = apply_layout(chosen, source)
        found = preview(chosen, returned, _context(ws), name_of(files))
    if fmt == "table":
        _show(chosen, name_of(files), returned, found)
    else:
        emit([_row(finding) for finding in found.findings], FINDINGS, fmt)
    if any(finding.severity != "note" for finding in found.findings):
        ctx.exit(int(ExitCode.FINDINGS))


def _context(ws: Workspace | None) -> Context | None:
    """What the workspace knows of entities."""
    from loaders.check import context_of

    return context_of(ws) if ws else None


@layout.command(
    "new",
    epilog="Example:  tipstat layout new victimas.xlsx --area PER -o layouts/victimas_2024.yml",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--kind", help="Kind of return: police, court, service or aggregate.")
@click.option("--area", help="Country that registered, alpha-3; otherwise the workspace's own.")
@click.option("--sheet", help="Sheet of the table; otherwise the visible one with most cells.")
@encoding_option
@delimiter_option
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path),
    help="The .yml file; by default in the workspace's layouts, by the name of FILE.",
)  # fmt: skip
@click.pass_context
def new_layout(
    ctx: click.Context,
    /,
    *,
    file: Path,
    kind: str | None,
    area: str | None,
    sheet: str | None,
    encoding: str | None,
    delimiter: str | None,
    output: Path | None,
) -> None:
    """Propose a layout for FILE and write it down, with a reason beside each line.

    Columns are placed by their names in English, Spanish and French and by how well their values
    fit a code list. What could not be placed, and what is left to fill in, stands in the head of
    the file. Nothing is loaded.
    """
    from loaders.reader import readers

    readers.prepare()
    from loaders.layout import load_layout
    from loaders.proposal import propose
    from loaders.proposal_yaml import layout_id, render
    from loaders.read import read_source
    from tipstat.rules import refuse

    ws = workspace_if_any(ctx.obj)
    path = output or (ws.layouts_dir if ws else Path()) / f"{layout_id(file.stem)}.yml"
    if path.exists():
        raise refuse("TIP-694", UsageError, where=str(path))
    with progress(f"reading {file.name}"):
        limits = ws.settings.limits if ws else None
        source = read_source(file, encoding=encoding, delimiter=delimiter, limits=limits)
        proposal = propose(source, _area(ws, area), kind=kind, sheet=sheet)
    path.parent.mkdir(parents=True, exist_ok=True)
    asked = {"encoding": encoding, "delimiter": delimiter}
    path.write_text(render(proposal, path.stem, file.name, asked), encoding="utf-8")
    load_layout(path)
    _show_proposal(proposal, path, file)


def _area(ws: Workspace | None, named: str | None) -> str:
    """The reference area of the command line, or else of the workspace."""
    from tipstat.classification import code_list
    from tipstat.rules import refuse

    area = named or (ws.settings.reference_area if ws else "")
    # _Z: a file of many countries, whose rows tell their own.
    if not area or area.upper() not in {*code_list("country").by_code, "_Z"}:
        raise refuse("TIP-690", UsageError, found=area or "none")
    return area.upper()


def _show_proposal(proposal: Proposal, path: Path, file: Path) -> None:
    from loaders.proposal_yaml import to_fill

    found = proposal.found
    click.echo(f"{found.sheet.name}: heading in row {found.header_row}, {found.rows:,} rows below")
    click.echo(f"{proposal.kind} return, records of {proposal.record_type.name}\n")
    emit(_proposed(proposal), ("column", "becomes", "sure", "why"), "table")
    if proposal.unplaced:
        click.echo("\nnot placed, left aside under ignore")
        for column, why in proposal.unplaced:
            click.echo(f"  {column.header} ({column.letter}): {why}")
    missing = ", ".join(place for place, _ in to_fill(proposal))
    click.echo(f"\nto fill in: {missing}")
    click.echo(f"{path}: read it, mend it, then  tipstat layout check {path.stem} {file}")


def _proposed(proposal: Proposal) -> list[dict[str, object]]:
    """One row a column that has a place; of a long file its names are counted."""
    rows: list[dict[str, object]] = [
        {
            "column": one.column.header,
            "becomes": one.variable.name,
            "sure": f"{one.score:.0%}",
            "why": one.why,
        }
        for one in proposal.placed
    ]
    rows += [{"column": name, "becomes": "area_unit"} for name in proposal.joined]
    rows += [
        {"column": name, "becomes": "period"} for name in (proposal.year, proposal.month) if name
    ]
    cells = len([cell for cell in proposal.cells.values() if cell.dimensions])
    told = f"{cells} of {len(proposal.cells)} names are cells"
    rows += [{"column": name, "becomes": "long", "why": told} for name in proposal.long if name]
    rows += [
        {"column": name, "becomes": _dimensions(cell), "why": cell.why}
        for name, cell in proposal.wide.items()
    ]
    return rows


def _dimensions(cell: Cell) -> str:
    return ", ".join(f"{name} {code}" for name, code in cell.dimensions.items())


def _listed(path: Path, ws: Workspace | None) -> dict[str, object]:
    from loaders.layout import load_layout

    where = "workspace" if ws and path.parent == ws.layouts_dir else "tipstat"
    try:
        found = load_layout(path, office=ws.correspondences_dir if ws else None)
    except TipstatError as refusal:
        title = f"not valid: {refusal.rule} {refusal.where}"
        return {"id": path.stem, "title": title, "where": where}
    return {
        "id": found.id,
        "title": found.title,
        "kind": found.kind,
        "area": found.reference_area,
        "valid": f"{found.valid_from or ''} to {found.valid_to or ''}".strip(),
        "where": where,
    }


def _show(chosen: Layout, name: str, returned: Returned, found: Preview) -> None:
    click.echo(f"{chosen.id}: {chosen.title}\n{name}\n")
    counts = [
        {"record type": record_type, "records": records, "held out": held}
        for record_type, (records, held) in found.records.items()
    ]
    emit(counts, ("record type", "records", "held out"), "table")
    _show_scope(found)
    _show_columns(found)
    _show_codes(found)
    _show_controls(chosen, found)
    _show_findings(found)
    if returned.kind == "aggregate":
        _show_first_rows(returned)


def _show_scope(found: Preview) -> None:
    """Period, entities and areas, and what the metadata sheet still lacks."""
    first, last = found.period
    click.echo(f"\nperiod: {first or 'not told'} to {last or 'not told'}")
    for title, counts in (("entities", found.entities), ("areas", found.areas)):
        if counts:
            shown = [f"{code} ({n:,})" for code, n in list(counts.items())[:SHOWN]]
            more = f" and {len(counts) - SHOWN} more" if len(counts) > SHOWN else ""
            click.echo(f"{title}: {', '.join(shown)}{more}")
    if found.missing:
        click.echo(
            f"still to be told (--set, or metadata of the layout): {', '.join(found.missing)}"
        )


def _show_columns(found: Preview) -> None:
    click.echo()
    rows = [
        {"letter": u.letter, "column": u.column, "becomes": u.variable, "filled": u.filled}
        for u in found.columns
    ]
    emit(rows, ("letter", "column", "becomes", "filled"), "table")


def _show_codes(found: Preview) -> None:
    """Values coded and not coded, by variable; the commonest that have no code."""
    if not found.codes:
        return
    click.echo()
    rows = [
        {
            "coded": one.variable,
            "values": one.mapped,
            "cells": one.mapped_cells,
            "not coded": one.unmapped,
            "their cells": one.unmapped_cells,
            "such as": ", ".join(f"{value} ({n:,})" for value, n in one.unknown),
        }
        for one in found.codes
    ]
    emit(rows, ("coded", "values", "cells", "not coded", "their cells", "such as"), "table")


def _show_controls(chosen: Layout, found: Preview) -> None:
    controls = sum(
        len(record.controls) + len(record.totals) + len(record.identities) + len(record.sums)
        for record in chosen.records
    )
    if not controls:
        return
    differing = [finding for finding in found.findings if finding.rule_id in CONTROLS]
    click.echo(f"\ncontrols: {controls}, differences: {len(differing)}")
    for finding in differing:
        click.echo(f"  {finding.rule_id} {finding.cell:<8} {finding.message}")


def _show_findings(found: Preview) -> None:
    """Findings grouped by rule, each with its number of places and its first message."""
    from tipstat.rules import rule

    grouped: dict[str, list[Finding]] = {}
    for finding in found.findings:
        grouped.setdefault(finding.rule_id, []).append(finding)
    click.echo("\nfindings" if grouped else "\nno findings")
    for rule_id, members in sorted(grouped.items()):
        places = sum(finding.count for finding in members)
        click.echo(
            f"  {rule_id} {members[0].severity}: {rule(rule_id).title} "
            f"({len(members)} findings, {places:,} places)"
        )
        if rule_id not in CONTROLS:
            for finding in members[:FIRST_ROWS]:
                click.echo(f"    {finding.cell:<8} {finding.message}".rstrip())
            if members[FIRST_ROWS:]:
                click.echo(f"    and {len(members) - FIRST_ROWS} more (--format json lists all)")


def _show_first_rows(returned: Returned) -> None:
    for one in returned.tables:
        click.echo(f"\nfirst records of {one.record_type}")
        hidden = ("_sheet", "_pivot", "_letter")
        names = [name for name in one.table.column_names if name not in hidden]
        emit(one.table.slice(0, FIRST_ROWS).to_pylist(), names, "table")


def _row(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule_id,
        "severity": finding.severity,
        "record_type": finding.record_type,
        "sheet": finding.sheet,
        "cell": finding.cell,
        "places": finding.count,
        "message": finding.message,
        "nearest": finding.nearest,
    }
