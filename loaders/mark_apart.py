"""Mark a sender's workbook in a process of its own: what is asked of it, and what it gives back."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from loaders.apart import Answer, put, work_apart
from loaders.reply_content import Account, Content
from loaders.reply_copy import write_marked
from loaders.xml_edit import UnchangeableError

if TYPE_CHECKING:
    from tipstat.limits import Limits


def mark_apart(name: str, data: bytes, content: Content, limits: Limits) -> tuple[int, bytes]:
    """Mark a workbook in a process of its own; the arguments are those of ``write_marked``.

    Returns:
        How many cells are marked, and the copy.

    Raises:
        UnchangeableError: as ``write_marked``.
        ReturnRefused: as ``write_marked``; TIP-151 where the process took too much memory or
            time, and TIP-103 where it broke off.
        WorkplaceError: TIP-199 the process did not start.
    """
    asked = {"content": asdict(content)}
    marked = work_apart("mark", name, data, limits, asked=asked, believed=_marked)
    if isinstance(marked, UnchangeableError):
        raise marked
    return marked


def _marked(head: dict[str, Any], answer: Answer) -> tuple[int, bytes] | UnchangeableError:
    """The copy goes back to who sent the workbook: nothing here looks into it."""
    if "unchangeable" in head:
        return UnchangeableError(str(head["unchangeable"]))
    return int(head["marked"]), answer.part()


# ── in the process ────────────────────────────────────────────────────────────────────────────


def answer(asked: dict[str, Any], data: bytes, limits: Limits, out: io.BufferedWriter) -> None:
    """Mark the workbook and give back the copy."""
    given = asked["content"]
    content = Content(**{**given, "account": Account(**given["account"])})
    copy = io.BytesIO()
    try:
        marked = write_marked(asked["name"], data, content, copy, limits)
    except UnchangeableError as error:
        put(out, json.dumps({"unchangeable": str(error)}).encode())
        return
    put(out, json.dumps({"marked": marked}).encode())
    put(out, copy.getbuffer())
