"""Write a reply: the sender's own workbook with coloured cells and notes, or one of findings."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import duckdb

from loaders.findings import FINDING_COLUMNS, SEVERITIES
from loaders.mended import changes_since, since
from loaders.read import fingerprint, name_of, received
from loaders.reply import REPLY_COLUMNS, Reply, day, make_reply
from loaders.reply_content import Account, Content
from loaders.reply_copy import write_findings_book, write_marked
from loaders.typed import quoted
from loaders.xml_edit import UnchangeableError
from tipstat.errors import ReturnRefused, UsageError, WorkplaceError
from tipstat.formulas import neutral
from tipstat.landing import earlier_submission, findings_file
from tipstat.limits import Limits
from tipstat.rules import refuse

if TYPE_CHECKING:
    from loaders.check import CheckResult
    from tipstat.workspace import Workspace

#: Cells of a workbook that get colour and note.
MARKED_CELLS = 2_000
#: What the refusal of a whole file tells.
_TOLD = ("rule_id", "severity", "message", "expected", "nearest")
_IN_MEMORY: dict[str, Any] = {
    "temp_directory": "",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        workbook: the reply.
        marked: cells with colour and note; none in a workbook of findings alone.
        cells: cells in which anything was found.
        reason: why the return could not be marked, where it is a workbook; else empty.
    """

    workbook: Path
    csv: Path
    json: Path
    marked: int
    cells: int
    reason: str = ""


# ── what is replied ───────────────────────────────────────────────────────────────────────────


def _outcome(result: CheckResult) -> str:
    if result.refused:
        return "refused"
    return "accepted" if result.known_as else "checked"


def reply_to_check(result: CheckResult, ws: Workspace, *, language: str = "") -> Reply:
    """A reply straight after a check, of a return that need not be loaded.

    Args:
        result: of the check; it stays open as long as the reply is used.
        ws: the workspace.
        language: instead of that of the return.

    Returns:
        The reply.
    """
    items = result.metadata
    account = Account(
        file_name=result.file_name,
        submission_id=result.known_as,
        outcome=_outcome(result),
        sender=str(items.get("sender") or ""),
        kind=result.kind,
        reference_area=str(items.get("reference_area") or ""),
        period_start=day(items.get("period_start")),
        period_end=day(items.get("period_end")),
        language=language or result.returned.language,
        records=result.records,
        held_out=result.held_out,
    )
    return make_reply(result.connection, account, ws, result.changes)


@contextmanager
def reply_to_refusal(
    refusal: ReturnRefused, ws: Workspace, file_name: str, *, language: str = ""
) -> Iterator[Reply]:
    """A reply on a file that could not be read or laid out: one finding, the refusal.

    Args:
        refusal: what the check said.
        ws: the workspace.
        file_name: of the return.
        language: of the reply; the file does not tell its own.

    Yields:
        The reply.
    """
    language = language or "en"
    account = Account(file_name, "", "refused", "", "", "", "", "", language, {}, {})
    place = refusal.where.removeprefix(file_name).strip(" ›")
    message = " › ".join(part for part in (place, refusal.found) if part)
    row = [refusal.rule, "refusal", message, refusal.expected, refusal.nearest]
    columns = ", ".join(f"'' as {quoted(name)}" for name in FINDING_COLUMNS if name not in _TOLD)
    with duckdb.connect(config=_IN_MEMORY) as con:
        con.execute(
            "create temp table finding as select * replace (null::varchar as value, "
            'null::integer as "row") from (select ? as rule_id, ? as severity, ? as message, '
            f"? as expected, ? as nearest, {columns}, 1::bigint as n, 0 as severity_rank, "
            "1 as place)",
            row,
        )
        yield make_reply(con, account, ws)


@contextmanager
def reply_to_submission(
    ws: Workspace, submission_id: str, *, file_name: str = "", language: str = ""
) -> Iterator[Reply]:
    """A reply on a submission, accepted or refused, from the findings kept of it.

    Args:
        ws: the workspace.
        submission_id: the submission.
        file_name: of the original, where it is there.
        language: instead of that of the return.

    Yields:
        The reply.

    Raises:
        UsageError: TIP-922 there is no such submission.
        WorkplaceError: TIP-722 its findings are no longer there.
    """
    row = ws.registry().submission(submission_id)
    accepted = dict(row.records)
    account = Account(
        file_name=file_name,
        submission_id=row.id,
        outcome=row.status,
        sender=row.sender,
        kind=row.kind,
        reference_area=row.reference_area,
        period_start=day(row.period_start),
        period_end=day(row.period_end),
        language=language or row.return_metadata.get("language", "en"),
        records={n: accepted.get(n, 0) + row.held_out.get(n, 0) for n in accepted | row.held_out},
        held_out=dict(row.held_out),
    )
    with duckdb.connect(config=_IN_MEMORY) as con:
        _read_findings(con, ws, row.id)
        changes = changes_since(con, ws, earlier_submission(ws, row))
        yield make_reply(con, account, ws, changes)


