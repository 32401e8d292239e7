"""What to import, and how it meets an edition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from checker.knowledge.merge.covers import BY_CODE
from checker.knowledge.merge.merge_decisions import Mode
from checker.knowledge.published import NATIONAL
from checker.knowledge.source import Sources


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to import, and how it meets the edition `onto` (None: an empty one).

    `batch` may be left to the workbooks. `expect` is the number of distinct codes, those of each rule counted for themselves. `region`
    with `region_of` (insured, institution) makes points of that place. `publisher` and `title` describe the notice. By the file `terms`
    indications are read. `columns` say as 表头=列 what stands under other headers; the points are of `status` (active, shadow). With
    `allow_lost_coverage` a list may leave codes uncovered that the edition covers by their family.
    """

    files: Sequence[Path]
    out: Path
    batch: str | None
    published: date
    mode: Mode | None = None
    onto: Sources | None = None
    expect: int | None = None
    cover: str = BY_CODE
    region: str | None = None
    region_of: str | None = None
    publisher: str = NATIONAL
    title: str | None = None
    name: str | None = None
    version: str | None = None
    repair: bool = False
    allow_unparsed: bool = False
    terms: Path | None = None
    allow_lost_coverage: bool = False
    columns: Sequence[str] = ()
    status: str = "active"
