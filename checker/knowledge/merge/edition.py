"""Published lists meet a whole edition: by row where a list names a point, by the column where it does not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from checker.knowledge.frames import PATTERN_KEY, POINT_KEY, frame_of, rows_of
from checker.knowledge.merge.families import mixed_for
from checker.knowledge.merge.meeting import PublishedList
from checker.knowledge.merge.merge_decisions import Fate, Mode
from checker.knowledge.merge.points import ListChange, Tally, merge
from checker.knowledge.merge.unlisted import Unlisted, parted, unlisted
from checker.knowledge.rows import PatternRow, PointRow
from checker.knowledge.source import Sources


@dataclass(frozen=True, slots=True)
class Overlap:
    """Points that a list would meet, and the published codes under their patterns."""

    rule_id: str
    points: int
    codes: int


@dataclass(frozen=True, slots=True)
class Met:
    """An edition after lists met it, what each did, and whether any row is new or other than before."""

    knowledge: Sources
    changes: tuple[ListChange, ...]
    altered: bool


def overlaps(knowledge: Sources, lists: Iterable[PublishedList]) -> list[Overlap]:
    """Return, for each list that meets points in force on its day, how many."""
    found = []
    for published in lists:
        begun = pl.col("valid_from") <= published.day
        reached = knowledge.point.filter(_in_place(published) & _not_ended(published) & begun)
        if reached.height:
            found.append(Overlap(published.rule_id, reached.height, int(reached["published_codes"].sum())))
    return found


def meet(knowledge: Sources, lists: Sequence[PublishedList], mode: Mode, beside: Sequence[Sources] = ()) -> Met:
    """Return what the lists, one a rule and place, make of the edition; exemptions, other rules and places stay as they are.

    Editions `beside` it only tell which families hold several items.

    Raises KnowledgeError as `merge` does.
    """
    point, pattern = knowledge.point, knowledge.pattern
    changes = []
    altered = False
    for published in lists:
        # Rows that ended before the list's day have no say: no later list can have altered them.
        near, rest = parted(
            point.filter(_in_place(published) & _not_ended(published)), pattern, point["point_id"], published
        )
        others = unlisted(rest, pattern, published, mode)
        own = pattern.join(near.select("point_id"), on="point_id", how="semi")
        taken = {*point["point_id"], *others.begun["point_id"]}
        mixed = mixed_for(published, lists, knowledge, beside)
        merged = merge(rows_of(near, PointRow), rows_of(own, PatternRow), published, mode, mixed, taken=taken)
        points, patterns = frame_of(merged.points, PointRow), frame_of(merged.patterns, PatternRow)
        pattern = pl.concat([_without(pattern, points), patterns, others.begun_patterns])
        point = pl.concat([_without(point, pl.concat([points, others.ended])), points, others.ended, others.begun])
        changes.append(_with_others(merged.change, others))
        altered = altered or bool(merged.points) or others.ended.height > 0
    return Met(
        replace(knowledge, point=point.sort(POINT_KEY), pattern=pattern.sort(PATTERN_KEY)), tuple(changes), altered
    )


def _in_place(published: PublishedList) -> pl.Expr:
    return (
        (pl.col("rule_id") == published.rule_id)
        & pl.col("region").eq_missing(pl.lit(published.region, dtype=pl.String))
        & pl.col("region_of").eq_missing(pl.lit(published.region_of, dtype=pl.String))
    )


def _not_ended(published: PublishedList) -> pl.Expr:
    return pl.col("valid_to").is_null() | (pl.col("valid_to") > published.day)


def _without(frame: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    return frame.join(points.select("point_id"), on="point_id", how="anti") if points.height else frame


def _with_others(change: ListChange, others: Unlisted) -> ListChange:
    def more(tally: Tally, fate: Fate) -> Tally:
        added = others.tallies.get(fate, Tally(0, 0))
        return Tally(tally.points + added.points, tally.codes + added.codes)

    return replace(
        change,
        ended=more(change.ended, Fate.ENDED),
        demoted=more(change.demoted, Fate.DEMOTED),
        kept=more(change.kept, Fate.KEPT),
    )
