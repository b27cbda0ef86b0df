"""Population, the denominator of rates: the shipped reference, and an office's own file before it.

The reference, ``seeds/reference/population.parquet``, holds the totals of the World Bank and the
sexes and five-year ages of the United Nations' World Population Prospects, as published:
:func:`write_reference` makes it from the files of the publishers. What a rate takes from it, and
what is interpolated, is decided in ``models/intermediate/int_population.sql``.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import duckdb

from tipstat.classification import code_list
from tipstat.errors import WorkplaceError
from tipstat.project import seeds_dir
from tipstat.rules import refuse

#: Sexes of a population; ``_T`` is both together.
SEXES = ("F", "M", "_T")
#: Columns of an office's own file, in this order.
HEADER = ("year", "sex", "age_from", "age_to", "population", "source", "vintage")
#: How a number came about: published for that year, or projected.
ESTIMATE, PROJECTION, OFFICE = "estimate", "projection", "office"

#: Name and DuckDB type of each column.
SCHEMA: Mapping[str, str] = {
    "area": "varchar",
    "year": "integer",
    "sex": "varchar",
    "age_from": "integer",
    "age_to": "integer",
    "population": "bigint",
    "source": "varchar",
    "vintage": "varchar",
    "method": "varchar",
}

WORLD_BANK = ("World Bank SP.POP.TOTL", "1960-2024")
WPP = ("UN WPP 2019", "2019")
#: Projections after this year are left out.
LAST_YEAR = 2035
_WPP_FILES = (
    ("wpp2019_popF.txt", "F", ESTIMATE),
    ("wpp2019_popM.txt", "M", ESTIMATE),
    ("wpp2019_popFprojMed.txt", "F", PROJECTION),
    ("wpp2019_popMprojMed.txt", "M", PROJECTION),
)


@dataclass(frozen=True)
class Population:
    """The population of one area, year, sex and group of ages.

    Attributes:
        area: ISO 3166-1 alpha-3 code.
        sex: F, M or ``_T``.
        age_from: first age in completed years; None where the row is the total of all ages.
        age_to: last age; None in the open last group and in the total.
        method: ``estimate``, ``projection``, or ``office`` for the office's own file.
    """

    area: str
    year: int
    sex: str
    age_from: int | None
    age_to: int | None
    population: int
    source: str
    vintage: str
    method: str


# ---- the shipped reference ---------------------------------------------------------------------


def reference_file() -> Path:
    """The Parquet file of the shipped reference."""
    return seeds_dir() / "reference" / "population.parquet"


def reference(areas: Iterable[str]) -> list[Population]:
    """The shipped population of some areas, ordered by area, sex, age and year.

    Args:
        areas: ISO 3166-1 alpha-3 codes; an area without population has no rows.
    """
    columns = ", ".join(field.name for field in fields(Population))
    with duckdb.connect() as connection:
        found = connection.execute(
            f"select {columns} from read_parquet(?) where list_contains(?, area)"
            " order by area, sex, age_from nulls first, year, source",
            [reference_file().as_posix(), sorted(set(areas))],
        ).fetchall()
    return [Population(*row) for row in found]


def write_reference(sources: Path, target: Path) -> int:
    """Make the shipped reference from the publishers' files; made twice it is the same file.

    Of the World Bank only countries go in: its list also has regions, income groups and the World.
    The thousands of the United Nations become persons, rounded to whole ones.

    Args:
        sources: folder with ``wb_sp_pop_totl.csv`` and the four ``wpp2019_pop*.txt``.
        target: the Parquet file to write.

    Returns:
        The number of rows written.
    """
    country = (seeds_dir() / "classifications" / "class_country.csv").as_posix()
    parts = [_world_bank_sql(), *(_wpp_sql(*each) for each in _WPP_FILES)]
    files = ["wb_sp_pop_totl.csv", *(name for name, _, _ in _WPP_FILES)]
    parameters = [str(sources / name) for name in files]
    columns = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in SCHEMA.items())
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(
            "create table country as select code, cast(nullif(numeric, '') as integer) as m49"
            " from read_csv(?, header = true, all_varchar = true)",
            [country],
        )
        connection.execute(
            f"create table population as select {columns} from ({' union all '.join(parts)})"
            " order by area, sex, age_from nulls first, year, source",
            parameters,
        )
        place = target.as_posix().replace("'", "''")
        connection.execute(
            f"copy population to '{place}' (format parquet, compression zstd, compression_level 19)"
        )
        counted = connection.execute("select count(*) from population").fetchone()
    return int(counted[0]) if counted else 0


def _world_bank_sql() -> str:
    source, vintage = WORLD_BANK
    return f"""
        select code as area, "Year" as year, '_T' as sex, null as age_from, null as age_to,
            "Value" as population, '{source}' as source, '{vintage}' as vintage,
            '{ESTIMATE}' as method
        from read_csv(?, header = true, all_varchar = true) as published
        inner join country on published."Country Code" = country.code
    """


def _wpp_sql(_name: str, sex: str, method: str) -> str:
    source, vintage = WPP
    medium = " medium variant" if method == PROJECTION else ""
    return f"""
        select code as area, year, '{sex}' as sex,
            regexp_extract(age, '^[0-9]+') as age_from,
            nullif(regexp_extract(age, '-([0-9]+)$', 1), '') as age_to,
            round(cast(thousands as decimal(18, 6)) * 1000) as population,
            '{source}{medium}' as source, '{vintage}' as vintage, '{method}' as method
        from (
            unpivot (select * from read_csv(?, delim = '\\t', header = true, all_varchar = true))
            on columns('^[0-9]+$') into name year value thousands
        ) as published
        inner join country on cast(published.country_code as integer) = country.m49
        where cast(year as integer) <= {LAST_YEAR}
    """


# ---- the office's own files --------------------------------------------------------------------


@dataclass(frozen=True)
class _Row:
    """A row of an office's file, with its line."""

    line: int
    data: Population


