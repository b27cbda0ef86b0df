"""Registering an entity or an authorisation as a person types it in: checked, with suggestions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from tipstat import classification
from tipstat.errors import TipstatError, UsageError
from tipstat.registry.models import ReportingEntity
from tipstat.registry.store import Registry
from tipstat.rules import refuse

_ID = re.compile(r"[A-Z0-9][A-Z0-9-]{1,31}")
#: Reference area of a body that is of no country, such as an international organization.
NO_AREA = "_Z"
_ALIKE_ID = 0.8
_ALIKE_NAME = 0.9


def register_entity(
    registry: Registry,
    entity_id: str,
    *,
    name: str,
    entity_type: str,
    reference_area: str,
    parent: str | None = None,
    mandate: str | None = None,
    agreement: str | None = None,
    confidential: bool = False,
    new: bool = False,
) -> ReportingEntity:
    """Register a reporting entity after checking what was typed.

    Args:
        new: it really is another entity than the one of almost the same id or name.

    Raises:
        UsageError: TIP-545 to TIP-550: unknown type, id in use, id or name like that of another
            entity (a misspelling must not become a second police force: STATISTICS section 6),
            malformed id, unknown parent, unknown area.
    """
    entity_id = entity_id_of(entity_id)
    entity_type = code_of("entity_type", entity_type, rule="TIP-545", where="--type")
    if not (entity_type == "INTERNATIONAL" and reference_area == NO_AREA):
        reference_area = area_of(reference_area)
    parent = entity_id_of(parent) if parent else None
    existing = registry.entities()
    if not new and entity_id not in {entity.id for entity in existing}:
        _refuse_alike(entity_id, name, existing)
    if parent is not None and parent not in {entity.id for entity in existing}:
        raise unknown_entity(parent, existing)
    return registry.add_entity(
        entity_id,
        name=name.strip(),
        entity_type=entity_type,
        reference_area=reference_area,
        parent=parent,
        mandate=mandate,
        agreement=agreement,
        confidential=confidential,
    )


def entity_id_of(text: str) -> str:
    """An entity id in capitals; TIP-548 unless it is 2 to 32 letters, digits and hyphens."""
    entity_id = text.strip().upper()
    if not _ID.fullmatch(entity_id):
        raise refuse("TIP-548", UsageError, where="entity id", found=f'"{text}"')
    return entity_id


def registered_id(registry: Registry, text: str) -> str:
    """The id of a registered entity as typed; TIP-549 with the nearest where there is none."""
    entity_id = entity_id_of(text)
    existing = registry.entities()
    if entity_id not in {entity.id for entity in existing}:
        raise unknown_entity(entity_id, existing)
    return entity_id


def area_of(text: str) -> str:
    """A country as typed, in capitals; TIP-550 with the nearest unless it is a code."""
    return code_of("country", text, rule="TIP-550", where="area")


def code_of(list_name: str, text: str, *, rule: str, where: str) -> str:
    """A code of a list as typed, in capitals; else the refusal of the rule, with the nearest."""
    code = text.strip().upper().replace(" ", "_")
    codes = [entry.code for entry in classification.code_list(list_name).codes]
    if code in codes:
        return code
    nearest = _nearest_code(list_name, code, codes)
    raise refuse(rule, UsageError, where=where, found=f'"{text}"', nearest=nearest)


def _nearest_code(list_name: str, code: str, codes: list[str]) -> str:
    """The code spelt most alike, or the one whose English label is."""
    by_label = {classification.label(list_name, entry).upper(): entry for entry in codes}
    words = difflib.get_close_matches(code.replace("_", " "), by_label, n=1, cutoff=0.6)
    if words:
        return by_label[words[0]]
    spelt = difflib.get_close_matches(code, codes, n=1, cutoff=0.5)
    return spelt[0] if spelt else ""


def unknown_entity(entity_id: str, existing: Iterable[ReportingEntity]) -> TipstatError:
    """The refusal TIP-549 of an entity that is not registered, with the nearest that is."""
    ids = [entity.id for entity in existing]
    nearest = difflib.get_close_matches(entity_id, ids, n=1, cutoff=0.5)
    return refuse(
        "TIP-549",
        UsageError,
        where="entity",
        found=f'"{entity_id}"',
        nearest=nearest[0] if nearest else "",
    )


def _refuse_alike(entity_id: str, name: str, existing: Iterable[ReportingEntity]) -> None:
    for entity in existing:
        if _alike(entity_id, entity.id, _ALIKE_ID) or _alike(name, entity.name, _ALIKE_NAME):
            raise refuse(
                "TIP-547",
                UsageError,
                where=entity_id,
                found=f'"{name}"',
                nearest=f"{entity.id}, {entity.name}",
            )


def _alike(one: str, other: str, least: float) -> bool:
    """Whether two texts are almost the same; SHELTER-3 and SHELTER-4 are not."""
    one, other = classification.fold(one), classification.fold(other)
    if re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return False
    return difflib.SequenceMatcher(None, one, other).ratio() >= least
