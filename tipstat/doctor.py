"""Looking a workspace over: what is wrong, and what can be mended."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
from sqlalchemy import text

from tipstat import keys, warehouse
from tipstat.errors import TipstatError
from tipstat.landing import folders, purging, receipts
from tipstat.landing.inspect import OFFLINE
from tipstat.landing.transaction import is_abandoned, sweep
from tipstat.registry import Registry
from tipstat.registry import engine as engines
from tipstat.registry.revision import head_revision
from tipstat.registry.store import utc_now
from tipstat.workspace import Workspace, refuse_network_registry


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        state: ``ok``, ``note`` (worth knowing) or ``wrong``.
        rule: rule id where something is wrong and a rule says so.
        do: what to do.
    """

    check: str
    state: str
    detail: str
    rule: str = ""
    do: str = ""


def examine(ws: Workspace) -> list[Check]:
    """Run every check; one that fails never stops the others.

    Returns:
        At least one result for each check.
    """
    results = [*_guarded("file system", ws, _file_system), *_guarded("registry", ws, _registry)]
    checks: tuple[tuple[str, Callable[[Workspace], Iterator[Check]]], ...] = (
        ("key", _key),
        ("landing", _landing),
        ("loads", _loads),
        ("purges", _purges),
        ("status files", _status_files),
        ("permissions", _permissions),
        ("warehouse", _warehouse),
    )
    reachable = all(result.state != "wrong" for result in results if result.check == "registry")
    for name, check in checks:
        if reachable or name in ("permissions", "warehouse"):
            results += _guarded(name, ws, check)
        else:
            results.append(Check(name, "note", "not checked: needs the registry"))
    return results


def repair(ws: Workspace) -> list[str]:
    """Mend what can be mended without a decision: leftovers, status files, permissions.

    Returns:
        One line for each thing done.
    """
    registry = ws.registry()
    died = [purge.submission_id for purge in registry.purges() if purge.finished_at is None]
    done = [f"removed what load {name} left" for name in sweep(ws)]
    done += [f"ended the purge of {name}" for name in died]
    done += _repair_purges(ws, registry)
    for submission_id in receipts.stale_status_files(ws, registry):
        receipts.write_status_files(ws, registry, submission_id)
        done.append(f"wrote the status file of {submission_id} again")
    for path in _open_to_others(ws):
        path.chmod(0o700 if path.is_dir() else 0o600)
        done.append(f"closed {path.relative_to(ws.root)} to others")
    if done:
        registry.audit(None, "doctor repair", ws.settings.workspace_id, {"done": done})
    return done


def _repair_purges(ws: Workspace, registry: Registry) -> list[str]:
    """Let the registry know what the tombstones say, and delete what holds destroyed records."""
    done = []
    for name in purging.unknown_tombstones(ws, registry):
        purging.enter_tombstones(ws, registry, name)
        done.append(f"entered the tombstone of {name}")
    if warehouse.stale_builds(ws, registry):
        with warehouse.build_lock(ws):
            removed = warehouse.forget_destroyed(ws, registry).removed
        done += [f"deleted warehouse/{name}, made of destroyed records" for name in removed]
    return done


def _guarded(
    name: str, ws: Workspace, check: Callable[[Workspace], Iterator[Check]]
) -> list[Check]:
    try:
        return list(check(ws)) or [Check(name, "ok", "")]
    except TipstatError as refusal:
        detail = ": ".join(part for part in (refusal.title, refusal.where, refusal.found) if part)
        return [Check(name, "wrong", detail, refusal.rule, refusal.do)]


def _file_system(ws: Workspace) -> Iterator[Check]:
    refuse_network_registry(ws)
    yield from ()


def _registry(ws: Workspace) -> Iterator[Check]:
    registry = ws.registry()
    _verify(registry)
    yield Check("registry", "ok", f"{registry.where}, revision {head_revision()}")


def _verify(registry: Registry) -> None:
    """Let SQLite read every page and every reference of the registry."""
    if not engines.is_sqlite(registry.url):
        return
    with registry.read() as session:
        faults: list[str] = list(session.execute(text("PRAGMA quick_check")).scalars())
        broken = session.execute(text("PRAGMA foreign_key_check")).all()
    if faults != ["ok"] or broken:
        raise engines.damaged(registry.url)


def _key(ws: Workspace) -> Iterator[Check]:
    key = keys.load_key(ws)
    fixed = ws.registry().key_fingerprint()
    if fixed not in (None, key.fingerprint):
        detail = f"fingerprint {key.fingerprint}; the first load fixed {fixed}"
        do = "put the right key file back, or name it in TIPSTAT_KEY_FILE"
        yield Check("key", "wrong", detail, "TIP-919", do)
    elif ws.settings.key_source == "demo":
        yield Check("key", "note", "the PUBLIC demonstration key: never load a real return here")
    elif _is_open(keys.key_file(ws)):
        detail = f"{keys.key_file(ws)} can be read by others"
        yield Check("key", "wrong", detail, "TIP-916", "chmod 600 the key file")
    else:
        yield Check("key", "ok", f"fingerprint {key.fingerprint}")


