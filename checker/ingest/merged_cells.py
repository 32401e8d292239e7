"""Merged ranges of a worksheet: every cell of one says what its first says."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest.xlsx_parts import Area
from checker.model.errors import InputError

if TYPE_CHECKING:
    import polars as pl

ROW = "row"
"""The column of a frame that holds row numbers; the others are named by the index of the spreadsheet's column."""
_MOST_FILLED, _MOST_TEXT = 1 << 20, 64 << 20
"""So many cells may be filled in at once, with so many characters in all."""


class Merges:
    """The merged ranges of the sheet that is told as `path`: every cell of one says what its first says."""

    def __init__(self, path: Path, areas: Sequence[Area]) -> None:
        self._path = path
        self._areas = sorted(areas, key=lambda area: area.top)
        self._values: dict[Area, str | None] = {}

    def filled(self, frame: pl.DataFrame, but: Collection[str]) -> pl.DataFrame:
        """The frame with merged cells filled in, but not downwards in the columns `but`."""
        import polars as pl

        if not self._areas or frame.height == 0:
            return frame
        first, last = frame[ROW][0], frame[ROW][-1]
        updates: dict[str, dict[int, str | None]] = {}
        count = length = 0
        for area in self._areas:
            if area.bottom < first or area.top > last:
                continue
            left = str(area.left)
            if area.top >= first and left in frame.columns:
                self._values[area] = frame[left][area.top - first]
            value = self._values.get(area)
            for column in range(area.left, area.right + 1):
                name = str(column)
                rows = range(max(area.top, first), min(area.bottom, last) + 1)
                if name not in frame.columns or value is None:
                    continue
                count += len(rows)
                length += len(rows) * len(value)
                if count > _MOST_FILLED or length > _MOST_TEXT:
                    raise InputError(
                        f"{self._path}：合并单元格覆盖的格子太多，请取消合并后再试（too many cells are merged: unmerge them）"
                    )
                updates.setdefault(name, {}).update(dict.fromkeys(rows[:1] if name in but else rows, value))
        for name, values in updates.items():
            told = pl.DataFrame(
                {ROW: list(values), "value": list(values.values())}, schema={ROW: frame.schema[ROW], "value": pl.String}
            )
            frame = (
                frame.join(told, on=ROW, how="left", maintain_order="left")
                .with_columns(pl.coalesce(name, "value").alias(name))
                .drop("value")
            )
        return frame
