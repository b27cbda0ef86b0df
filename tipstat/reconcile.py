"""One source against another for the same figures, cell by cell.

For the office alone: what is derived from another entity's records never goes back to a sender
(STATISTICS section 6). Cells are brought to common keys (area, year, indicator, sex, age, form,
citizenship): parts of an area or a year are added at one level only, ages are rolled up where
bands nest, forms by the maps of ``seeds/correspondences``. A number withheld at source is an
interval, ``<5`` being 0 to 4; a sum with a gap has no upper bound.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import duckdb

from tipstat.classification import code_list, correspondence
from tipstat.errors import UsageError
from tipstat.project import seeds_dir
from tipstat.rules import refuse

#: What both sides are brought to.
KEY = ("reference_area", "year", "indicator", "sex", "age_group", "form", "citizenship")
#: What comparing two cells may give, the gravest first.
VERDICTS = ("differ", "only_a", "only_b", "compatible", "agree")
#: Mark of every output.
OFFICE_ONLY = "for the office only"
#: Columns of a comparison.
COLUMNS = (*KEY, "verdict", "a", "b", "difference", "rolled_up", "use")

#: Columns that a source must have for its cells to be compared.
CELL = (
    "reference_area",
    "measure",
    "unit_of_count",
    "cell_nature",
    "period_start",
    "period_end",
    "area",
    "area_unit",
    "legal_article",
    "status_scope",
    "sex",
    "age_group",
    "form",
    "citizenship",
    "breakdown",
    "cell_kind",
    "value",
    "lower_bound",
    "upper_bound",
)


@dataclass(frozen=True)
class Scope:
    """Which cells are compared; an empty filter leaves its dimension open.

    Attributes:
        years: first and last year, 0 for open.
        forms: map by which forms are brought together: unodc, sdg, eurostat or iccs; fine leaves
            the codes as they are.
        articles: of national law, taken from the side that has cells of them; otherwise cells
            that are confined to no article, and those of articles on trafficking.
    """

    areas: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    years: tuple[int, int] = (0, 0)
    forms: str = "unodc"
    articles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reconciliation:
    """The result of comparing two sources.

    Attributes:
        rows: one mapping a cell with the columns ``COLUMNS``, in the order of the key.
        counts: verdict -> cells.
        outside: cells of A and of B for an area or indicator that the other does not have.
    """

    rows: tuple[Mapping[str, object], ...]
    counts: Mapping[str, int]
    outside: tuple[int, int]

    @property
    def differs(self) -> bool:
        """Whether any cell of both sides cannot be the same number."""
        return self.counts.get("differ", 0) > 0


def reconcile(connection: duckdb.DuckDBPyConnection, scope: Scope) -> Reconciliation:
    """Compare the tables ``figures_a`` and ``figures_b`` of a connection.

    Args:
        connection: holds both, with the columns ``KEY``, ``lower`` and ``upper``, as
            :func:`figures_of_cells` or a source of the warehouse makes them.
        scope: what is compared.

    Returns:
        Every cell of either side within what both have, and the counts.

    Raises:
        UsageError: TIP-742, the two have no area and indicator in common.
    """
    _lookups(connection, scope.forms)
    for side in ("a", "b"):
        connection.execute(_FORMED.format(side=side))
    outside = _confine(connection, scope)
    for side, other in (("a", "b"), ("b", "a")):
        connection.execute(_ROLLED.format(side=side, other=other))
    result = connection.execute(_COMPARED)
    names = [column[0] for column in result.description or []]
    rows = tuple(_shown(dict(zip(names, row, strict=True))) for row in result.fetchall())
    told = [str(row["verdict"]) for row in rows]
    counts = {verdict: told.count(verdict) for verdict in VERDICTS}
    return Reconciliation(rows, counts, outside)


def figures_of_cells(connection: duckdb.DuckDBPyConnection, side: str, scope: Scope) -> None:
    """Make ``figures_<side>`` from the table ``cells_<side>`` of cells as returned.

    A number that stands for a whole and for its parts counts once: the whole area before its
    parts, all units before each, the whole year before its months, all articles before each.

    Args:
        connection: holds ``cells_<side>`` with the columns ``CELL``.
        side: ``a`` or ``b``.
        scope: which articles of national law are taken.
    """
    connection.execute(
        "create or replace temp table indicator_of as select unnest($m::varchar[]) as measure, "
        "unnest($i::varchar[]) as indicator",
        {"m": list(indicators()), "i": list(indicators().values())},
    )
    articles = "legal_article = '_T' or list_contains($own, legal_article)"
    own = _trafficking_articles()
    asked = {"own": list(scope.articles)}
    wanted = f"select 1 from cells_{side} where list_contains($own, legal_article) limit 1"
    if scope.articles and connection.execute(wanted, asked).fetchall():
        articles, own = "list_contains($own, legal_article)", asked["own"]
    connection.execute(_SUMMED.format(side=side, articles=articles), {"own": own})


@cache
def indicators() -> dict[str, str]:
    """The indicator that each measure is, by its own measure or by the one that it counts as."""
    path = seeds_dir() / "catalogue" / "indicators.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        own = {row["measure"]: row["indicator"] for row in csv.DictReader(handle) if row["measure"]}
    counted = {row["measure"]: row["counts_as"] for row in correspondence("map_measure")}
    named = {code.code: code.code.lower() for code in code_list("measure").codes}
    return {
        measure: own.get(measure) or own.get(counted.get(measure, "")) or name
        for measure, name in named.items()
    }


def _trafficking_articles() -> list[str]:
    """Articles of any country that are trafficking, or trafficking tried under another one."""
    from tipstat.classification import offence_areas, offences

    return sorted(
        {
            offence.offence_code
            for area in offence_areas()
            for offence in offences(area)
            if offence.relation in ("TIP_SPECIFIC", "TIP_OTHER_ARTICLE")
            and offence.iccs_code.startswith("0204")
        }
    )


def _lookups(connection: duckdb.DuckDBPyConnection, forms: str) -> None:
    """Bands of ages, the map of the forms, and the codes above each form."""
    bands = [
        (row["age_group"], int(row["min_age"]), int(row["max_age"] or 200))
        for row in correspondence("map_age_band")
        if row["min_age"]
    ]
    _table(connection, "band", ("age_group varchar", "low integer", "high integer"), bands)
    mapped: list[tuple[object, ...]] = []
    if forms != "fine":
        rows = correspondence(f"map_form_{forms}")
        mapped = [(row["form"], row[f"form_{forms}"], row["area"]) for row in rows]
    _table(connection, "form_map", ("form varchar", "target varchar", "area varchar"), mapped)
    above = [(c.code, c.parent_code) for c in code_list("form").codes if c.parent_code]
    _table(connection, "form_above", ("form varchar", "parent varchar"), above)


def _table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: Sequence[str],
    rows: Sequence[tuple[object, ...]],
) -> None:
    connection.execute(f"create or replace temp table {name} ({', '.join(columns)})")
    if rows:
        marks = ", ".join("?" for _ in columns)
        connection.executemany(f"insert into {name} values ({marks})", [list(row) for row in rows])


def _confine(connection: duckdb.DuckDBPyConnection, scope: Scope) -> tuple[int, int]:
    """Keep what is asked for and what both sides have an area and indicator of.

    Returns:
        Cells left out on each side because the other has no such area and indicator.
    """
    asked, parameters = _asked(scope)
    connection.execute(
        "create or replace temp table shared as "
        f"select distinct reference_area, indicator from formed_a where {asked} intersect "
        f"select distinct reference_area, indicator from formed_b where {asked}",
        parameters,
    )
    if not connection.execute("select 1 from shared limit 1").fetchall():
        raise refuse("TIP-742", UsageError, found=_offered(connection))
    left_out = []
    for side in ("a", "b"):
        connection.execute(
            f"create or replace temp table kept_{side} as select formed_{side}.* "
            f"from formed_{side} semi join shared using (reference_area, indicator) "
            f"where {asked}",
            parameters,
        )
        ((number,),) = connection.execute(
            f"select (select count(*) from formed_{side} where {asked}) "
            f"- (select count(*) from kept_{side})",
            parameters,
        ).fetchall()
        left_out.append(int(number))
    return left_out[0], left_out[1]


def _asked(scope: Scope) -> tuple[str, dict[str, object]]:
    """A condition on the figures, and its parameters."""
    parts, parameters = ["true"], dict[str, object]()
    for name, codes in (("reference_area", scope.areas), ("indicator", scope.indicators)):
        if codes:
            parts.append(f"list_contains(${name}, {name})")
            parameters[name] = list(codes)
    for name, year, sign in (("first", scope.years[0], ">="), ("last", scope.years[1], "<=")):
        if year:
            parts.append(f"year {sign} ${name}")
            parameters[name] = year
    return " and ".join(parts), parameters


def _offered(connection: duckdb.DuckDBPyConnection) -> str:
    told = []
    for side in ("a", "b"):
        rows = connection.execute(
            f"select distinct reference_area, indicator from formed_{side} order by all limit 5"
        ).fetchall()
        told.append(f"{side.upper()}: {', '.join(f'{area} {name}' for area, name in rows)}")
    return "; ".join(told)


def _shown(row: dict[str, object]) -> dict[str, object]:
    """A row of the result with its numbers as they are read."""
    a, b = (_number(row[f"lower_{side}"], row[f"upper_{side}"]) for side in "ab")
    exact = row["is_exact"] and row["verdict"] in ("agree", "differ")
    difference = _plain(_float(row["lower_b"]) - _float(row["lower_a"])) if exact else ""
    return {
        **{name: row[name] for name in KEY},
        "verdict": row["verdict"],
        "a": a,
        "b": b,
        "difference": difference,
        "rolled_up": row["rolled_up"],
        "use": OFFICE_ONLY,
    }


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _number(lower: object, upper: object) -> str:
    """A number, an interval, or an open one; empty where there is none."""
    if lower is None:
        return ""
    if upper is None:
        return f"{_plain(_float(lower))} or more"
    if lower == upper:
        return _plain(_float(lower))
    return f"{_plain(_float(lower))} to {_plain(_float(upper))}"


def _plain(number: float) -> str:
    return f"{int(number)}" if number == int(number) else f"{number:.2f}"


_DIMENSIONS = "reference_area, year, indicator, sex, age_group, form, citizenship"
_PARTS = f"{_DIMENSIONS}, measure, period_start, period_end"

_SCOPE_RANK = """case status_scope
        when 'REGISTERED' then 0 when 'ALL' then 1 when 'IDENTIFIED' then 2
        when 'FORMAL' then 3 when 'PRESUMED' then 4 else 5 end"""

_SUMMED = f"""
create or replace temp table figures_{{side}} as
with flows as (
    select * replace (
            coalesce(sex, '_T') as sex, coalesce(age_group, '_T') as age_group,
            coalesce(form, '_T') as form, coalesce(citizenship, '_T') as citizenship
        ),
        year(period_start)::integer as year,
        coalesce(indicator_of.indicator, lower(measure)) as indicator,
        month(period_start) = 1 and month(period_end) = 12 as is_year
    from cells_{{side}} left join indicator_of using (measure)
    where coalesce(cell_nature, 'FLOW') <> 'STOCK' and coalesce(breakdown, '_T') = '_T'
        and year(period_start) = year(period_end) and coalesce(unit_of_count, '') <> 'RATE'
        and ({{articles}})
),
-- the widest status scope and one unit of count, for a narrower one counts the same people
scoped as (
    select *, min({_SCOPE_RANK}) over (
        partition by reference_area, year, indicator) as widest
    from flows
),
counted as (
    select *, min(coalesce(unit_of_count, '')) over (
        partition by reference_area, year, indicator) as first_unit
    from scoped where widest = {_SCOPE_RANK}
),
own_measure as (
    select *, bool_or(measure in (select upper(indicator) from indicator_of)) over (
        partition by reference_area, year, indicator) as has_own
    from counted where coalesce(unit_of_count, '') = first_unit
),
articles as (
    select *, bool_or(legal_article = '_T') over (partition by {_PARTS}, area, area_unit) as has_all
    from own_measure
    where not has_own or measure = upper(indicator)
),
areas as (
    select *, bool_or(area = '_T') over (partition by {_PARTS}, legal_article) as has_area
    from articles where not has_all or legal_article = '_T'
),
units as (
    select *, bool_or(area_unit = '_T') over (
        partition by {_PARTS}, area, legal_article) as has_unit
    from areas where not has_area or area = '_T'
),
years as (
    select *, bool_or(is_year) over (
        partition by {_DIMENSIONS}, measure, area, area_unit, legal_article) as has_year
    from units where not has_unit or area_unit = '_T'
),
valued as (
    select *,
        case when cell_kind = 'WITHHELD_AT_SOURCE' then coalesce(lower_bound, 0)
            else value end::double as low,
        case when cell_kind = 'WITHHELD_AT_SOURCE' then upper_bound else value end::double as high
    from years where is_year = has_year
)
select {_DIMENSIONS}, sum(low) as lower,
    case when bool_and(low is not null and high is not null) then sum(high) end as upper
