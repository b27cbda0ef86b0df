"""The door: read, lay out, type, apply every rule, decide what is held out. Writes nothing.

One pass in one DuckDB connection that can neither spill to disk nor load extensions, so that no
value of a return leaves memory before it is keyed (DESIGN sections 4, 5 and 8).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from loaders.coding import list_coder, names_coder
from loaders.findings import FINDING_COLUMNS, SEVERITIES, Finding
from loaders.inspection import Context, Inspection
from loaders.landed import earlier_in
from loaders.mended import Changes, changes_since
from loaders.returned import Returned
from loaders.rules import MetadataValue
from loaders.typed import quoted
from tipstat.contract import load_contract
from tipstat.errors import ReturnRefused, UsageError, WorkplaceError
from tipstat.rules import refuse

if TYPE_CHECKING:
    from loaders.source import Source
    from tipstat.workspace import Workspace


def context_of(ws: Workspace) -> Context:
    """Read what a check needs from the workspace; nothing is written."""
    registry, today = ws.registry(), date.today()
    authorised = registry.authorisations(today)
    return Context(
        entities=tuple(entity.id for entity in registry.entities()),
        refusal_share=ws.settings.refusal_share,
        linkable=frozenset(
            entity for pair in authorised for entity in (pair.entity_a, pair.entity_b)
        ),
        today=today,
        office=ws.correspondences_dir,
        earlier=earlier_in(ws),
    )


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class CheckResult:
    """What a check found, with the typed records still in memory.

    Attributes:
        file_name: name of the file, without its folder.
        read_as: how its bytes were understood: format, encoding, delimiter.
        metadata: typed items of the metadata sheet; ``None`` where missing or not accepted.
        records: records by record type.
        held_out: records held out by record type.
        severities: findings by severity.
        returned: of its tables only the numbers of the rows are left.
        connection: holds ``rec_*``, ``held`` and ``finding``.
        linkable: entities whose identifiers are kept.
        known_as: id under which the same file was accepted before; empty for a new file.
        received_at: when tipstat was given the file.
        checked_at: when every rule had been applied.
        changes: what is mended since the return before, of the same sender, kind and period.
    """

    file_name: str
    file_sha256: str
    file_format: str
    kind: str
    returned: Returned
    metadata: dict[str, MetadataValue]
    records: dict[str, int]
    held_out: dict[str, int]
    severities: dict[str, int]
    mapping: dict[tuple[str, str, str, str, str], int]
    connection: duckdb.DuckDBPyConnection
    linkable: frozenset[str]
    known_as: str = ""
    received_at: datetime = field(default_factory=_now)
    checked_at: datetime = field(default_factory=_now)
    changes: Changes | None = None
    read_as: str = ""

    @property
    def refused(self) -> bool:
        """Whether nothing of the return may be landed."""
        return self.severities.get("refusal", 0) > 0

    @property
    def clean(self) -> bool:
        """Whether there is nothing worse than warnings and notes."""
        return not any(self.severities.get(s) for s in SEVERITIES[:3])

    def findings(self, limit: int | None = None) -> list[Finding]:
        """The findings, worst first, then by rule and place."""
        cut = f" limit {int(limit)}" if limit is not None else ""
        names = ", ".join(quoted(name) for name in FINDING_COLUMNS)
        rows = self.connection.execute(f"select {names}, n from finding order by place{cut}")
        return [
            Finding(**dict(zip((*FINDING_COLUMNS, "count"), row, strict=True)))
            for row in rows.fetchall()
        ]

    def groups(self, limit: int = 1000) -> list[dict[str, Any]]:
        """Findings by rule, sheet, variable and value: count and first cells, worst first.

        Returns:
            The first groups; ``n_groups`` in each says how many there are.
        """
        rows = self.connection.execute(
            """
            select rule_id, severity, record_type, sheet, variable, expected, nearest, message,
                value, sum(n)::bigint as n,
                (list(cell order by place) filter (where cell <> ''))[:5] as cells,
                count(*) over () as n_groups
            from finding
            group by rule_id, severity, record_type, sheet, variable, expected, nearest,
                message, value
            order by min(severity_rank), rule_id, record_type, variable, n desc, min(place)
            limit $limit
            """,
            {"limit": limit},
        )
        names = [column[0] for column in rows.description or []]
        return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]

    def add_refusal(self, refusal: ReturnRefused) -> None:
        """Enter a refusal of the whole return among the findings."""
        self.connection.execute(
            "insert into finding select ?, 'refusal', '', '', '', null, '', '', null, ?, ?, ?, 1, "
            "0, coalesce(min(place), 1) - 1 from finding",
            [refusal.rule, refusal.expected, refusal.nearest, f"{refusal.title}: {refusal.found}"],
        )
        self.severities = {**self.severities, "refusal": self.severities.get("refusal", 0) + 1}

    def add_notes(self, notes: Sequence[Finding]) -> None:
        """Enter findings that came up after the rules were applied, behind all others."""
        for note in notes:
            values = [getattr(note, name) for name in FINDING_COLUMNS]
            marks = ", ".join("?" for _ in values)
            self.connection.execute(
                f"insert into finding select {marks}, ?, ?, coalesce(max(place), 0) + 1 "
                "from finding",
                [*values, note.count, SEVERITIES.index(note.severity)],
            )
            total = self.severities.get(note.severity, 0) + note.count
            self.severities = {**self.severities, note.severity: total}

    def close(self) -> None:
        """Free the records."""
        self.connection.close()


@contextmanager
def step(name: str) -> Iterator[None]:
    """Strip engine errors of their text, which may quote values (DESIGN section 5).

    Raises:
        WorkplaceError: TIP-199, naming the step and the kind of error only.
    """
    try:
        yield
    except (duckdb.Error, pa.ArrowException) as error:
        found = type(error).__name__
        raise refuse("TIP-199", WorkplaceError, where=name, found=found) from None


def check_file(
    path: Path | Sequence[Path],
    ws: Workspace,
    *,
    layout: str | None = None,
    metadata: Mapping[str, str] | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> CheckResult:
    """Check a return: the standard workbook or standard CSV files, or any file with a layout.

    Args:
        path: the file, a folder of CSV files, or several files that form one return.
        ws: the workspace, whose registry and settings are read and not changed.
        layout: id or path of a layout.
        metadata: items of the metadata sheet that win over those of the file and the layout.
        encoding: of a text; goes before the layout's, and is detected where neither says it.
        delimiter: of a text; likewise.

    Returns:
        What was found; the caller closes it.

    Raises:
        ReturnRefused: the file cannot be read or recognised.
        UsageError: TIP-149 for metadata that the contract does not know.
    """
    received_at = _now()
    # A file that is parsed in a process of its own leaves this one waiting.
    Thread(target=_load_lists, daemon=True).start()
    _refuse_unknown_metadata(metadata or {})
    own = {k: v for k, v in (metadata or {}).items() if v}
    source, laid_out = _laid_out(path, ws, layout, own, (encoding, delimiter))
    cells = {k: v for k, v in laid_out.metadata_cells.items() if k not in own}
    laid_out = replace(
        laid_out,
        metadata={**laid_out.metadata, **own},
        metadata_cells=cells,
        findings=tuple(dict.fromkeys((*source.notes, *laid_out.findings))),
        date_1904=source.date_1904,
    )
    result = check_returned(laid_out, source, ws)
    result.received_at = received_at
    del source, laid_out
    pa.default_memory_pool().release_unused()
    return result


@cache
def _load_lists() -> None:
    """Load the code lists of the contract, with their labels, as most returns will need them."""
    for record_type in load_contract().record_types.values():
        for variable in record_type.variables:
            if variable.code_list and not variable.code_list.startswith("@"):
                list_coder(variable.code_list, "en", {})


def _laid_out(
    path: Path | Sequence[Path],
    ws: Workspace,
    layout: str | None,
    metadata: Mapping[str, str],
    asked: tuple[str | None, str | None],
) -> tuple[Source, Returned]:
    """Read the file and lay it out, by its layout or as the standard workbook.

    Args:
        path: as for ``check_file``.
        ws: the workspace.
        layout: as for ``check_file``.
        metadata: what was given by hand.
        asked: encoding and delimiter that were given by hand.
    """
    from loaders.read import name_of, read_source

    encoding, delimiter = asked
    limits = ws.settings.limits
    with step(f"{name_of(path)} › reading"):
        if layout is not None:
            from loaders.layout import apply_layout, load_layout

            chosen = load_layout(layout, ws.layouts_dir, office=ws.correspondences_dir)
            source = read_source(
                path,
                encoding=encoding or chosen.encoding,
                delimiter=delimiter or chosen.delimiter,
                repairs=chosen.repairs,
                limits=limits,
            )
            # What reading found outside the tables of the layout, such as above a header, is left.
            return replace(source, notes=()), apply_layout(chosen, source, metadata)
        from loaders.sdmx_csv import FORMAT, is_sdmx_csv, sdmx_returned
        from loaders.templates import foreign_notes, recognise, returned

        source = read_source(path, encoding=encoding, delimiter=delimiter, limits=limits)
        info = recognise(source)
        if info is None and is_sdmx_csv(source):
            return replace(source, format=FORMAT), sdmx_returned(source)
        if info is None:
            raise refuse("TIP-150", ReturnRefused, where=source.path.name)
        return replace(source, notes=foreign_notes(source)), returned(source, info)


def _refuse_unknown_metadata(metadata: Mapping[str, str]) -> None:
    known = [variable.name for variable in load_contract().metadata.variables]
    for name in metadata:
        if name not in known:
            coder = names_coder("metadata", known)
            nearest = coder.nearest(coder.cell(name))
            raise refuse("TIP-149", UsageError, found=f'"{name}"', nearest=nearest)


def check_returned(returned: Returned, source: Source, ws: Workspace) -> CheckResult:
    """Check a return that is laid out already.

    Args:
        returned: records and metadata as sent.
        source: the file they came from.
        ws: the workspace.

    Returns:
        What was found.
    """
    place = (source.path.name, source.sha256, source.format)
    result = check_with(returned, context_of(ws), *place)
    result.read_as = source.read_as
    try:
        _judge_as_submission(result, ws)
    except BaseException:
        result.close()
        raise
    return result


def _judge_as_submission(result: CheckResult, ws: Workspace) -> None:
    """Say now what the landing would refuse, and what changed since the sender's last return."""
    from loaders.header import header_of
    from loaders.previous import previous_findings
    from loaders.rates import rate_findings
    from tipstat.keys import load_key
    from tipstat.landing import already_accepted, check_acceptable, earlier_submission

    result.known_as = already_accepted(ws, result.file_sha256, result.returned.layout_sha256) or ""
    header = header_of(result, load_key(ws))
    if header is None:
        return
    if not result.known_as and not result.refused:
        try:
            result.known_as = check_acceptable(ws, header) or ""
        except ReturnRefused as refusal:
            result.add_refusal(refusal)
    result.changes = changes_since(result.connection, ws, earlier_submission(ws, header))
    if not result.known_as and not result.refused:
        with step(f"{result.file_name} › previous return"):
            result.add_notes(previous_findings(result, ws, header))
            result.add_notes(rate_findings(result, ws))


def check_with(
    returned: Returned, context: Context, file_name: str, sha256: str = "", file_format: str = ""
) -> CheckResult:
    """Check a return against a given context, without a workspace."""
    check = Inspection(returned, context)
    try:
        with step(f"{file_name} › checking"):
            check.run()
            records, held = check.counts()
            return CheckResult(
                file_name,
                sha256,
                file_format,
                returned.kind,
                check.let_go(),
                check.metadata,
                records,
                held,
                check.severities(),
                check.typing.mapping,
                check.con,
                context.linkable,
            )
    except BaseException:
        check.con.close()
        raise
