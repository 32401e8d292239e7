"""The relation `use` (checker.shapes.uses) of the patients of a query, and what a line brings to the shapes that read it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any

from checker.ingest.prescription import Item, Prescription
from checker.ingest.provincial import Provincial
from checker.ingest.scope import is_not_in_scope
from checker.precheck.fellows import is_left
from checker.precheck.netting import SHIFT
from checker.precheck.patient_lines import PatientLines
from checker.precheck.point_index import PointIndex


def line_facts(patient: PatientLines, prescription: Prescription, line: int) -> dict[str, Any]:
    """What a line that is asked about brings of its own; `line` is its place in the prescription."""
    place = prescription.place_in_visit + line
    return {
        "line_no": patient.number * SHIFT + place, "history_told": patient.is_told, "patient_key": str(patient.number),
        "visit_key": visit_key(patient), "settlement_key": f"{patient.number}\x1fs",
    }  # fmt: skip


def visit_key(patient: PatientLines) -> str:
    """The key of the visit that a prescription is of."""
    return f"{patient.number}\x1fv"


def uses(
    index: PointIndex, patient: PatientLines, together: Collection[str | None], provincial: Provincial
) -> Iterator[dict[str, Any]]:
    """The rows of a patient for what counts `together`, as netting left the lines."""
    prescription = patient.prescription
    for place, item in enumerate(patient.lines):
        at = prescription.time_of(item)
        told = {use: code for use, code in index.uses(item.item_code, at.date()).items() if use[0] in together}
        if not told or not is_left(item):
            continue
        quantity = item.left.quantity if item.left else item.quantity
        if quantity is not None and Decimal(quantity) <= 0:
            continue
        row = {
            "line_no": patient.number * SHIFT + place, "line_id": item.line_id, "at": at.isoformat(),
            "patient": str(patient.number), "quantity": quantity or 1, "amount": item.left.amount if item.left else item.amount,
            "unit_price": _text(item.unit_price),
            "price_limit": _text(item.price_limit), "days_supply": None if item.days_supply is None else int(item.days_supply),
            "is_paid": _is_paid(item), "is_judged": item.judged,
            **_place(patient, place, provincial),
        }  # fmt: skip
        for (group, role), code in sorted(told.items()):
            yield row | {"together": group, "role": role, "item_code": code}


def _place(patient: PatientLines, place: int, provincial: Provincial) -> Mapping[str, Any]:
    """Where a line was charged, in which visit, and from when to when that was."""
    item, facts, number = patient.lines[place], patient.prescription.facts, patient.number
    institution = f"{number}\x1f{item.institution_id or facts.get('institution_id') or ''}"
    care = dict(item.circumstances).get("care_type", facts.get("care_type"))
    group = provincial.care_group(care)
    told = {"institution": institution, "is_stay": None if group is None else group == "inpatient"}
    named = item.visit_id or (item.settlement_id and f"s{item.settlement_id}")
    own = facts.get("visit_id") or (facts.get("settlement_id") and f"s{facts['settlement_id']}")
    if patient.is_history(place) and (named is None or named != own):
        # A line of the history that names no visit is of one that nobody knows.
        return told | {"visit": f"{institution}\x1fh{named or place}", "begins": None, "ends": None}
    begins, ends = facts.get("visit_start"), facts.get("visit_end")
    return told | {
        "visit": f"{institution}\x1fv", "begins": begins and begins.date().isoformat(), "ends": ends and ends.date().isoformat(),
    }  # fmt: skip


def _is_paid(item: Item) -> bool:
    """Whether the fund may pay for a line: it is not self-paid, and something of it is, or may be, in scope."""
    in_scope = item.left.amount_in_scope if item.left else item.amount_in_scope
    return not (item.is_self_paid or is_not_in_scope(item.amount, in_scope, item.full_self_paid_amount))


def _text(price: Decimal | None) -> str | None:
    return None if price is None else f"{price}"