from valued
group by all
having count(low) > 0
"""

# A fine form beside the one that it is part of is left out; the map of a country goes before the
# general one.
_FORMED = """
create or replace temp table formed_{side} as
with whole as (
    select figures.* from figures_{side} as figures
    where not exists (
        select 1 from form_above inner join figures_{side} as above
            on above.form = form_above.parent
        where form_above.form = figures.form
            and above.reference_area = figures.reference_area and above.year = figures.year
            and above.indicator = figures.indicator and above.sex = figures.sex
            and above.age_group = figures.age_group and above.citizenship = figures.citizenship
    )
),
mapped as (
    select whole.* replace (coalesce(
        (select min(target) from form_map
            where form_map.form = whole.form and form_map.area = whole.reference_area),
        (select min(target) from form_map
            where form_map.form = whole.form and coalesce(form_map.area, '') = ''),
        whole.form) as form)
    from whole
)
select reference_area, year, indicator, sex, age_group, form, citizenship, sum(lower) as lower,
    case when bool_and(upper is not null) then sum(upper) end as upper
from mapped group by all
"""

# For every age of the other side that this one lacks: the finest bands within it, where they
# follow one another from its first year to its last.
_ROLLED = """
create or replace temp table rolled_{side} as
with wanted as (
    select distinct reference_area, year, indicator, sex, form, citizenship, age_group
    from kept_{other}
    anti join kept_{side}
        using (reference_area, year, indicator, sex, form, citizenship, age_group)
    semi join band using (age_group)
),
banded as (
    select kept_{side}.*, band.low, band.high from kept_{side} inner join band using (age_group)
),
finest as (
    select outer_band.* from banded as outer_band
    where not exists (
        select 1 from banded as inner_band
        where inner_band.reference_area = outer_band.reference_area
            and inner_band.year = outer_band.year and inner_band.indicator = outer_band.indicator
            and inner_band.sex = outer_band.sex and inner_band.form = outer_band.form
            and inner_band.citizenship = outer_band.citizenship
            and inner_band.low >= outer_band.low and inner_band.high <= outer_band.high
            and inner_band.age_group <> outer_band.age_group
    )
),
within as (
    select wanted.*, finest.low, finest.high, finest.lower, finest.upper,
        target.low as first_age, target.high as last_age,
        lag(finest.high) over (
            partition by wanted.reference_area, wanted.year, wanted.indicator, wanted.sex,
                wanted.form, wanted.citizenship, wanted.age_group
            order by finest.low
        ) as before
    from wanted
    inner join band as target on target.age_group = wanted.age_group
    inner join finest
        on finest.reference_area = wanted.reference_area and finest.year = wanted.year
        and finest.indicator = wanted.indicator and finest.sex = wanted.sex
        and finest.form = wanted.form and finest.citizenship = wanted.citizenship
        and finest.low >= target.low and finest.high <= target.high
)
select reference_area, year, indicator, sex, age_group, form, citizenship,
    sum(lower) as lower, case when bool_and(upper is not null) then sum(upper) end as upper