def office_population(folder: Path) -> dict[str, list[Population]]:
    """The office's own population files, by area.

    Args:
        folder: the workspace's ``populations``; each ``<ISO3>.csv`` in it is read and checked.

    Raises:
        WorkplaceError: TIP-940 to TIP-946, naming file and line.
    """
    paths = sorted(folder.glob("*.csv")) if folder.is_dir() else []
    return {path.stem: read_office_file(path) for path in paths}


def read_office_file(path: Path) -> list[Population]:
    """One office's own file, every row of it checked.

    Args:
        path: a file named by the ISO 3166-1 alpha-3 code of the area, UTF-8, with the columns
            of :data:`HEADER`; ages are blank where the row is the total of all ages, and
            ``age_to`` alone in the open last group.

    Returns:
        The rows in the order of the file.

    Raises:
        WorkplaceError: TIP-940 the file is none of population, TIP-941 a number is none or
            negative, TIP-942 an unknown sex, TIP-943 a row twice, TIP-944 a gap in the years,
            TIP-945 a gap in the ages, TIP-946 parts that do not add up to their total.
    """
    rows = [_row(path, line, values) for line, values in _lines(path)]
    if not rows:
        raise _unfit("TIP-940", path, 2, "no rows")
    _refuse_double(path, rows)
    _refuse_year_gaps(path, rows)
    _refuse_age_gaps(path, rows)
    _refuse_sums(path, rows)
    return [row.data for row in rows]