def matching(ws: Workspace, submission_id: str, files: Sequence[Path]) -> Path | None:
    """The file that a submission was received as, known by its hash; originals are not kept.

    Args:
        ws: the workspace.
        submission_id: the submission.
        files: one file, a folder, or the several files of one return.

    Returns:
        The file where it is a workbook that can be marked, else ``None``.

    Raises:
        UsageError: TIP-720 another file; TIP-922 no such submission.
        ReturnRefused: TIP-105 a file is too large, TIP-167 one is no file.
    """
    row = ws.registry().submission(submission_id)
    if fingerprint(files, ws.settings.limits) != row.file_sha256:
        raise refuse("TIP-720", UsageError, where=name_of(files), found="another file")
    return files[0] if row.file_format == "xlsx" else None


def _read_findings(con: duckdb.DuckDBPyConnection, ws: Workspace, submission_id: str) -> None:
    path = findings_file(ws, submission_id)
    ranks = " ".join(f"when '{name}' then {rank}" for rank, name in enumerate(SEVERITIES))
    try:
        con.execute(
            "create temp table finding as select *, 1::bigint as n, "
            f"case severity {ranks} end as severity_rank, file_row_number as place "
            "from read_parquet($path, file_row_number = true)",
            {"path": str(path)},
        )
    except duckdb.Error as error:
        found = "findings that cannot be read" if path.is_file() else "no findings"
        raise refuse("TIP-722", WorkplaceError, where=submission_id, found=found) from error


# ── writing ───────────────────────────────────────────────────────────────────────────────────


def files_of(path: Path, original: Path | None = None) -> tuple[Path, Path, Path]:
    """The files of a reply: workbook, CSV and JSON."""
    ending = original.suffix.lower() if original else ".xlsx"
    return path.with_suffix(ending), path.with_suffix(".csv"), path.with_suffix(".json")


def write_reply(
    reply: Reply,
    path: Path,
    original: Path | None = None,
    *,
    limit: int = MARKED_CELLS,
    limits: Limits | None = None,
) -> Written:
    """Write a reply as a workbook, and its findings as CSV and JSON beside it.

    Args:
        reply: what is replied.
        path: of the workbook; its ending becomes that of the original.
        original: the workbook that was sent (xlsx, xlsm), which is not changed.
        limit: cells of it that get colour and note.
        limits: of the workspace, under which the workbook is read; the usual ones where not given.

    Returns:
        What was written. A workbook that cannot be marked is answered with one of the findings.

    Raises:
        UsageError: TIP-723 the reply would take the place of the return.
        WorkplaceError: TIP-724 the place cannot be written.
    """
    content = reply.content(limit)
    marked, copy, reason = 0, b"", ""
    if original is not None:
        _refuse_replacing(files_of(path, original)[0], original)
        try:
            marked, copy = _marked_copy(original, content, limits or Limits())
        except UnchangeableError as error:
            reason, original = str(error), None
        except ReturnRefused as refusal:
            reason, original = refusal.found, None
    path, rows, whole = files_of(path, original)
    with _replacing(path) as file:
        if original is not None:
            file.write(copy)
        else:
            write_findings_book(content, file)
    _write_csv(reply, rows)
    _write_json(reply, whole)
    return Written(path, rows, whole, marked, content.n_cells, reason)


def _marked_copy(original: Path, content: Content, limits: Limits) -> tuple[int, bytes]:
    """How many cells are marked, and the copy."""
    data = received(original, limits)
    if limits.child_process:
        from loaders.mark_apart import mark_apart

        return mark_apart(original.name, data, content, limits)
    copy = io.BytesIO()
    return write_marked(original.name, data, content, copy, limits), copy.getvalue()


def _refuse_replacing(path: Path, original: Path) -> None:
    if path.exists() and path.samefile(original):
        raise refuse("TIP-723", UsageError, where=path.name)


def _write_csv(reply: Reply, path: Path) -> None:
    with _replacing(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(REPLY_COLUMNS)
        for row in reply.findings():
            writer.writerow([_plain(row[name]) for name in REPLY_COLUMNS])
        text.flush()
        text.detach()


def _plain(value: object) -> str:
    return "" if value is None else neutral(str(value))


def _write_json(reply: Reply, path: Path) -> None:
    """The account of the return, the counts, and every finding on a line of its own."""
    head = {**about(reply), "findings": []}
    opening, closing = json.dumps(head, ensure_ascii=False, indent=1).rsplit("[]", 1)
    with _replacing(path) as file:
        file.write(f"{opening}[".encode())
        separator = "\n  "
        for row in reply.findings():
            file.write(f"{separator}{json.dumps(row, ensure_ascii=False)}".encode())
            separator = ",\n  "
        file.write(f"\n ]{closing}\n".encode())


def about(reply: Reply) -> dict[str, Any]:
    """What a reply says of the return as a whole, fit for JSON."""
    changes = reply.changes
    return {
        "format": "tipstat feedback 1",
        **asdict(reply.account),
        "counts": reply.counts(),
        "since": since(changes) if changes else None,
    }


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its place only when it is complete."""
    draft = path.with_name(f".{path.name}.part")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(path)
    except OSError as error:
        found = error.strerror or "not writable"
        raise refuse("TIP-724", WorkplaceError, where=str(path.parent), found=found) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
