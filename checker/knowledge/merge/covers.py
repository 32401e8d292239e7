"""What a published item covers and limits, in the terms in which lists and points are compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

from checker.knowledge.codes import family_of
from checker.knowledge.names import item_key
from checker.knowledge.published import PublishedItem
from checker.knowledge.rows import PointRow
from checker.knowledge.windows import SHAPES, AgeWindow, read_window
from checker.model.errors import KnowledgeError

BY_CODE, BY_FAMILY = "code", "family"
"""How the drug codes of a list become patterns: exactly as published, or as the families in which they lie."""

_SEXES = {"男": "male", "女": "female", None: None}


@dataclass(frozen=True, slots=True, order=True)
class Cover:
    """What one pattern covers: one family or exact code."""

    match: str
    code: str


@dataclass(frozen=True, slots=True)
class Limit:
    """Whom a point limits, without the wording: two lists that say 2-11岁 and 2岁至11岁 say the same."""

    sex: str | None
    age_word: str | None
    window: AgeWindow
    subject: str | None


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
            found.append(Limit(_SEXES.get(limits.sex), limits.age_word, window, limits.subject))
    if faults:
        raise KnowledgeError("\n".join(faults))
    return found


def limit_of_point(point: PointRow) -> Limit:
    """Return the limit of a point."""
    window = AgeWindow(point.age_min, point.age_min_unit, point.age_max, point.age_max_unit)
    return Limit(point.sex, point.age_word, window, point.subject)


def covers(item: PublishedItem, mixed: Set[str], by: str) -> dict[Cover, frozenset[str]]:
    """Return what the item covers, each with the published codes that it stands for.

    `by` is BY_CODE or BY_FAMILY. By family, a code without family or in a mixed one still stands for itself.
    """
    found: dict[Cover, set[str]] = defaultdict(set)
    for code in item.codes:
        family = family_of(code) if by == BY_FAMILY else None
        found[Cover(BY_CODE, code) if family is None or family in mixed else Cover(BY_FAMILY, family)].add(code)
    return {cover: frozenset(codes) for cover, codes in found.items()}


def mixed_families(held: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the families that hold more than one item, of pairs of family and item name."""
    names: dict[str, set[str]] = defaultdict(set)
    for family, name in set(held):
        names[family].add(name)
    # Most families have one name only, and comparing names costs more than comparing texts.
    return frozenset(
        family for family, own in names.items() if len(own) > 1 and len({item_key(name) for name in own}) > 1
    )


def codes_by_family(item: PublishedItem) -> dict[str, set[str]]:
    """Return the item's codes by the families in which they lie, those without family left out."""
    found: dict[str, set[str]] = defaultdict(set)
    for code in item.codes:
        if (family := family_of(code)) is not None:
            found[family].add(code)
    return dict(found)


def families_of(items: Iterable[PublishedItem]) -> Iterator[tuple[str, str]]:
    """Yield each family in which an item has codes, with the name of the item."""
    return ((family, item.item_name) for item in items for family in codes_by_family(item))
