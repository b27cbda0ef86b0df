"""The door: read, lay out, type, apply every rule, decide what is held out. Writes nothing.

One pass in one DuckDB connection that can neither spill to disk nor load extensions, so that no
value of a return leaves memory before it is keyed (DESIGN sections 4, 5 and 8).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from loaders.coding import names_coder
from loaders.findings import FINDING_COLUMNS, SEVERITIES, Finding
from loaders.inspection import Context, Inspection
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
    )


@dataclass
class CheckResult:
    """What a check found, with the typed records still in memory.

    Attributes:
        file_name: name of the file, without its folder.
        metadata: typed items of the metadata sheet; ``None`` where missing or not accepted.
        records: records by record type.
        held_out: records held out by record type.
        severities: findings by severity.
        connection: holds ``rec_*``, ``src_*``, ``held`` and ``finding``.
        linkable: entities whose identifiers are kept.
        known_as: id under which the same file was accepted before; empty for a new file.
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
) -> CheckResult:
    """Check a return: the standard workbook or standard CSV files, or any file with a layout.

    Args:
        path: the file, a folder of CSV files, or several files that form one return.
        ws: the workspace, whose registry and settings are read and not changed.
        layout: id or path of a layout.
        metadata: items of the metadata sheet that win over those of the file and the layout.

    Returns:
        What was found; the caller closes it.

    Raises:
        ReturnRefused: the file cannot be read or recognised.
        UsageError: TIP-149 for metadata that the contract does not know.
    """
    _refuse_unknown_metadata(metadata or {})
    own = {k: v for k, v in (metadata or {}).items() if v}
    source, laid_out = _laid_out(path, ws, layout, own)
    cells = {k: v for k, v in laid_out.metadata_cells.items() if k not in own}
    laid_out = replace(
        laid_out,
        metadata={**laid_out.metadata, **own},
        metadata_cells=cells,
        findings=tuple(dict.fromkeys((*source.notes, *laid_out.findings))),
    )
    return check_returned(laid_out, source, ws)


def _laid_out(
    path: Path | Sequence[Path], ws: Workspace, layout: str | None, metadata: Mapping[str, str]
) -> tuple[Source, Returned]:
    """Read the file and lay it out, by its layout or as the standard workbook."""
    from loaders.read import name_of, read_source

    with step(f"{name_of(path)} › reading"):
        if layout is not None:
            from loaders.layout import apply_layout, load_layout

            chosen = load_layout(layout, ws.layouts_dir, office=ws.correspondences_dir)
            source = read_source(
                path,
                encoding=chosen.encoding,
                delimiter=chosen.delimiter,
                repairs=chosen.repairs,
            )
            return source, apply_layout(chosen, source, metadata)
        from loaders.template_workbook import LISTS_SHEET, MARKER_SHEET
        from loaders.templates import recognise, returned

        source = read_source(path)
        info = recognise(source)
        if info is None:
            raise refuse("TIP-150", ReturnRefused, where=source.path.name)
        # The workbook's own hidden sheets are no news to anyone.
        notes = tuple(n for n in source.notes if n.sheet not in (MARKER_SHEET, LISTS_SHEET))
        return replace(source, notes=notes), returned(source, info)


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
    try:
        _judge_as_submission(result, ws)
    except BaseException:
        result.close()
        raise
    return result


def _judge_as_submission(result: CheckResult, ws: Workspace) -> None:
    """Say now what the landing would refuse: an overlapping period, an unknown submission."""
    from loaders.header import header_of
    from tipstat.keys import load_key
    from tipstat.landing import already_accepted, check_acceptable

    result.known_as = already_accepted(ws, result.file_sha256, result.returned.layout_sha256) or ""
    header = header_of(result, load_key(ws))
    if header is None or result.known_as or result.refused:
        return
    try:
        check_acceptable(ws, header)
    except ReturnRefused as refusal:
        result.add_refusal(refusal)


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
                returned,
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
