"""Why records are together, and what a figure rests on.

For the office alone: keys, entities, submissions, sheets and rows, rules, statuses and their days,
never another attribute of a record, and never for a sender (STATISTICS section 6, one way).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import duckdb

from tipstat import warehouse
from tipstat.errors import UsageError
from tipstat.rules import refuse

if TYPE_CHECKING:
    from tipstat.workspace import Workspace

Row = dict[str, object]

#: The columns of an explanation of a record.
COLUMNS = (
    "section",
    "item",
    "key",
    "rule",
    "reference",
    "entity",
    "submission",
    "sheet",
    "row",
    "date",
    "detail",
)

_KEY = re.compile(r"[0-9a-f]{32}")

_PLACE = "t.submission_id as submission, t.source_sheet as sheet, t.source_row as row"
_GROUP = """
    select 'group' as section, members.member_type as item, members.member_key as key,
        link_groups.link_group as rule,
        case when link_groups.is_complete then 'complete' else 'not complete' end as reference,
        link_groups.n_events || ' events, ' || link_groups.n_cases || ' cases' as detail
    from bridge_link_group as own
    inner join bridge_link_group as members on own.link_group = members.link_group
    inner join dim_link_group as link_groups on own.link_group = link_groups.link_group
    where own.member_key = $key order by members.member_type desc, members.member_key
"""
_ROLES = f"""
    select 'person' as section, roles.person_role as item, roles.role_key as key,
        roles.link_rule as rule, roles.link_state as reference, roles.reporting_entity as entity,
        {_PLACE}, roles.person_id as detail, roles.authorisation_ids
    from bridge_person_role as roles
    left join (
        select victim_key as role_key, submission_id, source_sheet, source_row from dim_victim
        union all
        select perpetrator_key, submission_id, source_sheet, source_row from dim_perpetrator
    ) as t on roles.role_key = t.role_key
    where roles.person_id in (
        select person_id from bridge_person_role where role_key = $key or person_id = $key
    )
    order by roles.person_role desc, roles.reporting_entity, roles.role_key
