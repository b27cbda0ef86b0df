"""The rules of a check, compiled from ``seeds/catalogue/rules.csv`` and the contract to one query.

A rule with a predicate applies to every record type, within its scope, that has all the variables
the predicate names. In a predicate ``t`` is the record, ``m.<name>`` an item of the metadata sheet,
``rec_<record type>`` another record type of the same file, and ``@`` each variable of the rule in
turn (``*date`` in the variable column means every date). Rules without a predicate are built here
from the contract: types and codes by :mod:`loaders.typed`, keys and references below.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from loaders.typed import HIDDEN, TYPED, literal, quoted
from tipstat.contract import RecordType, Variable, load_contract
from tipstat.rules import Rule, all_rules

#: A reference that is no key and stands on more records than this never links.
LINK_LIMIT = 50
#: Columns of ``rec_*`` that are no variables of the contract.
_HELPERS = ("birth_age",)

_TEXT = re.compile(r"'[^']*'")
_QUALIFIED = re.compile(r"\b(?!t\.)[a-z]+\.[a-z_]+")
_WORD = re.compile(r"[a-z][a-z_]*")
_METADATA = re.compile(r"\bm\.([a-z_]+)")
_OTHER = re.compile(r"\brec_([a-z_]+)")

MetadataValue = str | int | date | None


@dataclass(frozen=True)
class Compiled:
    """A rule for one variable of one record type, as SQL over ``rec_*`` with the alias ``t``."""

    rule: Rule
    record_type: str
    variable: Variable
    sql: str


@cache
def _known_names() -> frozenset[str]:
    names = {v.name for rt in load_contract().record_types.values() for v in rt.variables}
    return frozenset(names | set(_HELPERS))


def compile_rules(
    kind: str, record_types: Iterable[RecordType], metadata: Mapping[str, MetadataValue]
) -> list[Compiled]:
    """Compile every rule with a predicate that concerns the record types.

    Args:
        kind: kind of return.
        record_types: those in the file.
        metadata: typed items of the metadata sheet, and ``today``.

    Returns:
        The compiled rules, in the order of the catalogue.
    """
    present = tuple(record_types)
    return [
        compiled
        for rule in all_rules().values()
        if rule.predicate and rule.scope in (kind, "any")
        for record_type in present
        for compiled in _for_record_type(rule, record_type, present, metadata)
    ]


def _for_record_type(
    rule: Rule,
    record_type: RecordType,
    present: tuple[RecordType, ...],
    metadata: Mapping[str, MetadataValue],
) -> list[Compiled]:
    # What holds for every date of a record does not for the metadata, which has dates to come.
    if not rule.record_type and record_type.name == "metadata":
        return []
    if rule.record_type and record_type.name not in rule.record_type.split(";"):
        return []
    names = {v.name for v in record_type.variables}
    available = names | {"birth_age"} if "birth_date" in names else names
    others = {other.name for other in present}
    if not named(rule.predicate) <= available or not _others(rule.predicate) <= others:
        return []
    return [
        Compiled(rule, record_type.name, variable, _bound(rule.predicate, variable, metadata))
        for variable in _variables(rule, record_type)
    ]


def _variables(rule: Rule, record_type: RecordType) -> list[Variable]:
    """The variables of a record type that a rule is about."""
    if rule.variable.startswith("*"):
        wanted = ("date", "birth_date") if rule.variable == "*date" else (rule.variable[1:],)
        return [v for v in record_type.variables if v.type in wanted]
    listed = rule.variable.split(";")
    return [v for v in record_type.variables if v.name in listed]


def named(predicate: str) -> set[str]:
    """The variables of the record that a predicate names."""
    bare = _QUALIFIED.sub(" ", _METADATA.sub(" ", _TEXT.sub(" ", predicate)))
    return set(_WORD.findall(bare)) & _known_names()


def _others(predicate: str) -> set[str]:
    return set(_OTHER.findall(predicate))


def _bound(predicate: str, variable: Variable, metadata: Mapping[str, MetadataValue]) -> str:
    """The predicate with its variable and the metadata put in as literals."""
    own = predicate.replace("@", f"t.{quoted(variable.name)}")
    return "(" + _METADATA.sub(lambda found: _value(metadata.get(found[1])), own) + ")"


def _value(value: MetadataValue) -> str:
    if value is None:
        return "null"
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    return str(value) if isinstance(value, int) else literal(value)


def value_rules(compiled: Iterable[Compiled], record_type: str) -> dict[str, list[tuple[str, str]]]:
    """The rules of a record type that make a value invalid: variable -> rule id and SQL."""
    found: dict[str, list[tuple[str, str]]] = {}
    for entry in compiled:
        if entry.rule.severity == "error-value" and entry.record_type == record_type:
            found.setdefault(entry.variable.name, []).append((entry.rule.rule_id, entry.sql))
    return found


# ── the one query ─────────────────────────────────────────────────────────────────────────────


def finding_query(record_types: Iterable[RecordType], compiled: Iterable[Compiled]) -> str:
    """All rules over all record types as one query.

    Returns:
        SQL giving rule_id, record_type, variable, i (number of the record) and value.
    """
    present = tuple(record_types)
    branches = [branch for rt in present for branch in _value_branches(rt)]
    branches += [_predicate_branch(c) for c in compiled if c.rule.severity != "error-value"]
    for record_type in present:
        if record_type.name != "metadata":
            branches += _key_branches(record_type)
            branches += _reference_branches(record_type, {rt.name: rt for rt in present})
    return "\nunion all\n".join(branches)


def _branch(rule_id: str, record_type: str, variable: str, value: str, where: str) -> str:
    return (
        f"select {rule_id} as rule_id, {literal(record_type)} as record_type, "
        f"{literal(variable)} as variable, t._i as i, cast({value} as varchar) as value "
        f"from {quoted('rec_' + record_type)} t where {where}"
    )


def _shown(variable: Variable) -> str:
    """The value as sent, for types whose values may be shown (STATISTICS section 6)."""
    if variable.type in HIDDEN or variable.type not in (*TYPED, "code", "entity"):
        return "null"
    return "t." + quoted(f"{variable.name}__sent")


def _value_branches(record_type: RecordType) -> list[str]:
    """One branch a variable: every value of which the typing says why it is wrong."""
    return [
        _branch(f"t.{why}", record_type.name, v.name, _shown(v), f"t.{why} is not null")
        for v in record_type.variables
        if v.type not in ("label", "submission", "issuer")
        for why in [quoted(f"{v.name}__why")]
    ]


def _predicate_branch(entry: Compiled) -> str:
    rule_id, value = literal(entry.rule.rule_id), _shown(entry.variable)
    return _branch(rule_id, entry.record_type, entry.variable.name, value, entry.sql)


def blank_sql(variable: Variable) -> str:
    """Whether a part of a key is missing or unusable; what its own rule names is left to it."""
    column, why = f"t.{quoted(variable.name)}", f"t.{quoted(variable.name + '__why')}"
    if variable.type == "code":
        return f"{column} in ('_X', '_N', '_I')" if variable.obligation == "core" else "false"
    if variable.type == "entity":
        return f"({column} is null and {why} is null)"
    return f"{column} is null"


def _key_variables(record_type: RecordType) -> list[Variable]:
    return [v for v in record_type.variables if v.is_key]


def _key_branches(record_type: RecordType) -> list[str]:
    keys = _key_variables(record_type)
    blanks = [
        _branch("'TIP-401'", record_type.name, v.name, "null", blank_sql(v))
        for v in keys
        if v.type not in ("label", "issuer")
    ]
    listed = ", ".join(quoted(v.name) for v in keys)
    table = quoted("rec_" + record_type.name)
    sound = usable_sql(keys)
    doubled = (
        f"({listed}) in (select ({listed}) from {table} t where {sound} "
        f"group by {listed} having count(*) > 1)"
    )
    own = [v for v in keys if not v.refers_to and v.type != "entity"] or keys
    shown = own[-1] if record_type.name != "cell" else record_type.variable("value")
    return [*blanks, _branch("'TIP-403'", record_type.name, shown.name, "null", doubled)]


def usable_sql(keys: Iterable[Variable]) -> str:
    """Whether a record has a key that can be compared."""
    parts = []
    for variable in keys:
        parts.append(f"not {blank_sql(variable)}")
        if variable.type == "entity":
            parts.append(f"t.{quoted(variable.name)} is not null")
        if variable.type == "reference":
            parts.append(f"t.{quoted(variable.name + '__why')} is null")
    return " and ".join(parts)


def parent_key(record_type: RecordType, parent: RecordType) -> list[str]:
    """The variables by which a child names its parent: the parent's key."""
    own = {v.name for v in record_type.variables}
    return [name for name in parent.key if name in own]


