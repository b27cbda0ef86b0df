"""Selecting figures from ``fct_indicator_value``: filters, labels, refusals, data frames."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, cast

from reports.texts import texts
from tipstat.errors import UsageError
from tipstat.rules import refuse

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

#: Stands for every code of a dimension.
ALL = "all"
#: Breakdowns of a figure; a dimension at its total holds one of ``TOTALS``.
DIMENSIONS = ("sex", "age", "form", "citizenship", "breakdown")
TOTALS = ("_T", "_Z")

#: Coded column -> code list of its labels. ``None``: the list is named by another column.
CODED: dict[str, str | None] = {
    "indicator": "indicator",
    "reference_area": "country",
    "sex": "sex",
    "age": "age_group",
    "form_classification": "form_classification",
    "form": None,
    "citizenship": "country",
    "breakdown": "breakdown",
    "breakdown_code": None,
    "source_type": "source_type",
    "status_scope": "status_scope",
    "population_scope": "population_scope",
    "counting_basis": "counting_basis",
    "reference_date_concept": "reference_date_concept",
    "instance": "instance",
    "unit_of_count": "unit_of_count",
    "cell_kind": "cell_kind",
}
KEY = (
    "indicator", "reference_area", "period", "sex", "age", "form_classification", "form",
    "citizenship", "breakdown", "breakdown_code", "source_type", "status_scope",
    "population_scope", "counting_basis", "reference_date_concept", "instance", "vintage",
)  # fmt: skip
MEASURES = (
    "unit_of_count", "value", "numerator", "denominator", "lower_bound", "upper_bound",
    "cell_kind", "observation_status", "confidentiality_status", "n_cases", "n_entities",
    "n_held_out", "period_months", "basis", "is_headline", "submissions", "map_version", "comment",
)  # fmt: skip
#: Columns of an export: a code is followed by its label.
COLUMNS = tuple(
    name
    for column in (*KEY, *MEASURES)
    for name in ((column, f"{column}_label") if column in CODED else (column,))
)
_FORMS = ("form", "form_iccs", "form_unodc")
_LIST_OF = {
    "form": "case form_classification when 'fine' then 'form'"
    " else 'form_' || form_classification end",
    "breakdown_code": "breakdown",
}


@dataclass(frozen=True)
class Selection:
    """Which figures are wanted; an empty filter leaves its column open.

    Dimensions (sex, age, form, citizenship, breakdown) that are named show the codes named, or
    every code with ``all``, and those that are not named stay at their total. With none named,
    totals and one-way breakdowns are shown.

    Attributes:
        years: years or ranges as text, ``2019`` or ``2019:2022``.
        breakdown: names of further breakdowns, such as ``victim_status``.
        headline: only the figures of the source that is authoritative (STATISTICS section 4).
    """

    indicator: tuple[str, ...] = ()
    reference_area: tuple[str, ...] = ()
    years: tuple[str, ...] = ()
    sex: tuple[str, ...] = ()
    age: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    form_classification: tuple[str, ...] = ()
    citizenship: tuple[str, ...] = ()
    breakdown: tuple[str, ...] = ()
    source_type: tuple[str, ...] = ()
    status_scope: tuple[str, ...] = ()
    counting_basis: tuple[str, ...] = ()
    instance: tuple[str, ...] = ()
    headline: bool = False

    def narrowed(self, filters: Mapping[str, tuple[str, ...]]) -> Selection:
        """This selection with some filters set, by column name."""
        return replace(self, **cast("dict[str, Any]", dict(filters)))


FILTERS = tuple(f.name for f in fields(Selection) if f.name not in ("years", "headline"))


def select(
    connection: duckdb.DuckDBPyConnection, selection: Selection, language: str = "en"
) -> list[dict[str, object]]:
    """Give the selected figures, codes beside labels, in the order of their key.

    Args:
        connection: an open warehouse.
        selection: the filters.
        language: of the labels; English stands in where a label is missing.

    Returns:
        One mapping a figure with the columns ``COLUMNS``; ``value`` is ``None`` where there is no
        number, and ``cell_kind`` then says why.

    Raises:
        UsageError: TIP-701 for a value that is not known, TIP-702 for years not understood.
    """
    stage(connection, selection, language)
    result = connection.execute(f"select {', '.join(COLUMNS)} from selected {ORDER}")
    return [dict(zip(COLUMNS, row, strict=True)) for row in result.fetchall()]


def to_frame(
    connection: duckdb.DuckDBPyConnection, selection: Selection, language: str = "en"
) -> pd.DataFrame:
    """Give the selected figures as a pandas data frame; arguments and refusals as ``select``."""
    import pandas as pd

    return pd.DataFrame(select(connection, selection, language), columns=list(COLUMNS))


#: Totals before categories within each key column, then the codes.
ORDER = "order by " + ", ".join(f"{c} <> '_T', {c}" if c in CODED else c for c in KEY)


def stage(
    connection: duckdb.DuckDBPyConnection,
    selection: Selection,
    language: str = "en",
    *,
    check: bool = True,
) -> None:
    """Put the selected, labelled figures into the temporary table ``selected``.

    Arguments and refusals as ``select``. Values of the selection only ever travel as parameters.

    Args:
        check: refuse values that are not known; a report's own tables need none.
    """
    stage_labels(connection, language)
    where, parameters = _where(_checked(connection, selection) if check else selection)
    connection.execute(
        f"create or replace temp table chosen as select * from fct_indicator_value where {where}",
        parameters,
    )
    columns = ", ".join(
        f"coalesce({c[:-6]}_named.label, chosen.{c[:-6]}) as {c}"
        if c.endswith("_label")
        else f"chosen.{c}"
        for c in COLUMNS
    )
    joins = " ".join(
        f"left join code_label as {c}_named on {c}_named.list = {_label_list(c)}"
        f" and {c}_named.code = chosen.{c}"
        for c in CODED
    )
    connection.execute(
        f"create or replace temp table selected as select {columns} from chosen {joins}"
    )


def _label_list(column: str) -> str:
    return _LIST_OF.get(column, f"'{CODED[column]}'")


def stage_labels(connection: duckdb.DuckDBPyConnection, language: str) -> None:
    """Put labels into the temporary table ``code_label (list, code, label)``.

    Fixed texts (``code.<list>.<code>``) name what is no code list of its own: source types,
    counting bases, indicators. Where both have a label the code list's own holds.
    """
    own = [key.split(".", 1) for key in texts(language).under("code")]
    connection.execute(
        _LABELS.format(language=language),
        {
            "lists": [name for name, _ in own],
            "codes": [code for _, code in own],
            "labels": list(texts(language).under("code").values()),
        },
    )


# What is missing or a total reads alike in every list, so it is spread over all of them: one join
# then finds any label. A column at its total names no list of its own ('_T', 'form__T').
_LABELS = """
create or replace temp table code_label as
with
listed as (
    select list, code, coalesce(nullif(label_{language}, ''), label_en) as label
    from dim_code where coalesce(nullif(label_{language}, ''), label_en) is not null
),
fixed as (
    select unnest($lists::varchar[]) as list, unnest($codes::varchar[]) as code,
        unnest($labels::varchar[]) as label
),
named as (
    select * from listed union all
    select * from fixed anti join listed using (list, code)
),
lists as (
    select list from named union
    select unnest(['_T', '_Z', 'form__T', 'form__Z', 'breakdown', 'source_type'])
),
spread as (
    select lists.list, named.code, named.label
    from lists cross join named where named.list = 'missing' and lists.list <> 'missing'
)
select * from named union all
select * from spread anti join named using (list, code)
"""


def _where(selection: Selection) -> tuple[str, dict[str, object]]:
    """SQL conditions of a checked selection, and their parameters."""
    conditions = ["vintage = (select max(vintage) from fct_indicator_value)"]
    parameters: dict[str, object] = {}
    for column in FILTERS:
        wanted = getattr(selection, column)
        if wanted and ALL not in wanted:
            conditions.append(f"list_contains($in_{column}::varchar[], {column})")
            parameters[f"in_{column}"] = list(wanted)
    if selection.years:
        conditions.append("list_contains($years::varchar[], period)")
        parameters["years"] = list(parse_years(selection.years))
    if selection.headline:
        conditions.append("is_headline")
    conditions.append(_dimensions(selection))
    return " and ".join(conditions), parameters


def _dimensions(selection: Selection) -> str:
    """Hold the dimensions that are not named at their total; with none named, one-way at most."""
    off_total = {d: f"{d} not in {TOTALS}" for d in DIMENSIONS}
    named = {d for d in DIMENSIONS if getattr(selection, d)}
    if selection.form_classification:
        named.add("form")
    if not named:
        return "(" + " + ".join(f"({off})::integer" for off in off_total.values()) + ") <= 1"
    held = [f"not ({off})" for dimension, off in off_total.items() if dimension not in named]
    return " and ".join(held) or "true"


def parse_years(years: Sequence[str]) -> tuple[str, ...]:
    """Turn ``2019`` and ``2019:2022`` into single years.

    Raises:
        UsageError: TIP-702, not a year or range, or a range that runs backwards.
    """
    parsed: set[int] = set()
    for text in years:
        match = re.fullmatch(r"(\d{4})(?::(\d{4}))?", text.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            raise refuse("TIP-702", UsageError, where="--year", found=f'"{text}"')
        parsed.update(range(first, last + 1))
    return tuple(str(year) for year in sorted(parsed))


def _checked(connection: duckdb.DuckDBPyConnection, selection: Selection) -> Selection:
    """The selection with every value in its accepted spelling, or a refusal naming the nearest."""
    found = {
        column: tuple(_accepted(connection, column, value) for value in getattr(selection, column))
        for column in FILTERS
    }
    return Selection(**found, years=selection.years, headline=selection.headline)


def _accepted(connection: duckdb.DuckDBPyConnection, column: str, value: str) -> str:
    """One value as the warehouse spells it; TIP-701 where there is none."""
    if value.casefold() == ALL:
        return ALL
    names = _names(connection, column)
    codes = set(names.values())
    exact = next((code for code in codes if code.casefold() == value.casefold()), None)
    if exact is not None:
        return exact
    raise refuse(
        "TIP-701",
        UsageError,
        where=OPTIONS.get(column, f"--{column.replace('_', '-')}"),
        found=f'"{value}"',
        expected=_expected(codes),
        nearest=_nearest(value, names),
    )


#: Column -> what it is called on the command line, where the two differ.
OPTIONS = {"indicator": "INDICATOR", "reference_area": "--area", "source_type": "--source"}
#: So many accepted values are all listed.
_LISTED = 20


def _names(connection: duckdb.DuckDBPyConnection, column: str) -> dict[str, str]:
    """Everything a value may be called, codes and labels in lower case, with the code it means."""
    stored = connection.execute(f"select distinct {column} from fct_indicator_value").fetchall()
    lists = _FORMS if column == "form" else (CODED[column] or column,)
    may_be_missing = column in (*DIMENSIONS, "form_classification")
    special = ["missing"] if may_be_missing else []
    labelled = connection.execute(
        "select code, label from code_label where list_contains($lists::varchar[], list)",
        {"lists": [*lists, *special]},
    ).fetchall()
    if not may_be_missing:  # every list has the labels of what is missing, used or not
        used = {code for (code,) in stored}
        labelled = [row for row in labelled if row[0] in used or not row[0].startswith("_")]
    names = {label.casefold(): code for code, label in labelled}
    return names | {code.casefold(): code for code, *_ in [*stored, *labelled]}


def _expected(codes: set[str]) -> str:
    listed = sorted(codes - {"_I", "_N", "_X"})
    return ", ".join(listed) if len(listed) <= _LISTED else ", ".join(listed[:12]) + ", ..."


def _nearest(value: str, names: dict[str, str]) -> str:
    close = difflib.get_close_matches(value.casefold(), names, n=1, cutoff=0.6)
    if not close:
        return ""
    code = names[close[0]]
    return code if close[0] == code.casefold() else f'"{close[0]}" → {code}'
