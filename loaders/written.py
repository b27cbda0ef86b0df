"""How dates and numbers are written: the order of day and month, decimal and thousands signs.

What a single value leaves open is told by the other values of its column, or by the layout; what
neither tells stays a finding. Everything works on the distinct values of a column, in the engine.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from loaders.alphabet import INVISIBLE

#: Blanks of typography, which stand between thousands or around a value, and a plain blank each.
_BLANKS = "\t\r\n\u00a0\u1680\u2002\u2003\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
#: Digits and signs as wide as ideographs, Arabic and Persian digits, minus signs; and in ASCII.
_WIDE = "０１２３４５６７８９，．－＋／：٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹−‑"
_PLAIN = "0123456789,.-+/:01234567890123456789--"

_ISO = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?"
_YEAR_FIRST = r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})"
_YEAR_LAST = r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})( \d{1,2}:\d{2}.*)?"
#: A day as a bare number: from 1927 to 2118 where days are counted from 1900.
_SERIAL = r"[1-7]\d{4}(\.\d+)?"

_GROUP = r"[+-]?[1-9]\d{0,2}"

#: How days and whole numbers are mostly written: nothing of them has to be found out.
_PLAINLY: dict[str, tuple[str, Any]] = {
    "date": (r"\A[12]\d{3}-\d{2}-\d{2}\z", pa.date32()),
    "integer": (r"\A\d{1,18}\z", pa.int64()),
}


def plain_values(words: pa.Array[Any], written: str) -> pa.Array[Any] | None:
    """The values of a column in which all are written plainly, which spares their map.

    Args:
        words: the distinct values as sent, without blanks.
        written: ``date`` for days as ISO writes them, ``integer`` for digits alone.

    Returns:
        The days (date32) or numbers (int64) in their order, as the map would give them; ``None``
        where any is written in another way, or is a day that does not exist.
    """
    pattern, landed = _PLAINLY[written]
    if not pc.all(pc.match_substring_regex(words, pattern)).as_py():
        return None
    try:
        return words.cast(landed)
    except pa.ArrowInvalid:
        return None


def _spaced_sql(column: str) -> str:
    """A value as sent, but for blanks around it."""
    return f"trim(translate({column}, '{_BLANKS}', '{' ' * len(_BLANKS)}'))"


def cleaned_sql(column: str) -> str:
    """A value as it is compared: no invisible characters, plain digits and blanks, trimmed.

    Most values are ASCII, in which nothing but blanks can be amiss.
    """
    plain = f"translate({column}, '{_BLANKS}{_WIDE}', '{' ' * len(_BLANKS)}{_PLAIN}')"
    cleaned = f"trim(regexp_replace({plain}, '{INVISIBLE}', '', 'g'))"
    is_ascii = f"strlen({column}) = length({column})"
    return f"case when {is_ascii} then trim({column}, ' \t\r\n') else {cleaned} end"


def date_map_sql(distinct: str, order: str, date_1904: bool) -> str:
    """The map of a column of dates.

    Args:
        distinct: query that gives ``sent`` and ``text``.
        order: ``dmy`` or ``mdy`` where the layout says it; empty where the column must tell.
        date_1904: whether bare numbers are days counted from 1904.

    Returns:
        SQL giving sent, text, val, state, why, and ``resolved``: whether other dates of the
        column told its order. ``serial`` is the day that a bare number would be.
    """
    told = f"'{order}'" if order else (
        "case when day_first and not month_first then 'dmy' "
        "when month_first and not day_first then 'mdy' end"
    )  # fmt: skip
    return f"""
        with sent as ({distinct}),
        split as (
            select *, regexp_full_match(text, '{_ISO}') as is_iso,
                regexp_full_match(text, '{_YEAR_FIRST}') as is_ymd,
                regexp_full_match(text, '{_YEAR_LAST}') as is_dmy,
                try_cast(regexp_extract(text, '{_YEAR_LAST}', 1) as integer) as a,
                try_cast(regexp_extract(text, '{_YEAR_LAST}', 2) as integer) as b,
                regexp_extract(text, '{_YEAR_LAST}', 3) as y
            from sent
        ),
        read as (
            select *,
                {_day_sql("y", "b", "a")} as as_dmy, {_day_sql("y", "a", "b")} as as_mdy
            from split
        ),
        evidence as (
            select coalesce(bool_or(as_dmy is not null and a > 12), false) as day_first,
                coalesce(bool_or(as_mdy is not null and b > 12), false) as month_first
            from read
        ),
        judged as (
            select read.*, {told} as told, is_dmy and a <= 12 and b <= 12 and a <> b as is_open
            from read cross join evidence
        ),
        parsed as (
            select *, case
                when is_iso then try_cast(left(text, 10) as date)
                when is_ymd then {_year_first_sql()}
                when not is_dmy then null
                when told = 'mdy' then as_mdy
                when told = 'dmy' then as_dmy
                when not is_open then coalesce(as_dmy, as_mdy)
            end as val
            from judged
        )
        {_judged_dates_sql(order, date_1904)}
        from parsed
    """


def _judged_dates_sql(order: str, date_1904: bool) -> str:
    """What became of each date, and why where it was not read."""
    epoch = "1904-01-01" if date_1904 else "1899-12-30"
    return f"""
        select sent, text, val,
            case when text = '' then null when val is not null then 'value' else 'invalid' end
                as state,
            case
                when text = '' or val is not null then null
                when is_open then 'TIP-302'
                when is_iso or is_dmy or is_ymd then 'TIP-303'
                when regexp_full_match(text, '{_SERIAL}') then 'TIP-161'
                else 'TIP-301'
            end as why,
            is_open and val is not null and {"false" if order else "true"} as resolved, told,
            case when regexp_full_match(text, '{_SERIAL}')
                then date '{epoch}' + cast(floor(try_cast(text as double)) as integer)
            end as serial
    """


def _day_sql(year: str, month: str, day: str) -> str:
    text = f"format('{{}}-{{:02d}}-{{:02d}}', {year}, {month}, {day})"
    return f"case when is_dmy then try_cast({text} as date) end"


def _year_first_sql() -> str:
    parts = [f"try_cast(regexp_extract(text, '{_YEAR_FIRST}', {n}) as integer)" for n in (1, 2, 3)]
    return f"try_cast(format('{{:04d}}-{{:02d}}-{{:02d}}', {', '.join(parts)}) as date)"


def number_map_sql(distinct: str, sign: str, *, whole: bool, accepted: str, landed: str) -> str:
    """The map of a column of numbers.

    A comma or point followed by three digits is a decimal sign or groups thousands. The other
    numbers tell: those with another count of decimals, with both signs, or with two groups; in a
    column of whole numbers also those whose last group is not 000, for a whole number has no
    decimals; and else at least three such numbers among at least three small whole ones, where
    none of a thousand and more is written without.

    Args:
        distinct: query that gives ``sent`` and ``text``.
        sign: the decimal sign where the layout says it; empty where the column must tell.
        whole: whether only whole numbers are accepted.
        accepted: pattern of the numbers that are accepted, with a decimal point.
        landed: their type.

    Returns:
        SQL giving sent, text, val, state, why and ``resolved``: whether the number was read
        another way than as a plain one.
    """
    wrong = "TIP-311" if whole else "TIP-312"
    return f"""
        with sent as ({distinct}),
        joined as (
            select *, case
                when (contains(text, ' ') or contains(text, '''') or contains(text, '’'))
                    and regexp_full_match(text, '{_GROUP}([ ''’]\\d{{3}})+([.,]\\d+)?')
                then regexp_replace(text, '[ ''’]', '', 'g') else text
            end as bare
            from sent
        ),
        shaped as (select *, {_shape_sql()} as shape from joined),
        evidence as ({_evidence_sql(whole)}),
        judged as (
            select shaped.*, {_decimal_sql(sign)} as decimal_sign from shaped cross join evidence
        ),
        plain as (
            select *, {_plain_sql()} as number,
                shape in ('comma3', 'point3') and decimal_sign is null as is_open
            from judged
        ),
        parsed as (
            select *, case when not is_open and regexp_full_match(number, '{accepted}')
                then try_cast(number as {landed}) end as val
            from plain
        )
        select sent, text, val,
            case when val is not null then 'value' when text <> '' then 'invalid' end as state,
            case
                when val is not null or text = '' then null
                when is_open then 'TIP-163' else '{wrong}'
            end as why,
            val is not null and number <> {_spaced_sql("sent")} as resolved, decimal_sign as told
        from parsed
    """


def _shape_sql() -> str:
    """How a number is written, as far as it alone tells; the commonest shapes first."""
    shapes = {
        "decimal_point": r"[+-]?\d+\.\d{1,2}",
        "comma3": rf"{_GROUP},\d{{3}}",
        "point3": rf"{_GROUP}\.\d{{3}}",
        "commas": rf"{_GROUP}(,\d{{3}}){{2,}}|{_GROUP}(,\d{{3}})+\.\d+",
        "points": rf"{_GROUP}(\.\d{{3}}){{2,}}|{_GROUP}(\.\d{{3}})+,\d+",
        "decimal_comma": r"[+-]?\d+,\d+",
    }
    cases = " ".join(
        f"when regexp_full_match(bare, '{pattern}') then '{shape}'"
        for shape, pattern in shapes.items()
    )
    return (
        "case when not contains(bare, ',') and not contains(bare, '.') then 'plain' "
        f"{cases} when regexp_full_match(bare, '[+-]?\\d+\\.\\d+') then 'decimal_point' "
        "else '' end"
    )


def _evidence_sql(whole: bool) -> str:
    """What the column says of its signs: which is decimal, which groups thousands."""
    plain = "shape = 'plain' and length(bare)"
    small = f"{plain} <= 3 and regexp_full_match(bare, '[1-9][0-9]{{0,2}}')"
    large = f"{plain} > 3 and regexp_full_match(bare, '[+-]?[1-9][0-9]{{3,}}')"

    def groups(shape: str) -> str:
        many = f"count(*) filter (where shape = '{shape}' and bare not like '%000') >= "
        if whole:
            return many + "1"
        return (
            f"{many}3 and count(*) filter (where {small}) >= 3 "
            f"and not coalesce(bool_or({large}), false)"
        )

    return f"""
        select coalesce(bool_or(shape in ('decimal_comma', 'points')), false) as comma,
            coalesce(bool_or(shape in ('decimal_point', 'commas')), false) as point,
            {groups("comma3")} as comma_groups, {groups("point3")} as point_groups
        from shaped
    """


def _decimal_sql(sign: str) -> str:
    if sign:
        return f"'{sign}'"
    return """
        case
            when comma and not point then ','
            when point and not comma then '.'
            when comma and point then null
            when comma_groups and not point_groups then '.'
            when point_groups and not comma_groups then ','
        end
    """


def _plain_sql() -> str:
    """A number with a decimal point and without thousands signs."""
    by_point, by_comma = "replace(bare, ',', '')", "replace(replace(bare, '.', ''), ',', '.')"
    return f"""
        case
            when shape in ('plain', '') then bare
            when shape in ('commas', 'decimal_point') then {by_point}
            when shape in ('points', 'decimal_comma') then {by_comma}
            when decimal_sign = '.' then {by_point}
            else {by_comma}
        end
    """
