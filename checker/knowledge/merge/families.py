"""Which code families [药品码前段] hold an item that a rule does not limit alike: its points cover exact codes there.

A family is one generic name in one form. Names are one item when they are equal without parenthesised parts; of several items, the
family stands where the rule limits each of them, and all alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat

import polars as pl

from checker.knowledge.frames import family_column, rows_of
from checker.knowledge.merge.covers import BY_CODE, BY_FAMILY, Limit, codes_by_family, limit_of_point, limits_of
from checker.knowledge.merge.meeting import PublishedList
from checker.knowledge.names import item_key
from checker.knowledge.published import PublishedItem
from checker.knowledge.rows import PointRow
from checker.knowledge.source import Sources

Mixed = Mapping[str, tuple[str, ...]]
"""Families that hold an item which the rule does not limit alike, each with the names that are known in it."""
_KEY = ["rule_id", "batch"]
_item_key = lru_cache(maxsize=1 << 16)(item_key)


@dataclass(frozen=True, slots=True)
class KnownItem:
    """An item that has codes in a family, and how the rule in question limits it; NULL where it does not."""

    family: str
    item_name: str
    limit: Limit | None


def known_items(items: Sequence[PublishedItem], limits: Sequence[Limit | None] = ()) -> Iterator[KnownItem]:
    """Yield the families of published items, which the rule limits so, or not at all."""
    for item, limit in zip(items, limits or repeat(None, len(items)), strict=True):
        yield from (KnownItem(family, item.item_name, limit) for family in codes_by_family(item))


def mixed_families(known: Iterable[KnownItem]) -> dict[str, tuple[str, ...]]:
    """Return the families that hold an item which the rule does not limit, or that it limits in several ways."""
    families: dict[str, list[KnownItem]] = defaultdict(list)
    for each in dict.fromkeys(known):
        families[each.family].append(each)
    return {
        family: tuple(sorted({each.item_name for each in own}))
        for family, own in families.items()
        if len(own) > 1 and not _alike(own)
    }


def _alike(own: Iterable[KnownItem]) -> bool:
    said: dict[str, set[Limit]] = {}
    for each in own:
        limits = said.setdefault(_item_key(each.item_name), set())
        if each.limit is not None:
            limits.add(each.limit)
    return len(set[Limit]().union(*said.values())) <= 1 and (len(said) == 1 or all(said.values()))


def as_said(said: Sequence[KnownItem], before: Iterable[KnownItem]) -> list[KnownItem]:
    """Return what is known of the items of a rule: what a list says of an item in a family, else what was said before."""
    items = {(each.family, _item_key(each.item_name)) for each in said}
    return [*said, *(each for each in before if (each.family, _item_key(each.item_name)) not in items)]


def mixed_for(
    published: PublishedList, lists: Sequence[PublishedList], base: Sources, beside: Sequence[Sources] = ()
) -> Mixed:
    """Return the mixed families among those that the list names, by what all lists of the notice and the edition know.

    Editions `beside` it tell of families that hold several items only.
    """
    own = [*known_items(published.items, limits_of(published.items)), *known_items(published.unread)]
    named = {each.family for each in own}
    others = [item for other in lists if other is not published for item in (*other.items, *other.unread)]
    known = [
        *as_said(own, _held(base, published, named)),
        *(each for each in known_items(others) if each.family in named),
    ]
    mixed = mixed_families(known)
    for edition in (base, *beside):
        for family in named.intersection(exact_among_families(edition.point, edition.pattern)):
            mixed.setdefault(family, tuple(sorted({each.item_name for each in known if each.family == family})))
    return mixed


def exact_among_families(point: pl.DataFrame, pattern: pl.DataFrame) -> pl.Series:
    """Return the families of which a notice gives exact codes although its other points of the rule cover families.

    That is how an edition shows that a family holds another item, which it need not name. A family that a notice took over from the
    point before it says nothing of how the notice covers.
    """
    covered = (
        pattern.filter(pl.col("role") == "item")
        .select("point_id", "match", "code")
        .join(point.select("point_id", *_KEY, "superseded_by"), on="point_id")
    )
    families = covered.filter(pl.col("match") == BY_FAMILY)
    taken_over = families.select(pl.col("superseded_by").alias("point_id"), "code").drop_nulls()
    by_family = families.join(taken_over, on=["point_id", "code"], how="anti").select(_KEY).unique()
    exact = covered.filter(pl.col("match") == BY_CODE).join(by_family, on=_KEY, how="semi")
    return exact.select(family_column(pl.col("code")).alias("family")).drop_nulls()["family"].unique()


def _held(edition: Sources, published: PublishedList, named: Collection[str]) -> Iterator[KnownItem]:
    """What an edition has in the families `named`; the rule limits what it limits actively, everywhere or in the list's place, on its day."""
    family = family_column(pl.col("code")).alias("family")
    # Codes in other roles than the item's own are not of the item that the point names.
    near = (
        edition.pattern.filter(pl.col("role") == "item")
        .select("point_id", family)
        .filter(pl.col("family").is_in(pl.Series(list(named), dtype=pl.String).implode()))
    )
    points = {point.point_id: point for point in rows_of(edition.point.join(near, on="point_id", how="semi"), PointRow)}
    for point_id, code in near.unique().iter_rows():
        point = points[point_id]
        limits = (
            point.rule_id == published.rule_id
            and point.status == "active"
            and (point.region is None or published.shares_place(point))
            and (point.valid_to is None or published.day < point.valid_to)
        )
        yield KnownItem(code, point.item_name, limit_of_point(point) if limits else None)
