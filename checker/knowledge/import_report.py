"""What an import did, as it is kept in import.json beside the edition and shown to who asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from checker.knowledge.merge.merge_decisions import Mode
from checker.knowledge.merge.points import ListChange
from checker.knowledge.sheets.read import Workbook

IMPORT_FILE = "import.json"
"""The file of an imported edition that says where it came from."""

_OF_FAMILIES = ("taken_families", "exact_families", "lost_coverage")
"""What is told of whole families, each for all rules."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An item that was left out because its age window was not understood, or its indication names no known term."""

    file: str
    item_name: str
    seq: int
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Base:
    """The edition that the lists met."""

    name: str
    version: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class Imported:
    """One import: the workbooks with the rule of each, what each list changed, and whether the edition had all of it already."""

    batch: str
    published: date
    publisher: str
    mode: Mode | None
    cover: str
    region: str | None
    region_of: str | None
    onto: Base | None
    workbooks: tuple[Workbook, ...]
    rule_ids: tuple[str, ...]
    changes: tuple[ListChange, ...]
    left_out: tuple[LeftOut, ...]
    already: bool


def report_of(imported: Imported) -> dict[str, Any]:
    """Return the document of import.json; equal imports give equal documents."""
    workbooks = imported.workbooks
    return {
        "batch": imported.batch,
        "published": imported.published.isoformat(),
        "publisher": imported.publisher,
        "mode": imported.mode.value if imported.mode else None,
        "cover": imported.cover,
        "region": imported.region,
        "region_of": imported.region_of,
        "onto": asdict(imported.onto) if imported.onto else None,
        "already_in_the_edition": imported.already,
        "files": [
            {
                "name": workbook.file,
                "sha256": workbook.sha256,
                "title": workbook.title,
                "rule": workbook.rule,
                "rule_id": rule_id,
                "items": len(workbook.items),
                "codes": workbook.codes,
                "region": workbook.region,
                "begins": workbook.begins.isoformat() if workbook.begins else None,
            }
            for workbook, rule_id in zip(workbooks, imported.rule_ids, strict=True)
        ],
        "rules": {
            " ".join(filter(None, (change.rule_id, workbook.region, str(workbook.begins or "")))): _change(change)
            for change, workbook in zip(imported.changes, workbooks, strict=True)
        },
        **{field: _of_rules(imported.changes, field) for field in _OF_FAMILIES},
        "notes": _of_each(workbooks, "notes"),
        "windows": [
            {"file": workbook.file, **asdict(window)} for workbook in workbooks for window in workbook.windows
        ],
        "texts": [{"file": workbook.file, **asdict(text)} for workbook in workbooks for text in workbook.texts],
        "removed": [{"file": workbook.file, **asdict(item)} for workbook in workbooks for item in workbook.removed],
        "conditions": [{"file": workbook.file, **asdict(each)} for workbook in workbooks for each in workbook.conditions],
        "left_out": [asdict(window) for window in imported.left_out],
        "repairs": _of_each(workbooks, "repairs"),
    }  # fmt: skip


def _change(change: ListChange) -> dict[str, Any]:
    told = asdict(change)
    for field in ("rule_id", *_OF_FAMILIES):
        del told[field]
    return told


def _of_rules(changes: Sequence[ListChange], field: str) -> list[dict[str, Any]]:
    return [{"rule_id": change.rule_id, **asdict(each)} for change in changes for each in getattr(change, field)]


def _of_each(workbooks: Sequence[Workbook], field: str) -> list[dict[str, str]]:
    return [{"file": workbook.file, "text": text} for workbook in workbooks for text in getattr(workbook, field)]
