"""Delimited text in any encoding, tables in a zip, Parquet: the same sheets, and what was found."""

from __future__ import annotations

import datetime as dt
import decimal
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from loaders.encoding import decoded
from loaders.read import Source, read_source
from tipstat.errors import ReturnRefused
from tipstat.limits import Limits

HERE = Limits(child_process=False)

#: The same few words of a return in the languages of each code page.
WORDS = {
    "es": "La policía identificó a una niña en España; explotación; José Núñez",
    "fr": "Une fillette à Besançon; prostitution forcée; élève; où; été; l’eau",
    "pt": "exploração sexual, crianças, polícia, São Paulo, não",
    "de": "Zwangsprostitution, Mädchen, für, größer, Straße",
    "pl": "Policja zidentyfikowała dziewczynkę; żądanie; źródło; księga",
    "cs": "Česká republika, příběh, dívka, žena, věk",
    "hu": "Rendőrség, nő, gyűjtés, kizsákmányolás, fiú",
    "ru": "Полиция выявила девочку; эксплуатация; Москва",
    "uk": "поліція виявила дівчину; експлуатація; Київ",
    "ar": "الشرطة استغلال جنسي فتاة ذكر أنثى",
    "el": "η αστυνομία αναγνώρισε ένα κορίτσι",
    "he": "המשטרה זיהתה ילדה ניצול מיני",
    "tr": "polis bir kız çocuğu tespit etti; sömürü; İstanbul şehir",
    "lt": "policija nustatė mergaitę; išnaudojimas; moteris, žmonių prekyba",
}
PAGES = [
    *[(language, page) for language in ("es", "pt", "de") for page in ("cp1252", "cp850")],
    ("es", "cp437"), ("es", "latin-1"), ("fr", "cp1252"), ("fr", "mac-roman"),
    ("pl", "cp1250"), ("pl", "cp852"), ("cs", "cp1250"), ("cs", "cp852"), ("hu", "cp1250"),
    ("ru", "cp1251"), ("ru", "cp866"), ("ru", "koi8-r"), ("uk", "cp1251"), ("ar", "cp1256"),
    ("el", "cp1253"), ("he", "cp1255"), ("tr", "cp1254"), ("lt", "cp1257"),
]  # fmt: skip


def rows(source: Source, sheet: int = 0) -> list[list[str | None]]:
    table = source.sheets[sheet].table.drop_columns(["_row"])
    return [list(row) for row in zip(*(c.to_pylist() for c in table.columns), strict=True)]


def read(folder: Path, content: bytes, name: str = "a.csv", **options: str) -> Source:
    (folder / name).write_bytes(content)
    return read_source(folder / name, **options)


def refusal(path: Path) -> ReturnRefused:
    with pytest.raises(ReturnRefused) as caught:
        read_source(path)
    return caught.value


# ── encodings and delimiters ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("language", "page"), PAGES)
def test_a_code_page_is_told_by_the_alphabet_that_its_words_are_written_in(language, page):
    data = WORDS[language].encode(page, "replace")
    found = decoded("a.csv", data, None)
    assert found.text == data.decode(page)
    assert found.guessed


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_unicode_is_told_by_its_mark_or_its_shape_and_is_no_guess(tmp_path, encoding):
    source = read(tmp_path, "name;age\nNúñez;17\nНина;18\n".encode(encoding))
    assert rows(source) == [["name", "age"], ["Núñez", "17"], ["Нина", "18"]]
    assert [note.rule_id for note in source.notes] == ["TIP-109"]


def test_what_was_found_is_shown(tmp_path):
    source = read(tmp_path, "población;n\nniña;1\npolicía;2\n".encode("cp1252"))
    assert source.read_as == "cp1252, fields divided by semicolon"
    assert [note.rule_id for note in source.notes] == ["TIP-108", "TIP-109"]


def test_an_encoding_that_could_be_another_is_a_warning(tmp_path):
    (note, _) = read(tmp_path, "a;b\nniña;1\n".encode("cp1252")).notes
    assert (note.rule_id, note.severity) == ("TIP-164", "warning")
    assert note.message == "read as cp1252, but cp1250 fits as well"


def test_encoding_and_delimiter_can_be_named(tmp_path):
    source = read(tmp_path, "a;b\nniña;1\n".encode("cp1250", "replace"), encoding="cp1252",
                  delimiter=",")  # fmt: skip
    assert source.read_as == "cp1252, fields divided by comma"
    assert rows(source)[0] == ["a;b"]
    assert source.notes == ()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_usual_delimiter_is_detected(tmp_path, delimiter):
    content = "\n".join(delimiter.join(line) for line in (["a", "b"], ["1,5", "x y"])) + "\n"
    if delimiter == ",":
        content = content.replace("1,5", '"1,5"')
    assert rows(read(tmp_path, content.encode())) == [["a", "b"], ["1,5", "x y"]]


def test_words_that_mean_nothing_to_us_stay_words(tmp_path):
    source = read(tmp_path, b"code,area,n\n007,NA,NULL\n00123,N/A,12345678901234567890\n1e5,nan,\n")
    assert rows(source)[1:] == [
        ["007", "NA", "NULL"], ["00123", "N/A", "12345678901234567890"], ["1e5", "nan", None],
    ]  # fmt: skip


def test_a_preamble_a_footer_and_blank_ends_are_kept_in_their_rows(tmp_path):
    content = b"Police,,\n2024,,\n\nsex,n,\nF,1,\nM,2,\n\nSource: police,,\n,,\n,,\n"
    table = read(tmp_path, content).sheets[0].table
    assert table.num_rows == 8
    assert table["c1"].to_pylist()[3:8] == ["sex", "F", "M", None, "Source: police"]
    assert table.column_names == ["c1", "c2", "_row"]


