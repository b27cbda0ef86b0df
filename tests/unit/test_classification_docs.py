"""docs/classification.md lists what is there: its tables are compared with the files.

After a change of the lists or maps run ``python tests/unit/test_classification_docs.py``.
"""

from collections import Counter

from tipstat.classification import (
    code_list,
    correspondence,
    label,
    list_names,
    missing_codes,
    offence_areas,
    offences,
)
from tipstat.project import project_root, seeds_dir


def lines_of_the_page() -> list[str]:
    page = project_root() / "docs" / "classification.md"
    return page.read_text(encoding="utf-8").splitlines()


def list_row(name: str) -> str:
    codes = code_list(name).codes
    sources = ", ".join(
        f"{source} ({times})" for source, times in Counter(c.source for c in codes).most_common()
    )
    marks = ", ".join(sorted({c.confidence for c in codes}, key="VAPM".index))
    return f"| `{name}` | {label('code_list', name)} | {len(codes)} | {sources} | {marks} |"


def map_row(name: str) -> str:
    rows = correspondence(name)
    if "authority" not in rows[0]:
        return f"| `{name}` | – | {len(rows)} | – |"
    authorities = ", ".join(dict.fromkeys(row["authority"] for row in rows))
    areas = ", ".join(dict.fromkeys(row["area"] for row in rows if row["area"])) or "–"
    return f"| `{name}` | {authorities} | {len(rows)} | {areas} |"


def maps() -> list[str]:
    return sorted(path.stem for path in (seeds_dir() / "correspondences").glob("map_*.csv"))


def place_of_table(lines: list[str], first: str) -> tuple[int, int]:
    """Where the rows of the table stand whose first column is headed so."""
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {first} |")) + 2
    end = next(i for i, line in enumerate(lines[start:], start) if not line.startswith("|"))
    return start, end


def rows_of_the_page(first: str) -> list[str]:
    lines = lines_of_the_page()
    start, end = place_of_table(lines, first)
    return lines[start:end]


def test_the_page_lists_every_code_list_with_its_count_source_and_confidence():
    assert rows_of_the_page("list") == [list_row(name) for name in list_names()]


def test_the_page_lists_every_correspondence():
    assert rows_of_the_page("correspondence") == [map_row(name) for name in maps()]


def test_the_page_lists_every_country_whose_law_is_mapped():
    for area in offence_areas():
        assert f"| `offence_{area}` | {len(offences(area))} |" in "\n".join(lines_of_the_page())


def test_the_page_explains_every_missing_code():
    rows = rows_of_the_page("code")
    assert [row.split("`")[1] for row in rows] == [c.code for c in code_list("missing").codes]
    assert len(rows) == len(missing_codes())


if __name__ == "__main__":
    page = lines_of_the_page()
    tables = {"list": map(list_row, list_names()), "correspondence": map(map_row, maps())}
    for first, rows in tables.items():
        start, end = place_of_table(page, first)
        page[start:end] = rows
    path = project_root() / "docs" / "classification.md"
    path.write_text("\n".join(page) + "\n", encoding="utf-8")
