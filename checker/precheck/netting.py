"""Duplicates and refunds within prescriptions, settled by the same SQL as those among the lines of a scan (checker.ingest.netting)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from checker.ingest.netting import PERSON, net_lines
from checker.ingest.prescription import Item, Left, Prescription
from checker.model import sqltext
from checker.precheck.patient_lines import PatientLines

if TYPE_CHECKING:
    import duckdb

SHIFT = 1 << 20
"""line_no = number of the patient's lines within the query × 2^20 + place: one number names a line of a query."""

_LINE = {
    "line_no": "BIGINT", "is_refund": "BOOLEAN", "institution_id": "VARCHAR", "visit_id": "VARCHAR", "settlement_id": "VARCHAR",
    "line_id": "VARCHAR", "original_line_id": "VARCHAR", "item_code": "VARCHAR", "service_time": "TIMESTAMP",
    "quantity": "DECIMAL(18, 4)", "amount": "DECIMAL(18, 4)", "amount_in_scope": "DECIMAL(18, 4)",
    "prescription_id": "VARCHAR", "item_name": "VARCHAR", "beside": "BOOLEAN",
}  # fmt: skip
_ORDER = "settlement_id, visit_id, prescription_id, item_code, service_time, quantity, amount, amount_in_scope, item_name, line_no"
"""The order of lines by what they say, as in checker.ingest.identity."""


def _needs_netting(patient: PatientLines) -> bool:
    """Whether some line may take something from another, or repeat it."""
    lines = patient.lines
    named = lines if patient.prescription.ids_name_lines else ()
    ids = [item.line_id for item in named if item.line_id is not None]
    return len(set(ids)) < len(ids) or any(item.takes_back and not item.is_void for item in lines)


def net_patients(
    connection: duckdb.DuckDBPyConnection,
    prescriptions: Sequence[Prescription],
    patients: Sequence[PatientLines],
    takes_part: Callable[[PatientLines], Sequence[int]],
) -> list[Prescription]:
    """The prescriptions with `left` on the lines that others repeat or take back, and on those that repeat; so are the lines of `patients`.

    `takes_part` gives the places of the lines that a scan would stage.
    """
    asked = [each for each in {id(one): one for one in patients}.values() if _needs_netting(each)]
    if not asked:
        return list(prescriptions)
    left = _net(
        connection,
        {each.number: each for each in asked},
        ((each.number, place) for each in asked for place in takes_part(each)),
    )
    for each in asked:
        each.lines = tuple(item._replace(left=left.get((each.number, place))) for place, item in enumerate(each.lines))
    changed = {id(each) for each in asked}
    return [
        _with_lines(prescription, patient) if id(patient) in changed else prescription
        for prescription, patient in zip(prescriptions, patients, strict=True)
    ]


def _with_lines(prescription: Prescription, patient: PatientLines) -> Prescription:
    """The prescription with its own lines as they stand among those of the patient."""
    first = prescription.place_in_visit
    own = patient.lines[first : first + len(prescription.items)]
    items = tuple(item._replace(left=told.left) for item, told in zip(prescription.items, own, strict=True))
    history = prescription.history and patient.lines[patient.of_visit :]
    return prescription._replace(items=items, history=history)


def _net(
    connection: duckdb.DuckDBPyConnection,
    patients: Mapping[int, PatientLines],
    taking_part: Iterable[tuple[int, int]],
) -> Mapping[tuple[int, int], Left]:
    """What is left of the lines that have duplicates or are taken back, and of the duplicates, by number of the patient and place of the line.

    `taking_part` are the lines that a scan would stage: those of restricted items, and what stands beside them.
    """
    staged = [row for number, line in taking_part if (row := _row(patients[number], line)) is not None]
    rows = _reached(staged)
    spec = json.dumps([_LINE])
    # A prescription is one person's.
    one_person = sqltext.nulls(dict.fromkeys(PERSON, "VARCHAR"))
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE staged_line AS
        SELECT *, CAST(NULL AS VARCHAR) AS original_settlement_id, {one_person},
          hash(is_refund, line_id, item_code, quantity, amount) AS duplicate_key
        FROM (SELECT unnest(from_json(CAST(? AS VARCHAR), '{spec}'), max_depth := 2))""",
        [json.dumps(rows)],
    )
    # Two equal lines without an id stay two; in which order they stand tells nothing.
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE numbered_line AS
        SELECT line_no, item_code, beside, row_number() OVER (ORDER BY {_ORDER}) AS place, 1 AS repeat, 1 AS members, 1 AS judged
        FROM staged_line WHERE line_id IS NULL"""
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
        place = divmod(line_no, SHIFT)
        return place, patients[place[0]].lines[place[1]]

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


def _reached(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The lines that others repeat, that take something back, or that these may reach: by their item, or by naming them. To all others nothing happens."""
    refunds = [row for row in rows if row["is_refund"]]
    items, named = {row["item_code"] for row in refunds}, {row["original_line_id"] for row in refunds} - {None}
    ids = Counter(row["line_id"] for row in rows)
    return [
        row
        for row in rows
        if row["is_refund"]
        or row["item_code"] in items
        or (row["line_id"] is not None and (row["line_id"] in named or ids[row["line_id"]] > 1))
    ]


def _row(patient: PatientLines, line: int) -> Mapping[str, Any] | None:
    """A line as a scan stages it; each patient is a world of its own, so that its number stands for the institution."""
    prescription, item, number = patient.prescription, patient.lines[line], patient.number
    if item.is_void:
        return None
    visit, settlement = visit_and_settlement(patient, line)
    return {
        "line_no": number * SHIFT + line, "is_refund": item.takes_back, "beside": patient.is_history(line) or not (item.judged or item.is_refund),
        "institution_id": f"{number}/{item.institution_id}" if item.institution_id else str(number), "visit_id": visit,
        "settlement_id": None if settlement is None else f"{number}/{settlement}",
        "line_id": item.line_id if prescription.ids_name_lines else None, "original_line_id": item.original_line_id,
        "item_code": item.item_code or f"\x1e{item.item_name}", "service_time": prescription.time_of(item).isoformat(),
        "quantity": item.quantity, "amount": item.amount, "amount_in_scope": item.amount_in_scope,
        "prescription_id": item.prescription_id, "item_name": item.item_name,
    }  # fmt: skip


def visit_and_settlement(patient: PatientLines, line: int) -> tuple[str | None, str | None]:
    """The visit and the settlement of a line; lines of the history that name none are of one that nobody knows."""
    item, facts = patient.lines[line], patient.prescription.facts
    if not patient.is_history(line):
        return facts.get("visit_id"), facts.get("settlement_id")
    if item.visit_id is None and item.settlement_id is None:
        return None, "\x1eh"
    return item.visit_id, item.settlement_id


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:.4f}"
