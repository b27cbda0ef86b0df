"""Reading the classification: lists, trees, labels and search."""

import pytest

from tipstat.classification import (
    LANGUAGES,
    code_list,
    correspondence,
    fold,
    label,
    labels,
    list_names,
    missing_codes,
    offence_areas,
    offences,
    search,
)


def test_a_list_keeps_the_order_of_its_file():
    assert [code.code for code in code_list("act").codes] == [
        "RECRUITMENT",
        "TRANSPORTATION",
        "TRANSFER",
        "HARBOURING",
        "RECEIPT",
    ]


def test_an_unknown_list_is_a_key_error():
    with pytest.raises(KeyError, match="forms"):
        code_list("forms")


def test_depth_counts_the_broader_codes_above():
    iccs = code_list("iccs")
    assert [iccs.depth(code) for code in ("02", "0203", "02032", "020322")] == [0, 1, 2, 3]


def test_a_tree_puts_each_code_right_below_its_parent():
    tree = [(depth, code.code) for depth, code in code_list("age_group").as_tree()]
    adults = tree.index((0, "Y_GE18"))
    assert tree[adults + 1] == (1, "Y18T20")
    assert (0, "Y15T29") in tree


def test_the_articles_of_a_country_are_a_list_of_their_own():
    assert "offence_XXA" in list_names()
    code = code_list("offence_XXA").by_code["PC-231-1"]
    assert (code.source, code.source_code) == ("Sample Penal Code", "231")
    assert "XXA" in offence_areas()


def test_a_list_whose_name_looks_like_one_of_articles_is_still_a_list():
    assert set(code_list("offence_rule").by_code) == {"ALL", "PRINCIPAL"}


def test_a_country_without_mapped_law_has_no_offences():
    assert offences("NLD") == ()


def test_a_label_is_given_in_the_language_asked_for():
    assert [label("form", "BEGGING", lang) for lang in LANGUAGES] == [
        "Forced begging",
        "Mendicidad forzada",
        "Mendicité forcée",
    ]


def test_the_iccs_falls_back_on_english_where_no_official_french_is_loaded():
    assert ("iccs", "0204") not in labels("fr")
    assert label("iccs", "0204", "fr") == "Trafficking in persons (TIP)"
    assert label("iccs", "0204", "es") == "Trata de personas"


def test_missing_codes_are_labelled_in_every_list():
    assert label("sex", "_U", "es") == "No se conoce"
    assert label("form", "_NS", "fr") == "Non séparable"
    assert missing_codes() == {"_U", "_X", "_N", "_Z", "_I", "_T", "_NS"}


def test_a_code_without_any_label_is_shown_as_it_is():
    assert label("sex", "Q") == "Q"


def test_a_language_without_file_is_a_key_error():
    with pytest.raises(KeyError):
        labels("de")


def test_a_correspondence_is_read_by_the_name_of_its_file():
    first = correspondence("map_form_unodc")[0]
    assert (first["form"], first["form_unodc"], first["authority"]) == ("SEX", "SEX", "UNODC")
    with pytest.raises(KeyError):
        correspondence("map_form_unknown")


@pytest.mark.parametrize(
    ("text", "lang", "code"),
    [("trata", "es", "TIP"), ("traite", "fr", "TIP"), ("trafficking", "en", "TIP")],
)
def test_search_finds_trafficking_in_each_language(text, lang, code):
    hits = [(hit.list_name, hit.code, hit.lang) for hit in search(text)]
    assert ("contact_subject", code, lang) in hits


def test_search_ignores_case_and_accents():
    assert search("VICTIMA") == search("víctima")
    assert {hit.lang for hit in search("soeur")} == {"fr"}
    assert any(hit.code == "CIV" for hit in search("cote d'ivoire"))


def test_search_finds_a_whole_code():
    assert {(hit.list_name, hit.lang) for hit in search("02042")} >= {
        ("iccs", "en"),
        ("iccs", "es"),
    }


def test_a_blank_search_finds_nothing():
    assert search("  ") == []


def test_folding_removes_case_accents_ligatures_and_doubled_blanks():
    assert fold("  SŒUR  d’Élève ") == "soeur d'eleve"
