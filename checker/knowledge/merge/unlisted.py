"""The many points of an edition that a list does not name at all: found and altered by the column, with no row of them made."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from checker.knowledge.frames import family_column
from checker.knowledge.merge.covers import codes_by_family
from checker.knowledge.merge.meeting import PublishedList
from checker.knowledge.merge.merge_decisions import Fate, Mode, unlisted_fate
from checker.knowledge.merge.points import Tally, is_later
from checker.model.remarks import not_listed


@dataclass(frozen=True, slots=True)
class Unlisted:
    """Points that a list does not name.

    `ended` are rows that take the place of those of their ids, their patterns unaltered; `begun` are new rows with their
    patterns `begun_patterns`; `tallies` counts them all by fate.
    """

    ended: pl.DataFrame
    begun: pl.DataFrame
    begun_patterns: pl.DataFrame
    tallies: dict[Fate, Tally]


def parted(
    near: pl.DataFrame, pattern: pl.DataFrame, ids: pl.Series, published: PublishedList
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part the points of a list's rule and place, open on its day or later, into those to be looked at one by one and the rest.

    The rest began before the list's day, names no later notice, has no pattern of a code or family that the list names, and the id
    that it would go on under (`b`) is free among `ids`.
    """
    items = (*published.items, *published.unread)
    codes = pl.Series([code for item in items for code in item.codes], dtype=pl.String)
    families = pl.Series([name for item in items for name in codes_by_family(item)], dtype=pl.String)
    own = pattern.join(near.select("point_id"), on="point_id", how="semi")
    named = own.filter(pl.col("code").is_in(codes.implode()) | family_column(pl.col("code")).is_in(families.implode()))
    later = [document for document in near["document"].unique() if is_later(document, published.day)]
    marked = ids.filter(ids.str.ends_with("b")).str.head(-1)
    plain = (
        (pl.col("valid_from") < published.day)
        & ~pl.col("document").is_in(later)
        & ~pl.col("point_id").is_in(marked.implode())
        & ~pl.col("point_id").is_in(named["point_id"].implode())
    )
    return near.filter(~plain), near.filter(plain)


def unlisted(rest: pl.DataFrame, pattern: pl.DataFrame, published: PublishedList, mode: Mode) -> Unlisted:
    """Return what becomes of points that the list does not name, as `merge` would say of each."""
    kinds = rest.select("status", "level_cap").unique()
    fates = kinds.with_columns(
        fate=pl.Series([unlisted_fate(mode, *kind).name for kind in kinds.iter_rows()], dtype=pl.String)
    )
    fated = rest.join(fates, on=["status", "level_cap"], how="left", nulls_equal=True)
    demoted, ends = pl.col("fate") == Fate.DEMOTED.name, pl.col("fate") == Fate.ENDED.name
    after = pl.col("point_id") + "b"
    following = pl.when(demoted).then(after).otherwise(pl.lit(None, dtype=pl.String))
    ended = fated.filter(ends | demoted).with_columns(valid_to=pl.lit(published.day), superseded_by=following)
    begun = fated.filter(demoted).with_columns(
        point_id=after,
        valid_from=pl.lit(published.day),
        level_cap=pl.lit("notice"),
        remark=pl.lit(not_listed(published.day)),
    )
    lowered = pattern.join(fated.filter(demoted).select("point_id"), on="point_id", how="semi")
    counts = fated.group_by("fate").agg(pl.len(), pl.col("published_codes").sum().cast(pl.Int64))
    return Unlisted(
        ended.select(rest.columns),
        begun.select(rest.columns),
        lowered.with_columns(point_id=after),
        {Fate[name]: Tally(points, codes) for name, points, codes in counts.iter_rows()},
    )
