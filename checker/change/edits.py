"""Points that a change writes over instead of ending them: what was judged by them could no longer be explained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from checker.knowledge.checks.check_input import SAME_LIMITS
from checker.knowledge.diff.compare import KnowledgeDiff
from checker.knowledge.diff.points import FieldChange, PointChange
from checker.knowledge.names import item_key

_HOLDS = frozenset({*SAME_LIMITS, "subject", "rule_id", "region", "region_of", "valid_from", "level_cap"})
"""What a point that is in force says to those whom it judges."""
EDITED, REUSED = "edited", "reused"


@dataclass(frozen=True, slots=True)
class Edit:
    """A point in force that says something else under its id (`edited`), or an id given to another item (`reused`), and where it stands."""

    kind: str
    point_id: str
    item_name: str
    file: str
    row: int | None
    cells: tuple[FieldChange, ...]


def edits_of(difference: KnowledgeDiff, point: pl.DataFrame, day: date) -> tuple[Edit, ...]:
    """Return what was written over; `point` are the points of the change with `file` and `row`. What begins on the day or later may still be written anew."""
    rows = {key: (file, row) for key, file, row in point.select("point_id", "file", "row").iter_rows()}
    found = []
    for change in difference.points("changed"):
        for kind, cells in _written_over(change, day):
            file, row = rows.get(change.point.point_id, ("point.csv", None))
            found.append(Edit(kind, change.point.point_id, change.point.item_name, file, row, cells))
    return tuple(found)


def _written_over(change: PointChange, day: date) -> Iterator[tuple[str, tuple[FieldChange, ...]]]:
    before = {cell.column: cell.before for cell in change.fields}
    name = before.get("item_name") or change.point.item_name
    begun = date.fromisoformat(before["valid_from"] or "") if "valid_from" in before else change.point.valid_from
    if item_key(name) != item_key(change.point.item_name) and change.codes_lost and change.codes_gained:
        yield REUSED, tuple(cell for cell in change.fields if cell.column == "item_name")
    elif begun < day and (cells := tuple(cell for cell in change.fields if _is_written_over(cell))):
        yield EDITED, cells


def _is_written_over(cell: FieldChange) -> bool:
    """Whether a cell changes what held: a limit, or trial instead of force. An end may lie behind, where a notice is taken in late."""
    return cell.column in _HOLDS or (cell.column == "status" and cell.after == "shadow")
