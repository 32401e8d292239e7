"""What a change writes over, ends or relaxes in place: what was judged by it could no longer be explained, or would be judged no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from checker.knowledge.checks.check_input import SAME_LIMITS
from checker.knowledge.diff.compare import KnowledgeDiff
from checker.knowledge.diff.points import FieldChange, PointChange
from checker.knowledge.names import item_key

_HOLDS = frozenset({*SAME_LIMITS, "subject", "rule_id", "region", "region_of", "valid_from", "level_cap"})
"""What a point that is in force says to those whom it judges."""
EDITED, REUSED = "edited", "reused"
ENDED, ENDED_BEFORE = "ended", "ended_before"
RELAXED, WIDENED, DELETED_EXEMPTION = "relaxed", "widened", "deleted_exemption"
Places = Mapping[str, tuple[str, int | None]]
"""Where points and exemptions stand: file and row by their id."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What was done to a point or an exemption, and where it stands.

    A point in force that says something else under its id is `edited`; an id given to another item `reused`. A point that nothing follows is
    `ended`, or `ended_before` the day; one that follows another and holds less is `relaxed`. An exemption that
    reaches further is `widened`, also where it takes the place of one that is gone, and one that is gone a `deleted_exemption`.
    """

    kind: str
    point_id: str
    item_name: str
    file: str
    row: int | None
    cells: tuple[FieldChange, ...]


def edits_of(difference: KnowledgeDiff, places: Places, day: date) -> tuple[Edit, ...]:
    """Return what points were written over. What begins on the day or later may still be written anew."""
    found = []
    for change in difference.points("changed"):
        for kind, cells in _written_over(change, day):
            file, row = places.get(change.point.point_id, ("point.csv", None))
            found.append(Edit(kind, change.point.point_id, change.point.item_name, file, row, cells))
    return tuple(found)


def _written_over(change: PointChange, day: date) -> Iterator[tuple[str, tuple[FieldChange, ...]]]:
    before = {cell.column: cell.before for cell in change.fields}
    name = before.get("item_name") or change.point.item_name
    begun = date.fromisoformat(before["valid_from"] or "") if "valid_from" in before else change.point.valid_from
    if item_key(name) != item_key(change.point.item_name) and change.codes_lost and change.codes_gained:
        yield REUSED, tuple(cell for cell in change.fields if cell.column == "item_name")
    elif begun < day and (cells := tuple(cell for cell in change.fields if _is_written_over(cell, change))):
        yield EDITED, cells


def _is_written_over(cell: FieldChange, change: PointChange) -> bool:
    """Whether a cell changes what held: a limit, trial instead of force, or how many codes were published, by the same sources and of the same codes."""
    if cell.column.startswith("published_codes"):
        same_codes = cell.column != "published_codes" or not (change.codes_gained or change.codes_lost)
        return same_codes and all(other.column != "source_rows" for other in change.fields)
    return cell.column in _HOLDS or (cell.column == "status" and cell.after == "shadow")