def _landing(ws: Workspace) -> Iterator[Check]:
    landed = set(folders.landed_ids(ws))
    registry = ws.registry()
    rows = registry.submissions()
    underway = {intent.submission_id for intent in registry.open_intents()}
    restore = "restore the folder from a backup"
    for missing in sorted({row.id for row in rows} - landed):
        yield Check("landing", "wrong", f"{missing}: no folder", "TIP-926", restore)
    for unknown in sorted(landed - {row.id for row in rows} - underway):
        do = "move the folder away, or restore the registry that knows it"
        yield Check("landing", "wrong", f"{unknown}: not in the registry", "TIP-926", do)
    for row in rows:
        if row.id in landed and (fault := _fault(ws, row.id)):
            yield Check("landing", "wrong", f"{row.id}: {fault}", "TIP-926", restore)
        if row.status == "received":
            do = "load the file again; then remove this folder and its row is history"
            yield Check("landing", "note", f"{row.id}: acceptance unknown", "", do)


def _fault(ws: Workspace, submission_id: str) -> str:
    """What is wrong with the files of a landed submission, judged by name and size."""
    folder = folders.final_folder(ws, submission_id)
    try:
        expected = folders.read_json(folder / folders.SUBMISSION_FILE).get("files", {})
    except TipstatError as refusal:
        return f"{folders.SUBMISSION_FILE}: {refusal.found}"
    found = folders.file_sizes(folder)
    wrong = sorted(name for name, size in expected.items() if found.get(name) != size)
    return f"missing or altered: {', '.join(wrong)}" if wrong else ""


def _loads(ws: Workspace) -> Iterator[Check]:
    registry = ws.registry()
    intents = registry.open_intents()
    for intent in intents:
        if is_abandoned(intent, utc_now()):
            detail = f"{intent.submission_id}: the load died"
            yield Check("loads", "wrong", detail, "TIP-921", "run `tipstat doctor --repair`")
        else:
            yield Check("loads", "note", f"{intent.submission_id}: under way")
    traced = {intent.submission_id for intent in intents}
    for name in sorted(set(folders.temporary_ids(ws)) - traced):
        detail = f".tmp-{name}: no load of this registry"
        yield Check("loads", "wrong", detail, "TIP-926", "make sure nothing runs, then remove it")


def _purges(ws: Workspace) -> Iterator[Check]:
    registry = ws.registry()
    repairing = "run `tipstat doctor --repair`"
    died = [purge.submission_id for purge in registry.purges() if purge.finished_at is None]
    with folders.sweep_lock(ws, wait=False) as free:
        for name in died if free else ():
            yield Check("purges", "wrong", f"{name}: the purge died", "TIP-935", repairing)
    for name in purging.unknown_tombstones(ws, registry):
        detail = f"{name}: a tombstone that the registry does not know"
        if name not in died:
            yield Check("purges", "wrong", detail, "TIP-936", repairing)
    for name in purging.undone(ws, registry):
        detail = f"{name}: destroyed records are back in the landing"
        yield Check("purges", "wrong", detail, "TIP-936", "purge the submission again")
    for build_id in warehouse.stale_builds(ws, registry):
        detail = f"warehouse/{build_id}: made of records destroyed since"
        yield Check("purges", "wrong", detail, "TIP-936", f"{repairing}, then `tipstat build`")


def _status_files(ws: Workspace) -> Iterator[Check]:
    for submission_id in receipts.stale_status_files(ws, ws.registry()):
        do = "run `tipstat doctor --repair`"
        yield Check("status files", "wrong", f"{submission_id}: out of date", "TIP-926", do)


def _permissions(ws: Workspace) -> Iterator[Check]:
    for path in _open_to_others(ws):
        detail = f"{path.relative_to(ws.root)} can be read by others"
        do = "run `tipstat doctor --repair`"
        yield Check("permissions", "wrong", detail, "TIP-920", do)


def _open_to_others(ws: Workspace) -> list[Path]:
    """Settings, registry, landing and warehouse files that others may read."""
    folders_of_data = (ws.landing_dir, ws.warehouse_dir, ws.vintages_dir)
    top = (ws.root, *ws.root.glob("*.toml"), *ws.root.glob("registry.sqlite*"), *folders_of_data)
    inside = (*ws.landing_dir.rglob("*"), *ws.warehouse_dir.glob("*.duckdb"))
    return sorted(path for path in {*top, *inside} if path.exists() and _is_open(path))


def _is_open(path: Path) -> bool:
    if sys.platform == "win32":
        return False
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _warehouse(ws: Workspace) -> Iterator[Check]:
    current = ws.warehouse_dir / "CURRENT"
    if not current.is_file():
        yield Check("warehouse", "note", "none yet", "", "run `tipstat build`")
        return
    name = current.read_text(encoding="utf-8").strip()
    file = warehouse.warehouse_file(ws, name)
    do = "run `tipstat build`"
    if not warehouse.BUILD_ID.fullmatch(name) or not file.is_file():
        yield Check("warehouse", "wrong", "CURRENT names no warehouse file", "TIP-807", do)
        return
    try:
        duckdb.connect(str(file), read_only=True, config=OFFLINE).close()
    except duckdb.Error:
        yield Check("warehouse", "wrong", f"{name} cannot be opened", "TIP-807", do)
        return
    yield Check("warehouse", "ok", name)
