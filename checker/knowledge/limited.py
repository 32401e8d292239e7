"""Published items with what they are limited to by shapes other than `item` and `terms`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from checker.knowledge.published import PublishedItem
from checker.model.remarks import OWN_COMPILATION
from checker.shapes.evidence.diagnoses import is_chronic, unspecified


def limited(item: PublishedItem, cells: Mapping[str, str | int], **wording: str | None) -> PublishedItem:
    """The item with these cells of limits, and the cells that repeat words, without those that are NULL."""
    told = tuple(sorted((name, text) for name, text in wording.items() if text))
    return replace(item, limits=replace(item.limits, cells=tuple(sorted(cells.items())), wording=told))


def indicated(item: PublishedItem, prefixes: tuple[str, ...], check: str | None) -> PublishedItem:
    """The item limited to diagnoses, which are this project's own compilation."""
    cells = {"indications": "|".join(prefixes)}
    if general := unspecified(prefixes):
        cells["unspecified"] = "|".join(general)
    if is_chronic(prefixes):
        cells["is_chronic"] = "yes"
    return replace(limited(item, cells, to_check=check, evidence_text=item.text), remark=OWN_COMPILATION)
