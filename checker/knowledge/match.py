"""When an exemption's code or family and a pattern of a point have a code in common."""

from __future__ import annotations

import polars as pl


def meets(match: str, value: str) -> pl.Expr:
    """Whether the patterns (columns match, code) have a code in common with this code or family.

    Equal codes, or a family that begins the other.
    """
    inside = pl.lit(value).str.starts_with(pl.col("code")) & (pl.col("match") == "family")
    if match == "code":
        return inside | ((pl.col("match") == "code") & (pl.col("code") == value))
    return inside | pl.col("code").str.starts_with(value)
