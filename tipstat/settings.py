"""Settings of a workspace: ``tipstat.toml``, which never holds a secret."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tipstat.errors import TipstatError, WorkplaceError
from tipstat.limits import Limits
from tipstat.rules import refuse

SETTINGS_FILE = "tipstat.toml"
DEFAULT_REGISTRY_URL = "sqlite:///registry.sqlite"
KEY_SOURCES = ("file", "demo")

_TEMPLATE = """\
# Settings of this tipstat workspace. No passwords and no keys here: a registry URL with a
# password belongs in the environment (TIPSTAT_REGISTRY_URL), the pseudonym key in its own file.

[workspace]
id = "{workspace_id}"
reference_area = "{reference_area}"   # ISO 3166-1 alpha-3; empty: each return says its own

[registry]
url = "{registry_url}"   # a relative SQLite path is relative to this folder

[key]
{key_comment}source = "{key_source}"
file = "{key_file}"   # outside this folder; TIPSTAT_KEY_FILE goes first

[load]
refusal_share = {refusal_share}   # share of records held out above which a file is refused
change_ratio = {change_ratio}   # change since the sender's previous return that is noted; 0: never

[limits]   # of received files, before they are parsed (docs/reading.md)
file_mb = {limits[file_mb]}   # largest file
unpacked_mb = {limits[unpacked_mb]}   # most that a zip or workbook may unpack to
unpack_ratio = {limits[unpack_ratio]}   # how many times its own size
members = {limits[members]}   # most parts of a zip or workbook
cells = {limits[cells]}   # most cells in the rectangle that a sheet uses
memory_mb = {limits[memory_mb]}   # of the process that reads or marks a file
seconds = {limits[seconds]}   # of the same process
"""

_DEMO_COMMENT = """\
# The PUBLIC demonstration key: anyone can recompute the pseudonyms made with it.
# Never load a real return into this workspace.
"""


@dataclass(frozen=True)
class Settings:
    """What ``tipstat.toml`` says.

    Attributes:
        workspace_id: fixed when the workspace is made; the registry carries it too.
        reference_area: country whose returns the office loads, or empty.
        registry_url: SQLAlchemy URL of the registry, without a password.
        key_source: ``file``, or ``demo`` for the public demonstration key.
        key_file: where the pseudonym key is; empty for the demonstration key.
        refusal_share: share of records held out above which a file is refused (DESIGN section 5).
        change_ratio: change since the sender's previous return from which it is noted; 0 for never.
        limits: how large a received file may be and what reading it may take.
    """

    workspace_id: str
    reference_area: str = ""
    registry_url: str = DEFAULT_REGISTRY_URL
    key_source: str = "file"
    key_file: str = ""
    refusal_share: float = 0.2
    change_ratio: float = 2.0
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class _Key:
    """One key of the file: the attribute that it fills and the check of its value.

    Attributes:
        attribute: of the settings; of their limits where it begins with ``limits.``.
    """

    attribute: str
    expected: str
    accepts: Callable[[object], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_ratio(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return value == 0 or value > 1


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_switch(value: object) -> bool:
    return isinstance(value, bool)


_LIMITS = tuple(name for name in asdict(Limits()) if name != "child_process")

_KEYS: dict[str, _Key] = {
    "workspace.id": _Key("workspace_id", "text", lambda v: isinstance(v, str) and bool(v)),
    "workspace.reference_area": _Key("reference_area", "an ISO 3166-1 alpha-3 code", _is_text),
    "registry.url": _Key("registry_url", "an SQLite or PostgreSQL URL", _is_text),
    "key.source": _Key("key_source", "one of file, demo", lambda v: v in KEY_SOURCES),
    "key.file": _Key("key_file", "a path", _is_text),
    "load.refusal_share": _Key("refusal_share", "a number from 0 to 1", _is_share),
    "load.change_ratio": _Key("change_ratio", "a number above 1, or 0 for never", _is_ratio),
    "limits.child_process": _Key("limits.child_process", "true or false", _is_switch),
    **{
        f"limits.{name}": _Key(f"limits.{name}", "a whole number above 0", _is_count)
        for name in _LIMITS
    },
}


def read_settings(path: Path) -> Settings:
    """Read ``tipstat.toml``.

    Args:
        path: the file.

    Returns:
        The settings; what the file leaves out has its default.

    Raises:
        WorkplaceError: TIP-903 not readable as TOML, TIP-904 an unknown key, TIP-905 a value
            that the key does not accept, TIP-906 a password in the registry URL.
    """
    flat = _flat(_parsed(path))
    for name in flat:
        if name not in _KEYS:
            raise _unknown(path, name)
    values: dict[str, object] = {}
    for name, value in flat.items():
        key = _KEYS[name]
        if not key.accepts(value):
            raise _unusable(path, name, key.expected)
        values[key.attribute] = value
    if "workspace_id" not in values:
        raise _unusable(path, "workspace.id", "the id that `tipstat init` wrote")
    own = {
        name: values.pop(f"limits.{name}")
        for name in asdict(Limits())
        if f"limits.{name}" in values
    }
    limits = Limits(**own)  # type: ignore[arg-type]  # each value was checked above
    settings = Settings(**values, limits=limits)  # type: ignore[arg-type]  # likewise
    if has_password(settings.registry_url):
        raise refuse("TIP-906", WorkplaceError, where=f"{path.name} › registry.url")
    return settings


def _parsed(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise refuse("TIP-903", WorkplaceError, where=str(path), found=str(error)) from error
    except UnicodeDecodeError as error:
        raise refuse("TIP-903", WorkplaceError, where=str(path), found="not UTF-8") from error
    except OSError as error:
        found = error.strerror or "not readable"
        raise refuse("TIP-903", WorkplaceError, where=str(path), found=found) from error


def _flat(tables: Mapping[str, object]) -> dict[str, object]:
    flat: dict[str, object] = {}
    for table, content in tables.items():
        if isinstance(content, Mapping):
            flat |= {f"{table}.{name}": value for name, value in content.items()}
        else:
            flat[table] = content
    return flat


def _unknown(path: Path, name: str) -> TipstatError:
    nearest = difflib.get_close_matches(name, _KEYS, n=1, cutoff=0.4)
    return refuse(
        "TIP-904",
        WorkplaceError,
        where=f"{path.name} › {name}",
        found=f'"{name}"',
        expected="one of " + ", ".join(_KEYS),
        nearest=nearest[0] if nearest else "",
    )


def _unusable(path: Path, name: str, expected: str) -> TipstatError:
    return refuse("TIP-905", WorkplaceError, where=f"{path.name} › {name}", expected=expected)


def has_password(url: str) -> bool:
    """Whether a database URL carries a password, in its user part or in its query."""
    parts = urlsplit(url)
    return bool(parts.password) or "password" in parse_qs(parts.query)


def registry_url(settings: Settings) -> str:
    """The registry's URL: ``TIPSTAT_REGISTRY_URL`` where set, else what ``tipstat.toml`` says."""
    return os.environ.get("TIPSTAT_REGISTRY_URL") or settings.registry_url


def render_settings(settings: Settings) -> str:
    """The text of a new ``tipstat.toml``, with comments."""
    return _TEMPLATE.format(
        workspace_id=settings.workspace_id,
        reference_area=settings.reference_area,
        registry_url=_escaped(settings.registry_url),
        key_comment=_DEMO_COMMENT if settings.key_source == "demo" else "",
        key_source=settings.key_source,
        key_file=_escaped(settings.key_file),
        refusal_share=settings.refusal_share,
        change_ratio=settings.change_ratio,
        limits=asdict(settings.limits),
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
