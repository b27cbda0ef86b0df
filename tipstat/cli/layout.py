"""``tipstat layout``: list layouts, and check a file against one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tipstat.cli.common import emit, format_option, progress
from tipstat.errors import ExitCode, TipstatError

if TYPE_CHECKING:
    from loaders.findings import Finding
    from loaders.layout import Layout
    from loaders.returned import Returned

#: Rules that compare numbers of the file with one another.
CONTROLS = ("TIP-650", "TIP-651", "TIP-655", "TIP-656", "TIP-657", "TIP-658")

#: Rows of an aggregate return that are shown.
FIRST_ROWS = 5

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

    own = _workspace_layouts(ctx.obj)
    paths = layout_paths(own)
    emit([_listed(path, own) for _, path in sorted(paths.items())], LISTED, fmt)


@layout.command("check", epilog="Example:  tipstat layout check per_pnp_2017 police.xlsx")
@click.argument("layout_name", metavar="LAYOUT")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@format_option
@click.pass_context
def check_layout(ctx: click.Context, layout_name: str, files: tuple[Path, ...], fmt: str) -> None:
    """Apply LAYOUT (an id, or the path of a .yml file) to FILES and show what comes out.

    Nothing is landed and no workspace is needed. The exit code is 1 where there are findings
    other than notes. Rows are shown for aggregate returns only, never for records of persons.
    """
    from loaders.layout import apply_layout, load_layout
    from loaders.read import name_of, read_source

    chosen = load_layout(layout_name, _workspace_layouts(ctx.obj))
    with progress(f"reading {name_of(files)}"):
        source = read_source(
            files,
            encoding=chosen.encoding,
            delimiter=chosen.delimiter,
            repairs=chosen.repairs,
        )
        returned = apply_layout(chosen, source)
    if fmt == "table":
        _show(chosen, name_of(files), returned)
    else:
        emit([_row(finding) for finding in returned.findings], FINDINGS, fmt)
    if any(finding.severity != "note" for finding in returned.findings):
        ctx.exit(int(ExitCode.FINDINGS))


def _workspace_layouts(explicit: str | None) -> Path | None:
    """The folder of the workspace's layouts; none where no workspace was named or found."""
    from tipstat.workspace import Workspace

    try:
        return Workspace.find(explicit).layouts_dir
    except TipstatError:
        if explicit:
            raise
        return None


def _listed(path: Path, own: Path | None) -> dict[str, object]:
    from loaders.layout import load_layout

    where = "workspace" if own is not None and path.parent == own else "tipstat"
    try:
        found = load_layout(path)
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


def _show(chosen: Layout, name: str, returned: Returned) -> None:
    click.echo(f"{chosen.id}: {chosen.title}\n{name}\n")
    counts = [
        {"record type": one.record_type, "records": one.table.num_rows} for one in returned.tables
    ]
    emit(counts, ("record type", "records"), "table")
    _show_controls(chosen, returned)
    _show_findings(returned)
    if returned.kind == "aggregate":
        _show_first_rows(returned)


def _show_controls(chosen: Layout, returned: Returned) -> None:
    controls = sum(
        len(record.controls) + len(record.totals) + len(record.identities)
        for record in chosen.records
    )
    if not controls:
        return
    differing = [finding for finding in returned.findings if finding.rule_id in CONTROLS]
    click.echo(f"\ncontrols: {controls}, differences: {len(differing)}")
    for finding in differing:
        click.echo(f"  {finding.rule_id} {finding.cell:<8} {finding.message}")


def _show_findings(returned: Returned) -> None:
    """Findings grouped by rule, each with its number of places and its first message."""
    from tipstat.rules import rule

    grouped: dict[str, list[Finding]] = {}
    for finding in returned.findings:
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
