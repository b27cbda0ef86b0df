"""The sheets that a reply adds to a return, known again when the return comes back corrected."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loaders.source import Sheet, Source

#: Stands in cell A1 of every sheet of a reply, in a hidden row.
REPLY_MARK = "tipstat:feedback:1"


def without_reply(source: Source) -> Source:
    """A file without the sheets of an earlier reply, which are no part of the return.

    Args:
        source: the file as read.

    Returns:
        The file without these sheets and what was noted of them; ``source.replies`` names them.
    """
    names = tuple(sheet.name for sheet in source.sheets if _is_reply(sheet))
    if not names:
        return source
    return replace(
        source,
        sheets=tuple(sheet for sheet in source.sheets if sheet.name not in names),
        error_cells=tuple(cell for cell in source.error_cells if cell.sheet not in names),
        notes=tuple(note for note in source.notes if note.sheet not in names),
        replies=names,
    )


def _is_reply(sheet: Sheet) -> bool:
    if not sheet.table.num_rows or "c1" not in sheet.table.column_names:
        return False
    first = sheet.table.column("c1")[0].as_py()
    return bool(first == REPLY_MARK and sheet.table.column("_row")[0].as_py() == 1)
