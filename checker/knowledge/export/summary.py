"""What an export wrote, and what stands in no workbook."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class WrittenBook:
    """One workbook: its list, and how many points and codes or families are in it; `changes` counts the points by what became of them."""

    file: str
    rule_id: str
    rule: str
    batch: str
    published: date
    region: str | None
    region_of: str | None
    points: int
    codes: int
    changes: dict[str, int]


@dataclass(frozen=True, slots=True)
class NotWritten:
    """Points that stand in no workbook, and why."""

    rule_id: str
    batch: str
    reason: str
    reason_en: str
    point_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `points` and `codes` count what was to be told, in a difference only what changed."""

    points: int
    codes: int
    workbooks: tuple[WrittenBook, ...]
    not_written: tuple[NotWritten, ...]
    flat_rows: int

    def to_dict(self) -> dict[str, Any]:
        """The summary as JSON values; days are ISO text."""
        return {
            "points": self.points,
            "codes": self.codes,
            "workbooks": [{**asdict(book), "published": book.published.isoformat()} for book in self.workbooks],
            "flat_rows": self.flat_rows,
            "not_written_as_workbooks": [{**asdict(each), "points": len(each.point_ids)} for each in self.not_written],
        }
