"""The bounds beside a published age window, held against what the window reads as."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from checker.model.errors import both
from checker.shapes.item.windows import AgeWindow, read_window


def window_faults(cells: pl.DataFrame) -> Iterator[tuple[str, str, pl.Expr, str]]:
    """Yield where the bounds beside a window that is understood are not its own."""
    for told in cells["age_text"].unique().to_list():
        window = read_window(told) if told else None
        if window is None:
            continue
        same = pl.lit(value=True)
        for column, bound in (
            ("age_min", window.minimum), ("age_min_unit", window.minimum_unit),
            ("age_max", window.maximum), ("age_max_unit", window.maximum_unit),
        ):  # fmt: skip
            same &= pl.col(column) == ("" if bound is None else str(bound))
        filled = (pl.col("age_min") != "") | (pl.col("age_max") != "")
        wrong = (pl.col("age_text") == told) & filled & ~same
        yield "age-bounds", "age_text", wrong, _bounds(window)


def _bounds(window: AgeWindow) -> str:
    low, high = (
        "empty" if bound is None else f"{bound} {unit}"
        for bound, unit in ((window.minimum, window.minimum_unit), (window.maximum, window.maximum_unit))
    )
    told = f"age_min {low}, age_max {high}"
    return both(f"请在旁边写它的上下限：{told}（不含）", f"write its bounds beside it: {told} (exclusive)")
