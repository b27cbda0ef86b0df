"""The commands of workspace, entities, submissions and doctor, and damaged workspaces."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import pytest
from registry_support import (
    accepted,
    header,
    make_workspace,
    registry_url,
    write_events,
    write_findings,
)

from tipstat.cli import main as entry
from tipstat.landing import land, record_refusal, transaction
from tipstat.registry import engine as engines
from tipstat.workspace import Workspace

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command as the console script does: exit code, standard output, standard error."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    for name in ("TIPSTAT_WORKSPACE", "TIPSTAT_KEY_FILE", "TIPSTAT_REGISTRY_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def command(*args: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tipstat", *args])
        code = 0
        try:
            code = entry.cli.main(standalone_mode=False) or 0
        except entry.TipstatError as refusal:
            return int(refusal.exit_code), capsys.readouterr().out, refusal.render()
        except entry.click.ClickException as misuse:
            return 2, capsys.readouterr().out, misuse.format_message()
        out, err = capsys.readouterr()
        return code if isinstance(code, int) else 0, out, err

    return command


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "office")


def doctor(run: Run) -> tuple[int, dict[str, list[dict[str, str]]]]:
    code, out, _ = run("-w", "office", "doctor", "--format", "json")
    found: dict[str, list[dict[str, str]]] = {}
    for row in json.loads(out):
        found.setdefault(row["state"], []).append(row)
    return code, found


def test_a_workspace_is_made_and_healthy(run: Run) -> None:
    code, out, _ = run("init", "office", "--reference-area", "per")
    assert (code, "fingerprint" in out) == (0, True)
    assert doctor(run)[0] == 0
    assert Workspace.find("office").settings.reference_area == "PER"
    assert run("init", "office")[0] == 3


def test_the_demonstration_key_is_announced(run: Run) -> None:
    assert "PUBLIC" in run("init", "office", "--key", "demo")[1]
    code, found = doctor(run)
    assert (code, [row["check"] for row in found["note"]]) == (0, ["key", "warehouse"])


@pytest.mark.parametrize(
    ("args", "code", "expected"),
    [
        (("init", "x", "--reference-area", "PERU"), 2, "nearest  PER"),
        (("-w", "office", "entity", "list"), 0, "Police"),
        (
            ("-w", "office", "entity", "add", "COURT-1", "--name", "C", "--type", "COURT"),
            0,
            "COURT-1",
        ),
        (("-w", "office", "entity", "add", "n", "--name", "N", "--type", "NGO"), 2, "TIP-548"),
        (("-w", "office", "entity", "add", "A B", "--name", "N", "--type", "NGO"), 2, "TIP-548"),
        (("-w", "office", "entity", "add", "NGO1", "--name", "N", "--type", "NGOS"), 2, "NGO"),
        (("-w", "office", "entity", "add", "npf", "--name", "N", "--type", "NGO"), 2, "TIP-546"),
        (
            (
                "-w",
                "office",
                "entity",
                "add",
                "X1",
                "--name",
                "N",
                "--type",
                "NGO",
                "--area",
                "PEU",
            ),
            2,
            "TIP-550",
        ),
        (
            (
                "-w",
                "office",
                "entity",
                "add",
                "X1",
                "--name",
                "N",
                "--type",
                "NGO",
                "--parent",
                "MIM",
            ),
            2,
            "nearest  MIN",
        ),
        (
            (
                "-w",
                "office",
                "entity",
                "add",
                "UNODC",
                "--name",
                "UN office",
                "--type",
                "INTERNATIONAL",
                "--area",
                "_Z",
            ),
            0,
            "INTERNATIONAL, _Z",
        ),
        (
            (
                "-w",
                "office",
                "entity",
                "add",
                "X1",
                "--name",
                "N",
                "--type",
                "NGO",
                "--area",
                "_Z",
            ),
            2,
            "TIP-550",
        ),
        (("-w", "office", "submissions"), 0, "status"),
        (("-w", "office", "submissions", "show", "nothing"), 2, "TIP-922"),
        (("-w", "office", "withdraw", "nothing", "--reason", "x"), 2, "TIP-922"),
        (("-w", "office", "withdraw", "nothing", "--reason", " "), 2, "must say why"),
        (("-w", "office", "withdraw", "nothing"), 2, "--reason"),
        (("-w", "office", "upgrade"), 0, "0003 -> 0003"),
        (("-w", "nowhere", "doctor"), 3, "TIP-901"),
    ],
)
def test_a_command_answers(
    run: Run, ws: Workspace, args: tuple[str, ...], code: int, expected: str
) -> None:
    found, out, err = run(*args)
    assert (found, expected in out + err) == (code, True), out + err


def test_a_misspelt_entity_is_asked_about(run: Run, ws: Workspace) -> None:
    add = ("-w", "office", "entity", "add", "NPFF", "--name", "Polise", "--type", "POLICE")
    code, _, err = run(*add)
    assert (code, "TIP-547" in err, "nearest  NPF, Police" in err) == (2, True, True)
    assert run(*add, "--new")[0] == 0


def test_shelters_in_a_row_are_not_taken_for_misspellings(run: Run, ws: Workspace) -> None:
    for number in ("1", "2", "12"):
        name = f"Shelter {number}"
        code, _, err = run(
            "-w", "office", "entity", "add", f"shelter-{number}", "--name", name, "--type", "NGO",
            "--confidential",
        )  # fmt: skip
        assert code == 0, err
    assert all(e.confidential for e in ws.registry().entities() if e.id.startswith("SHELTER"))


def test_linking_needs_an_authorisation_that_is_in_force(run: Run, ws: Workspace) -> None:
    pair = ("-w", "office", "entity", "authorise", "npf", "min", "--purpose", "study")
    basis = ("--legal-basis", "Act 12, art. 4")
    assert ws.registry().authorisations(date(2026, 1, 1)) == []
    dates = ("--valid-from", "2025-06-01", "--expires", "2026-06-30")
    assert run(*pair, *basis, *dates)[0] == 0
    (row,) = ws.registry().authorisations(date(2026, 6, 30))
    assert (row.entity_a, row.entity_b) == ("MIN", "NPF")
    for day in (date(2025, 5, 31), date(2026, 7, 1)):
        assert ws.registry().authorisations(day) == []
    assert "Act 12" in run("-w", "office", "entity", "authorisations")[1]
    assert "TIP-552" in run(*pair, *basis, "--expires", "2020-01-01")[2]
    same = ("-w", "office", "entity", "authorise", "npf", "npf", "--purpose", "x")
    assert "TIP-551" in run(*same, *basis, "--expires", "2099-01-01")[2]
    unknown = ("-w", "office", "entity", "authorise", "npf", "mim", "--purpose", "x")
    assert "nearest  MIN" in run(*unknown, *basis, "--expires", "2099-01-01")[2]


def test_submissions_are_listed_shown_superseded_and_withdrawn(run: Run, ws: Workspace) -> None:
    first = land(ws, header(), write_events)
    update = header(file_sha256="b" * 64, intent="UPDATES", earlier_submission=first)
    second = land(ws, update, write_events)
    refused = record_refusal(ws, header(file_sha256="c" * 64), write_findings)
    listed = json.loads(run("-w", "office", "submissions", "--format", "json")[1])
    assert [(row["id"], row["status"], row["records"]) for row in listed] == [
        (first, "accepted", 3),
        (second, "accepted", 3),
        (refused, "refused", 0),
    ]
    assert refused in run("-w", "office", "submissions", "--status", "refused")[1]
    assert first not in run("-w", "office", "submissions", "--kind", "court")[1]
    assert "TIP-101 refusal" in run("-w", "office", "submissions", "show", refused)[1]
    assert run("-w", "office", "supersede", first, second, "--reason", "whole year")[0] == 0
    shown = run("-w", "office", "submissions", "show", first)[1]
    assert "superseded by" in shown
    assert "(whole year)" in shown
    assert run("-w", "office", "withdraw", second, "--reason", "sent in error")[0] == 0
    assert accepted(ws) == []


def _toml_broken(ws: Workspace) -> None:
    (ws.root / "tipstat.toml").write_text("[workspace")


def _not_a_database(ws: Workspace) -> None:
    (ws.root / "registry.sqlite").write_bytes(b"this is no database, but it is long enough " * 99)


def _empty_file(ws: Workspace) -> None:
    (ws.root / "registry.sqlite").write_bytes(b"")


def _missing_registry(ws: Workspace) -> None:
    (ws.root / "registry.sqlite").unlink()


def _cut_short(ws: Workspace) -> None:
    path = ws.root / "registry.sqlite"
    path.write_bytes(path.read_bytes()[:20_000])


def _folder_in_its_place(ws: Workspace) -> None:
    _missing_registry(ws)
    (ws.root / "registry.sqlite").mkdir()


@pytest.mark.parametrize(
    ("damage", "rule"),
    [
        (_toml_broken, "TIP-903"),
        (_not_a_database, "TIP-909"),
        (_empty_file, "TIP-908"),
        (_missing_registry, "TIP-908"),
        (_cut_short, "TIP-909"),
        (_folder_in_its_place, "TIP-908"),
    ],
)
def test_a_damaged_workspace_is_refused_in_four_parts(
    run: Run, ws: Workspace, damage: Callable[[Workspace], None], rule: str
) -> None:
    damage(ws)
    for args in (("submissions",), ("entity", "list"), ("withdraw", "x", "--reason", "y")):
        code, _, err = run("-w", "office", *args)
        assert (code, err.split(" ")[0]) in {(3, rule)}, err
        assert "  do       " in err


@pytest.mark.parametrize("damage", [_not_a_database, _empty_file, _missing_registry, _cut_short])
def test_the_doctor_reports_a_damaged_registry(
    run: Run, ws: Workspace, damage: Callable[[Workspace], None]
) -> None:
    damage(ws)
    code, found = doctor(run)
    assert (code, [row["check"] for row in found["wrong"]]) == (3, ["registry"])


@contextmanager
def locked(ws: Workspace) -> Iterator[None]:
    connection = sqlite3.connect(ws.root / "registry.sqlite", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.close()


def test_a_locked_registry_is_refused(
    run: Run, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = land(ws, header(), write_events)
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_MS", 50)
    with locked(ws):
        code, _, err = run("-w", "office", "withdraw", first, "--reason", "x")
    assert (code, err.split(" ")[0]) == (3, "TIP-910")
    assert accepted(ws) == [first]


def test_a_load_against_a_locked_registry_lands_nothing_and_can_be_repeated(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = transaction.accept

    def accept_locked(*args: object) -> str:
        monkeypatch.setattr(engines, "BUSY_TIMEOUT_MS", 50)
        with locked(ws):
            return real(*args)  # type: ignore[arg-type]  # the arguments of the real function

    with monkeypatch.context() as patched:
        patched.setattr(transaction, "accept", accept_locked)
        with pytest.raises(entry.TipstatError, match="TIP-910"):
            land(ws, header(), write_events)
    assert accepted(ws) == []
    assert accepted(ws) == [] == [land(ws, header(), write_events)][1:]
    assert len(accepted(ws)) == 1


@pytest.mark.postgres
def test_an_unreachable_server_is_refused_without_the_password(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with registry_url("postgresql") as url:
        make_workspace(tmp_path / "office", url)
    gone = "postgresql://me:hush@localhost:1/tip"
    monkeypatch.setenv("TIPSTAT_REGISTRY_URL", gone)
    code, _, err = run("-w", "office", "submissions")
    assert (code, err.split(" ")[0], "hush" in err) == (3, "TIP-911", False)


def test_a_missing_landing_is_refused(run: Run, ws: Workspace) -> None:
    ws.landing_dir.rmdir()
    with pytest.raises(entry.TipstatError, match="TIP-920"):
        land(ws, header(), write_events)
    code, found = doctor(run)
    assert (code, {row["rule"] for row in found["wrong"]}) == (3, {"TIP-920"})


def test_a_missing_key_and_another_key_are_found(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("init", "office", "--key-file", "one.key")
    run("-w", "office", "entity", "add", "NPF", "--name", "P", "--type", "POLICE", "--area", "XXA")
    ws = Workspace.find("office")
    land(ws, header(key_fingerprint="0" * 16), write_events)
    code, found = doctor(run)
    assert (code, [row["rule"] for row in found["wrong"]]) == (3, ["TIP-919"])
    (tmp_path / "one.key").unlink()
    code, found = doctor(run)
    assert (code, [row["rule"] for row in found["wrong"]]) == (3, ["TIP-916"])


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_files_open_to_others_are_found_and_closed(run: Run, ws: Workspace) -> None:
    name = land(ws, header(), write_events)
    assert doctor(run)[0] == 0
    opened = [ws.root, ws.landing_dir / name, ws.landing_dir / name / "event.parquet"]
    for path in opened:
        path.chmod(0o755)
    code, found = doctor(run)
    assert (code, len(found["wrong"])) == (3, 3)
    assert run("-w", "office", "doctor", "--repair")[0] == 0
    assert not any(path.stat().st_mode & 0o077 for path in opened)


DAMAGED = "b20260101T000000-0000"


@pytest.mark.parametrize(
    "current", ["", "b20260101T000000-ffff", "../registry.sqlite", "damaged.duckdb", DAMAGED]
)
def test_a_current_that_names_no_good_warehouse_is_found(
    run: Run, ws: Workspace, current: str
) -> None:
    for name in ("damaged.duckdb", f"{DAMAGED}.duckdb"):
        (ws.warehouse_dir / name).write_bytes(b"no warehouse" * 1000)
        (ws.warehouse_dir / name).chmod(0o600)
    (ws.warehouse_dir / "CURRENT").write_text(current)
    (ws.warehouse_dir / "CURRENT").chmod(0o600)
    code, found = doctor(run)
    assert (code, [row["check"] for row in found["wrong"]]) == (3, ["warehouse"])


def test_a_registry_that_cannot_be_written_is_refused(
    run: Run, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = engines.make_engine

    def read_only(url: engines.URL, **options: bool) -> engines.Engine:
        engine = real(url, **options)
        engines.event.listen(engine, "connect", lambda c, _: c.execute("PRAGMA query_only = ON"))
        return engine

    monkeypatch.setattr(engines, "make_engine", read_only)
    add = ("entity", "add", "COURT", "--name", "C", "--type", "COURT")
    code, _, err = run("-w", "office", *add)
    assert (code, err.split(" ")[0]) == (3, "TIP-928")


def test_a_good_warehouse_is_opened(run: Run, ws: Workspace) -> None:
    duckdb.connect(str(ws.warehouse_dir / "b20260101T000000-0000.duckdb")).close()
    (ws.warehouse_dir / "CURRENT").write_text("b20260101T000000-0000\n")
    for path in ws.warehouse_dir.iterdir():
        path.chmod(0o600)
    assert doctor(run)[0] == 0


def test_a_lost_registry_is_rebuilt_by_the_doctor(run: Run, ws: Workspace) -> None:
    first = land(ws, header(), write_events)
    (ws.root / "registry.sqlite").unlink()
    assert run("-w", "office", "doctor")[0] == 3
    assert run("-w", "office", "doctor", "--rebuild-registry")[0] == 0
    assert accepted(ws) == [first]
    assert "TIP-925" in run("-w", "office", "doctor", "--rebuild-registry")[2]


@pytest.mark.parametrize("command", ["init", "entity", "submissions", "withdraw", "doctor"])
def test_help_imports_no_library_but_click(command: str) -> None:
    code = (
        "import sys; from tipstat.cli.main import cli\n"
        f"try: cli.main(['{command}', '--help'], standalone_mode=False)\n"
        "finally: print([m for m in ('sqlalchemy', 'duckdb', 'alembic') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=root
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
    assert "Example:" in done.stdout


def test_reading_the_registry_does_not_import_alembic(ws: Workspace) -> None:
    code = (
        "import sys; from tipstat.workspace import Workspace; from tipstat import landing\n"
        f"Workspace.find({str(ws.root)!r}).registry().entities(); print('alembic' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=root
    )
    assert done.stdout.strip() == "False", done.stderr
