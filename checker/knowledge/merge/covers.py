"""What a published item covers and limits, in the terms in which lists and points are compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from checker.knowledge.codes import family_of
from checker.knowledge.published import PublishedItem
from checker.knowledge.rows import PointRow
from checker.model.errors import KnowledgeError
from checker.shapes import LIMITS
from checker.shapes.item.windows import SHAPES, AgeWindow, read_window

BY_CODE, BY_FAMILY = "code", "family"
"""How the drug codes of a list become patterns: exactly as published, or as the families in which they lie."""

_BOUNDS = ("age_min", "age_min_unit", "age_max", "age_max_unit")
_SEXES = {"男": "male", "女": "female", None: None}


@dataclass(frozen=True, slots=True, order=True)
class Cover:
    """What one pattern covers: one family or exact code."""

    match: str
    code: str


Limit = frozenset[tuple[str, str | int]]
"""Whom a point limits, the filled cells by name, without the wording: two lists that say 2-11岁 and 2岁至11岁 say the same."""
_WORDINGS = frozenset(limit.name for limit in LIMITS if limit.wording)
_APART = frozenset(limit.name for limit in LIMITS if limit.apart)


def limits_of(items: Iterable[PublishedItem]) -> list[Limit]:
    """Return the limit of each published item.

    Raises KnowledgeError that names every sex and age window that cannot be read.
    """
    found: list[Limit] = []
    faults: list[str] = []
    for item in items:
        limits = item.limits
        window = AgeWindow(None, None, None, None) if limits.age_text is None else read_window(limits.age_text)
        if limits.sex not in _SEXES:
            faults.append(f"{item.source_row}: found limit_sex {limits.sex!r}; write 男 or 女")
        if window is None:
            faults.append(f"{item.source_row}: found limit_age_window {limits.age_text!r}; write {SHAPES}")
        else:
            told = (window.minimum, window.minimum_unit, window.maximum, window.maximum_unit)
            bounds = dict(zip(_BOUNDS, told, strict=True))
            cells = {"sex": _SEXES.get(limits.sex), "age_word": limits.age_word, "subject": limits.subject}
            found.append(_filled(cells | bounds | dict(limits.cells)))
    if faults:
        raise KnowledgeError("\n".join(faults))
    return found


def limit_of_point(point: PointRow) -> Limit:
    """Return the limit of a point."""
    return _filled({**point.limits, "subject": point.subject})


def apart_of(limit: Limit, containers: Iterable[str]) -> Limit:
    """Return what tells points of one code apart that stand beside each other: their containers, and the limits that say so."""
    return frozenset((name, value) for name, value in limit if name in _APART) | {
        ("container", code) for code in containers
    }


def _filled(cells: Mapping[str, str | int | None]) -> Limit:
    return frozenset((name, value) for name, value in cells.items() if value is not None and name not in _WORDINGS)


def covers(item: PublishedItem, by: str, exact: Collection[str], held: Collection[str]) -> dict[Cover, frozenset[str]]:
    """Return what the item covers, each with the published codes that it stands for.

    `by` is BY_CODE or BY_FAMILY. In a family that points hold already (`held`) a code stands for its family by either; in one of
    `exact`, and where it has no family, always for itself. A family that the list names as such is covered whole in any case.
    """
    found: dict[Cover, set[str]] = defaultdict(set)
    for code in item.codes:
        family = family_of(code)
        whole = family is not None and (family == code or (family not in exact and (by == BY_FAMILY or family in held)))
        found[Cover(BY_FAMILY, family) if family is not None and whole else Cover(BY_CODE, code)].add(code)
    return {cover: frozenset(codes) for cover, codes in found.items()}


def codes_by_family(item: PublishedItem) -> dict[str, set[str]]:
    """Return the item's codes by the families in which they lie, those without family left out."""
    found: dict[str, set[str]] = defaultdict(set)
    for code in item.codes:
        if (family := family_of(code)) is not None:
            found[family].add(code)
    return dict(found)
