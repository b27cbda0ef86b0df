"""Build in a process of its own and die by SIGKILL at a named point, or wait there to be killed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from tipstat import warehouse
from tipstat.workspace import Workspace


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hold(*_: object, **__: object) -> None:
    print("holding", flush=True)
    time.sleep(120)


def during_dbt(act: Callable[..., None]) -> Callable[[str, str, int, int], None]:
    def listen(step: str, _name: str, done: int, _total: int) -> None:
        if step == "model" and done >= 2:
            act()

    return listen


def patch(point: str) -> None:
    write = warehouse._write_atomically

    def write_unless_current(path: Path, text: str) -> None:
        if path.name == "CURRENT":
            die()
        write(path, text)

    def verify_and_die(*arguments: object) -> None:
        verify(*arguments)
        die()

    verify = warehouse._verify
    if point == "before_rename":
        warehouse._verify = verify_and_die
    elif point == "before_current":
        warehouse._write_atomically = write_unless_current
    elif point == "before_vintage":
        warehouse.write_vintage = die
    elif point == "before_registry":
        warehouse._register = die


def main(root: str, project: str, point: str) -> None:
    warehouse.project = SimpleNamespace(project_root=lambda: Path(project))
    patch(point)
    act = {"during_dbt": die, "hold": hold}.get(point)
    warehouse.build(
        Workspace.open(Path(root)), actor="driver", on_event=during_dbt(act) if act else None
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
