"""Making and finding a workspace, its settings, and where its registry may be."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from tipstat import workspace
from tipstat.errors import WorkplaceError
from tipstat.keys import DEMO_KEY, load_key
from tipstat.registry import file_system
from tipstat.registry.file_system import network_file_system
from tipstat.settings import Settings, read_settings, render_settings
from tipstat.workspace import FOLDERS, Workspace

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/export /srv/shared nfs4 rw 0 0
//server/data /mnt/office\\040data cifs rw 0 0
user@host: /srv/remote fuse.sshfs rw 0 0
/dev/sdb1 /srv/shared/local ext4 rw 0 0
/dev/sdc1 /media/stick fuseblk rw 0 0
C:\\134 /mnt/c 9p rw 0 0
"""


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TIPSTAT_WORKSPACE", "TIPSTAT_KEY_FILE", "TIPSTAT_REGISTRY_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_workspace_has_its_tree_and_is_closed_to_others(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "office", reference_area="XXA")
    assert {path.name for path in ws.root.iterdir()} == {
        *FOLDERS,
        "tipstat.toml",
        ".gitignore",
        "registry.sqlite",
    }
    if sys.platform != "win32":
        assert {mode(ws.root), *(mode(ws.root / name) for name in FOLDERS)} == {0o700}
        files = [path for path in ws.root.iterdir() if path.is_file()]
        assert {mode(path) for path in files} == {0o600}


def test_a_new_key_is_outside_the_workspace_and_closed_to_others(tmp_path: Path) -> None:
    one = Workspace.create(tmp_path / "one")
    two = Workspace.create(tmp_path / "two")
    keys = sorted((tmp_path / "home" / ".config" / "tipstat" / "keys").iterdir())
    assert [path.stem for path in keys] == sorted(
        (one.settings.workspace_id, two.settings.workspace_id)
    )
    assert load_key(one) != load_key(two)
    if sys.platform != "win32":
        assert {mode(path) for path in keys} == {0o600}


@pytest.mark.parametrize("content", ["tipstat.toml", "notes.txt"])
def test_a_folder_in_use_is_refused_and_left_as_it_was(tmp_path: Path, content: str) -> None:
    (tmp_path / content).write_text("mine")
    with pytest.raises(WorkplaceError, match="TIP-902"):
        Workspace.create(tmp_path)
    assert (tmp_path / content).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [content]


def test_an_existing_workspace_is_never_overwritten(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "office", key="demo")
    before = (ws.root / "tipstat.toml").read_bytes()
    with pytest.raises(WorkplaceError, match="TIP-902"):
        Workspace.create(ws.root)
    assert (ws.root / "tipstat.toml").read_bytes() == before


