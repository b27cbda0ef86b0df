"""One load in a process of its own, which a signal stops or kills at a step named.

Usage: load_driver.py WORKSPACE STEP SIGNAL FILE_HASH [INTENT EARLIER]
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from registry_support import header, write_events

from tipstat.landing import acceptance, folders, land, transaction
from tipstat.workspace import Workspace

#: Step -> the module and function before which it is.
STEPS: dict[str, tuple[Any, str]] = {
    "after the intent": (folders, "make_temporary"),
    "after the Parquet": (folders, "sync_folder"),
    "before the rename": (folders, "publish_folder"),
    "after the rename": (transaction, "accept"),
    "before the commit": (acceptance, "add_audit"),
    "after the commit": (transaction, "settle"),
}


def interrupt(step: str, signal_name: str) -> None:
    """Send this process a signal before the step."""
    module, name = STEPS[step]
    real: Callable[..., Any] = getattr(module, name)

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        os.kill(os.getpid(), getattr(signal, signal_name))
        return real(*args, **kwargs)

    setattr(module, name, interrupted)


def main() -> None:
    """Load and print the submission's id."""
    workspace, step, signal_name, file_hash, *replacing = sys.argv[1:]
    if step:
        interrupt(step, signal_name)
    changes: dict[str, Any] = {"file_sha256": file_hash}
    if replacing:
        changes |= {"intent": replacing[0], "earlier_submission": replacing[1]}
    print(land(Workspace.find(workspace), header(**changes), write_events))


if __name__ == "__main__":
    main()
