"""The Wilson score interval: how sure a share is that was counted on few answers.

E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927), 209-212; recommended for small
counts by Brown, Cai and DasGupta, Interval estimation for a binomial proportion, Statistical Science 16 (2001), 101-133.
Its twin in SQL is checker.model.interval_sql.
"""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


def interval(count: int, of: int) -> tuple[float, float] | None:
    """The bounds within which the share lies with 95 % confidence; None where nothing was counted."""
    if of == 0:
        return None
    share, square = count / of, _Z * _Z
    middle = share + square / (2 * of)
    half = _Z * sqrt(share * (1 - share) / of + square / (4 * of * of))
    whole = 1 + square / of
    # Rounding must not move the bounds of none and of all past 0 and 1.
    low = 0.0 if count == 0 else (middle - half) / whole
    high = 1.0 if count == of else (middle + half) / whole
    return low, high


def lower_bound(count: int, of: int) -> float | None:
    """The lower of the two bounds."""
    bounds = interval(count, of)
    return bounds[0] if bounds else None
