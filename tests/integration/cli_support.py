"""Commands called as a person would, in this process, with their output and exit code."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from loaders.templates import write_template
from tipstat.cli.main import main

Rows = Mapping[str, Sequence[Mapping[str, object]]]


@dataclass(frozen=True)
class Outcome:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


def run(*arguments: str | Path) -> Outcome:
    """Run ``tipstat`` with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", ["tipstat", *map(str, arguments)])
        try:
            main()
        except SystemExit as leaving:
            code = int(leaving.code or 0)
    return Outcome(code, out.getvalue(), err.getvalue())


METADATA = {
    "sender": "XXA-POLICE",
    "reference_area": "XXA",
    "period_start": "2024-01-01",
    "period_end": "2024-12-31",
    "extraction_date": "2025-02-01",
    "maturity": "FINAL",
    "intent": "NEW",
    "legal_basis": "LAW",
}


def event(number: int, **changed: object) -> dict[str, object]:
    """An event that nothing is wrong with."""
    return {
        "reporting_entity": "XXA-POLICE",
        "event_ref": f"EV-{number:04d}",
        "event_registration_date": "2024-03-01",
        "event_status": "RECORDED",
        **changed,
    }


def victim(number: int, **changed: object) -> dict[str, object]:
    """A victim, of the event of the same number, whom nothing is wrong with."""
    return {
        "reporting_entity": "XXA-POLICE",
        "event_ref": f"EV-{number:04d}",
        "victim_ref": f"VI-{number:04d}",
        "registration_date": "2024-03-02",
        "victim_status": "FORMAL",
        "sex": "F",
        "age": "19",
        "citizenship": "XXA",
        "purpose": "SEX",
        **changed,
    }


def police_return(path: Path, rows: Rows | None = None, **metadata: str) -> Path:
    """A filled police workbook; ten sound events with a victim each unless rows are given."""
    sound = {
        "event": [event(n) for n in range(1, 11)],
        "victim": [victim(n) for n in range(1, 11)],
    }
    write_template(
        "police",
        "en",
        path,
        reference_area="XXA",
        rows={**sound, **(rows or {})},
        metadata={**METADATA, **metadata},
    )
    return path


def workspace(folder: Path) -> Path:
    """A workspace of the sample country with its police registered and the demo key."""
    assert run("init", folder, "--reference-area", "XXA", "--key", "demo").code == 0
    added = run(
        "-w", folder, "entity", "add", "XXA-POLICE",
        "--name", "National Police", "--type", "POLICE", "--area", "XXA",
    )  # fmt: skip
    assert added.code == 0, added.text
    return folder
