"""The lines of a prescription that stand beside those asked about, as checker.judge.fellows gathers them for a scan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from checker.ingest.prescription import Item, Prescription
from checker.model.schema import CUT_CODE, HERB_PIECE_CODE, NATIONAL_CODE
from checker.precheck.point_index import PointIndex

_HERB_PIECE = re.compile(HERB_PIECE_CODE)
_NATIONAL = re.compile(NATIONAL_CODE)
_CUT = re.compile(CUT_CODE)


def fellows(
    index: PointIndex, number: int, prescription: Prescription, *, as_of: date | None
) -> Iterator[dict[str, Any]]:
    """The decoction pieces of a prescription (its number within the query), and what may be one: rows of the relation `fellow`."""
    # Of what came before only that is of the same prescription which says so.
    before = (item for item in prescription.history or () if item.prescription_id is not None)
    for line, item in enumerate((*prescription.items, *prescription.beside, *before)):
        day = as_of or prescription.time_of(item).date()
        nationals = index.nationals(item.item_code, day)
        codes = index.codes_of(item.named_points) if item.named_points else [item.item_code or "", *nationals]
        is_piece = any(map(_HERB_PIECE.fullmatch, codes)) or not (nationals or is_known(item))
        if not is_left(item) or not is_piece:
            continue
        key, _ = prescription_key(number, prescription, item)
        day = as_of or prescription.time_of(item).date()
        listed = sorted({rule_id for code in codes for rule_id in index.listed_by(code, day)})
        yield {
            "prescription_key": key, "line_no": line, "line_id": item.line_id, "listed_by": listed, "is_known": bool(nationals) or is_known(item),
        }  # fmt: skip


def prescription_key(number: int, prescription: Prescription, item: Item) -> tuple[str | None, bool]:
    """Which prescription a line belongs to, each document being a world of its own, and whether that is only guessed."""
    if item.prescription_id is not None or prescription.is_one:
        return f"{number}\x1fp\x1f{item.prescription_id or ''}", False
    if item.prescriber is not None:
        return f"{number}\x1ft\x1f{prescription.time_of(item).isoformat()}\x1f{item.prescriber}", True
    return None, False


def may_be_piece(index: PointIndex, item: Item) -> bool:
    """Whether the item is a decoction piece, or has no national code of its own and may be one."""
    is_piece = _HERB_PIECE.fullmatch(item.item_code or "") is not None
    return is_piece or not is_known(item) or index.is_mapped(item.item_code)


def is_known(item: Item) -> bool:
    """Whether the item has a national code, or a name that stands for points."""
    return bool(item.named_points) or _NATIONAL.fullmatch(item.item_code or "") is not None


def is_cut(item: Item) -> bool:
    """Whether the item's code is only the beginning of a national one, which still tells the item."""
    return _CUT.fullmatch(item.item_code or "") is not None


def is_left(item: Item) -> bool:
    """Whether something of the line stands: it is not void, takes nothing back and is not gone."""
    return not (item.is_void or item.takes_back or is_gone(item))


def is_gone(item: Item) -> bool:
    """Whether the line repeats one before it, or is refunded in full."""
    return item.left is not None and (item.left.is_repeat or item.left.is_fully_refunded)