def _reference_branches(record_type: RecordType, present: Mapping[str, RecordType]) -> list[str]:
    branches = []
    for variable in record_type.variables:
        if not variable.refers_to:
            continue
        parent = load_contract().record_type(record_type.kind, variable.refers_to)
        names = parent_key(record_type, parent)
        sound = usable_sql([record_type.variable(name) for name in names])
        missing = "true"
        if parent.name in present:
            same = " and ".join(f"p.{quoted(n)} = t.{quoted(n)}" for n in names)
            table = quoted("rec_" + parent.name)
            missing = f"not exists (select 1 from {table} p where {same})"
        where = f"{sound} and {missing}"
        branches.append(_branch("'TIP-421'", record_type.name, variable.name, "null", where))
    return branches


def held_children_query(record_type: RecordType, present: Mapping[str, RecordType]) -> list[str]:
    """For each parent of a record type, the records whose parent is held out.

    Returns:
        Queries giving variable, i and blanked (whether the parent's content is not kept).
    """
    queries = []
    for variable in record_type.variables:
        if variable.refers_to not in present:
            continue
        parent = present[variable.refers_to]
        same = " and ".join(
            f"p.{quoted(n)} = t.{quoted(n)}" for n in parent_key(record_type, parent)
        )
        queries.append(
            f"select {literal(variable.name)} as variable, t._i as i, bool_or(h.blanked) as blanked"
            f" from {quoted('rec_' + record_type.name)} t"
            f" join {quoted('rec_' + parent.name)} p on {same}"
            f" join held h on h.record_type = {literal(parent.name)} and h.i = p._i group by all"
        )
    return queries