def test_an_init_that_fails_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(*_args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(workspace, "render_settings", fails)
    with pytest.raises(WorkplaceError, match="TIP-928"):
        Workspace.create(tmp_path / "office", key="demo")
    assert not (tmp_path / "office").exists()


def test_a_key_file_inside_the_workspace_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "office"
    for inside in (root / "my.key", root / "landing" / ".." / "my.key"):
        with pytest.raises(WorkplaceError, match="TIP-918"):
            Workspace.create(root, key_file=inside)
    assert not root.exists()


def test_a_key_that_exists_is_used_and_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "office.key"
    one = Workspace.create(tmp_path / "one", key_file=file)
    before = file.read_bytes()
    two = Workspace.create(tmp_path / "two", key_file=file)
    assert file.read_bytes() == before
    assert load_key(one) == load_key(two)


def test_the_demonstration_key_is_named_in_the_settings(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "office", key="demo")
    assert load_key(ws) == DEMO_KEY
    assert "PUBLIC demonstration key" in (ws.root / "tipstat.toml").read_text()


def test_a_workspace_is_named_or_found_above(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = Workspace.create(tmp_path / "one", key="demo")
    two = Workspace.create(tmp_path / "two", key="demo")
    monkeypatch.chdir(two.layouts_dir)
    assert Workspace.find(None).root == two.root
    monkeypatch.setenv("TIPSTAT_WORKSPACE", str(one.root))
    assert Workspace.find(None).root == one.root
    assert Workspace.find(str(two.root)).root == two.root


@pytest.mark.parametrize("named", [None, "nowhere"])
def test_no_workspace_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WorkplaceError, match=r"TIP-901(?s:.*)tipstat init"):
        Workspace.find(named)


def test_the_environment_goes_before_the_registry_url_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TIPSTAT_REGISTRY_URL", "sqlite:///elsewhere.sqlite")
    ws = Workspace.create(tmp_path / "office", key="demo")
    assert (ws.root / "elsewhere.sqlite").is_file()
    monkeypatch.delenv("TIPSTAT_REGISTRY_URL")
    with pytest.raises(WorkplaceError, match="TIP-908"):
        ws.registry()


def test_a_registry_of_another_workspace_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = Workspace.create(tmp_path / "one", key="demo")
    two = Workspace.create(tmp_path / "two", key="demo")
    monkeypatch.setenv("TIPSTAT_REGISTRY_URL", f"sqlite:///{one.root / 'registry.sqlite'}")
    with pytest.raises(WorkplaceError, match="TIP-914"):
        two.registry()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/office", None),
        ("/srv/shared/office", "nfs4"),
        ("/srv/shared/local/office", None),
        ("/srv/shared2/office", None),
        ("/mnt/office data/x", "cifs"),
        ("/srv/remote/office", "fuse.sshfs"),
        ("/media/stick/office", None),
        ("/mnt/c/office", "9p"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX paths")
def test_a_network_file_system_is_recognised(path: str, kind: str | None) -> None:
    assert network_file_system(Path(path), MOUNTS) == kind


def test_sqlite_on_a_network_file_system_is_refused_and_postgresql_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(file_system, "network_file_system", lambda _path: "nfs4")
    with pytest.raises(WorkplaceError, match=r"TIP-907(?s:.*)nfs4(?s:.*)PostgreSQL"):
        Workspace.create(tmp_path / "office", key="demo")
    assert not (tmp_path / "office").exists()


def test_settings_survive_being_written_and_read(tmp_path: Path) -> None:
    settings = Settings(
        workspace_id="office-1",
        reference_area="PER",
        registry_url="postgresql://me@server/tip",
        key_source="file",
        key_file='D:\\safe\\a "key".key',
        refusal_share=0.5,
    )
    (tmp_path / "tipstat.toml").write_text(render_settings(settings))
    assert read_settings(tmp_path / "tipstat.toml") == settings


@pytest.mark.parametrize(
    ("rule", "text", "shown"),
    [
        ("TIP-903", "[workspace\n", "tipstat.toml"),
        ("TIP-904", "[load]\nrefusal_shar = 1", "load.refusal_share"),
        ("TIP-904", "[registri]\nurl = 'x'", "registry.url"),
        ("TIP-904", "loose = 1", "loose"),
        ("TIP-905", "[load]\nrefusal_share = 2", "from 0 to 1"),
        ("TIP-905", "[load]\nrefusal_share = true", "from 0 to 1"),
        ("TIP-905", "[key]\nsource = 'vault'", "file, demo"),
        ("TIP-905", "[load]\nrefusal_share = 0.2", "workspace.id"),
        ("TIP-906", "[registry]\nurl = 'postgresql://me:hush@server/tip'", "TIPSTAT_REGISTRY_URL"),
        ("TIP-906", "[registry]\nurl = 'postgresql://me@server/tip?password=hush'", "PGPASSWORD"),
    ],
)
def test_unusable_settings_are_refused(tmp_path: Path, rule: str, text: str, shown: str) -> None:
    identity = "" if shown == "workspace.id" else "\n[workspace]\nid = 'x'\n"
    path = tmp_path / "tipstat.toml"
    path.write_text(text + identity)
    with pytest.raises(WorkplaceError) as refusal:
        read_settings(path)
    assert refusal.value.rule == rule
    assert shown in str(refusal.value)
    assert "hush" not in str(refusal.value)


def test_settings_that_are_not_utf_8_or_not_readable_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tipstat.toml"
    path.write_bytes(b"\xff\xfe[")
    for unreadable in (path, tmp_path):
        with pytest.raises(WorkplaceError, match="TIP-903"):
            read_settings(unreadable)


@pytest.mark.parametrize(
    "url", ["mysql://server/tip", "nonsense", "sqlite://", "sqlite:///:memory:"]
)
def test_a_registry_url_of_another_kind_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    monkeypatch.setitem(os.environ, "TIPSTAT_REGISTRY_URL", url)
    with pytest.raises(WorkplaceError, match="TIP-915"):
        Workspace.create(tmp_path / "office", key="demo")
    assert not (tmp_path / "office").exists()
