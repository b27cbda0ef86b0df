"""The pseudonym key: 32 random bytes in a file outside the workspace.

References and identifiers are landed only as HMAC-SHA-256 under this key (RFC 2104), so who holds
the key can test guesses against the landing, and who loses it can never again link a new return
to an old one. See ``docs/keys.md``.
"""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tipstat.errors import WorkplaceError
from tipstat.rules import refuse

if TYPE_CHECKING:
    from tipstat.workspace import Workspace

KEY_BYTES = 32
#: Block size of SHA-256, to which HMAC pads its key (RFC 2104, section 2).
_BLOCK = 64
_FINGERPRINT_MESSAGE = b"tipstat pseudonym key fingerprint"


@dataclass(frozen=True, repr=False)
class PseudonymKey:
    """A key and what may be shown of it.

    Attributes:
        secret: the 32 bytes; never printed, logged or stored.
        fingerprint: 16 hexadecimal digits derived one way from the key, stored with submissions.
    """

    secret: bytes
    fingerprint: str

    @property
    def inner_pad(self) -> bytes:
        """The key padded to 64 bytes, XOR 0x36: goes before the message in the inner hash."""
        return self._padded(0x36)

    @property
    def outer_pad(self) -> bytes:
        """The key padded to 64 bytes, XOR 0x5C: goes before the inner hash in the outer one."""
        return self._padded(0x5C)

    def _padded(self, mask: int) -> bytes:
        return bytes(byte ^ mask for byte in self.secret.ljust(_BLOCK, b"\0"))

    def __repr__(self) -> str:
        return f"PseudonymKey(fingerprint={self.fingerprint!r})"


def make_key(secret: bytes) -> PseudonymKey:
    """A key with its fingerprint; ``ValueError`` unless the secret has 32 bytes."""
    if len(secret) != KEY_BYTES:
        raise ValueError(f"a pseudonym key has {KEY_BYTES} bytes")
    return PseudonymKey(secret, hmac.digest(secret, _FINGERPRINT_MESSAGE, "sha256").hex()[:16])


#: The public key of the demonstration: protects nothing, makes the demo's results repeatable.
DEMO_KEY = make_key(b"tipstat public demonstration key")


def default_key_file(workspace_id: str) -> Path:
    """Where ``tipstat init`` puts the key of a new workspace."""
    return Path.home() / ".config" / "tipstat" / "keys" / f"{workspace_id}.key"


def key_file(ws: Workspace) -> Path:
    """The key file in use: ``TIPSTAT_KEY_FILE``, else the one of ``tipstat.toml``."""
    named = os.environ.get("TIPSTAT_KEY_FILE") or ws.settings.key_file
    return Path(named).expanduser() if named else default_key_file(ws.settings.workspace_id)


def load_key(ws: Workspace) -> PseudonymKey:
    """Read the pseudonym key of a workspace.

    Args:
        ws: the workspace; one made with ``--key demo`` has the public demonstration key.

    Returns:
        The key.

    Raises:
        WorkplaceError: TIP-916 no key file, TIP-917 a file that holds no key, TIP-918 a key file
            inside the workspace.
    """
    if ws.settings.key_source == "demo":
        return DEMO_KEY
    path = key_file(ws)
    refuse_inside(path, ws.root)
    return read_key(path)


def read_key(path: Path) -> PseudonymKey:
    """Read a key file: 64 hexadecimal digits; refusals as for :func:`load_key`."""
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError as error:
        raise refuse("TIP-916", WorkplaceError, where=str(path), found="no such file") from error
    except OSError as error:
        found = error.strerror or "not readable"
        raise refuse("TIP-916", WorkplaceError, where=str(path), found=found) from error
    except UnicodeDecodeError as error:
        raise refuse("TIP-917", WorkplaceError, where=str(path)) from error
    try:
        return make_key(bytes.fromhex(text.strip()))
    except ValueError:
        # Not chained: the text of the cause could quote a part of the file.
        raise refuse("TIP-917", WorkplaceError, where=str(path)) from None


def refuse_inside(path: Path, root: Path) -> None:
    """Refuse a key file inside the workspace: a copy of the folder would carry its own key.

    Raises:
        WorkplaceError: TIP-918.
    """
    if path.resolve().is_relative_to(root.resolve()):
        raise refuse("TIP-918", WorkplaceError, where=str(path))


def create_key(path: Path) -> PseudonymKey:
    """Write a new random key, or take the key that the file already holds.

    A key that exists is never overwritten: an office may use one key for two workspaces, or
    restore a workspace from its backup.

    Args:
        path: the key file; its folder is made with mode 0700, the file with mode 0600.

    Returns:
        The key.

    Raises:
        WorkplaceError: TIP-916 where the file cannot be written, TIP-917 where it is no key.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_key(path)
    except OSError as error:
        found = error.strerror or "not writable"
        raise refuse("TIP-916", WorkplaceError, where=str(path), found=found) from error
    secret = secrets.token_bytes(KEY_BYTES)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secret.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return make_key(secret)