"""


def _record(table: str, key: str, rule: str, date: str) -> str:
    return f"""
        select 'record' as section, 'current' as item, t.{key} as key, {rule} as rule,
            t.reporting_entity as entity, {_PLACE}, {date} as date, t.record_id as detail
        from {table} as t where t.{key} = $key
    """


def _versions(table: str, key: str) -> str:
    """Every version of the record in the current submissions; the first one won."""
    newest = "t.submission_sequence desc, t.source_row desc, t.record_id desc"
    return f"""
        select 'version' as section,
            case when row_number() over (order by {newest}) = 1 then 'won' else 'earlier' end
                as item,
            t.{key} as key, 'newest submission' as rule, t.reporting_entity as entity, {_PLACE},
            t.record_id as detail
        from {table} as t where t.{key} = $key order by {newest}
    """


def _statuses(table: str, key: str, status: str) -> str:
    return f"""
        select 'status' as section, t.{status} as item, t.{key} as key,
            case when t.is_latest then 'latest' else 'earlier' end as rule,
            t.submission_id as submission, coalesce(t.status_date, t.known_date) as date,
            case when t.status_date is null then 'dated by its return' end as detail
        from {table} as t where t.{key} = $key order by t.recency, t.submission_id
    """


def _members(section: str, table: str, own: str, other: str) -> str:
    return f"""
        select '{section}' as section, t.{other} as key, t.reporting_entity as entity, {_PLACE},
            t.registration_date as date, t.record_id as detail
        from {table} as t where t.{own} = $key order by t.{other}
    """


def _links(own: str, other: str, table: str) -> str:
    return f"""
        select 'link' as section, links.{other} as key, links.link_rule as rule,
            links.linked_by as reference, t.reporting_entity as entity, {_PLACE},
            links.n_records || ' records carry it; event as in ' || links.event_submission_id
            || ', case as in ' || links.case_submission_id as detail
        from bridge_case_event as links inner join {table} as t on links.{other} = t.{other}
        where links.{own} = $key order by links.{other}
    """


#: Kind of thing -> its queries, the record first.
_QUERIES: Mapping[str, tuple[str, ...]] = {
    "event": (
        _record("fct_event", "event_key", "t.event_basis", "t.event_registration_date"),
        _versions("stg_police_event", "event_key"),
        _statuses("fct_event_status", "event_key", "event_status"),
        _members("victim", "bridge_event_victim", "event_key", "victim_key"),
        _members("perpetrator", "bridge_event_perpetrator", "event_key", "perpetrator_key"),
        _links("event_key", "case_key", "dim_case"),
        _GROUP,
    ),
    "victim": (
        _record("dim_victim", "victim_key", "t.link_state", "t.first_registration_date"),
        _versions("int_victim_record", "victim_key"),
        _statuses("fct_victim_status", "victim_key", "victim_status"),
        _members("event", "bridge_event_victim", "victim_key", "event_key"),
        _ROLES,
    ),
    "perpetrator": (
        _record("dim_perpetrator", "perpetrator_key", "t.link_state", "t.first_registration_date"),
        _versions("int_perpetrator_record", "perpetrator_key"),
        _statuses("fct_perpetrator_status", "perpetrator_key", "justice_status"),
        _members("event", "bridge_event_perpetrator", "perpetrator_key", "event_key"),
        _members("case", "bridge_case_perpetrator", "perpetrator_key", "case_key"),
        _ROLES,
    ),
    "case": (
        _record("dim_case", "case_key", "t.case_basis", "t.case_opened_date"),
        _versions("stg_court_case", "case_key"),
        _members("perpetrator", "bridge_case_perpetrator", "case_key", "perpetrator_key"),
        _links("case_key", "event_key", "fct_event"),
        _GROUP,
    ),
    "person": (_ROLES,),
}


def explain_record(ws: Workspace, kind: str, key: str) -> list[Row]:
    """Why the records of an event, victim, perpetrator, case or person are together.

    Args:
        ws: the workspace.
        kind: event, victim, perpetrator, case or person.
        key: its key in the warehouse; a reference of a register is never taken.

    Returns:
        Rows of :data:`COLUMNS`: the record, its versions and statuses, what it is linked to and
        by which rule, and the authorisations under which persons meet.

    Raises:
        UsageError: TIP-431 the last build has no such key.
        WorkplaceError: TIP-806 to TIP-808 there is no warehouse, or it cannot be read.
    """
    key = key.strip().lower()
    if not _KEY.fullmatch(key):
        raise refuse("TIP-431", UsageError, where=kind, found="no key of the warehouse")
    with warehouse.reading(ws) as connection:
        first, *others = _QUERIES[kind]
        rows = _fetch(connection, first, {"key": key})
        if not rows:
            raise refuse("TIP-431", UsageError, where=f"{kind} {key}", found="no such key")
        for query in others:
            rows += _fetch(connection, query, {"key": key})
    named = ";".join(str(row.get("authorisation_ids") or "") for row in rows)
    return rows + _authorisations(ws, {name for name in named.split(";") if name})


def _fetch(
    connection: duckdb.DuckDBPyConnection, query: str, values: dict[str, str] | Sequence[str]
) -> list[Row]:
    result = connection.execute(query, values)
    names = [str(column[0]) for column in result.description or ()]
    return [dict(zip(names, line, strict=True)) for line in result.fetchall()]


def _authorisations(ws: Workspace, ids: Iterable[str]) -> list[Row]:
    wanted = set(ids)
    return [
        {
            "section": "authorisation",
            "item": "in force until",
            "key": str(row.id),
            "rule": row.legal_basis,
            "entity": f"{row.entity_a}, {row.entity_b}",
            "date": row.expires_on,
            "detail": row.purpose,
        }
        for row in (ws.registry().all_authorisations() if wanted else ())
        if str(row.id) in wanted
    ]


#: Parts of the key of a figure that a caller may choose; all others are shown side by side.
CHOICES = ("sex", "age", "form", "citizenship", "breakdown", "breakdown_code")
_SHOWN = (
    "value",
    "denominator",
    "source_type",
    "counting_basis",
    "status_scope",
    "population_scope",
    "instance",
    "form_classification",
    "unit_of_count",
    "cell_kind",
    "basis",
    "records",
    "n_cases",
    "n_entities",
    "n_held_out",
    "period_months",
    "n_submissions",
    "submissions",
    "map_version",
    "is_headline",
    "headline_rule",
    "reproducible",
    "comment",
)
_FIGURES = f"""
    select figures.*, figures.numerator as records,
        case when coalesce(figures.submissions, '') = '' then 0
            else 1 + length(figures.submissions) - length(replace(figures.submissions, ';', ''))
        end as n_submissions,
        rules.source_type || ', ' || rules.counting_basis || ', ' || rules.status_scope || ', '
        || rules.instance || ', decided by ' || rules.decided_by as headline_rule
    from fct_indicator_value as figures
    left join headline as rules on figures.reference_area = rules.reference_area
        and figures.indicator = rules.indicator
        and figures.period >= rules.year_from
        and figures.period <= coalesce(nullif(rules.year_to, ''), '9999')
    where figures.indicator = ? and figures.reference_area = ? and figures.period = ?
        and {" and ".join(f"figures.{name} = ?" for name in CHOICES)}
    order by figures.is_headline desc, figures.source_type, figures.counting_basis,
        figures.status_scope, figures.population_scope, figures.instance,
        figures.form_classification, figures.basis
