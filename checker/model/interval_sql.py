"""The Wilson score interval as SQL: how sure a share is that was counted on few lines (the sources stand in checker.model.wilson)."""

from __future__ import annotations

from statistics import NormalDist

CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


def bound_sql(count: str, of: str, *, upper: bool, z: float = _Z) -> str:
    """SQL of a bound of the share of `count` (SQL) in `of`, from 0 to 1; NULL where nothing was counted. `z` is the quantile of the normal."""
    sign = "+" if upper else "-"
    share, n, square = f"({count})::DOUBLE / ({of})", f"({of})::DOUBLE", z * z
    half = f"{z!r} * sqrt({share} * (1 - {share}) / {n} + {square!r} / (4 * {n} * {n}))"
    # Rounding must not move the bounds of none and of all past 0 and 1.
    end = f"({count}) >= ({of}) THEN 1.0" if upper else f"({count}) <= 0 THEN 0.0"
    between = f"least(1, greatest(0, ({share} + {square!r} / (2 * {n}) {sign} {half}) / (1 + {square!r} / {n})))"
    return f"CASE WHEN ({of}) > 0 AND {end} WHEN ({of}) > 0 THEN {between} END"
