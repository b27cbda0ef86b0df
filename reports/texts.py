"""The fixed texts of every output, in each language, from ``reports/templates/text_<lang>.csv``."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parent / "templates"
LANGUAGES = ("en", "es", "fr")


@dataclass(frozen=True)
class Texts:
    """The texts of one language.

    Attributes:
        language: two-letter code of the language.
        entries: text by key, such as ``restricted`` or ``caveat.C1``.
    """

    language: str
    entries: dict[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key, its ``{placeholders}`` filled; ``KeyError`` where there is none."""
        return self.entries[key].format(**values) if values else self.entries[key]

    def get(self, key: str, default: str) -> str:
        """The text of a key, or the default where the key is open-ended (a code, an indicator)."""
        return self.entries.get(key, default)

    def under(self, prefix: str) -> dict[str, str]:
        """Texts whose key starts with ``<prefix>.``, by the rest of the key, in file order."""
        start = f"{prefix}."
        return {
            key.removeprefix(start): text
            for key, text in self.entries.items()
            if key.startswith(start)
        }


@cache
def texts(language: str) -> Texts:
    """Read the texts of a language.

    Args:
        language: one of ``LANGUAGES``.

    Raises:
        KeyError: there is no such language.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    path = TEMPLATES / f"text_{language}.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        return Texts(language, {row["key"]: row["text"] for row in csv.DictReader(handle)})
