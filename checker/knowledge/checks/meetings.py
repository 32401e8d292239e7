"""Pairs of points that limit the same code at the same time in the same place."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

REACH = 8
"""With how many neighbours a row is paired, so that one code under thousands of points stays cheap. Each such point is still named."""


def neighbours(rows: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Pair the rows of one key, the one that begins earlier first; the columns of the other end in `_later`."""
    shared = rows.filter(pl.len().over(key) > 1).sort(*key, "valid_from", "point_id")
    numbered = shared.with_columns(pl.int_range(pl.len()).over(key).alias("seat"))
    reach = min(REACH, numbered.select(pl.col("seat").max().fill_null(0)).item())
    pairs = [
        numbered.with_columns(seat=pl.col("seat") + step).join(numbered, on=[*key, "seat"], suffix="_later")
        for step in range(1, reach + 1)
    ]
    if pairs:
        return pl.concat(pairs)
    return numbered.join(numbered, on=[*key, "seat"], suffix="_later").clear()


def same_time() -> pl.Expr:
    """Whether both rows of a pair are in force on some day."""
    return (pl.col("valid_from") < pl.col("ends_later")) & (pl.col("valid_from_later") < pl.col("ends"))


def same_place() -> pl.Expr:
    """Whether a line can lie in the regions of both rows of a pair: one within the other, or of two kinds."""
    one, other = pl.col("region"), pl.col("region_later")
    nested = one.str.starts_with(other) | other.str.starts_with(one)
    return one.is_null() | other.is_null() | (pl.col("region_of") != pl.col("region_of_later")) | nested


def equal_place() -> pl.Expr:
    """Whether both rows of a pair name the same region, or none."""
    return pl.col("region").eq_missing(pl.col("region_later")) & pl.col("region_of").eq_missing(
        pl.col("region_of_later")
    )


def by_points(pairs: pl.DataFrame) -> pl.DataFrame:
    """One row a pair of points: the first code that they share, and how many (`codes`)."""
    grouped = pairs.group_by("point_id", "point_id_later", maintain_order=True)
    return grouped.agg(pl.all().exclude("point_id", "point_id_later").first(), pl.len().alias("codes"))
