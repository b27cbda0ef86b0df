"""What a reply says, in the language of the return.

Rules speak through ``seeds/catalogue/rules_<language>.csv``; what was found in particular is put
together in English by the rules themselves and said again here, where its pattern is known.
"""

from __future__ import annotations

import re
from functools import cache

from loaders.template_texts import definition, record_type_label, texts, variable_label
from tipstat.classification import LANGUAGES, labels
from tipstat.rules import all_rules, rule_texts

_GAP = re.compile(r"\\\{(\d)\\\}")


def language_of(named: str) -> str:
    """The language of a reply: that of the return where it is one of ours, else English."""
    return named if named in LANGUAGES else "en"


def words(language: str) -> dict[str, str]:
    """The fixed words of a reply by key, without the prefix ``reply.``."""
    return {
        key.removeprefix("reply."): text
        for key, text in texts(language).items()
        if key.startswith("reply.")
    }


def said(text: str, language: str) -> str:
    """A text that a rule put together, in a language; as it is where its pattern is not known.

    Args:
        text: title, expectation, definition, or one of the ``said.*`` patterns of the texts.
        language: of the reply.
    """
    if language == "en" or not text:
        return text
    whole = _whole(language).get(text) or definition(text, language)
    if whole != text:
        return whole
    for pattern, template in _patterns(language):
        found = pattern.fullmatch(text)
        if found:
            parts = [said(part, language) for part in found.groups()]
            return template.format(*parts)
    return text


@cache
def _whole(language: str) -> dict[str, str]:
    """Titles and expectations of the rules in English -> in the language."""
    said_so: dict[str, str] = {}
    for rule_id, own in rule_texts(language).items():
        rule = all_rules()[rule_id]
        said_so.setdefault(rule.title, own.title)
        said_so.setdefault(rule.expected, own.expected)
    return said_so


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    """English patterns of what rules say, the longest first, with their form in the language."""
    english, own = texts("en"), texts(language)
    keys = sorted((k for k in english if k.startswith("said.")), key=lambda k: -len(english[k]))
    return [
        (re.compile(_GAP.sub("(.+?)", re.escape(english[key])), re.S), own[key]) for key in keys
    ]


def column_name(record_type: str, variable: str, letter: str, language: str) -> str:
    """A column as the sender knows it: its label and letter."""
    if not variable:
        return letter
    label = variable_label(variable, language)
    return f"{label} ({letter})" if letter else label


def record_type_name(record_type: str, language: str) -> str:
    """The label of a record type."""
    return record_type_label(record_type, language) if record_type else ""


def kind_name(kind: str, language: str) -> str:
    """The label of a kind of return."""
    return labels(language).get(("kind", kind), kind)
