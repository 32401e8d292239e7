"""Points that a change ends and that nothing follows: ended in the past, or so many that a rule loses the greater part of what it limits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from checker.change.edits import ENDED, ENDED_BEFORE, Edit, Places
from checker.change.followers import covers, followers
from checker.change.new_lists import NewLists
from checker.knowledge.diff.compare import KnowledgeDiff
from checker.knowledge.diff.points import FieldChange, PointChange
from checker.knowledge.source import Sources


@dataclass(frozen=True, slots=True)
class Endings:
    """The points that end without anything that follows, and the largest share of the points in force that a rule loses so."""

    edits: tuple[Edit, ...]
    share: Decimal


def endings_of(difference: KnowledgeDiff, before: Sources, after: Sources, places: Places, day: date) -> Endings:
    """Return what the change ends. An end before the day is ordinary only where it is that of a list which the change takes in:
    on the day of its notice, or where points of the list begin.
    """
    changed = [change for change in difference.points("changed") if _ends_earlier(change)]
    unfollowed = _unfollowed({change.point.point_id for change in changed}, after)
    ended = [change for change in changed if change.point.point_id in unfollowed]
    if not ended:
        return Endings((), Decimal(0))
    lists = NewLists(difference, before, after)
    edits = []
    for change in ended:
        point, until = change.point, change.point.valid_to
        assert until is not None
        is_back = until < day and point.valid_from < day and not lists.account_for(point.rule_id, until)
        cells = tuple(cell for cell in change.fields if cell.column == "valid_to")
        file, row = places.get(point.point_id, ("point.csv", None))
        kind = ENDED_BEFORE if is_back else ENDED
        edits.append(Edit(kind, point.point_id, point.item_name, file, row, cells))
    return Endings(tuple(edits), _largest_share(ended, before, day))


def _ends_earlier(change: PointChange) -> bool:
    ends = _end(change)
    return ends is not None and change.point.status == "active"


def _end(change: PointChange) -> FieldChange | None:
    """The cell of an end that is new, or earlier than before."""
    return next(
        (
            cell
            for cell in change.fields
            if cell.column == "valid_to" and cell.after and (cell.before is None or cell.after < cell.before)
        ),
        None,
    )


def _largest_share(ended: Collection[PointChange], before: Sources, day: date) -> Decimal:
    """The largest part of the active points of a rule, in force on the day or later, that ends."""
    live = before.point.filter(
        (pl.col("status") == "active") & (pl.col("valid_to").is_null() | (pl.col("valid_to") > day))
    )
    counts = dict(live.group_by("rule_id").len().iter_rows())
    lost = live.filter(pl.col("point_id").is_in([change.point.point_id for change in ended]))
    return max(
        (Decimal(number) / counts[rule] for rule, number in lost.group_by("rule_id").len().iter_rows()),
        default=Decimal(0),
    )


def _unfollowed(ids: Collection[str], after: Sources) -> frozenset[str]:
    """Those of the points with a code that no other point of their rule and place limits from their end on."""
    ended = covers(after).filter(pl.col("point_id").is_in(sorted(ids)))
    return frozenset(ended.join(followers(ids, after), on=["point_id", "code"], how="anti")["point_id"])
