"""The interval in SQL is its twin's, to the last digit at its ends."""

from __future__ import annotations

import duckdb
import pytest

from checker.model.interval_sql import bound_sql
from checker.model.wilson import interval


def test_both_are_one_and_none_and_all_are_bounds_themselves() -> None:
    cases = [(0, 7), (7, 7), (49, 49), (3, 7), (1, 1), (120, 999)]
    rows = duckdb.sql(
        f"SELECT {bound_sql('n', 'lines', upper=False)}, {bound_sql('n', 'lines', upper=True)} FROM (VALUES {str(cases)[1:-1]}) t(n, lines)"
    ).fetchall()
    for (count, of), (low, high) in zip(cases, rows, strict=True):
        assert (low, high) == pytest.approx(interval(count, of))
        assert (low == 0, high == 1) == (count == 0, count == of)
