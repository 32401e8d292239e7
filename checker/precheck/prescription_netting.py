"""Duplicates and refunds within one prescription (docs/judgment.md, section 6): what checker.ingest.netting does among the lines of a scan.

The lines of a prescription have one institution, visit, settlement and time, and none names the line it takes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from checker.ingest.prescription import Item, Left, Prescription

_NOTHING = Decimal(0)


class _Sums(NamedTuple):
    quantity: Decimal
    amount: Decimal
    in_scope: Decimal


def with_netted_items(prescription: Prescription) -> Prescription:
    """The prescription with `left` on the lines that have duplicates or are taken back in part or whole, and on the duplicates."""
    items = prescription.items
    repeat = prescription.ids_name_lines and len({item.line_id for item in items}) < len(items)
    if not repeat and not [item for item in items if item.is_refund]:
        return prescription
    netted = [item._replace(left=None) for item in items]
    if repeat:
        _mark_repeated(netted)
    facts = prescription.facts
    # Without either a refund finds no original.
    if facts.get("visit_id") is not None or facts.get("settlement_id") is not None:
        by_code: dict[str, list[int]] = {}
        for number, item in enumerate(netted):
            if item.item_code is not None and not (item.left and item.left.is_repeat):
                by_code.setdefault(item.item_code, []).append(number)
        for same in by_code.values():
            if any(netted[number].is_refund for number in same):
                _net(netted, same)
    return prescription._replace(items=tuple(netted))


def _mark_repeated(netted: list[Item]) -> None:
    """Say of lines that are the same which is the first and which repeat it."""
    first: dict[object, int] = {}
    for number, item in enumerate(netted):
        if item.is_refund or item.judged:
            same = (item.is_refund, item.line_id, item.item_code, item.quantity, item.amount)
            before = first.setdefault(same, number)
            if before != number:
                netted[number] = item._replace(left=_all_of(item, is_repeat=True))
                netted[before] = netted[before]._replace(left=_all_of(netted[before], is_duplicate=True))


def _net(netted: list[Item], same: Sequence[int]) -> None:
    """Take the refunds of one item from its lines, in order, each giving what it has until the sum is used up."""
    refunded = [_sums(netted[number]) for number in same if netted[number].is_refund]
    open_sums = [sum(map(abs, sums), _NOTHING) for sums in zip(*refunded, strict=True)]
    originals = [number for number in same if netted[number].judged]
    for number in sorted(originals, key=lambda number: (netted[number].line_id or "", number)):
        item = netted[number]
        has = _sums(item)
        taken = _Sums(*map(min, (max(each, _NOTHING) for each in has), open_sums))
        open_sums = [left - each for left, each in zip(open_sums, taken, strict=True)]
        if any(taken):
            rest = _Sums(*(each - part for each, part in zip(has, taken, strict=True)))
            by_quantity = item.quantity is not None and has.quantity > 0 and taken.quantity > 0
            is_gone = rest.quantity == 0 if by_quantity else taken.amount > 0 and rest.amount == 0
            netted[number] = item._replace(left=Left(
                None if item.quantity is None else f"{rest.quantity:.4f}", None if item.amount is None else f"{rest.amount:.4f}",
                None if item.amount_in_scope is None else f"{rest.in_scope:.4f}",
                is_duplicate=item.left is not None, is_partly_refunded=not is_gone, is_fully_refunded=is_gone,
            ))  # fmt: skip


def _all_of(item: Item, **why: bool) -> Left:
    return Left(item.quantity, item.amount, item.amount_in_scope, **why)


def _sums(item: Item) -> _Sums:
    return _Sums(*(Decimal(text or 0) for text in (item.quantity, item.amount, item.amount_in_scope)))
