"""Characters that nobody sees or that look like others: told, and passed over where codes are."""

from __future__ import annotations

from pathlib import Path

import pytest
from check_returns import checked, police, rule_ids, sound

from loaders.alphabet import latin, mixes_alphabets
from loaders.coding import collapsed, list_coder
from loaders.keyed import normalised
from loaders.read import Source, read_source


def read(folder: Path, text: str, encoding: str = "utf-8") -> Source:
    (folder / "a.csv").write_bytes(text.encode(encoding))
    return read_source(folder / "a.csv")


def told(source: Source, rule_id: str) -> list[tuple[str, int]]:
    return [(note.cell, note.count) for note in source.notes if note.rule_id == rule_id]


@pytest.mark.parametrize(
    "sign", ["\u00ad", "\u200b", "\u200d", "\u200f", "\u2060", "\ufeff", "\u202e"]
)
def test_an_invisible_character_is_told_by_its_first_cell_and_kept(tmp_path, sign):
    source = read(tmp_path, f"sex,age\nF,1\nF{sign},2\nM,3\n{sign}M,4\n")
    assert told(source, "TIP-158") == [("A3", 2)]
    assert source.sheets[0].table["c1"].to_pylist()[2] == f"F{sign}"


@pytest.mark.parametrize("text", ["niÃ±a", "MuÃ±oz", "Ã‰vora", "lâ€™eau", "ni\ufffda"])
def test_letters_damaged_before_the_file_was_sent_are_told(tmp_path, text):
    assert told(read(tmp_path, f"name\nx\n{text}\n"), "TIP-159") == [("A3", 1)]


@pytest.mark.parametrize("text", ["niña", "Évora", "São Paulo", "Ängelholm", "Ã", "Âge", "l’eau"])
def test_sound_letters_are_not_told(tmp_path, text):
    assert read(tmp_path, f"name,b\nx,1\n{text},2\n").notes == read(tmp_path, "name,b\nx,1\n").notes


@pytest.mark.parametrize(
    "sent", ["F\u200b", "\ufeffF", "F\u00a0", "Ｆ", "Fe\u00admale", "ＦＥＭＡＬＥ", "female\u2060"]
)
def test_a_code_is_found_whatever_invisible_or_wide_characters_it_holds(sent):
    assert list_coder("sex", "en", {}).cell(sent).code == "F"


def test_curly_quotes_and_dashes_are_those_of_the_keyboard():
    assert collapsed("Côte d’Ivoire – “x”") == collapsed('Côte d\'Ivoire - "x"')


def test_a_look_alike_letter_in_a_code_is_a_finding_with_the_nearest_code():
    (finding,) = checked(police(sound("victim", sex="М"))).findings()  # Cyrillic
    assert (finding.rule_id, finding.value, finding.nearest) == ("TIP-201", "М", "M")
    assert latin("РОLІСЕ") == "POLICE"


def test_references_that_look_alike_are_one_and_those_of_two_alphabets_are_told():
    assert normalised("AB\u200b-12\u00ad") == "AB-12"
    assert mixes_alphabets("АB-12")
    assert not mixes_alphabets("AB-12")
    assert not mixes_alphabets("АБ-12")
    assert not mixes_alphabets("Ñandú-12")
    findings = checked(police(sound("victim", victim_ref="АB-12"))).findings()
    (mixed,) = [f for f in findings if f.rule_id == "TIP-168"]
    assert (mixed.severity, mixed.value, mixed.variable) == ("warning", None, "victim_ref")
    assert "АB" not in mixed.message


def test_the_code_of_namibia_is_a_code_and_not_a_gap():
    assert rule_ids(police(sound("victim", citizenship="NAM"))) == set()
    assert rule_ids(police(sound("victim", citizenship="NA"))) == {"TIP-201"}
