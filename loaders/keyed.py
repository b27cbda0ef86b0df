"""References and identifiers: normalised and keyed inside the engine, never by a loop over rows.

HMAC-SHA-256 (RFC 2104) as two nested ``sha256`` over padded blobs; the pads are bound parameters,
so that the key is in no statement text.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from loaders.alphabet import visible
from tipstat.project import seeds_dir

if TYPE_CHECKING:
    from tipstat.keys import PseudonymKey

#: Blanks of ASCII, as Python's ``str.split`` sees them.
_BLANKS = r"[\t-\r\x1c-\x1f ]+"


def normalised(text: str) -> str:
    """A reference or identifier as it is keyed: NFKC, trimmed, upper case, single blanks.

    Characters that are not seen are passed over: two references that look alike are one.
    The result is composed once more, so that spellings that differ only in composition agree.
    """
    upper = unicodedata.normalize("NFKC", visible(text)).upper()
    return unicodedata.normalize("NFKC", " ".join(upper.split()))


def normalised_sql(column: str) -> str:
    """The same for a value that is ASCII, for which NFKC changes nothing.

    Most references hold no blank at all, which costs a quarter of looking for runs of them.
    """
    collapsed = f"trim(regexp_replace({column}, '{_BLANKS}', ' ', 'g'))"
    return (
        f"upper(case when regexp_full_match({column}, '[!-~]+') then {column} else {collapsed} end)"
    )


def is_ascii_sql(column: str) -> str:
    """Whether a value is ASCII: as many bytes as characters."""
    return f"(strlen({column}) = length({column}))"


def keyed_sql(message: str) -> str:
    """HMAC-SHA-256 of a text expression as 64 hex characters; NULL for NULL.

    The statement needs the parameters of :func:`pads`.
    """
    inner = f"sha256($inner_pad || encode({message}))"
    return f"sha256($outer_pad || unhex({inner}))"


def pads(key: PseudonymKey) -> dict[str, bytes]:
    """The parameters that a statement with :func:`keyed_sql` needs."""
    return {"inner_pad": key.inner_pad, "outer_pad": key.outer_pad}


def reference_domain(variable: str) -> str:
    """The domain of a reference: its variable without ``origin_`` and ``_ref``."""
    return variable.removeprefix("origin_").removesuffix("_ref")


@cache
def _placeholders() -> tuple[frozenset[str], tuple[str, ...]]:
    path = seeds_dir() / "catalogue" / "placeholder_reference.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    exact = frozenset(normalised(row["value"]) for row in rows if row["match"] == "exact")
    return exact, tuple(row["value"] for row in rows if row["match"] == "pattern")


def is_placeholder(text: str) -> bool:
    """Whether a normalised reference is one that identifies nothing (STATISTICS section 2)."""
    exact, patterns = _placeholders()
    return text in exact or any(re.fullmatch(pattern, text) for pattern in patterns)


def placeholder_sql(column: str) -> str:
    """The same over a column of normalised references."""
    exact, patterns = _placeholders()
    listed = ", ".join(_literal(value) for value in sorted(exact))
    matched = "".join(f" or regexp_full_match({column}, {_literal(p)})" for p in patterns)
    return f"({column} in ({listed}){matched})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
