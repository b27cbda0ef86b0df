"""One purge of a submission's events in a process of its own, killed at a step named.

Usage: purge_driver.py WORKSPACE SUBMISSION STEP [RECORD_ID …]
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from tipstat import purge, warehouse
from tipstat.landing import PurgeRequest, folders, purging, receipts
from tipstat.workspace import Workspace

#: Step -> the module and function before which it is.
BEFORE_THE_SWAP: dict[str, tuple[Any, str]] = {
    "before the files": (purging, "_make"),
    "before the disk": (folders, "sync_folder"),
    "before the swap": (purging, "swap"),
}
AFTER_THE_SWAP: dict[str, tuple[Any, str]] = {
    "between the renames": (folders, "publish_folder"),
    "after the swap": (purging, "enter_tombstones"),
    "before the commit": (purging, "_audit"),
    "after the commit": (receipts, "write_status_files"),
    "before the old folder goes": (purging.shutil, "rmtree"),
    "before the warehouse": (warehouse, "forget_destroyed"),
}


def main() -> None:
    """Purge, or die on the way."""
    workspace, submission, step, *ids = sys.argv[1:]
    module, name = (BEFORE_THE_SWAP | AFTER_THE_SWAP)[step]
    setattr(module, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
    record_type = "event" if ids else None
    request = PurgeRequest(submission, "COURT_ORDER", "order 1", record_type, tuple(ids))
    purge.purge(Workspace.find(workspace), request, actor="driver")


if __name__ == "__main__":
    main()
