"""A workspace: an office's own folder, with its settings, registry, landing and warehouse."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tipstat import keys
from tipstat.errors import WorkplaceError
from tipstat.rules import refuse
from tipstat.settings import (
    DEFAULT_REGISTRY_URL,
    SETTINGS_FILE,
    Settings,
    has_password,
    read_settings,
    registry_url,
    render_settings,
)

if TYPE_CHECKING:
    from tipstat.registry import Registry

#: The folders of a workspace (DESIGN section 2).
FOLDERS = (
    "layouts",
    "correspondences",
    "populations",
    "landing",
    "warehouse",
    "vintages",
    "releases",
    "outputs",
)

_GITIGNORE = """\
# Data and what is made of it never go under version control; settings, layouts and maps may.
/registry.sqlite*
/populations/
/landing/
/warehouse/
/vintages/
/releases/
/outputs/
*.key
"""


@dataclass(frozen=True)
class Workspace:
    """A workspace that exists.

    Attributes:
        root: its folder, absolute.
        settings: what its ``tipstat.toml`` says.
    """

    root: Path
    settings: Settings

    @classmethod
    def find(cls, explicit: str | None) -> Workspace:
        """The workspace to work in.

        Args:
            explicit: the folder given with ``--workspace``; otherwise ``TIPSTAT_WORKSPACE``,
                otherwise the nearest parent of the current folder with a ``tipstat.toml``.

        Raises:
            WorkplaceError: TIP-901 there is none; TIP-903 to TIP-906 its settings are unusable.
        """
        named = explicit or os.environ.get("TIPSTAT_WORKSPACE")
        if named:
            root = Path(named).expanduser().resolve()
            if not (root / SETTINGS_FILE).is_file():
                found = f"no {SETTINGS_FILE} in this folder"
                raise refuse("TIP-901", WorkplaceError, where=str(root), found=found)
            return cls.open(root)
        here = Path.cwd().resolve()
        for folder in (here, *here.parents):
            if (folder / SETTINGS_FILE).is_file():
                return cls.open(folder)
        found = f"no {SETTINGS_FILE} in this folder or above it"
        raise refuse("TIP-901", WorkplaceError, where=str(here), found=found)

    @classmethod
    def open(cls, root: Path) -> Workspace:
        """The workspace of a folder, whose settings are read and checked."""
        return cls(root.resolve(), read_settings(root / SETTINGS_FILE))

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        reference_area: str = "",
        key: str = "file",
        key_file: Path | None = None,
        registry: str = DEFAULT_REGISTRY_URL,
    ) -> Workspace:
        """Make a workspace: its tree, settings, registry and pseudonym key.

        Args:
            path: a folder that does not exist or is empty.
            reference_area: ISO 3166-1 alpha-3 code, or empty.
            key: ``file`` for a new random key, ``demo`` for the public demonstration key.
            key_file: where the key goes; by default ``TIPSTAT_KEY_FILE`` or a file in the home
                folder. A key that is there already is used.
            registry: URL of the registry; ``TIPSTAT_REGISTRY_URL`` goes before it.

        Returns:
            The new workspace.

        Raises:
            WorkplaceError: TIP-902 the folder is not empty, TIP-906 a password in the URL,
                TIP-907 SQLite on a network file system, TIP-918 the key inside the workspace,
                TIP-928 the folder cannot be written. Nothing of the workspace is left behind.
        """
        root = path.expanduser().resolve()
        settings = _new_settings(root, reference_area, key, key_file, registry)
        ws = cls(root, settings)
        _refuse_used(root)
        from tipstat.registry.engine import resolve_url

        url = resolve_url(ws.registry_url, root)
        refuse_network_registry(ws)
        if key == "file":
            keys.refuse_inside(Path(settings.key_file), root)
        with _tidy(root):
            _make_tree(root)
            if key == "file":
                keys.create_key(Path(settings.key_file))
            from tipstat.registry.migrate import create_registry

            create_registry(url, settings.workspace_id)
            # Last: a folder without settings is no workspace, whatever else it holds.
            write_private(root / SETTINGS_FILE, render_settings(settings))
        return ws

    @property
    def registry_url(self) -> str:
        """The registry's URL; it may hold a password, so it is never printed as it is."""
        return registry_url(self.settings)

    @property
    def landing_dir(self) -> Path:
        """The folder of the landed submissions."""
        return self.root / "landing"

    @property
    def warehouse_dir(self) -> Path:
        """The folder of the warehouse files and of ``CURRENT``."""
        return self.root / "warehouse"

    @property
    def building_dir(self) -> Path:
        """The folder in which a build works."""
        return self.warehouse_dir / ".building"

    @property
    def vintages_dir(self) -> Path:
        """The folder of the figures of each build."""
        return self.root / "vintages"

    @property
    def outputs_dir(self) -> Path:
        """The folder of workbooks and reports."""
        return self.root / "outputs"

    @property
    def layouts_dir(self) -> Path:
        """The folder of the office's own layouts."""
        return self.root / "layouts"

    @property
    def correspondences_dir(self) -> Path:
        """The folder of the office's own correspondences."""
        return self.root / "correspondences"

    @property
    def populations_dir(self) -> Path:
        """The folder of the office's own populations."""
        return self.root / "populations"

    def registry(self) -> Registry:
        """The registry, checked to be there, of this tipstat's revision and of this workspace.

        Raises:
            WorkplaceError: TIP-908 to TIP-915.
        """
        from tipstat.registry import Registry

        return Registry.open(self.registry_url, self.root, self.settings.workspace_id)


