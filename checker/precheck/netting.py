"""Duplicates and refunds within prescriptions, settled by the same SQL as those among the lines of a scan (checker.ingest.netting)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from checker.ingest.netting import PERSON, net_lines
from checker.ingest.prescription import Item, Left, Prescription

if TYPE_CHECKING:
    import duckdb

_SHIFT = 1 << 20
_LINE = {
    "line_no": "BIGINT", "is_refund": "BOOLEAN", "institution_id": "VARCHAR", "visit_id": "VARCHAR", "settlement_id": "VARCHAR",
    "line_id": "VARCHAR", "original_line_id": "VARCHAR", "item_code": "VARCHAR", "service_time": "TIMESTAMP",
    "quantity": "DECIMAL(18, 4)", "amount": "DECIMAL(18, 4)", "amount_in_scope": "DECIMAL(18, 4)",
    "prescription_id": "VARCHAR", "item_name": "VARCHAR",
}  # fmt: skip
_ORDER = "settlement_id, visit_id, prescription_id, item_code, service_time, quantity, amount, amount_in_scope, item_name, line_no"
"""The order of lines by what they say, as in checker.ingest.identity."""


def needs_netting(prescription: Prescription) -> bool:
    """Whether some line may take something from another, or repeat it."""
    ids = (
        [item.line_id for item in prescription.items if item.line_id is not None] if prescription.ids_name_lines else []
    )
    return len(set(ids)) < len(ids) or any(item.is_refund for item in prescription.items)


def net(
    connection: duckdb.DuckDBPyConnection, prescriptions: Sequence[Prescription], taking_part: Iterable[tuple[int, int]]
) -> Mapping[tuple[int, int], Left]:
    """What is left of the lines that have duplicates or are taken back, and of the duplicates, by number of the prescription and line.

    `taking_part` are the lines that a scan would stage: those of restricted items.
    """
    rows = [row for number, line in taking_part if (row := _row(number, line, prescriptions[number])) is not None]
    spec = json.dumps([_LINE])
    # A prescription is one person's.
    one_person = ", ".join(f"CAST(NULL AS VARCHAR) AS {name}" for name in PERSON)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE staged_line AS
        SELECT *, CAST(NULL AS VARCHAR) AS original_settlement_id, {one_person}, hash(is_refund, line_id, item_code, quantity, amount) AS duplicate_key
        FROM (SELECT unnest(from_json(CAST(? AS VARCHAR), '{spec}'), max_depth := 2))""",
        [json.dumps(rows)],
    )
    # Two equal lines without an id stay two; in which order they stand tells nothing.
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE numbered_line AS
        SELECT line_no, item_code, row_number() OVER (ORDER BY {_ORDER}) AS place, 1 AS repeat, 1 AS members FROM staged_line WHERE line_id IS NULL"""
    )
    any_refund = any(row["is_refund"] for row in rows)
    net_lines(
        connection,
        any_refund=any_refund,
        any_reversal=False,
        uploads=(),
        headers_name_originals=False,
        shadow_rules=(),
        any_number=False,
    )
    left: dict[tuple[int, int], Left] = {}

    def item_of(line_no: int) -> tuple[tuple[int, int], Item]:
        place = divmod(line_no, _SHIFT)
        return place, prescriptions[place[0]].items[place[1]]

    for line_no, is_first in connection.execute("SELECT line_no, is_first FROM duplicate_line").fetchall():
        place, item = item_of(line_no)
        left[place] = Left(
            item.quantity, item.amount, item.amount_in_scope, is_duplicate=is_first, is_repeat=not is_first
        )
    for line_no, quantity, amount, in_scope, is_gone, is_partly in connection.execute(
        "SELECT line_no, quantity, amount, amount_in_scope, nothing_left, partly FROM netted_line"
    ).fetchall():
        place, _ = item_of(line_no)
        is_duplicate = place in left
        left[place] = Left(
            _text(quantity), _text(amount), _text(in_scope),
            is_duplicate=is_duplicate, is_partly_refunded=bool(is_partly), is_fully_refunded=bool(is_gone),
        )  # fmt: skip
    return left


def _row(number: int, line: int, prescription: Prescription) -> Mapping[str, Any] | None:
    """A line as a scan stages it; each prescription is a world of its own, so that its number stands for the institution."""
    item, facts = prescription.items[line], prescription.facts
    if not (item.judged or item.is_refund):
        return None
    settlement = facts.get("settlement_id")
    return {
        "line_no": number * _SHIFT + line, "is_refund": item.is_refund, "institution_id": str(number), "visit_id": facts.get("visit_id"),
        "settlement_id": None if settlement is None else f"{number}/{settlement}",
        "line_id": item.line_id if prescription.ids_name_lines else None, "original_line_id": item.original_line_id,
        "item_code": item.item_code or f"\x1e{item.item_name}", "service_time": prescription.time_of(item).isoformat(),
        "quantity": item.quantity, "amount": item.amount, "amount_in_scope": item.amount_in_scope,
        "prescription_id": item.prescription_id, "item_name": item.item_name,
    }  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:.4f}"
