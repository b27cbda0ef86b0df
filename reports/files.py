"""Writing an output so that a reader finds the whole of it or what was there before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tipstat.errors import WorkplaceError
from tipstat.rules import refuse


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file beside ``path`` to write to, and put it in place at the end.

    The figures are unprotected, so the file is for its owner alone.

    Args:
        path: where the output is to stand.

    Yields:
        The temporary path.

    Raises:
        WorkplaceError: TIP-704, the file or its folder cannot be written; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()
        yield temporary
        temporary.chmod(0o600)
        temporary.replace(path)
    except OSError as failure:
        raise refuse(
            "TIP-704", WorkplaceError, where=path.name, found=failure.strerror or "not writable"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)
