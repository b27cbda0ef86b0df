"""Which variable a column may be: by its name, and by how well its values fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from loaders.coding import list_coder
from loaders.proposal_columns import Column
from loaders.proposal_names import Meaning, code_of, meanings
from tipstat.contract import RecordType, Variable

#: Score from which a column is taken for a variable.
ENOUGH = 0.55
#: Likeness of a name from which a coded column is placed though its values are not known.
NAMED = 0.9
#: Variables of a list that its values alone point at.
BY_VALUES = {
    "sex": ("sex",),
    "country": ("citizenship",),
    "form": ("form", "purpose"),
    "age_group": ("age_group",),
    "victim_status": ("victim_status",),
}


@dataclass(frozen=True)
class Fit:
    """How the values of a column fit a code list.

    Attributes:
        share: of the distinct values that are codes or mean one.
        known: values that the check codes by itself.
        mapped: value as sent -> its meaning, for the layout's map.
        unknown: values that nothing is known of.
    """

    share: float
    known: tuple[str, ...] = ()
    mapped: Mapping[str, Meaning] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Placed:
    """A column taken for a variable, how sure that is and why."""

    column: Column
    variable: Variable
    score: float
    why: str
    fit: Fit | None = None


def place(columns: Sequence[Column], record_type: RecordType, language: str) -> tuple[Placed, ...]:
    """Give each variable the column that fits it best, the surest first.

    Args:
        columns: those that are not placed otherwise.
        record_type: whose variables are wanted.
        language: of the file.

    Returns:
        Columns with their variables, each once, in the order of the file.
    """
    options = [
        option
        for column in columns
        for variable in record_type.variables
        if (option := rated(column, variable, language, aggregate=record_type.kind == "aggregate"))
        and option.score >= ENOUGH
    ]
    options.sort(key=lambda option: (-option.score, option.column.letter, option.variable.name))
    taken: dict[str, Placed] = {}
    used: set[str] = set()
    for option in options:
        if option.column.letter not in used and option.variable.name not in taken:
            taken[option.variable.name] = option
            used.add(option.column.letter)
    order = {column.letter: index for index, column in enumerate(columns)}
    return tuple(sorted(taken.values(), key=lambda placed: order[placed.column.letter]))


def rated(column: Column, variable: Variable, language: str, *, aggregate: bool) -> Placed | None:
    """A column as one variable, with its score; ``None`` where nothing speaks for it."""
    named = next((m for m in meanings(column.header, "variable") if m.code == variable.name), None)
    name = named.score if named else 0.0
    why = [f"name: {named.why}"] if named else []
    if variable.type == "code":
        return _rated_code(column, variable, language, name, why, aggregate=aggregate)
    if not named or not column.filled:
        return None
    share, what = _share_of_type(column, variable)
    score = name * (0.4 + 0.6 * share)
    return Placed(column, variable, score, "; ".join([*why, f"{share:.0%} of its cells {what}"]))


def _share_of_type(column: Column, variable: Variable) -> tuple[float, str]:
    """The share of cells that are of the variable's type, and what that is called."""
    if variable.type in ("date", "birth_date"):
        return column.dates, "are dates"
    if variable.type in ("integer", "decimal"):
        return column.numbers, "are numbers"
    if variable.type in ("reference", "identifier"):
        return column.distinct / max(column.filled, 1), "are unlike any other"
    if variable.type == "label":
        return 1.0 - column.dates, "are texts"
    return (1.0 - column.numbers) * 0.9, "are texts"


def _rated_code(
    column: Column,
    variable: Variable,
    language: str,
    name: float,
    why: list[str],
    *,
    aggregate: bool,
) -> Placed | None:
    if variable.code_list in ("@breakdown", "national_offence") or not column.values:
        return None
    telling = variable.name in BY_VALUES.get(variable.code_list, ()) and not (
        aggregate and variable.code_list == "country"  # the countries of cells may be anyone's
    )
    if name < ENOUGH and not (telling and _worth_fitting(column)):
        return None
    fit = fitted(tuple(column.values), variable, language, aggregate=aggregate)
    why = [*why, f"values: {fit.share:.0%} of {len(column.values)} are of {variable.code_list}"]
    score = 0.6 * name + 0.4 * fit.share if fit.share >= 0.3 else 0.5 * name
    if telling and fit.share >= 0.8 and _real(fit) >= 2:
        score = max(score, 0.7 * fit.share)
    if name >= NAMED:
        # Left aside, the column of a breakdown would make totals of its parts.
        score = max(score, ENOUGH)
    return Placed(column, variable, score, "; ".join(why), fit)


def _worth_fitting(column: Column) -> bool:
    """A column of numbers, or one with hardly a value twice, tells nothing by its values."""
    return column.numbers < 0.5 and column.distinct * 2 <= column.filled and column.distinct <= 300


def _real(fit: Fit) -> int:
    """How many values mean a category and not a missing value or a total."""
    real = [meaning for meaning in fit.mapped.values() if not meaning.code.startswith("_")]
    return len(real) + len(fit.known)


def fitted(values: Iterable[str], variable: Variable, language: str, *, aggregate: bool) -> Fit:
    """How values fit the list of a variable: known to the check, to be mapped, or unknown."""
    coder = list_coder(variable.code_list, language, {}, aggregate=aggregate)
    known: list[str] = []
    mapped: dict[str, Meaning] = {}
    unknown: list[str] = []
    for value in values:
        if coder.cell(value, multi=variable.multi).valid:
            known.append(value)
            continue
        meaning = code_of(value, variable.code_list)
        if meaning is not None and (aggregate or meaning.code not in ("_T", "_NS")):
            mapped[value] = meaning
        else:
            unknown.append(value)
    total = max(len(known) + len(mapped) + len(unknown), 1)
    return Fit((len(known) + len(mapped)) / total, tuple(known), mapped, tuple(unknown))
