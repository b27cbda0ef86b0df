"""Rules and replies speak English, Spanish and French to a sender."""

from __future__ import annotations

import csv
import re

import pytest

from loaders.findings import SEVERITIES
from loaders.reply_words import said, words
from loaders.template_texts import texts
from tipstat.classification import LANGUAGES
from tipstat.project import seeds_dir
from tipstat.rules import all_rules, rule_texts

#: Whom the texts of a reply do not send to: commands and files are the office's.
OFFICE_ONLY = re.compile(r"tipstat |--set|--sender|layout|correspondences/|ask the sender", re.I)


def own_rows(language: str) -> dict[str, dict[str, str]]:
    path = seeds_dir() / "catalogue" / f"rules_{language}.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        return {row["rule_id"]: row for row in csv.DictReader(handle)}


def met_by_senders() -> set[str]:
    return {rule.rule_id for rule in all_rules().values() if rule.scope != "tipstat"}


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_no_text_of_a_rule_that_a_sender_can_meet_is_missing(language: str) -> None:
    rows = own_rows(language)
    assert met_by_senders() - rows.keys() == set(), "write the texts in seeds/catalogue"
    assert rows.keys() - met_by_senders() == set()
    assert [r["rule_id"] for r in rows.values() if not all(r.values())] == []
    english = all_rules()
    same = [k for k, row in rows.items() if row["title"] == english[k].title]
    assert same == [], "not translated"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_texts_of_rules_stand_in_their_order(language: str) -> None:
    assert list(own_rows(language)) == sorted(own_rows(language))
    assert own_rows(language).keys() <= met_by_senders()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sender_is_told_what_a_sender_can_do(language: str) -> None:
    to_the_office = {
        rule_id: text.fix
        for rule_id, text in rule_texts(language).items()
        if rule_id in met_by_senders() and OFFICE_ONLY.search(text.fix)
    }
    assert to_the_office == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_of_a_rule_begins_like_a_formula(language: str) -> None:
    met = [text for k, text in rule_texts(language).items() if k in met_by_senders()]
    shown = [text for one in met for text in vars(one).values()]
    assert [text for text in shown if text.startswith(("=", "+", "-", "@"))] == []


def test_the_words_of_a_reply_have_the_same_gaps_in_every_language() -> None:
    def gaps(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    english = {k: gaps(t) for k, t in texts("en").items() if k.startswith("reply.")}
    for language in LANGUAGES:
        assert {k: gaps(texts(language)[k]) for k in english} == english
    patterns = [key for key in texts("en") if key.startswith("said.")]
    assert all(gaps(texts(x)[k]) <= gaps(texts("en")[k]) for k in patterns for x in LANGUAGES)


def test_every_severity_has_its_words() -> None:
    for language in LANGUAGES:
        for severity in SEVERITIES:
            assert words(language)[f"severity.{severity}"]
            assert words(language)[f"meaning.{severity}"]


@pytest.mark.parametrize(
    ("text", "spanish"),
    [
        ("a code of sex: F, M, O", "un código de sex: F, M, O"),
        ("a code of form: A, B, … (12 codes)", "un código de form: A, B, … (12 códigos)"),
        ("3 of 10 records held out", "3 de 10 registros retenidos"),
        ("not a date", "no es una fecha"),
        ("sheet Old is hidden", "la hoja Old está oculta"),
        ("C3 holds formula without a saved value", "C3 contiene fórmula sin valor guardado"),
        ("Sex of the victim as stated in identity documents or by the victim", None),
        ("something that no pattern knows", "something that no pattern knows"),
        ("", ""),
    ],
)
def test_what_rules_put_together_is_said_in_the_language_of_the_return(
    text: str, spanish: str | None
) -> None:
    if spanish is not None:
        assert said(text, "es") == spanish
    assert said(text, "en") == text