def refuse_network_registry(ws: Workspace) -> None:
    """Refuse an SQLite registry where file locks and shared memory do not hold.

    Raises:
        WorkplaceError: TIP-907.
    """
    from tipstat.registry import engine as engines
    from tipstat.registry.file_system import network_file_system

    url = engines.resolve_url(ws.registry_url, ws.root)
    if not engines.is_sqlite(url):
        return
    file = engines.sqlite_file(url)
    kind = network_file_system(file)
    if kind:
        raise refuse("TIP-907", WorkplaceError, where=str(file), found=kind)


def write_private(path: Path, text: str) -> None:
    """Write a text file that only its owner can read, and bring it to the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _new_settings(
    root: Path, reference_area: str, key: str, key_file: Path | None, registry: str
) -> Settings:
    if has_password(registry):
        raise refuse("TIP-906", WorkplaceError, where="--registry")
    stem = "".join(c for c in root.name.lower() if c.isascii() and c.isalnum())[:30]
    workspace_id = f"{stem or 'workspace'}-{secrets.token_hex(4)}"
    named = ""
    if key == "file":
        from_environment = os.environ.get("TIPSTAT_KEY_FILE")
        default = from_environment or keys.default_key_file(workspace_id)
        named = str(Path(key_file or default).expanduser().resolve())
    return Settings(
        workspace_id=workspace_id,
        reference_area=reference_area,
        registry_url=registry,
        key_source=key,
        key_file=named,
    )


def _refuse_used(root: Path) -> None:
    if root.exists() and not root.is_dir():
        raise refuse("TIP-902", WorkplaceError, where=str(root), found="a file of that name")
    if (root / SETTINGS_FILE).exists():
        raise refuse("TIP-902", WorkplaceError, where=str(root), found="a workspace")
    if root.is_dir() and any(root.iterdir()):
        raise refuse("TIP-902", WorkplaceError, where=str(root), found="a folder with files")


def _make_tree(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    root.chmod(0o700)
    for name in FOLDERS:
        (root / name).mkdir(mode=0o700)
    write_private(root / ".gitignore", _GITIGNORE)


@contextlib.contextmanager
def _tidy(root: Path) -> Iterator[None]:
    """Take away what was made of a workspace that could not be finished."""
    existed = root.exists()
    try:
        yield
    except BaseException as error:
        for made in list(root.iterdir()) if root.is_dir() else []:
            shutil.rmtree(made, ignore_errors=True) if made.is_dir() else made.unlink()
        if not existed and root.is_dir():
            root.rmdir()
        if isinstance(error, OSError):
            found = error.strerror or "not writable"
            raise refuse("TIP-928", WorkplaceError, where=str(root), found=found) from error
        raise