"""


def explain_figure(
    ws: Workspace,
    indicator: str,
    area: str,
    year: str,
    chosen: Mapping[str, str],
    *,
    every: bool = False,
) -> list[Row]:
    """What a figure rests on: records, submissions, entities, held out, map and headline rule.

    Args:
        ws: the workspace.
        indicator: its id.
        area: reference area.
        year: four digits.
        chosen: values of :data:`CHOICES`; the total where one is not chosen.
        every: also the figures beside the headline, one for each source and basis of counting.

    Returns:
        Rows of figure (number), name and value: the headline figure, or where there is none all.

    Raises:
        UsageError: TIP-432 the last build has no such figure.
    """
    values = [chosen.get(name) or "_T" for name in CHOICES]
    named = [indicator.strip().lower(), area.strip().upper(), year.strip()]
    with warehouse.reading(ws) as connection:
        figures = _fetch(connection, _FIGURES, [*named, *values])
        if not figures:
            raise _unknown_figure(connection, named, values)
    headline = [figure for figure in figures if figure["is_headline"]]
    if headline and not every:
        figures = headline
    marked = {b.id: b.not_reproducible_reason for b in ws.registry().builds() if not b.reproducible}
    for figure in figures:
        vintage = str(figure["vintage"])
        figure["reproducible"] = f"no: {marked[vintage]}" if vintage in marked else "yes"
    return [
        {"figure": number, "name": name, "value": figure[name]}
        for number, figure in enumerate(figures, start=1)
        for name in _SHOWN
        if figure[name] is not None
    ]


def _unknown_figure(
    connection: duckdb.DuckDBPyConnection, named: Sequence[str], values: Sequence[str]
) -> UsageError:
    known = connection.execute("select distinct indicator from fct_indicator_value").fetchall()
    nearest = difflib.get_close_matches(named[0], [str(name) for (name,) in known], n=1)
    chosen = [f"{name} {v}" for name, v in zip(CHOICES, values, strict=True) if v != "_T"]
    return refuse(
        "TIP-432",
        UsageError,
        where=" ".join(named),
        found=", ".join(chosen) or "no such total",
        nearest=nearest[0] if nearest and nearest[0] != named[0] else "",
    )
