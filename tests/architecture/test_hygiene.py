"""What no file of the project may hold: paths of somebody's machine, hosts of registries."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Written in pieces, so that this file does not hold what it forbids.
MACHINE_PATH = re.compile(
    r"(?<![\w.:/~$}<-])/(?:" + "|".join(("home", "work", "tmp", "Users", "root")) + r")/[\w.-]+"
)
WINDOWS_PATH = re.compile(r"\b[C-Z]:\\" + r"(?:Users|Documents)\\", re.IGNORECASE)
# However a registry is named, it is by an option of an installer or by the path of its index.
REGISTRY_HOST = re.compile(r"--(?:extra-)?inde[x]-url|--find-link[s]|/simpl[e]/")
NOT_TEXT = {".parquet", ".xlsx", ".ods", ".png", ".duckdb", ".gz", ".zip"}


def project_files() -> list[Path]:
    """Files that are tracked, or would be once they are added."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file() and path.suffix not in NOT_TEXT]


def holding(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in project_files():
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT).as_posix()}:{number}: {line.strip()[:100]}")
    return found


def test_no_file_mentions_a_folder_of_a_machine() -> None:
    assert holding(MACHINE_PATH) + holding(WINDOWS_PATH) == []


def test_no_file_mentions_the_host_of_a_package_registry() -> None:
    assert holding(REGISTRY_HOST) == []


def test_no_data_of_a_workspace_is_in_the_project() -> None:
    kept = [path.relative_to(ROOT).as_posix() for path in project_files()]
    assert [name for name in kept if name.endswith((".duckdb", ".sqlite", ".wal", ".key"))] == []
