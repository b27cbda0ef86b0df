"""Whether the process of a load still runs, though ids are used again."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tipstat.landing.processes import is_running, machine, process_start


def test_this_process_runs_and_knows_its_start() -> None:
    assert is_running(os.getpid(), process_start(os.getpid()))
    assert is_running(os.getpid(), "")
    assert machine() == machine() != ""


def test_a_process_of_the_same_id_that_started_at_another_time_is_another() -> None:
    assert not is_running(os.getpid(), "another start")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_process_that_ended_but_was_not_waited_for_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = process_start(child.pid)
    assert is_running(child.pid, started)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not is_running(child.pid, started)
    child.communicate()
    assert not is_running(child.pid, started)