from within
group by reference_area, year, indicator, sex, age_group, form, citizenship
having bool_and(low = coalesce(before + 1, first_age)) and max(high) = max(last_age)
"""

_COMPARED = f"""
with a as (
    select *, false as rolled from kept_a
    union all by name select *, true as rolled from rolled_a
),
b as (
    select *, false as rolled from kept_b
    union all by name select *, true as rolled from rolled_b
),
paired as (
    select {_DIMENSIONS}, a.lower as lower_a, a.upper as upper_a, b.lower as lower_b,
        b.upper as upper_b, coalesce(a.rolled, false) as rolled_a,
        coalesce(b.rolled, false) as rolled_b
    from a full outer join b using ({_DIMENSIONS})
),
used as (
    -- bands that were rolled up into a cell of the other side are compared there
    select *, age_group in (select age_group from band) as is_band,
        lower_a = upper_a and lower_b = upper_b as is_exact,
        bool_or(rolled_a) over series as a_is_rolled, bool_or(rolled_b) over series as b_is_rolled
    from paired
    window series as (
        partition by reference_area, year, indicator, sex, form, citizenship
    )
)
select {_DIMENSIONS}, lower_a, upper_a, lower_b, upper_b, coalesce(is_exact, false) as is_exact,
    case
        when lower_b is null then 'only_a'
        when lower_a is null then 'only_b'
        when is_exact and lower_a = lower_b then 'agree'
        when is_exact then 'differ'
        when (upper_a is null or upper_a >= lower_b) and (upper_b is null or upper_b >= lower_a)
            then 'compatible'
        else 'differ'
    end as verdict,
    case when rolled_a then 'a' when rolled_b then 'b' else '' end as rolled_up
from used
where not (lower_b is null and a_is_rolled and is_band)
    and not (lower_a is null and b_is_rolled and is_band)
order by {_DIMENSIONS}
"""
