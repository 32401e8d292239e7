"""Which points of a rule limit, from the end of another on, what that one limited."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from checker.knowledge.checks.check_input import APART
from checker.knowledge.frames import family_column
from checker.knowledge.source import Sources

_PLACE = ("region", "region_of")


def followers(ids: Collection[str], sources: Sources) -> pl.DataFrame:
    """Return which codes of the points other active points of their rule and place limit when they end: point_id, code, follower.

    A family is followed by itself alone, a code also by its family.
    """
    own = covers(sources)
    ended = own.filter(pl.col("point_id").is_in(sorted(ids)))
    others = own.filter(pl.col("code").is_in([*ended["code"], *ended["family"].drop_nulls()]))
    on = ["rule_id", "apart"]
    pairs = [
        ended.join(others, left_on=[*on, mine], right_on=[*on, "code"], suffix="_later", nulls_equal=True).select(
            "point_id", pl.coalesce("^code$", mine).alias("code"), pl.col("^.*_later$"), *_PLACE, "valid_to"
        )
        for mine in ("code", "family")
    ]
    everywhere = pl.col("region_later").is_null()
    same = pl.col("region").eq_missing("region_later") & pl.col("region_of").eq_missing("region_of_later")
    lasts = pl.col("valid_to_later").is_null() | (pl.col("valid_to_later") > pl.col("valid_to"))
    begun = pl.col("valid_from_later") <= pl.col("valid_to")
    met = pl.concat(pairs).filter(
        (pl.col("point_id") != pl.col("point_id_later")) & begun & lasts & (everywhere | same)
    )
    return met.select("point_id", "code", follower="point_id_later").unique().sort("point_id", "follower", "code")


def covers(sources: Sources) -> pl.DataFrame:
    """What each active point covers, with its days and its place; `apart` tells points of one code that stand beside each other."""
    beside = sources.pattern.filter(pl.col("role") == "container").group_by("point_id")
    containers = beside.agg(container=pl.col("code").sort().str.join("|"))
    active = sources.point.filter(pl.col("status") == "active").join(containers, on="point_id", how="left")
    points = active.select(
        "point_id", "rule_id", *_PLACE, "valid_from", "valid_to",
        pl.concat_str(*APART, "container", separator="|", ignore_nulls=True).alias("apart"),
    )  # fmt: skip
    items = sources.pattern.filter(pl.col("role") == "item").select("point_id", "code")
    return items.join(points, on="point_id").with_columns(family=family_column(pl.col("code")))
