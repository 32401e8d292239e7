"""Which pairs of local and national codes two knowledge bases have on other days, or only one of them has."""

from __future__ import annotations

import polars as pl

from checker.knowledge.crosswalk import PAIR, SCHEMA
from checker.knowledge.source import Sources

STATE = [name for name in SCHEMA if name not in PAIR]


def crosswalk_changes(before: Sources, after: Sources) -> pl.DataFrame:
    """Return the pairs that differ, sorted: kind (added, removed, changed), local_code, national_code, and lists of states before and after."""
    sides = [
        side.crosswalk.sort(*PAIR, "valid_from").group_by(PAIR, maintain_order=True).agg(pl.struct(STATE).alias(name))
        for side, name in ((before, "before"), (after, "after"))
    ]
    joined = sides[0].join(sides[1], on=PAIR, how="full", coalesce=True)
    kind = (
        pl.when(pl.col("before").is_null()).then(pl.lit("added"))
        .when(pl.col("after").is_null()).then(pl.lit("removed"))
        .otherwise(pl.lit("changed"))
    )  # fmt: skip
    differing = joined.filter(pl.col("before").ne_missing(pl.col("after")))
    return differing.select(kind.alias("kind"), *PAIR, pl.col("before", "after").fill_null([])).sort(PAIR)