def _unfit(rule_id: str, path: Path, line: int, found: str, expected: str = "") -> WorkplaceError:
    where = f"{path.name}, line {line}"
    return refuse(rule_id, WorkplaceError, where=where, found=found, expected=expected)


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The lines with values, after the header, each with its number."""
    if path.stem not in {code.code for code in code_list("country").codes}:
        raise _unfit("TIP-940", path, 1, f'a file named "{path.stem}"')
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _unfit("TIP-940", path, line, "text that is not UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""))
    for values in reader:
        cells = [value.strip() for value in values]
        if reader.line_num == 1:
            if tuple(cells) != HEADER:
                raise _unfit("TIP-940", path, 1, "the columns " + ", ".join(cells))
        elif any(cells):
            if len(cells) != len(HEADER):
                raise _unfit("TIP-940", path, reader.line_num, f"{len(cells)} columns")
            yield reader.line_num, cells


def _row(path: Path, line: int, cells: Sequence[str]) -> _Row:
    year, sex, age_from, age_to, population, source, vintage = cells
    if sex not in SEXES:
        raise _unfit("TIP-942", path, line, f'sex "{sex}"')
    if not (source and vintage):
        name = "source" if not source else "vintage"
        raise _unfit("TIP-940", path, line, f"no {name}")
    return _Row(
        line,
        Population(
            area=path.stem,
            year=_whole(path, line, "year", year),
            sex=sex,
            age_from=_whole(path, line, "age_from", age_from) if age_from else None,
            age_to=_whole(path, line, "age_to", age_to) if age_to else None,
            population=_whole(path, line, "population", population),
            source=source,
            vintage=vintage,
            method=OFFICE,
        ),
    )


def _whole(path: Path, line: int, name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise _unfit("TIP-941", path, line, f'{name} "{text}"')
    number = int(text)
    if name == "year" and not 1900 <= number <= 2100:
        raise _unfit("TIP-941", path, line, f'year "{text}"', "a year from 1900 to 2100")
    return number


def _refuse_double(path: Path, rows: Sequence[_Row]) -> None:
    seen: dict[tuple[object, ...], int] = {}
    for row in rows:
        key = (row.data.year, row.data.sex, row.data.age_from, row.data.age_to)
        if key in seen:
            raise _unfit("TIP-943", path, row.line, f"the same as line {seen[key]}")
        seen[key] = row.line


def _is_total(row: Population) -> bool:
    return row.age_from is None and row.age_to is None


def _refuse_year_gaps(path: Path, rows: Sequence[_Row]) -> None:
    """Each sex, in total and by age, has every year from its first to its last."""
    series: dict[tuple[str, bool], dict[int, int]] = {}
    for row in rows:
        years = series.setdefault((row.data.sex, _is_total(row.data)), {})
        years.setdefault(row.data.year, row.line)
    for (sex, _), years in series.items():
        for before, after in itertools.pairwise(sorted(years)):
            if after != before + 1:
                found = f"{after} after {before} of sex {sex}"
                raise _unfit("TIP-944", path, years[after], found, f"a row of {before + 1}")


def _refuse_age_gaps(path: Path, rows: Sequence[_Row]) -> None:
    """The ages of a year and sex begin at 0, meet without gap or overlap and end open."""
    for (year, sex), group in _by_age(rows).items():
        for row in group:
            if row.data.age_from is None:
                raise _unfit("TIP-945", path, row.line, "a last age without a first")
        expected: int | None = 0
        for row in group:
            low, high = row.data.age_from, row.data.age_to
            if expected is None or low != expected or (high is not None and high < low):
                wanted = "no age after the open group" if expected is None else f"age {expected}"
                ages = f"ages {low} to {'the open end' if high is None else high}"
                found = f"{ages} of sex {sex} in {year}"
                raise _unfit("TIP-945", path, row.line, found, f"{wanted} next")
            expected = None if high is None else high + 1
        if expected is not None:
            found = f"no ages from {expected} of sex {sex} in {year}"
            raise _unfit("TIP-945", path, group[-1].line, found)


def _by_age(rows: Sequence[_Row]) -> dict[tuple[int, str], list[_Row]]:
    """The rows by age of each year and sex, the youngest first."""
    groups: dict[tuple[int, str], list[_Row]] = {}
    for row in rows:
        if not _is_total(row.data):
            groups.setdefault((row.data.year, row.data.sex), []).append(row)
    for group in groups.values():
        group.sort(key=lambda row: -1 if row.data.age_from is None else row.data.age_from)
    return groups


def _refuse_sums(path: Path, rows: Sequence[_Row]) -> None:
    """Ages add up to the total of their sex, and both sexes to that of all, within one per cent."""
    totals = {(r.data.year, r.data.sex): r for r in rows if _is_total(r.data)}
    for key, group in _by_age(rows).items():
        if key in totals:
            _refuse_sum(path, totals[key], sum(r.data.population for r in group), "ages")
    for year in sorted({year for year, _ in totals}):
        parts = [totals.get((year, sex)) for sex in ("F", "M", "_T")]
        if all(parts):
            female, male, both = (part for part in parts if part)
            _refuse_sum(path, both, female.data.population + male.data.population, "sexes")


def _refuse_sum(path: Path, total: _Row, parts: int, what: str) -> None:
    if abs(parts - total.data.population) * 100 > total.data.population:
        found = f"{total.data.population}, and {what} that add up to {parts}"
        raise _unfit("TIP-946", path, total.line, found)