# ── zip ───────────────────────────────────────────────────────────────────────────────────────


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_tables_in_a_zip_are_sheets_whatever_their_folder(tmp_path):
    source = read_source(zipped(tmp_path / "a.zip", {
        "2024/victim.csv": "sex;n\nniña;1\n".encode("cp1252"), "2024/event.tsv": b"a\tb\n1\t2\n",
        "__MACOSX/2024/._victim.csv": b"\0\5\x16\7", "2024/.DS_Store": b"x",
    }))  # fmt: skip
    assert [sheet.name for sheet in source.sheets] == ["event", "victim"]
    assert rows(source, 1) == [["sex", "n"], ["niña", "1"]]
    assert source.format == "csv"
    assert source.read_as.startswith("zip of 2: ")


def test_what_a_zip_holds_besides_is_named_and_not_read(tmp_path):
    source = read_source(zipped(tmp_path / "a.zip", {
        "a.csv": b"a,b\n1,2\n", "readme.txt": b"x", "map.pdf": b"%PDF",
    }))  # fmt: skip
    (note,) = [n for n in source.notes if n.rule_id == "TIP-153"]
    assert (note.message, note.count) == ("not read: map.pdf, readme.txt", 2)


@pytest.mark.parametrize(
    ("members", "rule", "says"),
    [
        ({"a.xlsx": b"PK"}, "TIP-152", "a workbook in the archive"),
        ({"a.pdf": b"x"}, "TIP-152", "no table"),
        ({"1/a.csv": b"a,b\n", "2/a.csv": b"a,b\n"}, "TIP-152", "two tables of one name"),
        ({"a.csv": b"\n \n"}, "TIP-102", "3 bytes"),
        ({"a.csv": b"a,b\n\0,1\n"}, "TIP-112", "NUL"),
    ],
)
def test_a_zip_that_is_no_return_is_refused(tmp_path, members, rule, says):
    refused = refusal(zipped(tmp_path / "a.zip", members))
    assert refused.rule == rule
    assert says in refused.found


def test_a_zip_beside_other_tables_is_refused(tmp_path):
    zipped(tmp_path / "a.zip", {"a.csv": b"a,b\n1,2\n"})
    (tmp_path / "b.csv").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(ReturnRefused, match="TIP-970"):
        read_source([tmp_path / "a.zip", tmp_path / "b.csv"])


# ── Parquet ───────────────────────────────────────────────────────────────────────────────────


def test_columns_of_a_parquet_file_become_the_text_that_a_workbook_gives(tmp_path):
    table = pa.table({
        "code": ["00123", None], "n": pa.array([1234567890123456789, None], pa.int64()),
        "share": [0.5, 2.0], "ok": [True, None], "day": [dt.date(2024, 5, 6), None],
        "at": [dt.datetime(2024, 5, 6), dt.datetime(2024, 5, 6, 10, 20)],
        "sex": pa.array(["F", "M"]).dictionary_encode(),
        "sum": [decimal.Decimal("1.50"), None], "none": pa.nulls(2),
    })  # fmt: skip
    parquet.write_table(table, tmp_path / "cells.parquet")
    source = read_source(tmp_path / "cells.parquet")
    assert rows(source) == [
        ["code", "n", "share", "ok", "day", "at", "sex", "sum", "none"],
        ["00123", "1234567890123456789", "0.5", "TRUE", "2024-05-06", "2024-05-06", "F", "1.50",
         None],
        [None, None, "2", None, None, "2024-05-06T10:20:00", "M", None, None],
    ]  # fmt: skip
    assert (source.format, source.sheets[0].name) == ("parquet", "cells")


def test_a_parquet_file_of_lists_is_refused(tmp_path):
    parquet.write_table(pa.table({"a": [[1, 2]]}), tmp_path / "a.parquet")
    assert "the column a" in refusal(tmp_path / "a.parquet").found


def test_a_damaged_parquet_file_is_refused(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1" + b"\xff" * 200 + b"PAR1")
    assert refusal(tmp_path / "a.parquet").rule == "TIP-103"


def test_a_parquet_file_of_too_many_cells_is_refused_before_it_is_read(tmp_path):
    parquet.write_table(pa.table({"a": ["x"] * 1_000}), tmp_path / "a.parquet")
    with pytest.raises(ReturnRefused, match="TIP-105"):
        read_source(tmp_path / "a.parquet", limits=Limits(cells=500))


def test_tables_of_several_formats_form_one_return(tmp_path):
    parquet.write_table(pa.table({"a": ["1"]}), tmp_path / "event.parquet")
    (tmp_path / "metadata.csv").write_bytes(b"variable,value\nkind,police\n")
    source = read_source(tmp_path)
    assert [sheet.name for sheet in source.sheets] == ["event", "metadata"]
    assert rows(source) == [["a"], ["1"]]


def test_reading_a_parquet_file_imports_no_pandas(tmp_path):
    table = pa.table({"a": [0.5, 1.0], "b": ["x", "y"], "c": [True, False]})
    parquet.write_table(table, tmp_path / "a.parquet")
    code = (
        "import sys; from loaders.read import read_source; from tipstat.limits import Limits\n"
        f"read_source({str(tmp_path / 'a.parquet')!r}, limits=Limits(child_process=False))\n"
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_one_text_is_held_in_memory_however_many_pages_are_weighed():
    data = ("x" * 99 + "ñ\n").encode("cp1252") * 50_000
    tracemalloc.start()
    found = decoded("a.csv", data, None)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.text) == len(data)
    assert most < 4 * len(data)
