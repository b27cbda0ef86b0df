"""A file with its layout as cells that can be reconciled with another source."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from loaders.check import check_with
from loaders.inspection import Context
from loaders.layout import apply_layout, load_layout
from loaders.preview import named_entities
from loaders.read import read_source
from tipstat.errors import UsageError
from tipstat.reconcile_sources import COUNTED, make_cells
from tipstat.rules import refuse

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from tipstat.limits import Limits


def cells_of_file(
    connection: duckdb.DuckDBPyConnection,
    side: str,
    path: Path,
    layout: str,
    *,
    layouts: Path | None = None,
    office: Path | None = None,
    limits: Limits | None = None,
) -> str:
    """Make ``cells_<side>`` from a file that is landed nowhere.

    The file is laid out and checked as for a load; records that would be held out are left out.

    Args:
        connection: gets the table.
        side: ``a`` or ``b``.
        path: the file.
        layout: id or path of its layout.
        layouts: the workspace's own layouts.
        office: the workspace's own correspondences.
        limits: of the workspace; the usual ones where not given.

    Returns:
        What the source is, in one line.

    Raises:
        ReturnRefused: the file does not fit the layout.
        UsageError: TIP-743, nothing of the file can be compared.
    """
    chosen = load_layout(layout, layouts, office=office)
    source = read_source(
        path,
        encoding=chosen.encoding,
        delimiter=chosen.delimiter,
        repairs=chosen.repairs,
        limits=limits,
    )
    returned = apply_layout(chosen, source)
    name = "cell" if chosen.kind == "aggregate" else "victim"
    types = [one.record_type for one in returned.tables]
    if chosen.kind not in ("aggregate", *COUNTED) or name not in types:
        raise refuse("TIP-743", UsageError, where=path.name, found=f"a {chosen.kind} return")
    context = replace(Context(entities=named_entities(returned)), office=office)
    with closing(check_with(returned, context, path.name)) as result:
        records = result.connection.sql(
            f"select * from rec_{name} r where not exists "
            f"(select 1 from held h where h.record_type = '{name}' and h.i = r._i)"
        ).to_arrow_table()
    connection.register(f"records_{side}", records)
    make_cells(connection, side, f"records_{side}", chosen.kind, chosen.reference_area)
    connection.unregister(f"records_{side}")
    return f"{path.name}, as {chosen.id} reads it"
